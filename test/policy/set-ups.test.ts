import { expect, test } from 'vitest';
import { field, read } from './support.ts';
import { matchPolicies } from '../../src/policy/match.ts';

// Policies as people run them with argocd-image-updater today: the list and its annotations, copied into parameters.

const PREFIX = 'argocd-image-updater.argoproj.io/';

interface SetUp {
  readonly name: string;
  readonly images: string;
  readonly settings: Readonly<Record<string, string>>;
  /** Image in Git → alias and choice of its policy. */
  readonly want: Readonly<Record<string, { readonly alias: string; readonly choice: unknown }>>;
}

const LINUX = [{ os: 'linux', architecture: 'amd64' }];

function select(strategy: unknown, filters: readonly unknown[] = []): unknown {
  return { kind: 'select', selection: { strategy, filters, platforms: LINUX } };
}

const SET_UPS: readonly SetUp[] = [
  {
    name: 'a backend by semver, with the branch to commit to',
    images: 'backend=registry.example.com/backend',
    settings: { 'backend.update-strategy': 'semver', 'git-branch': 'main' },
    want: {
      'registry.example.com/backend:v1.0.0': { alias: 'backend', choice: select({ kind: 'semver', constraint: '*' }) },
    },
  },
  ...['~1.0', '~1.0.0', '^1.0', '^1.0.0', '>=1.0.0'].map((constraint) => ({
    name: `a backend held to ${constraint}`,
    images: 'backend=registry.example.com/backend',
    settings: { 'backend.update-strategy': 'semver', 'backend.semver-constraint': constraint },
    want: {
      'registry.example.com/backend:v1.0.5': { alias: 'backend', choice: select({ kind: 'semver', constraint }) },
    },
  })),
  {
    name: 'the newest build of all tags',
    images: 'backend=registry.example.com/backend',
    settings: { 'backend.update-strategy': 'latest' },
    want: { 'registry.example.com/backend:dev-latest': { alias: 'backend', choice: select({ kind: 'newest-build' }) } },
  },
  {
    name: 'an image that people update by hand',
    images: 'backend=registry.example.com/backend',
    settings: { 'backend.update-strategy': 'none' },
    want: { 'registry.example.com/backend:v1': { alias: 'backend', choice: { kind: 'none' } } },
  },
  {
    name: 'the newest of tags that an expression names',
    images: 'backend=registry.example.com/backend',
    settings: { 'backend.update-strategy': 'regexp', 'backend.allow-tags': 'regexp:^release-.*$' },
    want: {
      'registry.example.com/backend:release-1': {
        alias: 'backend',
        choice: select({ kind: 'newest-build' }, [{ effect: 'allow', kind: 'regexp', pattern: '^release-.*$' }]),
      },
    },
  },
  {
    name: 'releases only, without candidates, for several services',
    images: 'backend=registry.example.com/backend, frontend=registry.example.com/frontend',
    settings: {
      'allow-tags': String.raw`regexp:^v[0-9]+\.[0-9]+\.[0-9]+$`,
      'ignore-tags': 'regex:.*-rc.*',
      'frontend.update-strategy': 'alphabetical',
    },
    want: {
      'registry.example.com/backend:v1.0.0': {
        alias: 'backend',
        choice: select({ kind: 'semver', constraint: '*' }, [
          { effect: 'allow', kind: 'regexp', pattern: String.raw`^v[0-9]+\.[0-9]+\.[0-9]+$` },
          { effect: 'ignore', kind: 'regexp', pattern: '.*-rc.*' },
        ]),
      },
      'registry.example.com/frontend:v2.5.0': {
        alias: 'frontend',
        choice: select({ kind: 'alphabetical' }, [
          { effect: 'allow', kind: 'regexp', pattern: String.raw`^v[0-9]+\.[0-9]+\.[0-9]+$` },
          { effect: 'ignore', kind: 'regexp', pattern: '.*-rc.*' },
        ]),
      },
    },
  },
  {
    name: 'one mutable tag in ECR, looked at every five minutes',
    images: 'app=123456789.dkr.ecr.us-west-2.amazonaws.com/shop',
    settings: {
      'app.image-tag-filter': '^production$',
      'app.update-strategy': 'latest',
      'app.image-poll-interval': '5m',
      'write-back-method': 'application',
    },
    want: {
      '123456789.dkr.ecr.us-west-2.amazonaws.com/shop:production': {
        alias: 'app',
        choice: select({ kind: 'newest-build' }, [{ effect: 'allow', kind: 'regexp', pattern: '^production$' }]),
      },
    },
  },
  ...['~0-0', '~0', '1.x', '~1.2'].map((constraint) => ({
    name: `a chart whose image is held to ${constraint}`,
    images: `app=acme/example-api:${constraint}`,
    settings: { 'app.helm.image-name': 'image.repository', 'app.helm.image-tag': 'image.tag' },
    want: { 'acme/example-api:0.0.9': { alias: 'app', choice: select({ kind: 'semver', constraint }) } },
  })),
  {
    name: 'stable and canary of one repository by digest, each with a pull secret',
    images: 'stable=docker.io/acme/eco:auth-api-dev-latest,canary=docker.io/acme/eco:auth-api-dev-canary',
    settings: {
      'stable.update-strategy': 'digest',
      'canary.update-strategy': 'digest',
      'stable.pull-secret': 'pullsecret:argocd/dockerhub-credentials',
      'canary.pull-secret': 'pullsecret:argocd/dockerhub-credentials',
    },
    want: {
      'docker.io/acme/eco:auth-api-dev-latest': {
        alias: 'stable',
        choice: select({ kind: 'digest', tag: 'auth-api-dev-latest' }),
      },
      'acme/eco:auth-api-dev-canary': {
        alias: 'canary',
        choice: select({ kind: 'digest', tag: 'auth-api-dev-canary' }),
      },
    },
  },
];

test.for(SET_UPS)('$name', async ({ images, settings, want }) => {
  const annotations = Object.fromEntries(Object.entries(settings).map(([key, value]) => [`${PREFIX}${key}`, value]));
  const { policies, notices } = await read(images, annotations);
  const fields = Object.keys(want).map((image, n) => field(image, { name: `workload-${n}` }));
  const result = matchPolicies({
    fields,
    parameters: policies,
    file: [],
    annotations: [],
    onUnmatched: { parameters: 'error', file: 'error' },
  });
  expect(result.errors).toEqual([]);
  expect(notices.filter(({ code }) => code !== 'SETTING_WITHOUT_MEANING')).toEqual([]);
  const found = fields.map(({ id, written }) => {
    const policy = result.assigned.get(id);
    return [written, { alias: policy?.alias, choice: policy?.choice }];
  });
  expect(Object.fromEntries(found)).toEqual(want);
});
