import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { generate } from '../../src/generate/generate.ts';
import { completeConfiguration } from '../../src/operator/complete-configuration.ts';
import { TOOLS_ON_PATH } from '../../src/render/render-options.ts';
import type { GenerationReport, Resolver, ResolveQuery } from '../../src/resolve/resolver.ts';
import { decided } from '../service/ports.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'claims-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const POD = `apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
    - {name: web, image: registry.example.com/acme/web}
`;

/** What a controller hears of the rendering of one file. */
async function heard(
  manifest: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<{ readonly queries: readonly ResolveQuery[]; readonly reports: readonly GenerationReport[] }> {
  writeFileSync(join(folder, 'web.yaml'), manifest);
  const queries: ResolveQuery[] = [];
  const reports: GenerationReport[] = [];
  const resolver: Resolver = {
    async resolve(query) {
      queries.push(query);
      return decided(query);
    },
    async report(report) {
      reports.push(report);
    },
    close: async () => undefined,
  };
  const parameters = [{ name: 'images', array: ['registry.example.com/acme/web:~1.0'] }];
  await generate(
    {
      directory: folder,
      tree: folder,
      environment: {
        ARGOCD_APP_NAME: 'shop',
        ARGOCD_APP_REVISION: 'abc',
        ARGOCD_APP_PARAMETERS: JSON.stringify(parameters),
        ...environment,
      },
      inPlace: false,
      explain: false,
      register: true,
    },
    {
      configuration: { ...completeConfiguration({}, [], {}), controller: { url: 'http://controller' } },
      resolver: async () => resolver,
      tools: TOOLS_ON_PATH,
      now: () => 0,
      random: () => 0.5,
    },
    new AbortController().signal,
  );
  return { queries, reports };
}

test('a generation says which one it is, and when it is over', async () => {
  const { queries, reports } = await heard(POD);
  expect(queries).toMatchObject([{ who: { application: 'shop' }, generation: { revision: 'abc' } }]);
  expect(reports).toMatchObject([{ generation: { id: queries[0]?.generation?.id } }]);
});

test('files that were uploaded to look at what comes of them are none that the application uses', async () => {
  const { queries, reports } = await heard(POD, { ARGOCD_APP_REVISION: 'streamed' });
  expect(queries).toMatchObject([{ who: { application: 'shop' }, preview: true }]);
  expect(queries[0]).not.toHaveProperty('generation');
  expect(reports).toEqual([]);
});

test.for([
  { name: 'a hook of Argo CD', annotations: '{argocd.argoproj.io/hook: PreSync}', hooks: true },
  { name: 'a hook of Helm', annotations: '{"helm.sh/hook": pre-install}', hooks: true },
  {
    name: 'what only says when one is deleted',
    annotations: '{helm.sh/hook-delete-policy: hook-succeeded}',
    hooks: undefined,
  },
])('$name in the rendering: hooks is $hooks', async ({ annotations, hooks }) => {
  const { queries } = await heard(POD.replace('{name: web}', `{name: web, annotations: ${annotations}}`));
  expect(queries.map(({ generation }) => generation?.hooks)).toEqual([hooks]);
});
