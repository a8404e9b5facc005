// Runs once, while the image is built: it renders three small applications against a registry of its own, and one against a
// controller, so that the compile cache holds the code of a generation, and so that an image which cannot render is never
// published. Each generation adds what it ran to what is kept (launcher.js).

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const REPOSITORY = 'warm-up/web';
const NEWEST = '1.0.1';

const registry = createServer((_request, response) => {
  response
    .setHeader('content-type', 'application/json')
    .end(JSON.stringify({ name: REPOSITORY, tags: ['1.0.0', NEWEST, '1.1.0'] }));
}).listen(0, '127.0.0.1');
await once(registry, 'listening');
const host = `127.0.0.1:${registry.address().port}`;
const image = `${host}/${REPOSITORY}`;

const workload = (written) =>
  JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: { template: { spec: { containers: [{ name: 'web', image: written }] } } },
  });

const controller = createServer((_request, response) => {
  const decision = { tag: NEWEST, movedAt: 0, confirmedAt: 0 };
  const resolution = { kind: 'decided', decision, why: 'it is the newest', notices: [] };
  response.setHeader('content-type', 'application/json').end(JSON.stringify({ resolutions: [resolution] }));
}).listen(0, '127.0.0.1');
await once(controller, 'listening');

const applications = {
  kustomize: {
    'kustomization.yaml': 'resources: [web.yaml]\n',
    'web.yaml': workload(`${image}:1.0.0`),
  },
  helm: {
    'Chart.yaml': 'apiVersion: v2\nname: web\nversion: 0.0.0\n',
    'values.yaml': `image: ${image}:1.0.0\n`,
    'templates/web.yaml': workload('{{ .Values.image }}'),
  },
  directory: { 'web.yaml': workload(`${image}:1.0.0`) },
};
const parameters = [
  { name: 'images', array: [`web=${image}:~1.0`] },
  { name: 'image-settings', map: { 'web.allow-tags': 'regexp:^[0-9.]+$' } },
];

const folder = mkdtempSync(join(tmpdir(), 'warm-up-'));
const write = (path, text) => {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
};
try {
  const env = {
    ...process.env,
    ARGOCD_APP_NAME: 'warm-up',
    ARGOCD_APP_PARAMETERS: JSON.stringify(parameters),
    IMAGE_RESOLVER_CONFIG: write(
      'config.yaml',
      JSON.stringify({
        apiVersion: 'image-resolver.io/v1alpha1',
        kind: 'ResolverConfiguration',
        state: join(folder, 'state'),
        registries: { hosts: [{ host, apiUrl: `http://${host}`, insecure: true }] },
      }),
    ),
  };
  const run = async (cwd, args, more = {}) =>
    (await promisify(execFile)('image-resolver', args, { cwd, env: { ...env, ...more } })).stdout;
  const generate = async (name, more) => {
    const output = await run(join(folder, name), ['generate'], { IMAGE_RESOLVER_WARM_UP: '1', ...more });
    if (!output.includes(`${image}:${NEWEST}`))
      throw new Error(`${name}: ${NEWEST} is not in the manifests:\n${output}`);
  };
  for (const [name, files] of Object.entries(applications)) {
    for (const [path, text] of Object.entries(files)) write(join(name, path), text);
    await generate(name);
  }
  await generate('kustomize', {
    IMAGE_RESOLVER_CONTROLLER: `http://127.0.0.1:${controller.address().port}`,
    IMAGE_RESOLVER_TOKEN_FILE: write('token', 'a-token'),
  });
  await run(folder, ['parameters']);
} finally {
  rmSync(folder, { recursive: true, force: true });
  registry.close();
  controller.close();
}
