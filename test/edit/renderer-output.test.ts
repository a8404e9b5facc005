import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { argoCdSources } from '../support/argo-cd-module.ts';
import { toolDirectory } from '../tools/build.mjs';
import { fieldsOf, retagged } from './editing.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'image-resolver-edit-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}

const WORKLOADS = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      initContainers:
      - {name: wait, image: "docker.io/library/busybox:1.0", command: [sh, -c, "until nc -z db && true; do :; done"]}
      containers:
      - name: web
        image: registry.example.com:5000/shop/web:1.0 # the shop
        env:
        - {name: IMAGE, value: "image: nginx:1.0"}
      - name: proxy
        image: 'envoyproxy/envoy:1.0'
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: clean}
spec:
  schedule: "*/5 * * * *"
  jobTemplate:
    spec:
      template:
        spec:
          containers: [{name: clean, image: shop/clean:1.0, args: ["--all", "&"]}]
`;

describe('kustomize', () => {
  const build = (directory: string): string =>
    execFileSync(join(toolDirectory('kustomize'), 'kustomize'), ['build', join(folder, directory)], {
      encoding: 'utf8',
    });

  test('editing its output gives the very bytes that its own newTag gives', () => {
    const names = ['docker.io/library/busybox', 'registry.example.com:5000/shop/web', 'envoyproxy/envoy', 'shop/clean'];
    const common =
      'namePrefix: a-\ncommonAnnotations: {note: "image: x:1.0"}\nconfigMapGenerator:\n- name: c\n  literals: ["image=nginx:1.0", "text=a\\n---\\nimage: b:1.0"]\n';
    write({
      'base/workloads.yaml': WORKLOADS,
      'base/kustomization.yaml': `resources: [workloads.yaml]\n${common}`,
      'tagged/workloads.yaml': WORKLOADS,
      'tagged/kustomization.yaml': `resources: [workloads.yaml]\n${common}images:\n${names.map((name) => `- {name: ${name}, newTag: v2.0}\n`).join('')}`,
    });
    expect(retagged(build('base'), 'v2.0')).toBe(build('tagged'));
  });
});

describe.for(['helm3', 'helm4'])('%s', (helm) => {
  test('editing its output gives the very bytes that its own values give', () => {
    write({
      'chart/Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 0.1.0\n',
      'chart/values.yaml': 'tag: "1.0"\n',
      'chart/templates/workloads.yaml': `# all of it\n${WORKLOADS.replaceAll(/(?<=(?:busybox|web|envoy|clean):)1\.0/g, '{{ .Values.tag }}')}`,
      'chart/templates/config.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  app.js: |\n    a=[{image:"nginx:1.0"}]\n',
    });
    const template = (...options: readonly string[]): string =>
      execFileSync(join(toolDirectory(helm), 'helm'), ['template', 'shop', join(folder, 'chart'), ...options], {
        encoding: 'utf8',
      });
    expect(retagged(template(), 'v2.0')).toBe(template('--set-string', 'tag=v2.0'));
  });
});

test("every image of Argo CD's own manifests is found, among its definitions of custom resources", () => {
  const text = readFileSync(join(argoCdSources(), 'manifests/ha/install.yaml'), 'utf8');
  const images: string[] = [];
  for (const document of parseAllDocuments(text)) {
    const podSpec = document.getIn(['spec', 'template', 'spec']) as { toJSON(): PodSpec } | undefined;
    const { containers = [], initContainers = [] } = podSpec?.toJSON() ?? {};
    images.push(...[...containers, ...initContainers].map(({ image }) => image));
  }
  expect(images.length).toBeGreaterThan(10);
  expect(fieldsOf(text).map(([, written]) => written)).toEqual(images);
  const retag = (match: string): string =>
    /:v?[\d.]+(?:-\w+)*$/.test(match) ? match.replace(/:[^:/]+$/, ':v0') : match;
  const want = text.replaceAll(/(?<=^ +(?:- )?image: )\S+$/gm, retag);
  expect(retagged(text, 'v0')).toBe(want);
});

interface PodSpec {
  readonly containers?: readonly { readonly image: string }[];
  readonly initContainers?: readonly { readonly image: string }[];
}
