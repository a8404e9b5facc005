import { afterAll, beforeAll, expect, test } from 'vitest';
import { deployment, images, startWithOneRepository } from '../faults/one-image.ts';
import type { PluginContainer, TestApplication } from '../support/run-resolver.ts';

// What explain says of an image that is not simply Git's, and of policies that are not used for one.

let host: string;
let container: PluginContainer;
let stop: () => Promise<void>;

beforeAll(async () => {
  const started = await startWithOneRepository();
  host = started.registry.host;
  ({ container, stop } = started);
});

afterAll(async () => stop());

async function explained(application: TestApplication, ...options: readonly string[]): Promise<string> {
  const run = await container.run(['explain', ...options], {
    cwd: application.directory,
    environment: {
      ARGOCD_APP_NAME: application.name,
      ARGOCD_APP_PARAMETERS: JSON.stringify(application.parameters),
    },
  });
  expect(run).toMatchObject({ exitCode: 0 });
  return run.stdout;
}

/** A chart whose values have `acme/api:1.0.5`, and another image that no target is about. */
async function chart(): Promise<TestApplication> {
  return container.application(
    {
      'app/Chart.yaml': 'apiVersion: v2\nname: api\nversion: 1.0.0\n',
      'app/values.yaml': 'tag: 1.0.5\n',
      'app/templates/api.yaml': deployment(`${host}/acme/api:{{ .Values.tag }}`),
      'app/templates/other.yaml': deployment(`${host}/acme/other:1.0.6`, 'other'),
    },
    {
      parameters: [
        images(`api=${host}/acme/api:~1.0`),
        { name: 'image-settings', map: { 'api.helm.image-tag': 'tag' } },
      ],
    },
  );
}

test('the text that a target has set is not called what Git has', async () => {
  const text = await explained(await chart());
  expect(text).toContain(`  rendered  ${host}/acme/api:1.0.6 (a target sets it before rendering)\n`);
  expect(text).toContain(`  in Git    ${host}/acme/other:1.0.6\n`);
  expect(text).not.toContain(`in Git    ${host}/acme/api`);
});

test('JSON tells which image a target has set', async () => {
  const { images: reports } = JSON.parse(await explained(await chart(), '--json')) as {
    images: readonly { readonly field?: { readonly written: string; readonly setByTarget?: true } }[];
  };
  expect(reports.map(({ field }) => [field?.written, field?.setByTarget])).toEqual([
    [`${host}/acme/api:1.0.6`, true],
    [`${host}/acme/other:1.0.6`, undefined],
  ]);
});

test('a shadowed policy is told with its image, and not as one that matches none', async () => {
  const application = await container.application(
    {
      'app/api.yaml': deployment(`${host}/acme/api:1.0.0`),
      'app/.image-resolver.yaml': `apiVersion: image-resolver.io/v1alpha1
kind: ImagePolicies
images:
  - {name: from-file, image: ${host}/acme/api, constraint: "^1"}
  - {name: idle, image: ${host}/acme/idle, constraint: "^1", optional: true}
`,
    },
    { parameters: [images(`api=${host}/acme/api:~1.0`)] },
  );
  const text = await explained(application);
  expect(text).toContain('  shadowed  the policy in app/.image-resolver.yaml');
  expect(text).not.toContain('policy from-file matches no image');
  expect(text).toContain('policy idle matches no image');
});
