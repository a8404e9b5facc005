import { toJsonSchema } from '@valibot/to-json-schema';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/error/user-error.ts';
import { policyFileSchema } from '../../src/policy/file-schema.ts';
import { MAX_POLICY_FILE_BYTES, policiesFromFile, type PolicyFileReading } from '../../src/policy/from-file.ts';
import { errorOf } from './support.ts';

const HEAD = 'apiVersion: image-resolver.io/v1alpha1\nkind: ImagePolicies\n';

function readFile(body: string): PolicyFileReading {
  return policiesFromFile(HEAD + body, '.image-resolver.yaml');
}

test('a file without images and fields has no policies', () => {
  expect(readFile('')).toEqual({ policies: [], fieldRules: [], notices: [] });
});

test('reads every key, and tells where each image stands', () => {
  const { policies, fieldRules, notices } = readFile(`images:
  - name: backend
    image: registry.example.com/backend
    strategy: semver
    constraint: "~1.0"
    allowTags: 'regexp:^v[0-9]+\\.[0-9]+\\.[0-9]+$'
    ignoreTags: ["*-rc*", 'regexp:^x,y$']
    platforms: [linux/arm64]
    pullSecret: secret:team/registry#password
    helm: {imageName: backend.repository, imageTag: backend.tag}
    output: tag@digest
    optional: true
    onUnsatisfied: error
    onRemoved: next-best
    pollInterval: 5m
    match:
      - {kind: Deployment, name: "backend-*", namespace: prod, container: app}
  - name: canary
    image: docker.io/acme/api
    strategy: digest
    constraint: canary
    kustomize: {imageName: api}
  - {name: frozen, image: nginx, pin: 1.25-alpine}
fields:
  - {apiVersion: "example.com/*", kind: Worker, path: "spec.runners[*].image"}
  - {apiVersion: "example.com/*", kind: Worker, repository: "spec.image.repository", tag: "spec.image.tag"}
`);
  expect(notices).toEqual([]);
  expect(policies).toEqual([
    {
      alias: 'backend',
      repository: { host: 'registry.example.com', path: 'backend', name: 'registry.example.com/backend' },
      writtenRepository: 'registry.example.com/backend',
      match: [{ kind: 'Deployment', name: 'backend-*', namespace: 'prod', container: 'app' }],
      tagSelector: { kind: 'constraint', constraint: '~1.0' },
      choice: {
        kind: 'select',
        selection: {
          strategy: { kind: 'semver', constraint: '~1.0' },
          filters: [
            { effect: 'allow', kind: 'regexp', pattern: String.raw`^v[0-9]+\.[0-9]+\.[0-9]+$` },
            { effect: 'ignore', kind: 'glob', pattern: '*-rc*' },
            { effect: 'ignore', kind: 'regexp', pattern: '^x,y$' },
          ],
          platforms: [{ os: 'linux', architecture: 'arm64' }],
        },
      },
      write: { output: 'tag@digest', target: { kind: 'helm', name: 'backend.repository', tag: 'backend.tag' } },
      optional: true,
      onUnsatisfied: 'error',
      onRemoved: 'next-best',
      pollIntervalMs: 300_000,
      credential: 'secret:team/registry#password',
      origin: { place: 'file', where: '.image-resolver.yaml:4:5' },
      filterPlaces: ['8:5', '9:18', '9:27'].map((place) => `.image-resolver.yaml:${place}`),
    },
    expect.objectContaining({
      alias: 'canary',
      tagSelector: { kind: 'tag', tag: 'canary' },
      write: { target: { kind: 'kustomize', name: 'api' } },
    }),
    expect.objectContaining({ alias: 'frozen', choice: { kind: 'pin', tag: '1.25-alpine' } }),
  ]);
  expect(fieldRules).toEqual([
    { apiVersion: 'example.com/*', kind: 'Worker', path: 'spec.runners[*].image' },
    { apiVersion: 'example.com/*', kind: 'Worker', repository: 'spec.image.repository', tag: 'spec.image.tag' },
  ]);
});

test('the same text gives the same policies as it does in parameters', () => {
  const { policies } = readFile('images: [{name: web, image: nginx, strategy: Latest, ignoreTags: ["*"]}]');
  expect(policies).toMatchObject([{ choice: { kind: 'paused' } }]);
});

describe('refuses, with line and column,', () => {
  const cases: readonly { name: string; body: string; code: string; where: string; says: string }[] = [
    {
      name: 'broken YAML',
      body: 'images: [',
      code: 'POLICY_FILE_INVALID',
      where: '3:10',
      says: 'not valid YAML',
    },
    {
      name: 'an unknown key',
      body: 'images:\n  - name: a\n    image: nginx\n    allowTag: any\n',
      code: 'POLICY_FILE_INVALID',
      where: '6:5',
      says: 'images[0].allowTag',
    },
    {
      name: 'a key named like a property of objects',
      body: 'constructor: 1\n',
      code: 'POLICY_FILE_INVALID',
      where: '3:1',
      says: 'constructor',
    },
    { name: '__proto__', body: '__proto__: {}\n', code: 'POLICY_FILE_INVALID', where: '3:1', says: '__proto__' },
    {
      name: 'an image without name',
      body: 'images:\n  - image: nginx\n',
      code: 'POLICY_FILE_INVALID',
      where: '4:5',
      says: 'name is missing',
    },
    {
      name: 'a truth that is none',
      body: 'images:\n  - name: a\n    image: nginx\n    optional: yes\n',
      code: 'POLICY_FILE_INVALID',
      where: '6:5',
      says: 'images[0].optional',
    },
    {
      name: 'a list in the place of a map',
      body: 'images:\n  - [a]\n',
      code: 'POLICY_FILE_INVALID',
      where: '4:5',
      says: 'images[0]',
    },
    {
      name: 'a name that is no alias',
      body: 'images:\n  - name: "a b"\n    image: nginx\n',
      code: 'POLICY_FILE_INVALID',
      where: '4:5',
      says: 'no alias',
    },
    {
      name: 'a name that is there twice',
      body: 'images:\n  - {name: a, image: nginx}\n  - {name: a, image: redis}\n',
      code: 'ALIAS_DUPLICATE',
      where: '5:6',
      says: '"a"',
    },
    {
      name: 'an image with a tag',
      body: 'images:\n  - name: a\n    image: nginx:1.25\n',
      code: 'REFERENCE_INVALID',
      where: '5:5',
      says: 'after the colon',
    },
    {
      name: 'an image with a digest',
      body: `images:\n  - name: a\n    image: nginx@sha256:${'a'.repeat(64)}\n`,
      code: 'REFERENCE_INVALID',
      where: '5:5',
      says: 'digest',
    },
    {
      name: 'an image that is none',
      body: 'images:\n  - name: a\n    image: Nginx\n',
      code: 'REFERENCE_INVALID',
      where: '5:5',
      says: 'upper-case',
    },
    {
      name: 'an invalid constraint',
      body: 'images:\n  - name: a\n    image: nginx\n    constraint: "~~1"\n',
      code: 'CONSTRAINT_INVALID',
      where: '6:5',
      says: '"~~1"',
    },
    {
      name: 'the second of two filters',
      body: 'images:\n  - name: a\n    image: nginx\n    ignoreTags:\n      - "ok-*"\n      - "[a"\n',
      code: 'FILTER_INVALID',
      where: '8:9',
      says: '"[a"',
    },
    {
      name: 'an unknown strategy',
      body: 'images:\n  - {name: a, image: nginx, strategy: newest}\n',
      code: 'STRATEGY_UNKNOWN',
      where: '4:29',
      says: '"newest"',
    },
    {
      name: 'a match that selects nothing',
      body: 'images:\n  - {name: a, image: nginx, match: [{}]}\n',
      code: 'POLICY_FILE_INVALID',
      where: '4:37',
      says: 'selects nothing',
    },
    {
      name: 'a glob of match that is broken',
      body: 'images:\n  - {name: a, image: nginx, match: [{container: "[a"}]}\n',
      code: 'POLICY_FILE_INVALID',
      where: '4:38',
      says: 'container',
    },
    {
      name: 'more filters than the limit',
      body: `images:\n  - name: a\n    image: nginx\n    ignoreTags: [${'x,'.repeat(33)}]\n`,
      code: 'POLICY_FILE_INVALID',
      where: '6:5',
      says: 'at most 32',
    },
    {
      name: 'a field rule with path, repository and tag',
      body: 'fields:\n  - {apiVersion: a/v1, kind: A, path: spec.image, repository: spec.r, tag: spec.tag}\n',
      code: 'POLICY_FILE_INVALID',
      where: '4:5',
      says: 'where the image is',
    },
    {
      name: 'a field rule with path and tag',
      body: 'fields:\n  - {apiVersion: a/v1, kind: A, path: spec.image, tag: spec.tag}\n',
      code: 'POLICY_FILE_INVALID',
      where: '4:5',
      says: 'where the image is',
    },
    {
      name: 'a field rule with path and repository',
      body: 'fields:\n  - {apiVersion: a/v1, kind: A, path: spec.image, repository: spec.r}\n',
      code: 'POLICY_FILE_INVALID',
      where: '4:5',
      says: 'where the image is',
    },
    {
      name: 'a field rule without a place',
      body: 'fields:\n  - {apiVersion: a/v1, kind: A, tag: spec.tag}\n',
      code: 'POLICY_FILE_INVALID',
      where: '4:5',
      says: 'where the image is',
    },
    {
      name: 'a field rule with a path that is none',
      body: 'fields:\n  - {apiVersion: a/v1, kind: A, path: "spec..image"}\n',
      code: 'POLICY_FILE_INVALID',
      where: '4:5',
      says: 'path',
    },
    {
      name: 'an alias',
      body: 'images:\n  - &a {name: a, image: nginx}\n  - *a\n',
      code: 'POLICY_FILE_INVALID',
      where: '4:5',
      says: 'anchor',
    },
    {
      name: 'an alias without its anchor',
      body: 'images:\n  - {name: "&a", image: nginx, pin: *a}\n',
      code: 'POLICY_FILE_INVALID',
      where: '4:37',
      says: 'alias',
    },
    {
      name: 'an anchor alone',
      body: 'images: &a [{name: a, image: nginx}]\n',
      code: 'POLICY_FILE_INVALID',
      where: '3:9',
      says: 'anchor (&name)',
    },
    {
      name: 'a second document',
      body: '---\n{}\n',
      code: 'POLICY_FILE_INVALID',
      where: '3:1',
      says: 'document',
    },
  ];
  test.for(cases)('$name', async ({ body, code, where, says }) => {
    const error = await errorOf(() => readFile(body));
    expect(error.code).toBe(code);
    expect(error.where).toBe(`.image-resolver.yaml:${where}`);
    expect(error.message).toContain(says);
    expect(error.fix).not.toBe('');
  });
});

test('numbers and truths without quotes are the text that is written', () => {
  const { policies } = readFile(`images:
  - {name: a, image: nginx, constraint: 1.10, optional: false}
  - {name: b, image: nginx, pin: 020240101, optional: true}
`);
  expect(policies).toMatchObject([
    { choice: { selection: { strategy: { constraint: '1.10' } } }, optional: false },
    { choice: { kind: 'pin', tag: '020240101' }, optional: true },
  ]);
});

test('another kind of file is refused', async () => {
  const error = await errorOf(() => policiesFromFile('kind: Deployment\n', 'x.yaml'));
  expect(error.code).toBe('POLICY_FILE_INVALID');
});

test('an ampersand in text is no anchor', () => {
  expect(readFile("images: [{name: a, image: nginx, ignoreTags: ['&a', a&b]}] # &a\n").policies).toHaveLength(1);
});

test('a star in text is no alias', () => {
  expect(readFile('images: [{name: a, image: nginx, ignoreTags: ["*-rc*", \'*dev*\']}] # *a\n').policies).toHaveLength(
    1,
  );
  expect(readFile('images:\n- name: a\n  image: nginx\n  constraint: |-\n    *\n').policies).toHaveLength(1);
});

test.for([
  { name: 'deep brackets', text: '['.repeat(200_000), code: 'POLICY_FILE_INVALID' },
  { name: 'deep blocks', text: '- '.repeat(5000), code: 'POLICY_FILE_INVALID' },
  { name: 'a large file', text: `# ${'x'.repeat(MAX_POLICY_FILE_BYTES)}`, code: 'FILE_TOO_LARGE' },
  {
    name: 'more images than the limit',
    text: `${HEAD}images:\n${Array.from({ length: 1001 }, (_, n) => `- {name: a${n}, image: nginx}\n`).join('')}`,
    code: 'POLICY_FILE_INVALID',
  },
])('$name ends in an error', async ({ text, code }) => {
  expect((await errorOf(() => policiesFromFile(text, 'x.yaml'))).code).toBe(code);
});

test('whatever the values are, the answer is policies or a user error', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom('name', 'image', 'constraint', 'match', 'helm', 'pin'), fc.jsonValue()),
      (image) => {
        const text = JSON.stringify({
          apiVersion: 'image-resolver.io/v1alpha1',
          kind: 'ImagePolicies',
          images: [{ name: 'a', image: 'nginx', ...image }],
        });
        try {
          expect(policiesFromFile(text, 'x.yaml').policies).toHaveLength(1);
        } catch (error) {
          // oxlint-disable-next-line vitest/no-conditional-expect -- either way something is checked
          expect(error).toBeInstanceOf(UserError);
        }
      },
    ),
  );
});

test('the schema is publishable as JSON Schema, with help for each key of an image', () => {
  const schema: unknown = JSON.parse(JSON.stringify(toJsonSchema(policyFileSchema)));
  expect(schema).toMatchObject({ required: ['apiVersion', 'kind'], additionalProperties: false });
  const { properties } = schema as {
    properties: { images: { items: { properties: Record<string, { description?: string }> } } };
  };
  const withoutHelp = Object.entries(properties.images.items.properties).filter(
    ([, { description }]) => description === undefined,
  );
  expect(withoutHelp.map(([key]) => key)).toEqual([]);
});
