import { describe, expect, test } from 'vitest';
import { Answers } from '../../src/generate/asks.ts';
import { answerTargets, overridesFrom } from '../../src/generate/targets.ts';
import type { ValueOverrides } from '../../src/render/render-spec.ts';
import type { Resolution, Resolver } from '../../src/resolve/resolver.ts';
import { errorOf, read } from '../policy/support.ts';

/** Answers every pin with its tag, and everything else with Git. */
const resolver: Resolver = {
  resolve: async ({ asks }) =>
    asks.map(({ choice }): Resolution => {
      const about = { why: '', notices: [] };
      return choice.kind === 'pin' && 'tag' in choice
        ? { kind: 'pinned', tag: choice.tag, ...about }
        : { kind: 'as-in-git', reason: 'unsatisfied', ...about };
    }),
  close: async () => {},
};

async function overrides(
  images: readonly string[],
  settings: Readonly<Record<string, string>>,
): Promise<ValueOverrides> {
  const answers = new Answers(async () => resolver, { v: 1, who: { application: 'web' }, explain: false });
  const policies = { parameters: (await read(images, settings)).policies, file: [], fieldRules: [], notices: [] };
  return overridesFrom(await answerTargets(policies, answers, () => 1000, new AbortController().signal));
}

describe('two policies with one target', () => {
  test.for([
    {
      name: 'a Helm value',
      settings: { 'a.helm.image-tag': 'image.tag', 'b.helm.image-tag': 'image.tag', 'a.pin': '1', 'b.pin': '2' },
      says: 'the Helm value image.tag',
    },
    {
      name: 'a whole image in a Helm value',
      settings: { 'a.helm.image-spec': 'image', 'b.helm.image-spec': 'image', pin: '1' },
      says: 'the Helm value image',
    },
    {
      name: 'a kustomize image',
      settings: { 'a.kustomize.image-name': 'APP', 'b.kustomize.image-name': 'APP', pin: '1' },
      says: 'the kustomize image APP',
    },
  ])('$name: an error that names both', async ({ settings, says }) => {
    const error = await errorOf(async () => overrides(['a=nginx', 'b=redis'], settings));
    expect(error).toMatchObject({ code: 'POLICY_AMBIGUOUS', where: 'parameter images[1]' });
    expect(error.message).toBe(`a (parameter images[0]) and b (parameter images[1]) both set ${says}`);
  });

  test('may set the very same', async () => {
    const settings = { 'a.helm.image-tag': 'image.tag', 'b.helm.image-tag': 'image.tag', pin: '1' };
    expect((await overrides(['a=nginx', 'b=redis'], settings)).helm).toEqual([
      { path: 'image.tag', value: '1' },
      { path: 'image.tag', value: '1' },
    ]);
  });

  test('are apart while one of them stays as in Git', async () => {
    const settings = { 'a.helm.image-tag': 'image.tag', 'b.helm.image-tag': 'image.tag', 'a.pin': '1' };
    expect((await overrides(['a=nginx', 'b=redis'], settings)).helm).toEqual([{ path: 'image.tag', value: '1' }]);
  });
});

test('values of targets that differ are all set', async () => {
  const settings = { 'a.helm.image-name': 'image.repository', 'b.helm.image-spec': 'proxy', pin: '1' };
  expect(await overrides(['a=nginx', 'b=redis'], settings)).toEqual({
    helm: [
      { path: 'image.repository', value: 'nginx' },
      { path: 'image.tag', value: '1' },
      { path: 'proxy', value: 'redis:1' },
    ],
    kustomizeImages: [],
  });
});
