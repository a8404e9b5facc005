import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/error/user-error.ts';
import { checkPolicies } from '../../src/policy/check-policies.ts';
import { MAX_POLICIES } from '../../src/policy/limits.ts';
import { errorOf, read, readOne } from './support.ts';

const LINUX = [{ os: 'linux', architecture: 'amd64' }];

function semver(constraint: string): unknown {
  return { kind: 'select', selection: { strategy: { kind: 'semver', constraint }, filters: [], platforms: LINUX } };
}

test('no images are no policies', async () => {
  expect(await read([])).toEqual({ policies: [], notices: [] });
  expect(await read(' , ,')).toEqual({ policies: [], notices: [] });
});

test('an image with alias and constraint has every default', async () => {
  expect(await readOne('web=ghcr.io/acme/web:~1.2')).toEqual({
    alias: 'web',
    repository: { host: 'ghcr.io', path: 'acme/web', name: 'ghcr.io/acme/web' },
    writtenRepository: 'ghcr.io/acme/web',
    match: [],
    tagSelector: { kind: 'constraint', constraint: '~1.2' },
    choice: semver('~1.2'),
    write: {},
    optional: false,
    onUnsatisfied: 'git',
    onRemoved: 'keep',
    origin: { place: 'parameters', where: 'parameter images[0]' },
    filterPlaces: [],
  });
});

describe('an element of images', () => {
  test.for([
    { image: 'nginx', alias: 'nginx', repository: 'docker.io/library/nginx', constraint: '*' },
    { image: 'nginx:>=1.0', alias: 'nginx', repository: 'docker.io/library/nginx', constraint: '>=1.0' },
    { image: 'nginx:>=1.0, <2.0', alias: 'nginx', repository: 'docker.io/library/nginx', constraint: '>=1.0, <2.0' },
    { image: 'web=nginx:=1.0', alias: 'web', repository: 'docker.io/library/nginx', constraint: '=1.0' },
    { image: 'web = nginx:^1 ', alias: 'web', repository: 'docker.io/library/nginx', constraint: '^1' },
    { image: 'a.b-c_d=nginx:1.x', alias: 'a.b-c_d', repository: 'docker.io/library/nginx', constraint: '1.x' },
    { image: 'team/web=nginx:1.x', alias: 'team_web', repository: 'docker.io/library/nginx', constraint: '1.x' },
    {
      image: 'localhost:5000/a/b:~1',
      alias: 'localhost:5000/a/b',
      repository: 'localhost:5000/a/b',
      constraint: '~1',
    },
    {
      image: 'x=registry.example.com:5000/foo',
      alias: 'x',
      repository: 'registry.example.com:5000/foo',
      constraint: '*',
    },
    {
      image: 'api=acme/api:1.x || >=3',
      alias: 'api',
      repository: 'docker.io/acme/api',
      constraint: '1.x || >=3',
    },
  ])('$image is $alias with $constraint', async ({ image, alias, repository, constraint }) => {
    const policy = await readOne(image);
    expect(policy).toMatchObject({ alias, repository: { name: repository }, choice: semver(constraint) });
  });

  test.for([
    { name: 'an upper-case repository', image: 'web=ghcr.io/Acme/web', code: 'REFERENCE_INVALID', says: 'upper-case' },
    { name: 'a digest', image: `web=nginx@sha256:${'a'.repeat(64)}`, code: 'REFERENCE_INVALID', says: 'digest' },
    { name: 'an alias alone', image: 'web=', code: 'REFERENCE_INVALID', says: 'names no repository' },
    { name: 'an alias that begins with a dot', image: '.web=nginx', code: 'REFERENCE_INVALID', says: '".web=nginx"' },
    { name: 'a version alone', image: '1.2.3', code: 'REFERENCE_INVALID', says: 'is a version' },
    { name: 'an alias with a version', image: 'nginx=1.0', code: 'REFERENCE_INVALID', says: 'is a version' },
    { name: 'a newline', image: 'web=nginx:~1\n<2\nprivileged', code: 'CONSTRAINT_INVALID', says: 'constraint' },
    { name: 'a constraint that is none', image: 'web=nginx:>=', code: 'CONSTRAINT_INVALID', says: 'constraint' },
    { name: 'a tag for semver', image: 'web=nginx:latest', code: 'CONSTRAINT_INVALID', says: '"latest"' },
  ])('with $name is refused', async ({ image, code, says }) => {
    const error = await errorOf(() => readOne(image));
    expect(error.code).toBe(code);
    expect(error.message).toContain(says);
    expect(error.where).toBe('parameter images[0]');
    expect(error.fix).not.toBe('');
  });
});

describe('images as one string', () => {
  test('is a list with commas between, blanks and empty pieces dropped', async () => {
    const { policies } = await read('backend=reg.example.com/backend:~1.0 , ,web=ghcr.io/acme/web:^2,,nginx');
    expect(policies.map(({ alias, origin }) => [alias, origin.where])).toEqual([
      ['backend', 'parameter images[0]'],
      ['web', 'parameter images[2]'],
      ['nginx', 'parameter images[4]'],
    ]);
  });

  test('takes an AND that is written with a space', async () => {
    const { policies } = await read('web=nginx:>=1.0 <2.0,api=acme/api:~1');
    expect(policies.map(({ choice }) => choice)).toEqual([semver('>=1.0 <2.0'), semver('~1')]);
  });

  test.for(['<2.0', '2.0', 'v2', '!=1.2.3', '2.0.0-rc.1', '>=1 <2', '=1.0', '~1.4', '^2', '1.x'])(
    'whose constraint has a comma before %s is not read as two images',
    async (rest) => {
      const error = await errorOf(() => read(`web=nginx:>=1.0,${rest},api=acme/api`));
      expect(error.code).toBe('REFERENCE_INVALID');
      expect(error.message).toContain(`${JSON.stringify(rest)} follows a comma`);
      expect(error.fix).toContain('array');
    },
  );

  test('a version as an element of an array, or first in the list, has nothing to do with commas', async () => {
    for (const images of [['web=nginx', '2.0'], '2.0,web=nginx']) {
      const error = await errorOf(() => read(images));
      expect(error.message).toContain('"2.0" is a version');
    }
  });

  test('a comma in an element of an array is part of the constraint', async () => {
    expect(await readOne('web=nginx:>=1.0,<2.0')).toMatchObject({ choice: semver('>=1.0,<2.0') });
  });
});

describe('strategies', () => {
  const cases: readonly { name: string; image: string; settings: Record<string, string>; choice: unknown }[] = [
    { name: 'semver by name', image: 'a=nginx:~1', settings: { 'a.update-strategy': 'semver' }, choice: semver('~1') },
    {
      name: 'semver in capitals',
      image: 'a=nginx:~1',
      settings: { 'a.update-strategy': 'SemVer' },
      choice: semver('~1'),
    },
    { name: 'a constraint as setting', image: 'a=nginx', settings: { 'a.constraint': '~1.0' }, choice: semver('~1.0') },
    {
      name: 'semver-constraint, as some set-ups call it',
      image: 'a=nginx',
      settings: { 'a.semver-constraint': '^1.0' },
      choice: semver('^1.0'),
    },
    {
      name: 'an equal constraint in both places',
      image: 'a=nginx:~1.0',
      settings: { 'a.constraint': ' ~1.0' },
      choice: semver('~1.0'),
    },
    {
      name: 'a constraint for all, which the image’s own comes before',
      image: 'a=nginx:~1.0',
      settings: { constraint: '^2' },
      choice: semver('~1.0'),
    },
    {
      name: 'a constraint for all',
      image: 'a=nginx',
      settings: { constraint: '^2' },
      choice: semver('^2'),
    },
    ...['newest-build', 'latest', 'LATEST'].map((name) => ({
      name,
      image: 'a=nginx',
      settings: { 'a.update-strategy': name },
      choice: { kind: 'select', selection: { strategy: { kind: 'newest-build' }, filters: [], platforms: LINUX } },
    })),
    ...['alphabetical', 'name'].map((name) => ({
      name,
      image: 'a=nginx',
      settings: { 'update-strategy': name },
      choice: { kind: 'select', selection: { strategy: { kind: 'alphabetical' }, filters: [], platforms: LINUX } },
    })),
    {
      name: 'digest with the tag to follow',
      image: 'a=nginx:production',
      settings: { 'a.update-strategy': 'digest' },
      choice: {
        kind: 'select',
        selection: { strategy: { kind: 'digest', tag: 'production' }, filters: [], platforms: LINUX },
      },
    },
    {
      name: 'digest that follows the tag in Git',
      image: 'a=nginx',
      settings: { 'a.update-strategy': 'digest' },
      choice: { kind: 'select', selection: { strategy: { kind: 'digest' }, filters: [], platforms: LINUX } },
    },
    {
      name: 'regexp with its expression',
      image: 'a=nginx',
      settings: { 'a.update-strategy': 'regexp', 'a.allow-tags': 'regexp:^v[0-9]+$' },
      choice: {
        kind: 'select',
        selection: {
          strategy: { kind: 'newest-build' },
          filters: [{ effect: 'allow', kind: 'regexp', pattern: '^v[0-9]+$' }],
          platforms: LINUX,
        },
      },
    },
    { name: 'none', image: 'a=nginx:~1', settings: { 'a.update-strategy': 'none' }, choice: { kind: 'none' } },
    { name: 'a pause', image: 'a=nginx:~1', settings: { 'a.ignore-tags': '*' }, choice: { kind: 'paused' } },
    {
      name: 'a pause among other globs',
      image: 'a=nginx:~1',
      settings: { 'a.ignore-tags': '*-rc*, *' },
      choice: { kind: 'paused' },
    },
    {
      name: 'a pinned tag',
      image: 'a=nginx:~1',
      settings: { 'a.pin': 'v1.0.5' },
      choice: { kind: 'pin', tag: 'v1.0.5' },
    },
    {
      name: 'a pinned digest',
      image: 'a=nginx:~1',
      settings: { 'a.pin': `sha256:${'b'.repeat(64)}` },
      choice: { kind: 'pin', digest: `sha256:${'b'.repeat(64)}` },
    },
    {
      name: 'a pin over none and pause',
      image: 'a=nginx:~1',
      settings: { 'a.pin': '1.0.5', 'a.update-strategy': 'none', 'a.ignore-tags': '*' },
      choice: { kind: 'pin', tag: '1.0.5' },
    },
  ];
  test.for(cases)('$name', async ({ image, settings, choice }) => {
    expect((await readOne(image, settings)).choice).toEqual(choice);
  });
});

describe('filters', () => {
  test.for([
    { settings: { 'a.allow-tags': 'any' }, filters: [] },
    { settings: { 'a.allow-tags': 'regexp:^v' }, filters: [{ effect: 'allow', kind: 'regexp', pattern: '^v' }] },
    {
      settings: { 'a.image-tag-filter': '^production$' },
      filters: [{ effect: 'allow', kind: 'regexp', pattern: '^production$' }],
    },
    {
      settings: { 'a.image-tag-filter': String.raw`^v\d+\.\d+\.\d+$` },
      filters: [{ effect: 'allow', kind: 'regexp', pattern: String.raw`^v\d+\.\d+\.\d+$` }],
    },
    {
      settings: { 'a.ignore-tags': '*-rc*, dev-?,, [0-9]*' },
      filters: [
        { effect: 'ignore', kind: 'glob', pattern: '*-rc*' },
        { effect: 'ignore', kind: 'glob', pattern: 'dev-?' },
        { effect: 'ignore', kind: 'glob', pattern: '[0-9]*' },
      ],
    },
    {
      settings: { 'a.ignore-tags': 'regex:.*-rc.*' },
      filters: [{ effect: 'ignore', kind: 'regexp', pattern: '.*-rc.*' }],
    },
    {
      settings: { 'a.ignore-tags': ' regexp:^x{1,3}$ ' },
      filters: [{ effect: 'ignore', kind: 'regexp', pattern: '^x{1,3}$' }],
    },
    {
      settings: { 'a.allow-tags': 'regexp:^v', 'a.ignore-tags': '*-rc*' },
      filters: [
        { effect: 'allow', kind: 'regexp', pattern: '^v' },
        { effect: 'ignore', kind: 'glob', pattern: '*-rc*' },
      ],
    },
    {
      settings: { 'ignore-tags': 'all-*', 'a.ignore-tags': 'own-*' },
      filters: [{ effect: 'ignore', kind: 'glob', pattern: 'own-*' }],
    },
  ])('$settings', async ({ settings, filters }) => {
    expect((await readOne('a=nginx', settings as Record<string, string>)).choice).toMatchObject({
      selection: { filters },
    });
  });

  test('there may be 32 of them', async () => {
    const globs = Array.from({ length: 32 }, (_, n) => `x${n}`);
    const policy = await readOne('a=nginx', { 'a.ignore-tags': globs.join(',') });
    expect(policy.choice).toMatchObject({ selection: { filters: globs.map((pattern) => ({ pattern })) } });
  });

  test('an expression is compiled only when it is asked for, each once', async () => {
    const { policies } = await read(['a=nginx', 'b=redis'], { 'allow-tags': 'regexp:(?=v)' });
    const errors = await checkPolicies(policies);
    expect(errors.map(({ code, where }) => [code, where])).toEqual([
      ['FILTER_INVALID', 'parameter image-settings, allow-tags'],
    ]);
    expect(errors[0]?.message).toContain('allow-tags of a');
    const { policies: fine } = await read(['a=nginx'], {
      'allow-tags': 'regexp:^v(?P<n>[0-9]+)$',
      'ignore-tags': '*-rc',
    });
    expect(await checkPolicies(fine)).toEqual([]);
  });
});

test('an invalid expression is placed where it is written, not where its image or another filter is', async () => {
  const { policies } = await read(['a=nginx'], { 'a.allow-tags': 'regexp:^v', 'a.ignore-tags': 'regexp:(' });
  const [error] = await checkPolicies(policies);
  expect(error?.where).toBe('parameter image-settings, a.ignore-tags');
});

test('a path for the repository alone has the usual one for the tag beside it', async () => {
  const { write } = await readOne('web=nginx', { 'web.helm.image-name': 'web.repository' });
  expect(write).toEqual({ target: { kind: 'helm', name: 'web.repository', tag: 'image.tag' } });
});

test('all other settings arrive', async () => {
  const policy = await readOne('web=ghcr.io/acme/web', {
    'web.platforms': 'linux/amd64, linux/arm64/v8',
    'web.pull-secret': 'pullsecret:team-a/registry',
    'web.helm.image-name': 'web.image.repository',
    'web.helm.image-tag': 'web.images[0].tag',
    'web.output': 'tag@digest',
    'web.optional': 'true',
    'web.on-unsatisfied': 'error',
    'web.on-removed': 'next-best',
    'web.poll-interval': '1m30s',
  });
  expect(policy).toMatchObject({
    choice: {
      selection: {
        platforms: [
          { os: 'linux', architecture: 'amd64' },
          { os: 'linux', architecture: 'arm64' },
        ],
      },
    },
    credential: 'pullsecret:team-a/registry',
    write: {
      output: 'tag@digest',
      target: { kind: 'helm', name: 'web.image.repository', tag: 'web.images[0].tag' },
    },
    optional: true,
    onUnsatisfied: 'error',
    onRemoved: 'next-best',
    pollIntervalMs: 90_000,
  });
});

test.for([
  { settings: { 'a.helm.image-spec': 'image' }, target: { kind: 'helm-spec', spec: 'image' } },
  {
    settings: { 'a.helm.image-spec': 'image', 'a.helm.image-tag': 'tag' },
    target: { kind: 'helm-spec', spec: 'image' },
  },
  { settings: { 'a.helm.image-tag': 'image.tag' }, target: { kind: 'helm', tag: 'image.tag' } },
  { settings: { 'a.kustomize.image-name': 'APP_IMAGE' }, target: { kind: 'kustomize', name: 'APP_IMAGE' } },
  {
    settings: { 'a.kustomize.image-name': 'localhost:5000/x' },
    target: { kind: 'kustomize', name: 'localhost:5000/x' },
  },
])('the target of $settings', async ({ settings, target }) => {
  expect((await readOne('a=nginx', settings as Record<string, string>)).write.target).toEqual(target);
});

test.for(['helm.image-name', 'helm.image-tag', 'helm.image-spec', 'kustomize.image-name'])(
  '%s is for one image only',
  async (setting) => {
    const error = await errorOf(() => read(['a=nginx'], { [setting]: 'x' }));
    expect(error).toMatchObject({ code: 'SETTING_INVALID', fix: `write <alias>.${setting}` });
  },
);

test.for(['helm.image-name', 'helm.image-tag', 'helm.image-spec'])(
  '%s does not go with a kustomize target',
  async (setting) => {
    const error = await errorOf(() => read(['a=nginx'], { [`a.${setting}`]: 'x', 'a.kustomize.image-name': 'x' }));
    expect(error.code).toBe('SETTING_INVALID');
  },
);

test('blanks around values mean nothing', async () => {
  expect(
    await readOne('a=nginx', {
      'a.update-strategy': ' digest ',
      'a.constraint': ' main ',
      'a.allow-tags': ' regexp:^m ',
      'a.helm.image-tag': ' image.tag ',
      'a.output': ' tag ',
      'a.poll-interval': ' 1m ',
      'a.pull-secret': ' pullsecret:a/b ',
      'a.optional': ' true ',
    }),
  ).toMatchObject({
    choice: { selection: { strategy: { kind: 'digest', tag: 'main' }, filters: [{ pattern: '^m' }] } },
    write: { output: 'tag', target: { tag: 'image.tag' } },
    pollIntervalMs: 60_000,
    credential: 'pullsecret:a/b',
    optional: true,
  });
  expect(await readOne('a=nginx', { 'a.pin': ' 1.0 ' })).toMatchObject({ choice: { tag: '1.0' } });
  expect(await readOne('a=nginx', { 'a.kustomize.image-name': ' x ' })).toMatchObject({
    write: { target: { name: 'x' } },
  });
});

test('keys of argocd-image-updater are taken as they are, with one notice for what does nothing', async () => {
  const { policies, notices } = await read('app=123456789.dkr.ecr.us-west-2.amazonaws.com/shop', {
    'argocd-image-updater.argoproj.io/app.image-tag-filter': '^production$',
    'argocd-image-updater.argoproj.io/app.update-strategy': 'latest',
    'argocd-image-updater.argoproj.io/app.image-poll-interval': '5m',
    'argocd-image-updater.argoproj.io/app.force-update': 'maybe',
    'argocd-image-updater.argoproj.io/write-back-method': 'git',
    'argocd-image-updater.argoproj.io/git-branch': 'main',
    'git-repository': 'x',
    'write-back-target': 'x',
  });
  expect(policies[0]).toMatchObject({
    pollIntervalMs: 300_000,
    choice: { selection: { strategy: { kind: 'newest-build' }, filters: [{ pattern: '^production$' }] } },
  });
  expect(notices.map(({ code }) => code)).toEqual(['SETTING_WITHOUT_MEANING']);
  expect(notices[0]?.what).toContain(
    'force-update, write-back-method, git-branch, git-repository, write-back-target: nothing is written back',
  );
});

test.for(['newest-build', 'alphabetical'])('a constraint that %s does not use is told', async (strategy) => {
  const { notices } = await read(['a=nginx:~1'], { 'a.update-strategy': strategy });
  expect(notices).toMatchObject([{ code: 'SETTING_WITHOUT_MEANING', where: 'parameter images[0]' }]);
});

test('an alias may end like a setting: the longest known name is the setting', async () => {
  const { policies } = await read(['web.helm=nginx', 'a.constraint=redis'], {
    'web.helm.helm.image-tag': 'image.tag',
    'a.constraint.constraint': '~7',
  });
  expect(policies).toMatchObject([
    { alias: 'web.helm', write: { target: { tag: 'image.tag' } } },
    { alias: 'a.constraint', choice: semver('~7') },
  ]);
});

test('a setting of an alias with a slash is found under both spellings', async () => {
  expect(await readOne('team/web=nginx', { 'team_web.pin': '1' })).toMatchObject({ choice: { tag: '1' } });
  expect(await readOne('team/web=nginx', { 'team/web.pin': '1' })).toMatchObject({ choice: { tag: '1' } });
});

test.for([
  { name: 'a digest policy', image: 'a=nginx:canary', strategy: 'digest', selector: { kind: 'tag', tag: 'canary' } },
  {
    name: 'a semver policy',
    image: 'a=nginx:~1',
    strategy: 'semver',
    selector: { kind: 'constraint', constraint: '~1' },
  },
  {
    name: 'a policy that is off',
    image: 'a=nginx:~1',
    strategy: 'none',
    selector: { kind: 'constraint', constraint: '~1' },
  },
  { name: 'a tag policy that is off', image: 'a=nginx:main', strategy: 'none', selector: { kind: 'tag', tag: 'main' } },
])('a pin leaves $name told apart by the tag in Git', async ({ image, strategy, selector }) => {
  const policy = await readOne(image, { 'a.update-strategy': strategy, 'a.pin': '9' });
  expect(policy).toMatchObject({ choice: { kind: 'pin' }, tagSelector: selector });
});

describe('refuses', () => {
  const cases: readonly {
    name: string;
    images?: readonly string[];
    settings: Record<string, string>;
    code: string;
    says: string;
    fix?: string;
  }[] = [
    {
      name: 'an unknown strategy',
      settings: { 'a.update-strategy': 'newest-biuld' },
      code: 'STRATEGY_UNKNOWN',
      says: 'newest-biuld',
      fix: 'did you mean newest-build?',
    },
    {
      name: 'regexp without expression',
      settings: { 'a.update-strategy': 'regexp' },
      code: 'CONSTRAINT_MISSING',
      says: 'expression',
    },
    {
      name: 'regexp that allows any',
      settings: { 'a.update-strategy': 'regexp', 'a.allow-tags': 'any' },
      code: 'CONSTRAINT_MISSING',
      says: 'expression',
    },
    {
      name: 'a constraint where digest wants a tag',
      images: ['a=nginx:~1'],
      settings: { 'a.update-strategy': 'digest' },
      code: 'CONSTRAINT_INVALID',
      says: 'no tag',
    },
    {
      name: 'two different constraints',
      images: ['a=nginx:~1'],
      settings: { 'a.constraint': '~2' },
      code: 'CONSTRAINT_INVALID',
      says: '"~2"',
    },
    {
      name: 'a constraint under both names',
      settings: { 'a.constraint': '~2', 'a.semver-constraint': '~3' },
      code: 'SETTING_INVALID',
      says: 'twice',
    },
    {
      name: 'a bare expression in allow-tags',
      settings: { 'a.allow-tags': '^v' },
      code: 'FILTER_INVALID',
      says: 'regexp:<expression>',
      fix: 'regexp:',
    },
    {
      name: 'an unknown filter function',
      settings: { 'a.allow-tags': 'glob:v*' },
      code: 'FILTER_INVALID',
      says: 'glob:v*',
    },
    {
      name: 'an empty expression',
      settings: { 'a.allow-tags': 'regexp:' },
      code: 'FILTER_INVALID',
      says: 'no expression',
    },
    {
      name: 'a prefix in image-tag-filter',
      settings: { 'a.image-tag-filter': 'regexp:^v' },
      code: 'FILTER_INVALID',
      says: 'prefix',
    },
    { name: 'a broken glob', settings: { 'a.ignore-tags': '*-rc*,[a' }, code: 'FILTER_INVALID', says: '"[a"' },
    {
      name: 'an expression behind globs',
      settings: { 'a.ignore-tags': '*-rc*,regexp:^v' },
      code: 'FILTER_INVALID',
      says: 'behind a comma',
    },
    {
      name: 'a long expression',
      settings: { 'a.allow-tags': `regexp:${'a'.repeat(513)}` },
      code: 'FILTER_INVALID',
      says: '512',
    },
    {
      name: 'too many globs',
      settings: { 'a.ignore-tags': Array.from({ length: 33 }, (_, n) => `x${n}`).join(',') },
      code: 'FILTER_INVALID',
      says: '33 tag filters',
    },
    {
      name: 'a platform that is none',
      settings: { 'a.platforms': 'linux/amd64,linux' },
      code: 'PLATFORM_INVALID',
      says: '"linux"',
    },
    {
      name: 'an environment credential',
      settings: { 'a.pull-secret': 'env:TOKEN' },
      code: 'SETTING_INVALID',
      says: 'operator',
    },
    {
      name: 'a program as credential',
      settings: { 'a.pull-secret': 'ext:/bin/sh' },
      code: 'SETTING_INVALID',
      says: 'operator',
    },
    {
      name: 'a credential path',
      settings: { 'a.pull-secret': 'pullsecret:../x/y' },
      code: 'SETTING_INVALID',
      says: 'credential',
    },
    {
      name: 'helm and kustomize targets together',
      settings: { 'a.helm.image-tag': 'tag', 'a.kustomize.image-name': 'x' },
      code: 'SETTING_INVALID',
      says: 'helm target',
    },
    {
      name: 'a value path that is none',
      settings: { 'a.helm.image-tag': 'a..b' },
      code: 'SETTING_INVALID',
      says: 'a..b',
    },
    { name: 'an empty value path', settings: { 'a.helm.image-tag': ' ' }, code: 'SETTING_INVALID', says: 'is empty' },
    {
      name: 'a kustomize name with a tag',
      settings: { 'a.kustomize.image-name': 'nginx=x' },
      code: 'SETTING_INVALID',
      says: 'no name',
    },
    {
      name: 'a target for all images',
      settings: { 'helm.image-tag': 'tag' },
      code: 'SETTING_INVALID',
      says: 'no alias',
      fix: '<alias>.helm.image-tag',
    },
    {
      name: 'an unknown output',
      settings: { 'a.output': 'both' },
      code: 'SETTING_INVALID',
      says: 'output "both"',
      fix: 'tag@digest',
    },
    { name: 'a pin that is no tag', settings: { 'a.pin': 'x y' }, code: 'SETTING_INVALID', says: 'pin' },
    { name: 'a pin with a short digest', settings: { 'a.pin': 'sha256:abc' }, code: 'SETTING_INVALID', says: '64' },
    {
      name: 'a truth that is none',
      settings: { 'a.optional': 'yes' },
      code: 'SETTING_INVALID',
      says: 'optional',
      fix: 'true or false',
    },
    {
      name: 'on-unsatisfied that is none',
      settings: { 'a.on-unsatisfied': 'fail' },
      code: 'SETTING_INVALID',
      says: 'on-unsatisfied',
    },
    {
      name: 'on-removed that is none',
      settings: { 'a.on-removed': 'lower' },
      code: 'SETTING_INVALID',
      says: 'on-removed',
    },
    {
      name: 'a duration without unit',
      settings: { 'a.poll-interval': '30' },
      code: 'SETTING_INVALID',
      says: 'duration',
    },
    {
      name: 'an unknown setting',
      settings: { 'a.allow-tag': 'any' },
      code: 'SETTING_UNKNOWN',
      says: 'a.allow-tag',
      fix: 'did you mean allow-tags?',
    },
    {
      name: 'an unknown setting of an alias with dots',
      images: ['a.b.c=nginx'],
      settings: { 'a.b.c.helm.image-tags': 'x' },
      code: 'SETTING_UNKNOWN',
      says: 'a.b.c',
      fix: 'did you mean helm.image-tag?',
    },
    {
      name: 'a setting like nothing known',
      settings: { 'a.zzzzzzzzzzzz': 'x' },
      code: 'SETTING_UNKNOWN',
      says: 'zzzz',
      fix: 'known are',
    },
    {
      name: 'image-list',
      settings: { 'argocd-image-updater.argoproj.io/image-list': 'a=b' },
      code: 'SETTING_UNKNOWN',
      says: 'image-list',
      fix: 'parameter images',
    },
    {
      name: 'a setting of an alias that no image has',
      images: ['backend=nginx'],
      settings: { 'bakend.pin': '1' },
      code: 'SETTING_UNKNOWN',
      says: '"bakend"',
      fix: 'did you mean backend?',
    },
    {
      name: 'a setting of an image without alias',
      images: ['nginx'],
      settings: { 'nginx.pin': '1' },
      code: 'SETTING_UNKNOWN',
      says: '"nginx"',
      fix: 'no image has an alias',
    },
    {
      name: 'two images of one alias',
      images: ['a=nginx', 'a=redis'],
      settings: {},
      code: 'ALIAS_DUPLICATE',
      says: 'parameter images[0]',
    },
    {
      name: 'one image twice',
      images: ['nginx:1', 'nginx:2'],
      settings: {},
      code: 'ALIAS_DUPLICATE',
      says: '"nginx"',
      fix: 'alias',
    },
    {
      name: 'more images than the limit',
      images: Array.from({ length: MAX_POLICIES + 1 }, (_, n) => `a${n}=nginx`),
      settings: {},
      code: 'PARAMETER_INVALID',
      says: '1001',
    },
  ];
  test.for(cases)('$name', async ({ images = ['a=nginx'], settings, code, says, fix = '' }) => {
    const error = await errorOf(() => read(images, settings));
    expect(error.code).toBe(code);
    expect(error.message).toContain(says);
    expect(error.where).toMatch(/^parameter image/);
    expect(error.fix).not.toBe('');
    expect(error.fix).toContain(fix);
  });
});

test('aliases named after properties of objects are names like others', async () => {
  const { policies } = await read(['constructor=nginx', 'toString=redis'], {
    'constructor.pin': '1',
    'toString.pin': '2',
  });
  expect(policies).toMatchObject([{ choice: { tag: '1' } }, { choice: { tag: '2' } }]);
});

test('long texts are cut in messages', async () => {
  const error = await errorOf(() => read([`web=nginx:${'~'.repeat(5000)}`]));
  expect(`${error.message}${error.where}${error.fix}`.length).toBeLessThan(1000);
});

test('whatever is written, the answer is policies or a user error', async () => {
  const texts = fc.oneof(fc.string({ unit: 'grapheme' }), fc.stringMatching(/^[a-z.=:,<>~^*0-9 /@|-]{0,24}$/));
  const settings = fc.dictionary(
    fc.oneof(fc.constantFrom('a.pin', 'a.ignore-tags', 'constraint', 'a.output', 'platforms', 'a.pull-secret'), texts),
    texts,
  );
  await fc.assert(
    fc.asyncProperty(fc.array(texts), settings, async (images, map) => {
      try {
        const { policies } = await read(['a=nginx', ...images], { ...map });
        expect(policies.length).toBeGreaterThan(0);
      } catch (error) {
        // oxlint-disable-next-line vitest/no-conditional-expect -- either way something is checked
        expect(error).toBeInstanceOf(UserError);
      }
    }),
  );
});

test('no policy text is split into more images than an array has elements', async () => {
  const constraint = fc.stringMatching(/^[<>=~^]{0,2}[0-9]{1,2}(\.[0-9x]{1,2})?$/);
  await fc.assert(
    fc.asyncProperty(fc.array(constraint, { minLength: 1, maxLength: 4 }), async (terms) => {
      const policy = await readOne(`web=nginx:${terms.join(',')}`).catch(() => undefined);
      expect(policy?.choice ?? semver(terms.join(','))).toEqual(semver(terms.join(',')));
    }),
  );
});
