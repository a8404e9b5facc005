// A kustomization of a page is built with the components of this project, and what comes out hangs together.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { expect } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { argoCdSources } from '../support/argo-cd-module.ts';
import { buildTool } from '../tools/build.mjs';
import { manifest } from './cluster-objects.ts';
import { type Fields, fieldsList, fieldsOf, textOf } from './fields.ts';
import { PROJECT } from './markdown.ts';

/** Files that the sidecar, and those that the controller, looks for below /etc/image-resolver. */
const SIDECAR_FILES = /^(?:controller-ca\.pem|docker\/config\.json|secrets\/[^/]+\/[^/]+\/[^/]+)$/;
const CONTROLLER_FILES =
  /^(?:controller-ca\.pem|tls\/tls\.(?:crt|key)|docker\/config\.json|secrets\/[^/]+\/[^/]+\/[^/]+)$/;

/** Builds it, and answers its ConfigMaps named `image-resolver`. Without Argo CD in it, it is about monitoring alone. */
export async function checkKustomization(text: string): Promise<readonly Fields[]> {
  const rendered = await build(text);
  const objects = parseAllDocuments(rendered).map((document) => fieldsOf(document.toJS()));
  const { components, images, resources } = fieldsOf(parseAllDocuments(text)[0]?.toJS());
  if (resources === undefined) {
    expect(objects.map(({ kind }) => textOf(kind)).toSorted()).toEqual(['ConfigMap', 'PodMonitor', 'PrometheusRule']);
    return [];
  }
  for (const { newName } of fieldsList(images)) expect(rendered).toContain(`image: ${textOf(newName)}:`);

  const repoServer = podSpecOf(objects, 'argocd-repo-server');
  expect(repoServer.containers.map(({ name }) => name)).toContain('image-resolver');
  checkVolumes(repoServer);
  checkMounted(repoServer, 'image-resolver');
  expect(namedIn(repoServer, 'image-resolver-config', SIDECAR_FILES)).toEqual([]);

  const configMaps = objects.filter(({ kind, metadata }) => {
    return kind === 'ConfigMap' && fieldsOf(metadata)['name'] === 'image-resolver';
  });
  if (JSON.stringify(components).includes('manifests/controller')) {
    const controller = podSpecOf(objects, 'image-resolver-controller');
    checkVolumes(controller);
    checkMounted(controller, '');
    expect(namedIn(controller, 'config', CONTROLLER_FILES)).toEqual([]);
    checkAddress(repoServer);
  }
  return configMaps;
}

/** With the local components and Argo CD's own Deployment in place of the addresses. */
async function build(text: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'docs-kustomization-'));
  try {
    const base = join(argoCdSources(), 'manifests/base/repo-server/argocd-repo-server-deployment.yaml');
    cpSync(base, join(folder, 'deployment.yaml'));
    const manifests = relative(folder, join(PROJECT, 'manifests'));
    const local = text
      .replaceAll(/https:\/\/raw\.githubusercontent\.com\/argoproj\/argo-cd\/\S+\/install\.yaml/g, 'deployment.yaml')
      .replaceAll(
        /https:\/\/github\.com\/\S+\/\/manifests\/(sidecar|controller|monitoring)\?ref=\S+/g,
        `${manifests}/$1`,
      );
    expect(local).not.toContain('https://github.com/');
    writeFileSync(join(folder, 'kustomization.yaml'), local);
    const args = ['build', '--load-restrictor', 'LoadRestrictionsNone', folder];
    return execFileSync(await buildTool('kustomize'), args, { encoding: 'utf8' });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface PodSpec {
  readonly containers: readonly Fields[];
  readonly volumes: readonly Fields[];
}

function podSpecOf(objects: readonly Fields[], name: string): PodSpec {
  const deployment = objects.find(({ kind, metadata }) => kind === 'Deployment' && fieldsOf(metadata)['name'] === name);
  const template = fieldsOf(fieldsOf(fieldsOf(deployment?.['spec'])['template'])['spec']);
  return { containers: fieldsList(template['containers']), volumes: fieldsList(template['volumes']) };
}

function checkVolumes({ volumes }: PodSpec): void {
  expect(volumes.length).toBeGreaterThan(0);
  for (const { name } of volumes) expect(volumes.filter((one) => one['name'] === name)).toHaveLength(1);
  // A volume has a name and one source; a patch that forgets to remove the old source leaves two.
  expect(volumes.filter((volume) => Object.keys(volume).length !== 2)).toEqual([]);
}

/** What a patch adds is used: a misspelt name would add a volume that nothing mounts. */
function checkMounted({ containers, volumes }: PodSpec, prefix: string): void {
  const mounted = new Set(
    containers.flatMap((container) => fieldsList(container['volumeMounts']).map(({ name }) => name)),
  );
  const ours = volumes.map(({ name }) => textOf(name)).filter((name) => name.startsWith(prefix));
  expect(ours.length).toBeGreaterThan(0);
  expect(ours.filter((name) => !mounted.has(name))).toEqual([]);
}

/** The sidecar is told of a Service that is there; of none it would resolve by itself, without credentials. */
function checkAddress({ containers }: PodSpec): void {
  const sidecar = containers.find(({ name }) => name === 'image-resolver');
  const variable = fieldsList(sidecar?.['env']).find(({ name }) => name === 'IMAGE_RESOLVER_CONTROLLER');
  const { hostname, port } = new URL(textOf(variable?.['value']));
  const services = manifest('service.yaml').map(({ metadata, spec }) => ({
    name: fieldsOf(metadata)['name'],
    ports: fieldsList(fieldsOf(spec)['ports']).map((one) => String(one['port'])),
  }));
  expect(services).toContainEqual({ name: hostname.split('.')[0], ports: [port] });
}

/** Files of the configuration that would be mounted where nothing looks. */
function namedIn({ volumes }: PodSpec, volume: string, known: RegExp): readonly string[] {
  const configuration = volumes.find(({ name }) => name === volume);
  const sources = fieldsList(fieldsOf(configuration?.['projected'])['sources']);
  expect(sources.length).toBeGreaterThan(1);
  const paths = sources.flatMap((source) =>
    fieldsList(fieldsOf(source['secret'])['items']).map(({ path }) => textOf(path)),
  );
  return paths.filter((path) => !known.test(path));
}
