import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/error/user-error.ts';
import { MAX_PARAMETERS_BYTES, readParameters } from '../../src/parameters/read-parameters.ts';

function errorOf(json: string): UserError {
  try {
    readParameters(json);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('it was read');
}

test.for([
  { name: 'an absent variable', json: undefined },
  { name: 'an empty variable', json: '' },
  { name: 'blanks', json: ' \n' },
  { name: 'null, which Argo CD writes for a plugin section without parameters', json: 'null' },
  { name: 'an empty list', json: '[]' },
])('$name is no parameters', ({ json }) => {
  expect(readParameters(json).size).toBe(0);
});

test('reads a string, an array and a map, empty ones too', () => {
  const json = JSON.stringify([
    { name: 'helm-release-name', string: 'web' },
    { name: 'images', array: ['web=ghcr.io/acme/web:>=1.0, <2', 'nginx'] },
    { name: 'image-settings', map: { 'web.update-strategy': 'semver', constructor: 'x' } },
    { name: 'helm-value-files', array: [] },
    { name: 'helm-parameters', map: {} },
  ]);
  expect(new Map(readParameters(json))).toEqual(
    new Map<string, unknown>([
      ['helm-release-name', { kind: 'string', text: 'web' }],
      ['images', { kind: 'array', items: ['web=ghcr.io/acme/web:>=1.0, <2', 'nginx'] }],
      [
        'image-settings',
        {
          kind: 'map',
          entries: new Map([
            ['web.update-strategy', 'semver'],
            ['constructor', 'x'],
          ]),
        },
      ],
      ['helm-value-files', { kind: 'array', items: [] }],
      ['helm-parameters', { kind: 'map', entries: new Map() }],
    ]),
  );
});

test('takes images as a string, and a null beside the value as nothing', () => {
  const parameters = readParameters('[{"name":"images","string":"a=nginx,b=redis","array":null}]');
  expect(parameters.get('images')).toEqual({ kind: 'string', text: 'a=nginx,b=redis' });
});

describe('refuses', () => {
  test.for([
    { name: 'what is not JSON', json: '[{', code: 'PARAMETERS_UNREADABLE', what: 'is not JSON' },
    { name: 'an object', json: '{"name":"images"}', code: 'PARAMETERS_UNREADABLE', what: 'is not a list' },
    { name: 'a number', json: '1', code: 'PARAMETERS_UNREADABLE', what: 'is not a list' },
    { name: 'an entry that is no object', json: '["images"]', code: 'PARAMETER_INVALID', what: 'no name' },
    { name: 'an entry that is null', json: '[null]', code: 'PARAMETER_INVALID', what: 'no name' },
    { name: 'an entry without name', json: '[{"string":"x"}]', code: 'PARAMETER_INVALID', what: 'no name' },
    { name: 'an empty name', json: '[{"name":"","string":"x"}]', code: 'PARAMETER_INVALID', what: 'no name' },
    { name: 'a name that is no text', json: '[{"name":{},"string":"x"}]', code: 'PARAMETER_INVALID', what: 'no name' },
    {
      name: 'the name __proto__',
      json: '[{"name":"__proto__","string":"x"}]',
      code: 'PARAMETER_UNKNOWN',
      what: '"__proto__"',
    },
    {
      name: 'the name constructor',
      json: '[{"name":"constructor","string":"x"}]',
      code: 'PARAMETER_UNKNOWN',
      what: '"constructor"',
    },
    {
      name: 'a map key __proto__',
      json: '[{"name":"helm-parameters","map":{"__proto__":"x"}}]',
      code: 'PARAMETER_INVALID',
      what: '__proto__',
    },
    {
      name: 'a parameter without a value',
      json: '[{"name":"images"}]',
      code: 'PARAMETER_INVALID',
      what: 'has no value',
    },
    {
      name: 'a parameter that is text and map at once',
      json: '[{"name":"images","string":"a","map":{}}]',
      code: 'PARAMETER_INVALID',
      what: 'string and map',
    },
    {
      name: 'a type that the parameter cannot have',
      json: '[{"name":"images","map":{}}]',
      code: 'PARAMETER_INVALID',
      what: 'cannot be a map',
    },
    {
      name: 'a number in the place of text',
      json: '[{"name":"helm-release-name","string":1}]',
      code: 'PARAMETER_INVALID',
      what: 'no string',
    },
    {
      name: 'a number in an array',
      json: '[{"name":"images","array":["a",1]}]',
      code: 'PARAMETER_INVALID',
      what: 'no array',
    },
    {
      name: 'an object in the place of an array',
      json: '[{"name":"images","array":{"0":"a"}}]',
      code: 'PARAMETER_INVALID',
      what: 'no array',
    },
    {
      name: 'an array in the place of a map',
      json: '[{"name":"helm-parameters","map":["a"]}]',
      code: 'PARAMETER_INVALID',
      what: 'no map',
    },
    {
      name: 'an object in a map',
      json: '[{"name":"helm-parameters","map":{"a":{}}}]',
      code: 'PARAMETER_INVALID',
      what: 'no map',
    },
    {
      name: 'a parameter that is there twice',
      json: '[{"name":"images","array":[]},{"name":"images","array":["a"]}]',
      code: 'PARAMETER_INVALID',
      what: 'images is there twice',
    },
  ])('$name', ({ json, code, what }) => {
    const error = errorOf(json);
    expect(error.code).toBe(code);
    expect(error.message).toContain(what);
    expect(error.where).not.toBe('');
    expect(error.fix).not.toBe('');
  });
});

test.for([
  { written: 'image', meant: 'images' },
  { written: 'helm-valuefiles', meant: 'helm-value-files' },
  { written: 'helm.valueFiles', meant: 'helm-value-files' },
  { written: 'KUSTOMIZE_NAME_PREFIX', meant: 'kustomize-name-prefix' },
  { written: 'directory-recursive', meant: 'directory-recurse' },
])('$written is unknown, and $meant was meant', ({ written, meant }) => {
  const error = errorOf(JSON.stringify([{ name: written, string: 'x' }]));
  expect(error).toMatchObject({ code: 'PARAMETER_UNKNOWN', where: 'spec.source.plugin.parameters[0]' });
  expect(error.fix).toBe(`did you mean ${meant}?`);
});

test('a name that is like nothing is told all known ones, and is cut', () => {
  const error = errorOf(JSON.stringify([{ name: 'q'.repeat(5000), string: 'x' }]));
  expect(error.fix).toContain('kustomize-components');
  expect(error.message.length).toBeLessThan(200);
});

test.for([
  { name: 'helm-version', says: 'the Helm in the plugin image' },
  { name: 'helm.version', says: 'the Helm in the plugin image' },
  { name: 'helm-valuesObject', says: 'plugin parameters are text' },
  { name: '$values', says: 'ref sources' },
  { name: 'helm-ref', says: 'ref sources' },
  { name: 'kustomize-build-options', says: 'operator’s' },
  { name: 'kustomize-enable-helm', says: 'operator’s' },
  { name: 'helm-post-renderer', says: 'program' },
  { name: 'env', says: 'parameters only' },
])('$name is told why a plugin source cannot have it', ({ name, says }) => {
  const error = errorOf(JSON.stringify([{ name, string: 'x' }]));
  expect(error.code).toBe('NATIVE_FEATURE_UNAVAILABLE');
  expect(error.message).toContain(says);
});

test('reads as much as the kernel lets through', () => {
  const around = JSON.stringify([{ name: 'helm-values', string: '' }]).length;
  const values = 'x'.repeat(131_071 - around);
  const json = JSON.stringify([{ name: 'helm-values', string: values }]);
  expect(json.length).toBe(131_071);
  expect(readParameters(json).get('helm-values')).toEqual({ kind: 'string', text: values });
});

test('refuses more than the kernel lets through, in bytes', () => {
  const json = JSON.stringify([{ name: 'helm-values', string: 'ä'.repeat(MAX_PARAMETERS_BYTES / 2) }]);
  expect(errorOf(json).code).toBe('PARAMETERS_UNREADABLE');
  expect(errorOf(json).fix).toContain('value files');
});

test('a text of brackets alone ends in an error', () => {
  expect(errorOf('['.repeat(131_000)).code).toBe('PARAMETERS_UNREADABLE');
  expect(errorOf(`${'['.repeat(60_000)}${']'.repeat(60_000)}`).code).toBe('PARAMETER_INVALID');
});

test('no JSON value makes it fail in another way than with a user error', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const lists = [
        [{ name: 'images', array: value }, { name: 'imagez' }],
        [value, { name: '__proto__' }],
      ];
      // `errorOf` lets through what is no user error.
      for (const list of lists) expect(errorOf(JSON.stringify(list)).fix).not.toBe('');
    }),
  );
});

test('equal faults give equal text', () => {
  const json = '[{"name":"imagez","string":"x"}]';
  expect(errorOf(json).toData()).toEqual(errorOf(json).toData());
});

test.for([
  { type: 'array', says: 'cannot be an array' },
  { type: 'map', says: 'cannot be a map' },
])('a parameter of text $says', ({ type, says }) => {
  const value = type === 'array' ? [] : {};
  expect(() => readParameters(JSON.stringify([{ name: 'renderer', [type]: value }]))).toThrow(says);
});
