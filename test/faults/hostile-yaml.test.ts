import { expect, test } from 'vitest';
import type { ErrorCode } from '../../src/error/codes.ts';
import { type FileContent, startPluginContainer } from '../support/run-resolver.ts';
import { expectFailure } from './expect-failure.ts';
import { deployment, images } from './one-image.ts';

// YAML that is broken, huge, deep or full of aliases, in every place where a tenant writes YAML.

const TEN = Array.from({ length: 10 }, (_, index) => index);
/** Ten levels of ten aliases: ten thousand million nodes, were they expanded. */
const BOMB = `l0: &l0 [x, x]\n${TEN.slice(1)
  .map((level) => `l${level}: &l${level} [${TEN.map(() => `*l${level - 1}`).join(', ')}]\n`)
  .join('')}`;
const DEEP = `deep: ${'['.repeat(10_000)}${']'.repeat(10_000)}\n`;

const HUGE = `# ${'x'.repeat(10 * 1024 * 1024)}\n`;

const KUSTOMIZATION = 'resources: [api.yaml]\n';
const POLICIES = 'apiVersion: image-resolver.io/v1alpha1\nkind: ImagePolicies\nimages: []\n';
const api = deployment('ghcr.io/acme/api:1.0.0');

/** Whatever the input, the heap stays small. */
const LITTLE_MEMORY = { environment: { NODE_OPTIONS: '--max-old-space-size=192' } };

test.for<{ name: string; files: Readonly<Record<string, FileContent>>; code: ErrorCode; where: string }>([
  {
    name: 'a manifest that is broken',
    files: { 'app/x.yaml': `${api}x: [unclosed\n` },
    code: 'MANIFEST_INVALID',
    where: 'x.yaml',
  },
  {
    name: 'a manifest with an image that is nested deep',
    files: { 'app/x.yaml': api + DEEP },
    code: 'MANIFEST_TOO_DEEP',
    where: 'x.yaml',
  },
  {
    name: 'manifests that are huge',
    files: { 'app/x.yaml': `${api}${HUGE}` },
    code: 'FILE_TOO_LARGE',
    where: 'app',
  },
  {
    name: 'a manifest that is not UTF-8',
    files: { 'app/x.yaml': Buffer.from(`${api}# \xe9\n`, 'latin1') },
    code: 'FILE_NOT_UTF8',
    where: 'x.yaml',
  },
  {
    name: 'JSON that is broken',
    files: { 'app/x.json': '{"kind":"Pod","spec":{"containers":[' },
    code: 'MANIFEST_INVALID',
    where: 'x.json',
  },
  {
    name: 'a kustomization that is broken',
    files: { 'app/kustomization.yaml': 'resources: [api.yaml\n', 'app/api.yaml': api },
    code: 'MANIFEST_INVALID',
    where: 'kustomization.yaml',
  },
  {
    name: 'a kustomization that is nested deep',
    files: { 'app/kustomization.yaml': KUSTOMIZATION + DEEP, 'app/api.yaml': api },
    code: 'MANIFEST_TOO_DEEP',
    where: 'kustomization.yaml',
  },
  {
    name: 'a kustomization that is huge',
    files: { 'app/kustomization.yaml': KUSTOMIZATION + HUGE, 'app/api.yaml': api },
    code: 'FILE_TOO_LARGE',
    where: 'kustomization.yaml',
  },
  {
    name: 'a kustomization with many aliases',
    files: { 'app/kustomization.yaml': KUSTOMIZATION + BOMB, 'app/api.yaml': api },
    code: 'RENDER_FAILED',
    where: 'kustomize',
  },
  {
    name: 'a policy file that is broken',
    files: { 'app/.image-resolver.yaml': `${POLICIES}x: [\n`, 'app/api.yaml': api },
    code: 'POLICY_FILE_INVALID',
    where: '.image-resolver.yaml:',
  },
  {
    name: 'a policy file that is nested deep',
    files: { 'app/.image-resolver.yaml': POLICIES + DEEP, 'app/api.yaml': api },
    code: 'POLICY_FILE_INVALID',
    where: '.image-resolver.yaml',
  },
  {
    name: 'a policy file that is huge',
    files: { 'app/.image-resolver.yaml': POLICIES + HUGE, 'app/api.yaml': api },
    code: 'FILE_TOO_LARGE',
    where: '.image-resolver.yaml',
  },
  {
    name: 'a policy file with many aliases',
    files: { 'app/.image-resolver.yaml': POLICIES + BOMB, 'app/api.yaml': api },
    code: 'POLICY_FILE_INVALID',
    where: '.image-resolver.yaml',
  },
  {
    name: 'a policy file that is no map',
    files: { 'app/.image-resolver.yaml': '- x\n', 'app/api.yaml': api },
    code: 'POLICY_FILE_INVALID',
    where: '.image-resolver.yaml',
  },
])('$name: $code', async ({ files, code, where }) => {
  await using container = await startPluginContainer();
  const application = await container.application(files, { parameters: [images('api=ghcr.io/acme/api:~1')] });
  const stderr = await expectFailure(container, application, code, LITTLE_MEMORY);
  expect(stderr).toContain(where);
});

test('aliases that would expand without end are not expanded: the manifest passes as written', async () => {
  await using container = await startPluginContainer();
  const application = await container.application({ 'app/x.yaml': api + BOMB });
  const run = await container.generate(application, LITTLE_MEMORY);
  expect(run).toEqual({ stdout: api + BOMB, stderr: '', exitCode: 0, signal: null });
});

test('a policy file that is not UTF-8: FILE_NOT_UTF8', async () => {
  await using container = await startPluginContainer();
  const file = Buffer.from(`${POLICIES}# \xe9\n`, 'latin1');
  const application = await container.application({ 'app/api.yaml': api, 'app/.image-resolver.yaml': file });
  expect(await expectFailure(container, application, 'FILE_NOT_UTF8')).toContain('.image-resolver.yaml');
});

test('an empty application is an error, not an empty answer', async () => {
  await using container = await startPluginContainer();
  const application = await container.application({ 'app/README.md': 'nothing\n' });
  expect(await expectFailure(container, application, 'RENDER_EMPTY')).toContain('no manifest');
});
