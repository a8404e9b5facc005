import { existsSync } from 'node:fs';
import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import type { KustomizeSpec } from '../../src/render/render-spec.ts';
import {
  checkout,
  DEPLOYMENT,
  errorOf,
  kustomize,
  renderApplication,
  run,
  temporaryFolder,
} from './render-checkout.ts';

const golden = resolve(import.meta.dirname, '../golden');
/** Cases without an image policy: nothing differs from a native source. */
const cases = (await readdir(golden)).filter(
  (name) => name.startsWith('kustomize-') && !existsSync(join(golden, name, 'registry.json')),
);

test.for(cases)('%s renders as kustomize build prints it, byte for byte', async (name) => {
  const app = join(golden, name, 'input/app');
  const { text } = await renderApplication(app);
  const native = await run(kustomize, ['build', app]);
  expect(text).toBe(native.stdout);
  expect(text).toBe(await readFile(join(golden, name, 'expected.yaml'), 'utf8'));
});

const tree = {
  'apps/web/kustomization.yaml': 'resources:\n  - deployment.yaml # stays\npatches:\n  - path: patch.yaml\n',
  'apps/web/deployment.yaml': DEPLOYMENT,
  'apps/web/patch.yaml': 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {paused: true}\n',
  'components/debug/kustomization.yaml':
    'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnameSuffix: -debug\n',
};
const added = `- target: {kind: Deployment}
  patch: |-
    - op: add
      path: /spec/minReadySeconds
      value: 7
`;

/** The commands are the ones argo-cd v3.2.11's util/kustomize/kustomize.go runs for the same spec. */
const parameters: readonly {
  readonly name: string;
  readonly spec: Partial<KustomizeSpec>;
  readonly native: readonly (readonly string[])[];
  readonly sees: string;
}[] = [
  { name: 'name prefix', spec: { namePrefix: 'a-' }, native: [['set', 'nameprefix', '--', 'a-']], sees: 'name: a-web' },
  { name: 'name suffix', spec: { nameSuffix: '-z' }, native: [['set', 'namesuffix', '--', '-z']], sees: 'name: web-z' },
  {
    name: 'namespace',
    spec: { namespace: 'prod' },
    native: [['set', 'namespace', '--', 'prod']],
    sees: 'namespace: prod',
  },
  {
    name: 'images, with build variables',
    spec: { images: ['nginx=mirror.example.com/nginx:1.27', 'registry.example.com/side:$ARGOCD_APP_REVISION'] },
    native: [['set', 'image', 'nginx=mirror.example.com/nginx:1.27', 'registry.example.com/side:0123456789abcdef']],
    sees: 'image: registry.example.com/side:0123456789abcdef',
  },
  { name: 'replicas', spec: { replicas: { web: '4' } }, native: [['set', 'replicas', 'web=4']], sees: 'replicas: 4' },
  {
    name: 'common labels',
    spec: { commonLabels: { team: 'a', rev: '${ARGOCD_APP_NAME}' } },
    native: [['add', 'label', 'team:a', 'rev:shop']],
    sees: 'rev: shop',
  },
  {
    name: 'labels without selector, in templates',
    spec: {
      commonLabels: { team: 'a' },
      labelWithoutSelector: true,
      labelIncludeTemplates: true,
      forceCommonLabels: true,
    },
    native: [['add', 'label', '--force', '--without-selector', '--include-templates', 'team:a']],
    sees: 'team: a',
  },
  {
    name: 'annotations as written',
    spec: { commonAnnotations: { note: '$ARGOCD_APP_NAME' } },
    native: [['add', 'annotation', 'note:$ARGOCD_APP_NAME']],
    sees: 'note: $ARGOCD_APP_NAME',
  },
  {
    name: 'annotations with build variables when asked for',
    spec: {
      commonAnnotations: { note: '$ARGOCD_APP_NAME' },
      commonAnnotationsEnvsubst: true,
      forceCommonAnnotations: true,
    },
    native: [['add', 'annotation', '--force', 'note:shop']],
    sees: 'note: shop',
  },
  {
    name: 'a component',
    spec: { components: ['../../components/debug'] },
    native: [['add', 'component', '../../components/debug']],
    sees: 'name: web-debug',
  },
  {
    name: 'components of which one is missing and may be',
    spec: { components: ['../../components/none', '../../components/debug'], ignoreMissingComponents: true },
    native: [['add', 'component', '../../components/debug']],
    sees: 'name: web-debug',
  },
  {
    name: 'all at once, in the order of Argo CD',
    spec: { namePrefix: 'a-', nameSuffix: '-z', images: ['nginx:9'], commonLabels: { x: 'y' }, namespace: 'n' },
    native: [
      ['set', 'nameprefix', '--', 'a-'],
      ['set', 'namesuffix', '--', '-z'],
      ['set', 'image', 'nginx:9'],
      ['add', 'label', 'x:y'],
      ['set', 'namespace', '--', 'n'],
    ],
    sees: 'name: a-web-z',
  },
];

test.for(parameters)('$name: as Argo CD’s own commands give it, and the files stay', async ({ spec, native, sees }) => {
  const ours = await checkout(tree);
  const theirs = await temporaryFolder();
  await cp(ours, theirs, { recursive: true });
  for (const args of native) await run(kustomize, ['edit', ...args], { cwd: join(theirs, 'apps/web') });
  const expected = await run(kustomize, ['build', join(theirs, 'apps/web')], { cwd: theirs });
  const { text } = await renderApplication(join(ours, 'apps/web'), { kustomize: spec });
  expect(text).toBe(expected.stdout);
  expect(text).toContain(sees);
  expect(await readFile(join(ours, 'apps/web/kustomization.yaml'), 'utf8')).toBe(tree['apps/web/kustomization.yaml']);
});

test('patches of the parameter follow the ones in Git', async () => {
  const root = await checkout(tree);
  const { text } = await renderApplication(join(root, 'apps/web'), { kustomize: { patches: added } });
  expect(text).toContain('minReadySeconds: 7');
  expect(text).toContain('paused: true');
});

test('patches are added where there were none', async () => {
  const root = await checkout({ ...tree, 'apps/web/kustomization.yaml': 'resources: [deployment.yaml]\n' });
  const { text } = await renderApplication(join(root, 'apps/web'), { kustomize: { patches: added } });
  expect(text).toContain('minReadySeconds: 7');
});

test.for([
  { patches: 'a: b', problem: 'no list' },
  { patches: '- [a', problem: 'no valid YAML' },
  { patches: '['.repeat(5_000), problem: 'nested' },
])('patches that are $problem are the parameter’s error', async ({ patches, problem }) => {
  const root = await checkout(tree);
  const error = await errorOf(renderApplication(join(root, 'apps/web'), { kustomize: { patches } }));
  expect(error).toMatchObject({ code: 'PARAMETER_INVALID', where: 'parameter kustomize-patches' });
  expect(error.message).toContain(problem);
});

test('a policy’s image target wins over the image in the parameters', async () => {
  const root = await checkout(tree);
  const { text } = await renderApplication(join(root, 'apps/web'), {
    kustomize: { images: ['nginx:1.26'] },
    overrides: { kustomizeImages: ['nginx=nginx:1.27.1'] },
  });
  expect(text).toContain('image: nginx:1.27.1');
});

test('in place, the tree itself is edited', async () => {
  const root = await checkout(tree);
  await renderApplication(join(root, 'apps/web'), { kustomize: { namePrefix: 'a-' }, inPlace: true });
  expect(await readFile(join(root, 'apps/web/kustomization.yaml'), 'utf8')).toContain('namePrefix: a-');
});

test.for([
  { name: 'a prefix', spec: { namePrefix: '--help' } },
  { name: 'an image', spec: { images: ['--help'] } },
  { name: 'a replica name', spec: { replicas: { '--help': '1' } } },
  { name: 'a label', spec: { commonLabels: { '--help': 'x' } } },
  { name: 'an annotation', spec: { commonAnnotations: { '--help': 'x' } } },
  { name: 'a namespace', spec: { namespace: '--help' } },
])('$name that begins with a dash is no option of kustomize', async ({ spec }) => {
  const root = await checkout(tree);
  const outcome = await renderApplication(join(root, 'apps/web'), { kustomize: spec }).catch((error: unknown) => error);
  // Taken for --help, kustomize would print its usage, succeed and change nothing.
  const native = await run(kustomize, ['build', join(root, 'apps/web')]);
  expect(outcome).not.toMatchObject({ text: native.stdout });
});

test('a replica count that is no number is refused before kustomize runs', async () => {
  const root = await checkout(tree);
  const error = await errorOf(renderApplication(join(root, 'apps/web'), { kustomize: { replicas: { web: 'many' } } }));
  expect(error).toMatchObject({ code: 'PARAMETER_INVALID', where: 'parameter kustomize-replicas, web' });
});

test('kustomize-version is a native feature that a plugin does not have', async () => {
  const root = await checkout(tree);
  const error = await errorOf(renderApplication(join(root, 'apps/web'), { kustomize: { version: 'v5.0.0' } }));
  expect(error.code).toBe('NATIVE_FEATURE_UNAVAILABLE');
});

test('a failure is told in kustomize’s words, without private paths, and the same each time', async () => {
  const files = { 'app/kustomization.yaml': 'resources: [d.yaml]\n', 'app/d.yaml': 'kind: Deployment\n' };
  const first = await errorOf(
    renderApplication(join(await checkout(files), 'app'), { kustomize: { namePrefix: 'x' } }),
  );
  const second = await errorOf(
    renderApplication(join(await checkout(files), 'app'), { kustomize: { namePrefix: 'x' } }),
  );
  expect(first.toData()).toStrictEqual(second.toData());
  expect(first).toMatchObject({ code: 'RENDER_FAILED', where: 'kustomize build app' });
  expect(first.message).toContain('missing metadata.name');
  expect(first.message).not.toMatch(/\/tmp|image-resolver-|render-test-/);
});

test.for([
  { subject: 'label', spec: { commonLabels: { team: 'a' } } },
  { subject: 'annotation', spec: { commonAnnotations: { team: 'a' } } },
])('a common $subject that is there already names the parameter that replaces it', async ({ subject, spec }) => {
  const root = await checkout({ 'app/kustomization.yaml': 'commonLabels: {team: b}\ncommonAnnotations: {team: b}\n' });
  const error = await errorOf(renderApplication(join(root, 'app'), { kustomize: spec }));
  expect(error).toMatchObject({
    code: 'RENDER_FAILED',
    message: `${subject} team already in kustomization file.`,
    where: `kustomize edit add ${subject}`,
  });
  expect(error.fix).toContain(`kustomize-force-common-${subject}s`);
});

test('a failed edit tells the error without how the command is used', async () => {
  const root = await checkout(tree);
  const error = await errorOf(renderApplication(join(root, 'apps/web'), { kustomize: { images: ['two words'] } }));
  expect(error).toMatchObject({ where: 'kustomize edit set image', fix: 'correct the kustomize parameters' });
  expect(error.message).toMatch(/^invalid format of image/);
  expect(error.message).not.toContain('Usage');
});

test('a warning of kustomize is passed on', async () => {
  const root = await checkout({
    ...tree,
    'apps/web/kustomization.yaml': 'commonLabels: {a: b}\nresources: [deployment.yaml]\n',
  });
  const { notices } = await renderApplication(join(root, 'apps/web'));
  expect(notices).toMatchObject([{ code: 'RENDER_WARNING', where: 'kustomize build apps/web' }]);
  expect(notices[0]?.what).toContain("'commonLabels' is deprecated");
});

test('the operator’s build options are passed on', async () => {
  const root = await checkout({
    'app/kustomization.yaml': 'configMapGenerator: [{name: c, files: [../shared.txt]}]\n',
    'shared.txt': 'shared by several\n',
  });
  await expect(renderApplication(join(root, 'app'))).rejects.toMatchObject({ code: 'RENDER_FAILED' });
  const policy = { kustomizeBuildOptions: ['--load-restrictor', 'LoadRestrictionsNone'] };
  expect((await renderApplication(join(root, 'app'), { policy })).text).toContain('shared by several');
});

test.for(['--enable-alpha-plugins', '--enable-exec', '--network=true', '-o', '--output=/tmp/x', '-e'])(
  'the build option %s is refused even to the operator',
  async (option) => {
    const root = await checkout(tree);
    const policy = { kustomizeBuildOptions: [option] };
    const error = await errorOf(renderApplication(join(root, 'apps/web'), { policy }));
    expect(error.code).toBe('OPERATOR_CONFIG_INVALID');
  },
);

test('kustomize sees the application’s variables and none of the plugin’s own', async () => {
  const root = await checkout(tree);
  const program = join(root, 'print-environment');
  await writeFile(program, '#!/bin/sh\nenv\n', { mode: 0o755 });
  const { text } = await renderApplication(join(root, 'apps/web'), {
    tools: { kustomize: program },
    parentEnvironment: { PATH: process.env['PATH'], REGISTRY_PASSWORD: 'hunter22', ARGOCD_APP_PARAMETERS: '[]' },
  });
  expect(text).toContain('ARGOCD_APP_NAME=shop');
  expect(text).toMatch(/^HOME=.*image-resolver-.*\/home$/m);
  expect(text).not.toMatch(/hunter22|ARGOCD_APP_PARAMETERS|KUBE_VERSION/);
});

test.for([
  { name: 'hangs', script: 'exec sleep 1000', code: 'RENDER_TIMEOUT', budgetMs: 500 },
  { name: 'is killed', script: 'kill -9 $$', code: 'RENDER_FAILED', budgetMs: 30_000 },
  { name: 'prints without end', script: 'exec yes', code: 'RENDER_TOO_LARGE', budgetMs: 30_000 },
  { name: 'prints no UTF-8', script: "printf 'a: \\377'", code: 'FILE_NOT_UTF8', budgetMs: 30_000 },
])('a kustomize that $name: $code', async ({ script, code, budgetMs }) => {
  const root = await checkout(tree);
  const program = join(root, 'tool');
  await writeFile(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const error = await errorOf(renderApplication(join(root, 'apps/web'), { tools: { kustomize: program }, budgetMs }));
  expect(error.code).toBe(code);
});

test('an empty rendering is given back as it is, a byte order mark too', async () => {
  const root = await checkout(tree);
  const program = join(root, 'tool');
  await writeFile(program, '#!/bin/sh\n', { mode: 0o755 });
  expect((await renderApplication(join(root, 'apps/web'), { tools: { kustomize: program } })).text).toBe('');
  await writeFile(program, "#!/bin/sh\nprintf '\\357\\273\\277a: b'\n", { mode: 0o755 });
  expect((await renderApplication(join(root, 'apps/web'), { tools: { kustomize: program } })).text).toBe('\uFEFFa: b');
});
