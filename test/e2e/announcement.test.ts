import { expect, test } from 'vitest';
import { describeParameter as wordsOf, PARAMETER_NAMES } from '../../src/parameters/catalog.ts';
import { startArgoCd } from './argo-cd.ts';

test('every parameter is announced once, in the words of the catalogue, with what the Application sets', async () => {
  await using argoCd = await startArgoCd();
  const announced = await argoCd.parameters({
    files: { 'pod.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n' },
    parameters: [
      { name: 'helm-value-files', array: ['values-prod.yaml'] },
      { name: 'helm-release-name', string: 'shop' },
    ],
  });
  expect(announced.map(({ name }) => name).toSorted()).toEqual(PARAMETER_NAMES.toSorted());
  for (const { name, title, tooltip, collectionType } of announced) {
    expect({ name, title, tooltip }).toEqual({ name, title: wordsOf(name)?.title, tooltip: wordsOf(name)?.tooltip });
    expect(collectionType).toBe(wordsOf(name)?.types[0]);
  }
  const valueOf = (wanted: string): unknown => announced.find(({ name }) => name === wanted);
  expect(valueOf('helm-release-name')).toMatchObject({ string: 'shop' });
  expect(valueOf('helm-value-files')).toMatchObject({ array: ['values-prod.yaml'] });
});

test('a parameter with a misspelt name is told, with the one it is close to', async () => {
  await using argoCd = await startArgoCd();
  const application = {
    files: { 'pod.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n' },
    parameters: [{ name: 'imagse', string: 'x' }],
  };
  await expect(argoCd.parameters(application)).rejects.toMatchObject({
    details: expect.stringMatching(/PARAMETER_UNKNOWN[^]*images/) as unknown,
  });
});
