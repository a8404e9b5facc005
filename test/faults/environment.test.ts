import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ErrorCode } from '../../src/error/codes.ts';
import { type PluginContainer, type PluginParameter, startPluginContainer } from '../support/run-resolver.ts';
import { codesIn, expectFailure } from './expect-failure.ts';
import { deployment } from './one-image.ts';

// What stands in the environment: parameters of any form and size, names and values that try to become something else.

let container: PluginContainer;
beforeAll(async () => {
  container = await startPluginContainer();
});
afterAll(async () => container[Symbol.asyncDispose]());

const MANIFEST = deployment('ghcr.io/acme/api:1.0.0');
const files = { 'app/api.yaml': MANIFEST };

/** The kernel's limit for one variable is 128 KiB with its name, the equals sign and the NUL. */
const LONGEST = 131_071 - 'ARGOCD_APP_PARAMETERS='.length;

test('parameters as long as the kernel lets them be are read', async () => {
  const withText = (text: string): readonly PluginParameter[] => [
    { name: 'directory-jsonnet-ext-vars', map: { text } },
  ];
  const frame = JSON.stringify(withText('')).length;
  const parameters = withText('x'.repeat(LONGEST - frame));
  expect(`ARGOCD_APP_PARAMETERS=${JSON.stringify(parameters)}`).toHaveLength(131_071);
  const application = await container.application(files, { parameters });
  expect(await container.generate(application)).toEqual({ stdout: MANIFEST, stderr: '', exitCode: 0, signal: null });
});

test('an error about parameters as long as that is short', async () => {
  const array = [`${'a'.repeat(100_000)}=B/x:~1`];
  const application = await container.application(files, { parameters: [{ name: 'images', array }] });
  expect(await expectFailure(container, application, 'REFERENCE_INVALID')).toContain('images[0]');
});

test('thousands of errors are told in 4 KiB', async () => {
  const array = Array.from({ length: 2500 }, (_, index) => `a${index}=ghcr.io/acme/UPPER${index}:~1`);
  const application = await container.application(files, { parameters: [{ name: 'images', array }] });
  expect(await expectFailure(container, application, 'REFERENCE_INVALID')).toContain('images[0]');
});

test.for<{ name: string; text: string; code: ErrorCode }>([
  { name: 'no JSON', text: '[{"name":"images"', code: 'PARAMETERS_UNREADABLE' },
  { name: 'no list', text: '{"name":"images"}', code: 'PARAMETERS_UNREADABLE' },
  { name: 'nested deep', text: '['.repeat(60_000), code: 'PARAMETERS_UNREADABLE' },
  { name: 'a list of numbers', text: '[1]', code: 'PARAMETER_INVALID' },
  {
    name: 'a parameter twice',
    text: '[{"name":"renderer","string":"helm"},{"name":"renderer","string":"helm"}]',
    code: 'PARAMETER_INVALID',
  },
  {
    name: 'a name that acts on terminals',
    text: '[{"name":"\\u001b[2Jevil\\n\\u202ex","string":"y"}]',
    code: 'PARAMETER_UNKNOWN',
  },
  {
    name: 'an image that acts on terminals',
    text: '[{"name":"images","array":["\\u001b]0;x\\u0007\\nWARNING: evil"]}]',
    code: 'REFERENCE_INVALID',
  },
  {
    name: '__proto__ as a key',
    text: '[{"name":"helm-parameters","map":{"__proto__":"x"}}]',
    code: 'PARAMETER_INVALID',
  },
  {
    name: '__proto__ as an alias',
    text: '[{"name":"images","array":["__proto__=ghcr.io/acme/api:~1"]}]',
    code: 'REFERENCE_INVALID',
  },
  {
    name: 'a setting of __proto__',
    text: '[{"name":"image-settings","map":{"constructor.allow-tags":"any"}}]',
    code: 'SETTING_UNKNOWN',
  },
  {
    name: 'a NUL byte',
    text: '[{"name":"helm-namespace","string":"a\\u0000b"},{"name":"renderer","string":"helm"}]',
    code: 'PARAMETER_INVALID',
  },
])('parameters that are $name: $code', async ({ text, code }) => {
  const application = await container.application({
    ...files,
    'app/Chart.yaml': 'apiVersion: v2\nname: x\nversion: 1.0.0\n',
  });
  const stderr = await expectFailure(container, application, code, { environment: { ARGOCD_APP_PARAMETERS: text } });
  expect(stderr.split('\n').filter((line) => line.startsWith('WARNING'))).toEqual([]);
});

test.for(['', 'null', ' null ', '[]'])('parameters that are "%s" are none', async (text) => {
  const application = await container.application(files);
  const run = await container.generate(application, { environment: { ARGOCD_APP_PARAMETERS: text } });
  expect(run).toEqual({ stdout: MANIFEST, stderr: '', exitCode: 0, signal: null });
});

test('build variables with newlines and colours change neither output nor messages', async () => {
  const evil = 'x\n\x1b[31m---\nkind: Evil\n\u202e';
  const chart = await container.application({
    'app/Chart.yaml': 'apiVersion: v2\nname: x\nversion: 1.0.0\n',
    'app/templates/x.yaml': 'kind: ConfigMap\napiVersion: v1\nmetadata: {name: x}\n',
  });
  const run = await container.generate(chart, {
    environment: {
      ARGOCD_APP_NAME: evil,
      ARGOCD_APP_PROJECT_NAME: evil,
      ARGOCD_APP_REVISION: evil,
      ARGOCD_APP_SOURCE_PATH: evil,
    },
  });
  expect(run.stdout).not.toContain('Evil');
  expect(run.stderr).not.toContain('\x1b');
  expect(run.stderr).not.toContain('\nkind: Evil');
});

test('variables of a tenant (ARGOCD_ENV_…) and of Argo CD set nothing of the operator', async () => {
  const application = await container.application(files);
  const run = await container.generate(application, {
    environment: {
      ARGOCD_ENV_IMAGE_RESOLVER_CONFIG: '/nowhere',
      ARGOCD_ENV_IMAGE_RESOLVER_STATE: '/nowhere',
      PARAM_IMAGE_RESOLVER_CONFIG: '/nowhere',
      ARGOCD_APP_SOURCE_PATH: '../../../../etc',
      KUBE_VERSION: '--evil',
    },
  });
  expect(run).toEqual({ stdout: MANIFEST, stderr: '', exitCode: 0, signal: null });
});

test('a reader that goes away early is no crash', async () => {
  const application = await container.application({ 'app/api.yaml': `${MANIFEST}# ${'x'.repeat(500_000)}\n` });
  const run = await container.generate(application, { around: '"$@" | head -c 10; exit "${PIPESTATUS[0]}"' });
  expect(run).toMatchObject({ stdout: MANIFEST.slice(0, 10), stderr: '' });
});

test('manifests that cannot be written are no success', async () => {
  const run = await container.generate(await container.application(files), { around: 'exec "$@" > /dev/full' });
  expect(run.exitCode).toBe(1);
  expect(codesIn(run.stderr)).toEqual(['OUTPUT_UNWRITABLE']);
});

test('a state directory that can never be made costs a warning', async () => {
  const application = await container.application(files);
  const run = await container.generate(application, { environment: { IMAGE_RESOLVER_STATE: '/proc/image-resolver' } });
  expect(run).toMatchObject({ exitCode: 0, stdout: MANIFEST });
});

test('a relative state directory, which would be in the checkout, is refused', async () => {
  const environment = { IMAGE_RESOLVER_STATE: 'state' };
  const application = await container.application(files);
  const told = await expectFailure(container, application, 'OPERATOR_CONFIG_INVALID', { environment });
  expect(told).toContain('variable IMAGE_RESOLVER_STATE');
});

test('with a controller that is not there, an image nobody asked for before is an error that names it, and validate is content', async () => {
  const application = await container.application(files, {
    parameters: [{ name: 'images', array: ['api=ghcr.io/acme/api:^1'] }],
  });
  await container.configure({ controller: { url: 'http://127.0.0.1:9' } });
  const failed = await container.generate(application);
  expect(failed.exitCode).toBe(1);
  expect(codesIn(failed.stderr)).toEqual(['CONTROLLER_UNREACHABLE']);
  expect(failed.stderr).toContain('http://127.0.0.1:9');
  expect((await container.run(['validate'])).exitCode).toBe(0);
  expect((await container.generate(await container.application(files))).exitCode).toBe(0);
});

test('validate looks at the configuration as it is written now, not at the last valid one', async () => {
  const application = await container.application(files);
  await container.generate(application);
  await container.configure({ modes: [{ applicaton: 'web', mode: 'observe' }] });
  expect((await container.generate(application)).exitCode).toBe(0);
  const checked = await container.run(['validate']);
  expect(checked.exitCode).toBe(1);
  expect(codesIn(checked.stderr)).toEqual(['OPERATOR_CONFIG_INVALID']);
});

test.for([
  {
    name: 'an unknown key',
    text: 'apiVersion: image-resolver.io/v1alpha1\nkind: ResolverConfiguration\nbudgets: 2s\n',
  },
  { name: 'no YAML', text: 'a: [\n' },
  {
    name: 'a budget without unit',
    text: 'apiVersion: image-resolver.io/v1alpha1\nkind: ResolverConfiguration\nbudget: 25\n',
  },
])('an operator configuration with $name at the first start: OPERATOR_CONFIG_INVALID', async ({ text }) => {
  await using fresh = await startPluginContainer();
  await fresh.write('etc/config.yaml', text);
  const run = await fresh.generate(await fresh.application(files));
  expect(run).toMatchObject({ stdout: '', exitCode: 1 });
  expect(run.stderr).toMatch(/^OPERATOR_CONFIG_INVALID /);
});
