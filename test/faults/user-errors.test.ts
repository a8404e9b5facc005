import { beforeAll, expect, test } from 'vitest';
import type { ErrorCode } from '../../src/error/codes.ts';
import type { FakeRegistry } from '../support/fake-registry.ts';
import type { PluginContainer, PluginParameter } from '../support/run-resolver.ts';
import { expectFailure, expectWarning } from './expect-failure.ts';
import { deployment, images, startWithOneRepository } from './one-image.ts';

// What an application team can write wrong, in each of the three places. No registry is asked before it is right.

let registry: FakeRegistry;
let container: PluginContainer;

beforeAll(async () => {
  const started = await startWithOneRepository();
  ({ registry, container } = started);
  return started.stop;
});

/** In texts here HOST is the registry. */
const written = <T>(value: T): T => JSON.parse(JSON.stringify(value).replaceAll('HOST', registry.host)) as T;

const policy = images('api=HOST/acme/api:~1.0');
const settings = (map: Readonly<Record<string, string>>): PluginParameter => ({ name: 'image-settings', map });

test.for<{ name: string; parameters: readonly PluginParameter[]; code: ErrorCode; says: string }>([
  {
    name: 'a constraint that is none',
    parameters: [images('api=HOST/acme/api:~1.0.x.y')],
    code: 'CONSTRAINT_INVALID',
    says: '~1.0.x.y',
  },
  {
    name: 'a constraint of another dialect',
    parameters: [images('api=HOST/acme/api'), settings({ 'api.constraint': '1.0.0 - ' })],
    code: 'CONSTRAINT_INVALID',
    says: 'api',
  },
  {
    name: 'a glob that is not closed',
    parameters: [policy, settings({ 'api.ignore-tags': '[a-' })],
    code: 'FILTER_INVALID',
    says: '[a-',
  },
  {
    name: 'a regular expression that is not closed',
    parameters: [policy, settings({ 'api.allow-tags': 'regexp:(v' })],
    code: 'FILTER_INVALID',
    says: '(v',
  },
  {
    name: 'a regular expression that RE2 does not have',
    parameters: [policy, settings({ 'api.allow-tags': 'regexp:^(?=v)' })],
    code: 'FILTER_INVALID',
    says: 'allow-tags of api: "^(?=v)"',
  },
  {
    name: 'a filter of unknown kind',
    parameters: [policy, settings({ 'api.allow-tags': 'glob:v*' })],
    code: 'FILTER_INVALID',
    says: 'api',
  },
  {
    name: 'a platform that is none',
    parameters: [policy, settings({ 'api.platforms': 'linux' })],
    code: 'PLATFORM_INVALID',
    says: 'linux',
  },
  {
    name: 'a strategy that is none',
    parameters: [policy, settings({ 'api.update-strategy': 'newest' })],
    code: 'STRATEGY_UNKNOWN',
    says: 'newest-build',
  },
  {
    name: 'an alias that is none',
    parameters: [images('-api=HOST/acme/api:~1.0')],
    code: 'REFERENCE_INVALID',
    says: '-api',
  },
  {
    name: 'two policies of one alias',
    parameters: [images('api=HOST/acme/api:~1.0', 'api=HOST/acme/web:~1.0')],
    code: 'ALIAS_DUPLICATE',
    says: 'api',
  },
  {
    name: 'a reference that is none',
    parameters: [images('api=HOST/ACME/api:~1.0')],
    code: 'REFERENCE_INVALID',
    says: 'ACME',
  },
  {
    name: 'a setting that is none',
    parameters: [policy, settings({ 'api.allow-tag': 'any' })],
    code: 'SETTING_UNKNOWN',
    says: 'allow-tags',
  },
  {
    name: 'a setting of no image',
    parameters: [policy, settings({ 'web.allow-tags': 'any' })],
    code: 'SETTING_UNKNOWN',
    says: 'web',
  },
  {
    name: 'a parameter that is none',
    parameters: [{ name: 'helm-valuefiles', array: [] }],
    code: 'PARAMETER_UNKNOWN',
    says: 'helm-value-files',
  },
  {
    name: 'a parameter of the wrong type',
    parameters: [{ name: 'image-settings', string: 'x' }],
    code: 'PARAMETER_INVALID',
    says: 'image-settings',
  },
  {
    name: 'a renderer that is none',
    parameters: [{ name: 'renderer', string: 'ytt' }],
    code: 'RENDERER_UNKNOWN',
    says: 'ytt',
  },
  {
    name: 'a target of another renderer',
    parameters: [policy, settings({ 'api.helm.image-tag': 'image.tag' })],
    code: 'SETTING_INVALID',
    says: 'rendered by directory',
  },
  {
    name: 'two policies for one field',
    parameters: [images('one=HOST/acme/api:~1.0', 'two=HOST/acme/api:>=1.0')],
    code: 'POLICY_AMBIGUOUS',
    says: 'two',
  },
])('$name: $code', async ({ parameters, code, says }) => {
  registry.clearRequests();
  const application = await container.application(
    { 'app/api.yaml': deployment(`${registry.host}/acme/api:1.0.0`) },
    { parameters: written(parameters) },
  );
  const stderr = await expectFailure(container, application, code);
  expect(stderr).toContain(says);
  expect(stderr).toMatch(/^ {2}at {3}(?:parameter |spec\.source\.plugin\.parameters|Deployment).*\n {2}fix {2}\S/m);
  // What compiles regular expressions is loaded only when a listing is evaluated.
  // A fresh listing may be there already.
  expect(registry.requests.length).toBeLessThanOrEqual(says.includes('(') ? 1 : 0);
});

test('a tag to follow that neither the policy nor a digest in Git names: the error names the container', async () => {
  const application = await container.application(
    { 'app/api.yaml': deployment(`${registry.host}/acme/api@sha256:${'a'.repeat(64)}`) },
    { parameters: written([images('api=HOST/acme/api'), settings({ 'api.update-strategy': 'digest' })]) },
  );
  const stderr = await expectFailure(container, application, 'CONSTRAINT_MISSING');
  expect(stderr).toContain('the image in Git (Deployment/api, container app)');
});

const POLICIES = 'apiVersion: image-resolver.io/v1alpha1\nkind: ImagePolicies\n';

test.for<{ name: string; file: string; code: ErrorCode; where: string }>([
  {
    name: 'a constraint that is none',
    file: `${POLICIES}images:\n  - {name: api, image: HOST/acme/api, constraint: "~x.y"}\n`,
    code: 'CONSTRAINT_INVALID',
    where: '.image-resolver.yaml:4:',
  },
  {
    name: 'a key that is none',
    file: `${POLICIES}images:\n  - {name: api, image: HOST/acme/api, constrain: "~1"}\n`,
    code: 'POLICY_FILE_INVALID',
    where: '.image-resolver.yaml:4:',
  },
  {
    name: 'a policy that matches nothing',
    file: `${POLICIES}images:\n  - {name: web, image: HOST/acme/web, constraint: "~1"}\n`,
    code: 'POLICY_UNMATCHED',
    where: '.image-resolver.yaml:4:',
  },
  {
    name: 'two policies of one alias',
    file: `${POLICIES}images:\n  - {name: api, image: HOST/acme/api, constraint: "~1"}\n  - {name: api, image: HOST/acme/api, constraint: "~2"}\n`,
    code: 'ALIAS_DUPLICATE',
    where: '.image-resolver.yaml:5:',
  },
  {
    name: 'two policies for one field',
    file: `${POLICIES}images:\n  - {name: one, image: HOST/acme/api, constraint: "~1"}\n  - {name: two, image: HOST/acme/api, constraint: ">=1"}\n`,
    code: 'POLICY_AMBIGUOUS',
    where: 'two',
  },
  {
    name: 'an alias that is no name',
    file: `${POLICIES}images:\n  - {name: __proto__, image: HOST/acme/api, constraint: "~1"}\n`,
    code: 'POLICY_FILE_INVALID',
    where: '.image-resolver.yaml:4:',
  },
])('.image-resolver.yaml with $name: $code', async ({ file, code, where }) => {
  registry.clearRequests();
  const application = await container.application({
    'app/api.yaml': deployment(`${registry.host}/acme/api:1.0.0`),
    'app/.image-resolver.yaml': written(file),
  });
  expect(await expectFailure(container, application, code)).toContain(where);
  expect(registry.requests).toEqual([]);
});

test.for<{ name: string; annotations: Readonly<Record<string, string>>; code: ErrorCode }>([
  { name: 'a constraint that is none', annotations: { app: '~x.y' }, code: 'CONSTRAINT_INVALID' },
  { name: 'a container that is not there', annotations: { web: '~1.0' }, code: 'POLICY_UNMATCHED' },
  { name: 'a setting that is none', annotations: { app: '~1.0', 'app.allow-tag': 'x' }, code: 'SETTING_UNKNOWN' },
  {
    name: 'a setting that annotations cannot have',
    annotations: { app: '~1.0', 'app.pull-secret': 'pullsecret:a/b' },
    code: 'SETTING_INVALID',
  },
])('an annotation with $name: $code', async ({ annotations, code }) => {
  const metadata = Object.entries(annotations).map(([key, value]) => `    image-resolver.io/${key}: "${value}"\n`);
  const text = deployment(`${registry.host}/acme/api:1.0.0`).replace(
    '  name: api\n',
    `  name: api\n  annotations:\n${metadata.join('')}`,
  );
  const stderr = await expectFailure(container, await container.application({ 'app/api.yaml': text }), code);
  expect(stderr).toContain('image-resolver.io/');
});

test('a policy of a parameter that matches nothing is a warning', async () => {
  const application = await container.application(
    { 'app/api.yaml': deployment('ghcr.io/acme/other:1.0.0') },
    { parameters: written([policy]) },
  );
  const { stdout } = await expectWarning(container, application, 'POLICY_UNMATCHED');
  expect(stdout).toContain('image: ghcr.io/acme/other:1.0.0');
});
