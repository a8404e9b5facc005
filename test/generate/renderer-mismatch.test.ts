import { expect, test } from 'vitest';
import { forRenderer } from '../../src/generate/renderer-mismatch.ts';
import type { WrittenPolicies } from '../../src/generate/written-policies.ts';
import { readParameters } from '../../src/parameters/read-parameters.ts';
import type { RendererKind } from '../../src/render/render-spec.ts';
import { errorOf, read } from '../policy/support.ts';

const NONE = readParameters('[]');

async function policies(settings: Readonly<Record<string, string>>): Promise<WrittenPolicies> {
  return { parameters: (await read(['web=nginx'], settings)).policies, file: [], fieldRules: [], notices: [] };
}

test.for<{ renderer: RendererKind; setting: string; wanted: string }>([
  { renderer: 'directory', setting: 'helm.image-tag', wanted: 'helm' },
  { renderer: 'kustomize', setting: 'helm.image-tag', wanted: 'helm' },
  { renderer: 'kustomize', setting: 'helm.image-spec', wanted: 'helm' },
  { renderer: 'helm', setting: 'kustomize.image-name', wanted: 'kustomize' },
  { renderer: 'directory', setting: 'kustomize.image-name', wanted: 'kustomize' },
])('$setting cannot be set by $renderer', async ({ renderer, setting, wanted }) => {
  const written = await policies({ [`web.${setting}`]: 'image' });
  const error = await errorOf(() => forRenderer(renderer, NONE, written));
  expect(error.toData()).toEqual({
    code: 'SETTING_INVALID',
    what: `web has ${setting}, and the application is rendered by ${renderer}`,
    where: 'parameter images[0]',
    fix: `remove ${setting}, so that the rendered image fields are edited, or set the parameter renderer to ${wanted}`,
  });
});

test.for<{ renderer: RendererKind; settings: Readonly<Record<string, string>> }>([
  { renderer: 'helm', settings: { 'web.helm.image-tag': 'image.tag' } },
  { renderer: 'kustomize', settings: { 'web.kustomize.image-name': 'APP' } },
  { renderer: 'directory', settings: {} },
])('what $renderer can set passes', async ({ renderer, settings }) => {
  const written = await policies(settings);
  expect(forRenderer(renderer, NONE, written)).toEqual(written);
});

test('parameters of other renderers are told, once for each', async () => {
  const parameters = readParameters(
    JSON.stringify([
      { name: 'helm-values', string: 'a: 1' },
      { name: 'helm-skip-crds', string: 'true' },
      { name: 'kustomize-name-prefix', string: 'x-' },
      { name: 'directory-recurse', string: 'true' },
    ]),
  );
  expect(forRenderer('kustomize', parameters, await policies({})).notices).toEqual([
    {
      code: 'PARAMETER_IGNORED',
      what: 'helm-values, helm-skip-crds: for helm, and the application is rendered by kustomize',
      where: 'parameter helm-values',
    },
    {
      code: 'PARAMETER_IGNORED',
      what: 'directory-recurse: for directory, and the application is rendered by kustomize',
      where: 'parameter directory-recurse',
    },
  ]);
});

test('parameters without value are not told', async () => {
  const parameters = readParameters(
    JSON.stringify([
      { name: 'helm-values', string: '' },
      { name: 'helm-value-files', array: [] },
      { name: 'helm-parameters', map: {} },
      { name: 'helm-skip-crds', string: 'false' },
    ]),
  );
  expect(forRenderer('directory', parameters, await policies({})).notices).toEqual([]);
});
