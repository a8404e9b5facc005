import { describe, expect, test } from 'vitest';
import type { AnnotatedResource, ImageField } from '../../src/edit/image-field.ts';
import type { OnUnmatched } from '../../src/operator/operator-configuration.ts';
import { type AnnotationReading, policiesFromAnnotations } from '../../src/policy/from-annotations.ts';
import { errorOf, field } from './support.ts';

const APP = field('ghcr.io/acme/web:1.0.5', { container: 'app' });
const PROXY = field('nginx:1.25', { container: 'proxy' });

function readAnnotations(
  annotations: Readonly<Record<string, string>>,
  fields: readonly ImageField[] = [APP, PROXY],
  onUnmatched: OnUnmatched = 'error',
): AnnotationReading {
  const annotated: AnnotatedResource = {
    resource: APP.resource,
    annotations: Object.entries(annotations).map(([key, value]) => ({ key, value })),
    fields: fields.map(({ id }) => id),
  };
  const elsewhere = field('redis:7', { container: 'cache', name: 'other' });
  return policiesFromAnnotations(annotated, [...fields, elsewhere], { onUnmatched });
}

test('a constraint under the name of a container, the repository from its image', () => {
  const { policies, notices } = readAnnotations({ app: '~1.0', 'app.ignore-tags': '*-rc*', 'proxy.pin': '1.26' });
  expect(notices).toEqual([]);
  expect(policies).toMatchObject([
    {
      fields: [APP.id],
      policy: {
        alias: 'Deployment/web/app',
        repository: { name: 'ghcr.io/acme/web' },
        writtenRepository: 'ghcr.io/acme/web',
        choice: {
          selection: {
            strategy: { kind: 'semver', constraint: '~1.0' },
            filters: [{ effect: 'ignore', kind: 'glob', pattern: '*-rc*' }],
          },
        },
        origin: { place: 'annotation', where: 'Deployment/web, annotation image-resolver.io/app' },
      },
    },
    {
      fields: [PROXY.id],
      policy: { choice: { kind: 'pin', tag: '1.26' }, repository: { name: 'docker.io/library/nginx' } },
    },
  ]);
});

test('a digest policy without constraint follows the tag in Git', () => {
  const { policies } = readAnnotations({ 'app.update-strategy': 'digest' });
  expect(policies[0]?.policy.choice).toMatchObject({ selection: { strategy: { kind: 'digest' } } });
});

test('a constraint in the tag position of the container does not hide its repository', () => {
  const tilde = field('ghcr.io/acme/web:~1.0', { container: 'app' });
  expect(readAnnotations({ app: '~1.0' }, [tilde]).policies).toMatchObject([
    { policy: { repository: { name: 'ghcr.io/acme/web' } } },
  ]);
});

test('two workloads with containers of one name have policies of different names', () => {
  const other = { ...APP, resource: { ...APP.resource, name: 'worker', namespace: 'prod' } };
  const [web] = readAnnotations({ app: '~1' }).policies;
  const [worker] = policiesFromAnnotations(
    { resource: other.resource, annotations: [{ key: 'app', value: '~1' }], fields: [other.id] },
    [other],
  ).policies;
  expect([web?.policy.alias, worker?.policy.alias]).toEqual(['Deployment/web/app', 'Deployment/prod/worker/app']);
});

test('a container name that stands for images of two repositories gives each a policy', () => {
  const first = field('ghcr.io/acme/a:1.0', { container: 'main', id: 'one' });
  const second = field('ghcr.io/acme/b:1.0', { container: 'main', id: 'two' });
  const third = field('ghcr.io/acme/a:1.1', { container: 'main', id: 'three' });
  expect(readAnnotations({ main: '^1' }, [first, second, third]).policies).toMatchObject([
    { policy: { repository: { name: 'ghcr.io/acme/a' } }, fields: ['one', 'three'] },
    { policy: { repository: { name: 'ghcr.io/acme/b' } }, fields: ['two'] },
  ]);
});

test('an image that is no reference passes as written, with a notice', () => {
  const broken = field('Nginx@x', { container: 'app' });
  expect(readAnnotations({ app: '~1' }, [broken])).toMatchObject({
    policies: [],
    notices: [{ code: 'FIELD_UNPARSABLE' }],
  });
});

describe('a container that is not there', () => {
  test('is an error that names those that are', async () => {
    const error = await errorOf(() => readAnnotations({ ap: '~1.0' }));
    expect(error.toData()).toEqual({
      code: 'POLICY_UNMATCHED',
      what: 'there is no container "ap" in Deployment/web',
      where: 'Deployment/web, annotation image-resolver.io/ap',
      fix: 'did you mean app? it has app, proxy',
    });
  });

  test('is not looked for in other workloads', async () => {
    expect((await errorOf(() => readAnnotations({ cache: '~7' }))).code).toBe('POLICY_UNMATCHED');
  });

  test('is a warning or nothing where the operator says so', () => {
    expect(readAnnotations({ 'cache.pin': '7' }, [APP], 'warn').notices).toMatchObject([{ code: 'POLICY_UNMATCHED' }]);
    expect(readAnnotations({ 'cache.pin': '7' }, [APP], 'ignore')).toEqual({ policies: [], notices: [] });
  });
});

describe('refuses', () => {
  test.for([
    { name: 'a target', annotations: { 'app.helm.image-tag': 'x' }, code: 'SETTING_INVALID', says: 'helm.image-tag' },
    {
      name: 'a credential',
      annotations: { 'app.pull-secret': 'pullsecret:a/b' },
      code: 'SETTING_INVALID',
      says: 'pull-secret',
    },
    { name: 'optional', annotations: { 'app.optional': 'true' }, code: 'SETTING_INVALID', says: 'optional' },
    {
      name: 'what is only for write-back',
      annotations: { 'app.force-update': 'true' },
      code: 'SETTING_INVALID',
      says: 'force-update',
    },
    {
      name: 'an unknown setting',
      annotations: { 'app.strategie': 'semver' },
      code: 'SETTING_UNKNOWN',
      says: 'app.strategie',
    },
    {
      name: 'a constraint in two ways',
      annotations: { app: '~1', 'app.constraint': '~2' },
      code: 'SETTING_INVALID',
      says: 'twice',
    },
    { name: 'an invalid constraint', annotations: { app: '~~1' }, code: 'CONSTRAINT_INVALID', says: '~~1' },
    {
      name: 'an empty constraint, which a template without its variable writes',
      annotations: { app: '' },
      code: 'SETTING_INVALID',
      says: 'constraint "" is empty',
    },
    {
      name: 'an empty constraint beside a strategy that needs none',
      annotations: { app: ' ', 'app.update-strategy': 'newest-build' },
      code: 'SETTING_INVALID',
      says: 'is empty',
    },
    { name: 'an invalid glob', annotations: { 'app.ignore-tags': '[' }, code: 'FILTER_INVALID', says: '"["' },
    {
      name: 'a setting without container',
      annotations: { 'helm.image-tag': 'x' },
      code: 'SETTING_UNKNOWN',
      says: 'helm.image-tag',
    },
  ])('$name', async ({ annotations, code, says }) => {
    const error = await errorOf(() => readAnnotations(annotations));
    expect(error.code).toBe(code);
    expect(error.message).toContain(says);
    expect(error.where).toContain('annotation image-resolver.io/');
  });
});

test('an empty constraint is answered with what any release is called', async () => {
  const error = await errorOf(() => readAnnotations({ app: '' }));
  expect(error.where).toBe('Deployment/web, annotation image-resolver.io/app');
  expect(error.fix).toContain('write * for any release');
});

test('a strategy that needs no constraint has none', () => {
  expect(readAnnotations({ 'app.update-strategy': 'newest-build' }).policies).toHaveLength(1);
});

test('an unknown setting is answered with those that annotations can have', async () => {
  const { fix } = await errorOf(() => readAnnotations({ 'app.zzzzzzzz': 'x' }));
  expect(fix).toContain('update-strategy');
  for (const other of ['pull-secret', 'helm.', 'kustomize.', 'optional', 'force-update'])
    expect(fix).not.toContain(other);
});

test('a name with a dot is found before a setting is looked for', () => {
  const sidecar = field('ghcr.io/acme/side:1.0.5', { container: 'sidecar.v1' });
  const { policies } = readAnnotations({ 'sidecar.v1': '~1.0', 'sidecar.v1.output': 'digest' }, [sidecar]);
  expect(policies).toMatchObject([{ policy: { alias: 'Deployment/web/sidecar.v1', write: { output: 'digest' } } }]);
});

test('a container may be called like a setting', () => {
  const pin = field('ghcr.io/acme/web:1.0.5', { container: 'pin' });
  expect(readAnnotations({ pin: '~1.0', 'pin.pin': '1.0.5' }, [pin]).policies).toMatchObject([
    { policy: { alias: 'Deployment/web/pin', choice: { kind: 'pin', tag: '1.0.5' } } },
  ]);
});
