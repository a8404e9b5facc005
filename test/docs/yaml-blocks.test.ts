// Every YAML block of the pages is what it says it is, by the parsers that the program uses.
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
import { checkCertificate, checkIngress, checkRole, checkRoleBinding } from './cluster-objects.ts';
import { type Fields, fieldsOf, textOf } from './fields.ts';
import { checkKustomization } from './kustomizations.ts';
import { type Block, blocksOf, nameOf, pages } from './markdown.ts';

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
  const documents = parseAllDocuments(block.text);
  expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
  const values = documents.map((document) => fieldsOf(document.toJS()));
  for (const value of values) {
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
        for (const configMap of await checkKustomization(block.text)) await checkConfigMap(configMap);
        break;
      case 'Role':
        checkRole(value);
        break;
      case 'RoleBinding':
        checkRoleBinding(value, values);
        break;
      case 'Ingress':
        checkIngress(value);
        break;
      case 'Certificate':
        checkCertificate(value);
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

async function checkWorkload(text: string): Promise<void> {
  const { annotated, fields } = findImages(text, { rules: [] }).findings;
  expect(fields.length).toBeGreaterThan(0);
  for (const resource of annotated) {
    await checkAll(policiesFromAnnotations(resource, fields).policies.map(({ policy }) => policy));
  }
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
