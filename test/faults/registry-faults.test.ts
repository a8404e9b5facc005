import { existsSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ErrorCode } from '../../src/error/codes.ts';
import { type FakeRegistry, startFakeRegistry } from '../support/fake-registry.ts';
import type { FakeFault } from '../support/fake-registry-faults.ts';
import { type PluginContainer, startPluginContainer, type TestApplication } from '../support/run-resolver.ts';
import { codesIn, expectFailure, expectWarning } from './expect-failure.ts';
import { deployment, hostEntry, images, oneImage, tagIn } from './one-image.ts';

// Whatever a registry does: with nothing known a clear error and no manifest, with an earlier answer that answer.

const BODY_SECRET = 'canary-in-the-body';

interface Case {
  readonly name: string;
  readonly fault: FakeFault;
  readonly code: ErrorCode;
  /** What the error says besides. */
  readonly says?: string;
  /** Which requests; default: every page of the listing. */
  readonly matching?: (repository: string) => RegExp;
}

const answer = (status: number, body = '', headers: Readonly<Record<string, string>> = {}): FakeFault => ({
  kind: 'answer',
  status,
  headers: { 'content-type': 'application/json', 'x-secret': BODY_SECRET, ...headers },
  body,
});
const errorBody = (code: string): string =>
  JSON.stringify({ errors: [{ code, message: BODY_SECRET, detail: BODY_SECRET }] });

const CASES: readonly Case[] = [
  { name: '401', fault: answer(401, errorBody('UNAUTHORIZED')), code: 'REGISTRY_UNAUTHORIZED', says: '401' },
  { name: '403', fault: answer(403, errorBody('DENIED')), code: 'REGISTRY_DENIED', says: '403 DENIED' },
  {
    name: '404 for what may not be seen',
    fault: answer(404, errorBody('NAME_UNKNOWN')),
    code: 'REPOSITORY_NOT_FOUND',
    says: 'no credentials were sent',
  },
  {
    name: '429 that asks for an hour',
    fault: answer(429, errorBody('TOOMANYREQUESTS'), { 'retry-after': '3600' }),
    code: 'REGISTRY_THROTTLED',
    says: '429',
  },
  { name: '500', fault: answer(500, BODY_SECRET), code: 'REGISTRY_UNAVAILABLE', says: '500' },
  { name: '503', fault: answer(503, BODY_SECRET), code: 'REGISTRY_UNAVAILABLE', says: '503' },
  {
    name: 'HTML instead of JSON',
    fault: answer(200, `<html>${BODY_SECRET}</html>`, { 'content-type': 'text/html' }),
    code: 'REGISTRY_INVALID',
  },
  { name: 'JSON that ends too early', fault: answer(200, `{"tags":["${BODY_SECRET}`), code: 'REGISTRY_INVALID' },
  {
    name: 'another charset',
    fault: {
      kind: 'answer',
      status: 200,
      headers: { 'content-type': 'application/json; charset=latin1' },
      body: Buffer.from('{"name":"acme/api","tags":["1.0.\xe9"]}', 'latin1'),
    },
    code: 'REGISTRY_INVALID',
  },
  { name: 'a body without end', fault: { kind: 'endless' }, code: 'REGISTRY_TOO_LARGE' },
  { name: 'a slow drip', fault: { kind: 'drip' }, code: 'BUDGET_EXCEEDED', says: '127.0.0.1' },
  { name: 'silence', fault: { kind: 'silence' }, code: 'BUDGET_EXCEEDED', says: '127.0.0.1' },
  { name: 'a cut connection', fault: { kind: 'cut' }, code: 'REGISTRY_UNAVAILABLE', says: 'cut' },
  {
    name: 'a cut in page 2',
    fault: { kind: 'cut' },
    code: 'REGISTRY_UNAVAILABLE',
    matching: (repository) => new RegExp(`/${repository}/tags/list.*last=`),
  },
  {
    name: 'a body that is cut in page 2',
    fault: { kind: 'cut-in-body' },
    code: 'REGISTRY_UNAVAILABLE',
    matching: (repository) => new RegExp(`/${repository}/tags/list.*last=`),
  },
  { name: 'a body that is cut', fault: { kind: 'cut-in-body' }, code: 'REGISTRY_UNAVAILABLE', says: 'cut' },
];

let registry: FakeRegistry;

beforeAll(async () => {
  registry = await startFakeRegistry({ quirks: { pageSize: 2 } });
});
afterAll(async () => registry.close());

/** A container and an application whose image is in a repository of its own, so that tests can run side by side. */
async function setUp(
  repository: string,
  configuration: Readonly<Record<string, unknown>> = {},
): Promise<{ readonly container: PluginContainer; readonly application: TestApplication }> {
  const container = await startPluginContainer();
  registry.content.putTags(repository, ['1.0.5', '1.1.0', '1.0.6', '1.0.4']);
  const hosts = [hostEntry(registry)];
  await container.configure({ budget: '20s', interval: '0s', registries: { hosts }, ...configuration });
  return { container, application: await oneImage(container, registry, { repository }) };
}

const listingOf = (repository: string): RegExp => new RegExp(`/${repository}/tags/list`);

test.concurrent.for(CASES.map((one, index) => ({ ...one, repository: `unknown/api-${index}` })))(
  '$name, nothing known: $code and no manifest',
  async ({ fault, code, says, repository, matching }) => {
    const { container, application } = await setUp(repository, code === 'BUDGET_EXCEEDED' ? { budget: '3s' } : {});
    await using _ = container;
    registry.fail(matching?.(repository) ?? listingOf(repository), [fault], 'last');
    const stderr = await expectFailure(container, application, code);
    expect(stderr).toContain(repository);
    expect(stderr).toContain('(api)');
    expect(stderr).toContain(says ?? code);
    expect(stderr).not.toContain(BODY_SECRET);
  },
);

test.concurrent.for(CASES.map((one, index) => ({ ...one, repository: `known/api-${index}` })))(
  '$name, an answer known: it is served with a warning',
  async ({ fault, repository, matching }) => {
    const { container, application } = await setUp(repository);
    await using _ = container;
    const before = await container.generate(application);
    expect(before).toMatchObject({ exitCode: 0, stderr: '' });
    expect(tagIn(before.stdout)).toBe('1.0.6');
    registry.content.putTags(repository, ['1.0.4', '1.0.5', '1.0.7', '1.0.6']);
    registry.fail(matching?.(repository) ?? listingOf(repository), [fault], 'last');
    const stale = await expectWarning(container, application, 'ANSWER_STALE');
    expect(stale.stdout).toBe(before.stdout);
    expect(stale.stderr).not.toContain(BODY_SECRET);
  },
);

test('a repository that is not there, nothing known: REPOSITORY_NOT_FOUND', async () => {
  const { container, application } = await setUp('gone/api');
  await using _ = container;
  registry.content.tags.delete('gone/api');
  expect(await expectFailure(container, application, 'REPOSITORY_NOT_FOUND')).toContain('404 NAME_UNKNOWN');
});

test.for([
  { name: '401', fault: answer(401), code: 'REGISTRY_UNAUTHORIZED' },
  { name: '403', fault: answer(403), code: 'REGISTRY_DENIED' },
  { name: '404', fault: answer(404), code: 'REPOSITORY_NOT_FOUND' },
] as const)('$name is no outage: only the application that held the answer keeps it', async ({ fault, code }) => {
  const repository = `held/api-${code.toLowerCase()}`;
  const { container, application } = await setUp(repository);
  await using _ = container;
  const other = await oneImage(container, registry, { repository, name: 'another' });
  const before = await container.generate(application);
  registry.fail(listingOf(repository), [fault], 'last');
  await expectFailure(container, other, code);
  expect((await expectWarning(container, application, 'ANSWER_STALE')).stdout).toBe(before.stdout);
});

test('an outage: what one application was answered serves every application that asks the same', async () => {
  const { container, application } = await setUp('shared/api');
  await using _ = container;
  const other = await oneImage(container, registry, { repository: 'shared/api', name: 'another' });
  const before = await container.generate(application);
  registry.fail(listingOf('shared/api'), [answer(500)], 'last');
  expect((await expectWarning(container, other, 'ANSWER_STALE')).stdout).toBe(before.stdout);
});

test('every image that failed is told, once each', async () => {
  const { container } = await setUp('two/api');
  await using _ = container;
  registry.fail(listingOf('two/api'), [answer(500)], 'last');
  const [api, web] = [`${registry.host}/two/api:1.0.0`, `${registry.host}/two/web:1.0.0`];
  const application = await container.application(
    { 'app/api.yaml': deployment(api), 'app/again.yaml': deployment(api, 'b'), 'app/web.yaml': deployment(web, 'c') },
    { parameters: [images(`api=${registry.host}/two/api:~1.0`, `web=${registry.host}/two/web:~1.0`)] },
  );
  const stderr = await expectFailure(container, application, 'REGISTRY_UNAVAILABLE');
  expect(codesIn(stderr)).toEqual(['REGISTRY_UNAVAILABLE', 'REPOSITORY_NOT_FOUND']);
});

test('two images of which one cannot be asked about: an error, not half of the manifests', async () => {
  const { container } = await setUp('half/api');
  await using _ = container;
  registry.content.putTags('half/web', ['1.0.0']);
  registry.fail(listingOf('half/web'), [answer(500)], 'last');
  const [api, web] = [`${registry.host}/half/api:1.0.0`, `${registry.host}/half/web:1.0.0`];
  const application = await container.application(
    { 'app/api.yaml': deployment(api), 'app/web.yaml': deployment(web, 'web') },
    { parameters: [images(`api=${registry.host}/half/api:~1.0`, `web=${registry.host}/half/web:~1.0`)] },
  );
  const stderr = await expectFailure(container, application, 'REGISTRY_UNAVAILABLE');
  expect(stderr).toContain('half/web');
  expect(stderr).not.toContain('half/api');
});

test('no tag satisfies a new policy: the field stays as in Git with a warning, or is an error where asked for', async () => {
  const { container } = await setUp('unsatisfied/api');
  await using _ = container;
  const repository = 'unsatisfied/api';
  const lenient = await oneImage(container, registry, { repository, constraint: '^9' });
  const kept = await expectWarning(container, lenient, 'NOTHING_SATISFIES');
  expect(tagIn(kept.stdout)).toBe('1.0.0');
  const strict = { settings: { 'on-unsatisfied': 'error' }, name: 'strict' };
  const refused = await oneImage(container, registry, { repository, constraint: '^9', ...strict });
  expect(await expectFailure(container, refused, 'TAG_NOT_FOUND')).toContain('none of the 4 tags');
});

test('no tag satisfies any more: a changed policy is an error, an unchanged one keeps its answer', async () => {
  const { container, application } = await setUp('once/api');
  await using _ = container;
  const before = await container.generate(application);
  registry.content.putTags('once/api', ['2.0.0', '2.0.1', '2.1.0']);
  const kept = await expectWarning(container, application, 'ANSWER_KEPT');
  expect(kept.stdout).toBe(before.stdout);
  const changed = await oneImage(container, registry, { repository: 'once/api', constraint: '^9' });
  await expectFailure(container, changed, 'TAG_NOT_FOUND');
});

test('429 that asks for a second is waited out', async () => {
  const { container, application } = await setUp('patient/api');
  await using _ = container;
  registry.fail(listingOf('patient/api'), [answer(429, errorBody('TOOMANYREQUESTS'), { 'retry-after': '1' })]);
  const run = await container.generate(application);
  expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  expect(tagIn(run.stdout)).toBe('1.0.6');
});

test.for<{ name: string; constraint: string; settings: Readonly<Record<string, string>>; matching: string }>([
  {
    name: 'the digest of a followed tag',
    constraint: 'build-2',
    settings: { 'update-strategy': 'digest' },
    matching: 'manifests/',
  },
  {
    name: 'the digest of the newest build',
    constraint: '',
    settings: { 'update-strategy': 'newest-build' },
    matching: 'manifests/',
  },
])('$name cannot be asked: an error, with an answer known that answer', async ({ constraint, settings, matching }) => {
  const repository = `digest/api-${settings['update-strategy']}`;
  const { container } = await setUp(repository);
  await using _ = container;
  registry.content.tags.delete(repository);
  registry.content.put({ repository, tag: 'build-1', created: '2024-01-01T00:00:00Z' });
  const digest = registry.content.put({ repository, tag: 'build-2', created: '2024-01-02T00:00:00Z' });
  const application = await oneImage(container, registry, { repository, constraint, settings });
  const before = await container.generate(application);
  expect(before).toMatchObject({ exitCode: 0, stderr: '' });
  expect(tagIn(before.stdout)).toBe(`build-2@${digest}`);

  registry.fail(new RegExp(`/${repository}/${matching}`), [answer(500, BODY_SECRET)], 'last');
  expect((await expectWarning(container, application, 'ANSWER_STALE')).stdout).toBe(before.stdout);
  await container.configure({ state: `${container.folder}/new-state`, registries: { hosts: [hostEntry(registry)] } });
  const stderr = await expectFailure(container, application, 'REGISTRY_UNAVAILABLE');
  expect(stderr).not.toContain(BODY_SECRET);
});

test('a Helm value that cannot be resolved: an error before Helm is started', async () => {
  const { container } = await setUp('target/api');
  await using _ = container;
  registry.fail(listingOf('target/api'), [answer(500)], 'last');
  const started = `${container.folder}/started`;
  await container.write('stand-in/helm', `#!/bin/sh\ntouch "${started}"\n`, 0o755);
  const application = await container.application(
    {
      'app/Chart.yaml': 'apiVersion: v2\nname: api\nversion: 0.1.0\n',
      'app/values.yaml': 'image: {tag: 1.0.0}\n',
      'app/templates/api.yaml': deployment(`${registry.host}/target/api:{{ .Values.image.tag }}`),
    },
    {
      parameters: [
        images(`api=${registry.host}/target/api:~1.0`),
        { name: 'image-settings', map: { 'api.helm.image-tag': 'image.tag' } },
      ],
    },
  );
  await expectFailure(container, application, 'REGISTRY_UNAVAILABLE', { toolsFirst: [`${container.folder}/stand-in`] });
  expect(existsSync(started)).toBe(false);
});
