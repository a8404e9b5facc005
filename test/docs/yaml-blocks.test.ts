// Every YAML block of the pages is what it says it is, by the parsers that the program uses.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { bestKey, parseDockerAuth, parseDockerConfig } from '../../src/credentials/docker-config.ts';
import { findImages } from '../../src/edit/find-fields.ts';
import type { FilePorts } from '../../src/operator/files.ts';
import { loadOperatorConfiguration } from '../../src/operator/load-operator-configuration.ts';
import { readBuildEnvironment } from '../../src/parameters/build-environment.ts';
import { readParameters } from '../../src/parameters/read-parameters.ts';
import { renderSpecFrom } from '../../src/parameters/render-spec.ts';
import { checkPolicies } from '../../src/policy/check-policies.ts';
import { policiesFromAnnotations } from '../../src/policy/from-annotations.ts';
import { policiesFromFile } from '../../src/policy/from-file.ts';
import { policiesFromParameters } from '../../src/policy/from-parameters.ts';
import type { ImagePolicy } from '../../src/policy/image-policy.ts';
import { argoCdSources } from '../support/argo-cd-module.ts';
import { buildTool } from '../tools/build.mjs';
import { type Block, blocksOf, nameOf, pages, PROJECT } from './markdown.ts';

type Fields = Readonly<Record<string, unknown>>;

/** How a block says that it is of somebody else: what was before, or a native source. */
const FOREIGN: ReadonlySet<string> = new Set(['before', 'native']);
const WORKLOADS: ReadonlySet<string> = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'CronJob', 'Job']);
/** What Argo CD knows in argocd-cm and the pages speak of. */
const ARGOCD_CM_KEYS: ReadonlySet<string> = new Set(['timeout.reconciliation', 'timeout.hard.reconciliation']);

/** What a block is; a kind that is not known here is a block nobody checks, so it is an error. */
function kindOf(block: Block, value: Fields): string {
  if (FOREIGN.has(block.note)) return 'foreign';
  const kind = textOf(value['kind']);
  if (kind !== '') return WORKLOADS.has(kind) ? 'workload' : kind;
  return Array.isArray(value['registries']) ? 'registries.conf' : 'unknown';
}

async function check(block: Block): Promise<void> {
  for (const document of parseAllDocuments(block.text)) {
    expect(document.errors).toEqual([]);
    const value = fieldsOf(document.toJS());
    const kind = kindOf(block, value);
    switch (kind) {
      case 'foreign':
        break;
      case 'Application':
        await checkApplication(value);
        break;
      case 'ImagePolicies':
        await checkPolicyFile(block.text);
        break;
      case 'ResolverConfiguration':
        await checkConfiguration({ 'config.yaml': block.text });
        break;
      case 'registries.conf':
        await checkConfiguration({ 'registries.conf': block.text });
        break;
      case 'ConfigMap':
        await checkConfigMap(value);
        break;
      case 'Secret':
        checkSecret(value);
        break;
      case 'Kustomization':
        await checkKustomization(block.text);
        break;
      case 'workload':
        await checkWorkload(block.text);
        break;
      default:
        throw new Error(`a block of kind ${kind} that nothing checks`);
    }
  }
}

async function checkApplication(value: Fields): Promise<void> {
  const spec = fieldsOf(value['spec']);
  const sources = [spec['source'], ...((spec['sources'] as unknown[] | undefined) ?? [])].map(fieldsOf);
  const plugins = sources.map((source) => fieldsOf(source['plugin'])).filter((plugin) => plugin['name'] !== undefined);
  expect(plugins.length).toBeGreaterThan(0);
  expect(textOf(spec['project']), 'an Application has a project').not.toBe('');
  for (const plugin of plugins) {
    expect(plugin['name']).toBe('image-resolver');
    const parameters = readParameters(JSON.stringify(plugin['parameters'] ?? null));
    renderSpecFrom(parameters, readBuildEnvironment({ ARGOCD_APP_NAME: 'docs' }));
    await checkAll((await policiesFromParameters(parameters)).policies);
  }
}

async function checkPolicyFile(text: string): Promise<void> {
  const { policies, fieldRules } = policiesFromFile(text, '.image-resolver.yaml');
  expect(policies.length + fieldRules.length).toBeGreaterThan(0);
  await checkAll(policies);
}

async function checkAll(policies: readonly ImagePolicy[]): Promise<void> {
  expect(await checkPolicies(policies)).toEqual([]);
}

/** Loads the operator's files with the loader of the program. Files that they name are there, and empty. */
async function checkConfiguration(files: Readonly<Record<string, string>>): Promise<void> {
  const texts = new Map(Object.entries(files).map(([name, text]) => [`/etc/image-resolver/${name}`, text]));
  const ports: FilePorts = {
    stamp: () => '1',
    read: (path) => {
      const text = texts.get(path);
      return text === undefined ? { kind: 'missing' } : { kind: 'read', text, stamp: '1' };
    },
    readPrivate: () => ({ kind: 'missing' }),
    replacePrivate: () => false,
  };
  await expect(loadOperatorConfiguration({}, { files: ports })).resolves.toHaveProperty('budgetMs');
}

async function checkConfigMap(value: Fields): Promise<void> {
  const data = fieldsOf(value['data']) as Readonly<Record<string, string>>;
  switch (fieldsOf(value['metadata'])['name']) {
    case 'image-resolver':
      return checkConfiguration(data);
    case 'argocd-cm':
      expect(Object.keys(data).filter((key) => !ARGOCD_CM_KEYS.has(key))).toEqual([]);
      return;
    default:
      throw new Error('a ConfigMap that nothing checks');
  }
}

function checkSecret(value: Fields): void {
  const config = parseDockerConfig(textOf(fieldsOf(value['stringData'])['.dockerconfigjson']));
  expect(config).toMatchObject({ ok: true });
  if (!config.ok) return;
  expect(config.value.auths.size).toBeGreaterThan(0);
  for (const entry of config.value.auths.values()) expect(parseDockerAuth(entry)).toMatchObject({ ok: true });
  expect(bestKey(config.value.auths.keys(), { host: 'docker.io', path: 'library/nginx' })).toBeDefined();
}

/** Builds it, with the local component and Argo CD's own Deployment in place of the addresses. */
async function checkKustomization(text: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'docs-kustomization-'));
  try {
    const base = join(argoCdSources(), 'manifests/base/repo-server/argocd-repo-server-deployment.yaml');
    cpSync(base, join(folder, 'deployment.yaml'));
    const component = relative(folder, join(PROJECT, 'manifests/sidecar'));
    const local = text
      .replaceAll(/https:\/\/raw\.githubusercontent\.com\/argoproj\/argo-cd\/\S+\/install\.yaml/g, 'deployment.yaml')
      .replaceAll(/https:\/\/github\.com\/\S+\/\/manifests\/sidecar\?ref=\S+/g, component);
    expect(local).not.toContain('https://');
    writeFileSync(join(folder, 'kustomization.yaml'), local);
    const kustomize = await buildTool('kustomize');
    const args = ['build', '--load-restrictor', 'LoadRestrictionsNone', folder];
    const rendered = execFileSync(kustomize, args, { encoding: 'utf8' });
    const { containers, volumes } = podSpecOf(rendered);
    const newNames = fieldsList(fieldsOf(parseAllDocuments(text)[0]?.toJS())['images']).map(({ newName }) => newName);
    for (const name of newNames) expect(rendered).toContain(`image: ${textOf(name)}:`);
    expect(containers.map(({ name }) => name)).toContain('image-resolver');
    for (const { name } of fieldsList(volumes)) expect(volumes.filter((one) => one['name'] === name)).toHaveLength(1);
    // A volume has a name and one source; a patch that forgets to remove the old source leaves two.
    expect(volumes.filter((volume) => Object.keys(volume).length !== 2)).toEqual([]);
    // What a patch adds is used: a misspelt name would add a volume that nothing mounts.
    const mounted = new Set(
      containers.flatMap((container) => fieldsList(container['volumeMounts']).map(({ name }) => name)),
    );
    const ours = volumes.map(({ name }) => textOf(name)).filter((name) => name.startsWith('image-resolver'));
    expect(ours.filter((name) => !mounted.has(name))).toEqual([]);
    expect(checkSources(volumes)).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Sources of the configuration that would be mounted where nothing looks. */
function checkSources(volumes: readonly Fields[]): readonly string[] {
  const configuration = volumes.find(({ name }) => name === 'image-resolver-config');
  const sources = fieldsList(fieldsOf(configuration?.['projected'])['sources']);
  expect(sources.length).toBeGreaterThan(1);
  const paths = sources.flatMap((source) =>
    fieldsList(fieldsOf(source['secret'])['items']).map(({ path }) => textOf(path)),
  );
  return paths.filter((path) => !/^(?:docker\/config\.json|secrets\/[^/]+\/[^/]+\/[^/]+)$/.test(path));
}

function podSpecOf(rendered: string): { readonly containers: readonly Fields[]; readonly volumes: readonly Fields[] } {
  const deployment = parseAllDocuments(rendered)
    .map((document) => fieldsOf(document.toJS()))
    .find(({ kind }) => kind === 'Deployment');
  const template = fieldsOf(fieldsOf(fieldsOf(deployment?.['spec'])['template'])['spec']);
  return { containers: fieldsList(template['containers']), volumes: fieldsList(template['volumes']) };
}

async function checkWorkload(text: string): Promise<void> {
  const { annotated, fields } = findImages(text, { rules: [] }).findings;
  expect(fields.length).toBeGreaterThan(0);
  for (const resource of annotated) {
    await checkAll(policiesFromAnnotations(resource, fields).policies.map(({ policy }) => policy));
  }
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function fieldsList(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

const blocks = pages()
  .flatMap((page) => blocksOf(page))
  .map((block) => ({ name: nameOf(block), block }));

describe('a YAML block is what it says', () => {
  test.for(blocks.filter(({ block }) => block.language === 'yaml'))('$name', async ({ block }) => {
    await expect(check(block)).resolves.toBeUndefined();
  });
});

test('blocks are of languages that tests know', () => {
  const known = new Set(['yaml', 'console', 'sh', 'text']);
  expect(blocks.filter(({ block }) => !known.has(block.language)).map(({ name }) => name)).toEqual([]);
});
