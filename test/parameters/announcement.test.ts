import { expect, test } from 'vitest';
import { announceParameters } from '../../src/parameters/announcement.ts';
import { describeParameter, PARAMETER_NAMES } from '../../src/parameters/catalog.ts';
import { unavailableFeature, UNAVAILABLE_FEATURES } from '../../src/parameters/native-features.ts';
import { readParameters } from '../../src/parameters/read-parameters.ts';

test('announces every parameter with a title, help and the editor for its type', () => {
  const announced = announceParameters();
  expect(announced.map(({ name }) => name)).toEqual(PARAMETER_NAMES);
  for (const { title, tooltip, collectionType } of announced) {
    expect(title).not.toBe('');
    expect(tooltip).not.toBe('');
    expect(['string', 'array', 'map']).toContain(collectionType);
  }
  expect(announced.find(({ name }) => name === 'images')?.collectionType).toBe('array');
  expect(announced.find(({ name }) => name === 'image-settings')?.collectionType).toBe('map');
  expect(announced.find(({ name }) => name === 'helm-skip-crds')?.itemType).toBe('boolean');
});

test('tells what the application sets, and nothing of other parameters', () => {
  const parameters = readParameters(
    JSON.stringify([
      { name: 'images', string: 'web=nginx:^1' },
      { name: 'image-settings', map: { 'web.pin': '1.0.5' } },
      { name: 'helm-value-files', array: ['a.yaml'] },
    ]),
  );
  const announced = new Map(announceParameters(parameters).map((one) => [one.name, one]));
  expect(announced.get('images')).toMatchObject({ collectionType: 'string', string: 'web=nginx:^1' });
  expect(announced.get('image-settings')).toMatchObject({ map: { 'web.pin': '1.0.5' } });
  expect(announced.get('helm-value-files')).toMatchObject({ array: ['a.yaml'] });
  const others = [...announced.values()].filter(({ name }) => !parameters.has(name as never));
  for (const one of others) expect(Object.keys(one)).not.toEqual(expect.arrayContaining(['string']));
});

test('no unavailable feature is a parameter, and each says what to do instead', () => {
  for (const name of UNAVAILABLE_FEATURES) {
    expect(describeParameter(name)).toBeUndefined();
    expect(unavailableFeature(name)?.instead).toMatch(/\w/);
  }
});

test('only names of native features are unavailable features', () => {
  for (const name of [...PARAMETER_NAMES, 'constructor', '__proto__', 'toString'])
    expect(unavailableFeature(name)).toBeUndefined();
});
