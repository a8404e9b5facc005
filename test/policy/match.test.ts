import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ImageField } from '../../src/edit/image-field.ts';
import { parseTag, type Tag } from '../../src/image/reference.ts';
import { policiesFromAnnotations } from '../../src/policy/from-annotations.ts';
import { policiesFromFile } from '../../src/policy/from-file.ts';
import type { ImagePolicy } from '../../src/policy/image-policy.ts';
import { matchPolicies, type MatchInput, type MatchResult } from '../../src/policy/match.ts';
import { field, read } from './support.ts';

/** What a test says of the input; the rest is empty, and both places report what matches nothing as they do by default. */
type Given = Partial<MatchInput> & { readonly fields: readonly ImageField[] };

function match(given: Given): MatchResult {
  return matchPolicies({
    parameters: [],
    file: [],
    annotations: [],
    onUnmatched: { parameters: 'warn', file: 'error' },
    ...given,
  });
}

/** Alias of the policy of each field, in the order of the fields. */
function aliases(given: Given): readonly (string | undefined)[] {
  const { assigned } = match(given);
  return given.fields.map(({ id }) => assigned.get(id)?.alias);
}

async function parameters(
  images: readonly string[],
  settings: Readonly<Record<string, string>> = {},
): Promise<readonly ImagePolicy[]> {
  return (await read(images, settings)).policies;
}

function file(images: string): readonly ImagePolicy[] {
  const head = 'apiVersion: image-resolver.io/v1alpha1\nkind: ImagePolicies\nimages:\n';
  return policiesFromFile(head + images, '.image-resolver.yaml').policies;
}

function tag(text: string): Tag {
  const answer = parseTag(text);
  if (!answer.ok) throw new Error(answer.problem);
  return answer.value;
}

describe('one policy on a repository', () => {
  test.for([
    'nginx:1.25',
    'docker.io/library/nginx:main',
    'index.docker.io/library/nginx',
    'nginx:~1',
    'nginx@sha256:' + 'a'.repeat(64),
  ])('is about %s, whatever stands behind the colon', async (image) => {
    expect(aliases({ fields: [field(image)], parameters: await parameters(['web=nginx:~1.20']) })).toEqual(['web']);
  });

  test.for(['nginxx:1', 'quay.io/library/nginx:1', 'docker.io/acme/nginx:1', 'localhost/nginx:1'])(
    'is not about %s',
    async (image) => {
      expect(aliases({ fields: [field(image)], parameters: await parameters(['web=nginx']) })).toEqual([undefined]);
    },
  );

  test('is about every image of it, also in containers that are called otherwise', async () => {
    const fields = [field('nginx:1', { container: 'a' }), field('nginx:x', { container: 'b' })];
    expect(aliases({ fields, parameters: await parameters(['web=nginx:~1']) })).toEqual(['web', 'web']);
  });

  test('with match is about what it matches alone', () => {
    const policies = file('- {name: a, image: nginx, match: [{kind: Deployment, name: "web-*"}, {container: side}]}\n');
    const fields = [
      field('nginx:1', { name: 'web-1' }),
      field('nginx:1', { name: 'web-1', kind: 'Job' }),
      field('nginx:1', { name: 'api', container: 'side' }),
      field('nginx:1', { name: 'api' }),
    ];
    expect(aliases({ fields, file: policies })).toEqual(['a', undefined, 'a', undefined]);
  });

  test('with match on a namespace leaves resources without one', () => {
    const policies = file('- {name: a, image: nginx, match: [{namespace: "prod-?"}]}\n');
    const fields = [
      field('nginx:1', { namespace: 'prod-1' }),
      field('nginx:1', { namespace: 'prod' }),
      field('nginx:1'),
    ];
    expect(aliases({ fields, file: policies })).toEqual(['a', undefined, undefined]);
  });
});

describe('several policies on a repository are told apart', () => {
  test('by an alias that is the name of the container', async () => {
    const policies = await parameters(['app=acme/api:~1', 'worker=acme/api:~1']);
    const fields = [field('acme/api:1.0.0', { container: 'app' }), field('acme/api:9', { container: 'worker' })];
    expect(aliases({ fields, parameters: policies })).toEqual(['app', 'worker']);
  });

  test('by the exact tag that a digest policy follows', async () => {
    const policies = await parameters(
      ['stable=docker.io/mng990/eco2:auth-latest', 'canary=docker.io/mng990/eco2:auth-canary'],
      {
        'update-strategy': 'digest',
      },
    );
    const fields = ['auth-latest', 'auth-canary', 'auth-canary-2'].map((name) =>
      field(`mng990/eco2:${name}`, { container: name }),
    );
    expect(aliases({ fields, parameters: policies })).toEqual(['stable', 'canary', undefined]);
  });

  test('by the version in Git that satisfies a constraint', async () => {
    const policies = await parameters(['one=acme/api:^1', 'two=acme/api:^2-0', 'tip=acme/api:main'], {
      'tip.update-strategy': 'digest',
    });
    const fields = ['1.4.0', 'v2.0.0-rc.1', '3.0.0', 'main', 'dev'].map((name) =>
      field(`acme/api:${name}`, { container: name }),
    );
    expect(aliases({ fields, parameters: policies })).toEqual(['one', 'two', undefined, 'tip', undefined]);
  });

  test('by "latest" where the image has no tag', async () => {
    const policies = await parameters(['tip=acme/api:latest', 'one=acme/api:~1'], { 'tip.update-strategy': 'digest' });
    const fields = [field('acme/api'), field(`acme/api@sha256:${'a'.repeat(64)}`, { container: 'other' })];
    expect(aliases({ fields, parameters: policies })).toEqual(['tip', undefined]);
  });

  test('while one of them is pinned, paused or off', async () => {
    const images = ['a=acme/api:one', 'b=acme/api:two', 'c=acme/api:three', 'd=acme/api:four'];
    const policies = await parameters(images, {
      'a.update-strategy': 'digest',
      'b.update-strategy': 'digest',
      'b.pin': 'two-before',
      'c.update-strategy': 'digest',
      'c.ignore-tags': '*',
      'd.update-strategy': 'none',
    });
    const fields = ['one', 'two', 'three', 'four'].map((name) => field(`acme/api:${name}`, { container: name }));
    expect(aliases({ fields, parameters: policies })).toEqual(['a', 'b', 'c', 'd']);
  });

  test('by match before anything else, and the one without match has the rest', () => {
    const policies = file(
      '- {name: app, image: acme/api, constraint: ~1}\n- {name: special, image: acme/api, constraint: ~9, match: [{name: batch}]}\n',
    );
    const fields = [
      field('acme/api:1.0.0', { name: 'batch', container: 'app' }),
      field('acme/api:1.0.0', { name: 'web', container: 'app' }),
      field('acme/api:7.0.0', { name: 'web', container: 'other' }),
    ];
    expect(aliases({ fields, file: policies })).toEqual(['special', 'app', 'app']);
  });

  test('by what a target has set', async () => {
    const policies = await parameters(['a=acme/api:^1', 'b=acme/api:^1'], {
      'a.helm.image-tag': 'a.tag',
      'b.helm.image-tag': 'b.tag',
    });
    const applied = new Map(policies.map((policy) => [policy, tag(policy.alias === 'a' ? '1.5.0' : '1.4.0')]));
    const fields = ['1.4.0', '1.5.0', '1.3.0'].map((name) => field(`acme/api:${name}`, { container: name }));
    expect(aliases({ fields, parameters: policies, applied })).toEqual(['b', 'a', undefined]);
  });
});

describe('targets', () => {
  test('touch no image of the repository with another tag', async () => {
    const policies = await parameters(['web=acme/api:^1'], { 'web.helm.image-tag': 'tag' });
    const fields = [field('acme/api:1.5.0'), field('acme/api:1.2.0', { container: 'old' })];
    const applied = new Map(policies.map((policy) => [policy, tag('1.5.0')]));
    expect(aliases({ fields, parameters: policies, applied })).toEqual(['web', undefined]);
  });

  test('that have set one tag for one image do not contradict each other, and none is without image', async () => {
    const policies = await parameters(['web=acme/api:^1', 'cron=acme/api:^1'], {
      'web.helm.image-tag': 'a',
      'cron.helm.image-tag': 'b',
    });
    const applied = new Map(policies.map((policy) => [policy, tag('1.5.0')]));
    const fields = [field('acme/api:1.5.0', { container: 'x' }), field('acme/api:1.5.0', { container: 'y' })];
    const result = match({ fields, parameters: policies, applied });
    expect(result).toMatchObject({ errors: [], notices: [] });
    expect([...result.assigned.values()].map(({ alias }) => alias)).toEqual(['web', 'web']);
  });

  test('whose tag no image has are told which tag it was', async () => {
    const policies = await parameters(['web=acme/api:^1'], { 'web.helm.image-tag': 'tga' });
    const applied = new Map(policies.map((policy) => [policy, tag('1.5.0')]));
    const { notices } = match({ fields: [field('acme/api:1.0.0')], parameters: policies, applied });
    expect(notices).toMatchObject([{ code: 'POLICY_UNMATCHED' }]);
    expect(notices[0]?.what).toContain('docker.io/acme/api:1.5.0');
  });

  test('that have set nothing are about images as other policies are', async () => {
    const policies = await parameters(['web=acme/api:~0'], { 'web.helm.image-tag': 'image.tag' });
    expect(aliases({ fields: [field('acme/api:0.0.1')], parameters: policies })).toEqual(['web']);
  });
});

describe('two policies that nothing tells apart', () => {
  test('are an error naming both and the image', async () => {
    const policies = await parameters(['a=acme/api:^1', 'b=acme/api:>=1']);
    const { assigned, errors, notices } = match({ fields: [field('acme/api:1.2.0')], parameters: policies });
    expect(assigned.size).toBe(0);
    expect(notices).toEqual([]);
    expect(errors).toMatchObject([{ code: 'POLICY_AMBIGUOUS' }]);
    expect(errors[0]?.what).toBe(
      'the image "acme/api:1.2.0", container "app" matches "a" (parameter images[0]) and "b" (parameter images[1])',
    );
    expect(errors[0]?.where).toContain('Deployment/web');
    expect(errors[0]?.fix).toContain('match');
  });

  test('are one error for many images', async () => {
    const policies = await parameters(['a=acme/api', 'b=acme/api'], { 'update-strategy': 'newest-build' });
    const fields = Array.from({ length: 50 }, (_, n) => field('acme/api:1', { name: `web-${n}` }));
    expect(match({ fields, parameters: policies }).errors).toHaveLength(1);
  });

  test('do no harm where a higher place has decided', async () => {
    const lower = file('- {name: a, image: acme/api}\n- {name: b, image: acme/api}\n');
    const result = match({
      fields: [field('acme/api:1.2.0')],
      parameters: await parameters(['top=acme/api']),
      file: lower,
    });
    expect(result.errors).toEqual([]);
    expect([...result.shadowed.values()].flat()).toHaveLength(2);
  });
});

describe('places', () => {
  const web = field('acme/web:1.0.0', { container: 'app' });
  const annotations = policiesFromAnnotations(
    { resource: web.resource, annotations: [{ key: 'app', value: '~3' }], fields: [web.id] },
    [web],
  ).policies;

  test('the highest place gives the whole policy, and the others are told', async () => {
    const top = await parameters(['top=acme/web:~1']);
    const middle = file('- {name: middle, image: acme/web, constraint: ~2, ignoreTags: ["*-rc*"]}\n');
    const result = match({ fields: [web], parameters: top, file: middle, annotations });
    expect(result.assigned.get(web.id)).toBe(top[0]);
    expect(result.shadowed.get(web.id)?.map(({ where }) => where)).toEqual([
      '.image-resolver.yaml:4:3',
      'Deployment/web, annotation image-resolver.io/app',
    ]);
    expect(result.notices.map(({ code, where }) => [code, where])).toEqual([
      ['POLICY_SHADOWED', '.image-resolver.yaml:4:3'],
      ['POLICY_SHADOWED', 'Deployment/web, annotation image-resolver.io/app'],
    ]);
    expect(result.errors).toEqual([]);
  });

  test('the file comes before annotations', () => {
    const middle = file('- {name: middle, image: acme/web}\n');
    expect(aliases({ fields: [web], file: middle, annotations })).toEqual(['middle']);
    expect(aliases({ fields: [web], annotations })).toEqual(['Deployment/web/app']);
  });

  test('what the highest place does not select is for the next one', async () => {
    const top = await parameters(['stable=acme/web:stable', 'canary=acme/web:canary'], { 'update-strategy': 'digest' });
    const middle = file('- {name: middle, image: acme/web}\n');
    const fields = [
      field('acme/web:canary', { container: 'c' }),
      field('acme/web:1.0.0', { container: 'v' }),
      field('acme/web:stable'),
    ];
    const result = match({ fields, parameters: top, file: middle });
    expect(fields.map(({ id }) => result.assigned.get(id)?.alias)).toEqual(['canary', 'middle', 'stable']);
    expect(result.notices).toEqual([]);
  });
});

describe('a policy that is about none of the images of its repository says which selector leaves them out', () => {
  const what = (given: Given): readonly { readonly what: string; readonly fix: string }[] =>
    match({ ...given, onUnmatched: { parameters: 'error', file: 'error' } }).errors.map((error) => ({
      what: error.what,
      fix: error.fix,
    }));

  test('match, where only the letter case differs', () => {
    const policies = file('- {name: a, image: nginx, match: [{kind: pod, name: "web-*"}]}\n');
    const fields = [field('nginx:1.25', { kind: 'Pod', name: 'web-1' }), field('nginx', { container: 'side' })];
    expect(what({ fields, file: policies })).toEqual([
      {
        what: '"a" matches no image: its match (kind "pod", name "web-*") does not fit Pod/web-1 app 1.25, Deployment/web side latest',
        fix: 'only the letter case differs: kind "pod" is "Pod" there',
      },
    ]);
  });

  test('match, where more than that differs', () => {
    const policies = file('- {name: a, image: nginx, match: [{kind: pod, name: web}]}\n');
    const fields = [field('nginx:1.25', { kind: 'Pod', name: 'api' })];
    expect(what({ fields, file: policies })).toMatchObject([{ fix: 'correct match' }]);
  });

  test('the match of another policy', () => {
    const policies = file('- {name: a, image: nginx}\n- {name: b, image: nginx, match: [{name: web}]}\n');
    expect(what({ fields: [field('nginx:1.25')], file: policies })).toEqual([
      {
        what: '"a" matches no image: it has no match, and the match of another policy takes Deployment/web app 1.25',
        fix: 'write match for this policy, too',
      },
    ]);
  });

  test('the container', async () => {
    const fields = [field('nginx:1.25')];
    expect(what({ fields, parameters: await parameters(['app=nginx:~1', 'b=nginx:~1']) })).toEqual([
      {
        what: '"b" matches no image: another policy is called like the container of Deployment/web app 1.25',
        fix: 'call this policy like the container that it is for',
      },
    ]);
  });

  test('the tag in Git', async () => {
    const fields = [field('nginx:1.25')];
    expect(what({ fields, parameters: await parameters(['a=nginx:~1', 'b=nginx:~2']) })).toEqual([
      {
        what: '"b" matches no image: by the tag in Git it is not about Deployment/web app 1.25',
        fix: 'widen the constraint, or call the policy like its container',
      },
    ]);
  });
});

describe('a policy that matches nothing', () => {
  test('is a warning in parameters and an error in the file', async () => {
    const top = await parameters(['web=ghcr.io/acme/web']);
    const middle = file('- {name: api, image: ghcr.io/acme/api}\n');
    const { notices, errors } = match({ fields: [field('ghcr.io/acme/wep:1')], parameters: top, file: middle });
    expect(notices).toMatchObject([{ code: 'POLICY_UNMATCHED', where: 'parameter images[0]' }]);
    expect(notices[0]?.what).toContain('did you mean ghcr.io/acme/wep?');
    expect(errors).toMatchObject([{ code: 'POLICY_UNMATCHED', where: '.image-resolver.yaml:4:3' }]);
  });

  test('is what the operator says', async () => {
    const given = {
      fields: [],
      parameters: await parameters(['web=nginx']),
      file: file('- {name: api, image: redis}\n'),
    };
    const ignored = match({ ...given, onUnmatched: { parameters: 'ignore', file: 'ignore' } });
    expect(ignored).toMatchObject({ notices: [], errors: [] });
    const swapped = match({ ...given, onUnmatched: { parameters: 'error', file: 'warn' } });
    expect(swapped).toMatchObject({
      notices: [{ where: '.image-resolver.yaml:4:3' }],
      errors: [{ where: 'parameter images[0]' }],
    });
  });

  test('is silent when it is optional', async () => {
    const top = await parameters(['web=nginx'], { 'web.optional': 'true' });
    expect(match({ fields: [], parameters: top, onUnmatched: { parameters: 'error', file: 'error' } })).toMatchObject({
      notices: [],
      errors: [],
    });
  });

  test('is told what there is of its repository', async () => {
    const top = await parameters(['a=acme/api:one', 'b=acme/api:two'], { 'update-strategy': 'digest' });
    const { notices } = match({ fields: [field('acme/api:one')], parameters: top });
    expect(notices).toMatchObject([{ where: 'parameter images[1]' }]);
    expect(notices[0]?.what).toContain('Deployment/web app one');
  });

  test('is not one that a higher place overrules', async () => {
    const { errors } = match({
      fields: [field('nginx:1')],
      parameters: await parameters(['a=nginx']),
      file: file('- {name: b, image: nginx}\n'),
    });
    expect(errors).toEqual([]);
  });
});

describe('an image without a policy', () => {
  test.for([
    { image: 'nginx:~1.0', code: 'CONSTRAINT_IN_TAG' },
    { image: 'nginx:>=1.0 <2', code: 'CONSTRAINT_IN_TAG' },
    { image: 'nginx:~~1', code: 'FIELD_UNPARSABLE' },
    { image: 'Nginx:~1.0', code: 'FIELD_UNPARSABLE' },
    { image: 'Nginx', code: 'FIELD_UNPARSABLE' },
    { image: 'not an image', code: 'FIELD_UNPARSABLE' },
    { image: 'nginx:$(TAG)', code: 'FIELD_UNPARSABLE' },
  ])('$image is told to be meant for a policy ($code)', ({ image, code }) => {
    const { notices, errors } = match({ fields: [field(image)] });
    expect(errors).toEqual([]);
    expect(notices).toMatchObject([{ code }]);
    for (const place of ['parameter images', '.image-resolver.yaml', 'annotation'])
      expect(notices[0]?.what).toContain(place);
  });

  test('that is an image passes without a word', () => {
    expect(match({ fields: [field('nginx:1.0')] }).notices).toEqual([]);
  });

  test('with a policy is not told', async () => {
    const result = match({ fields: [field('nginx:~1.0')], parameters: await parameters(['a=nginx']) });
    expect(result.notices).toEqual([]);
    expect(result.shadowed.size).toBe(0);
  });

  test('is counted when there are many', () => {
    const fields = Array.from({ length: 1000 }, (_, n) => field('nginx:~1', { name: `web-${n}` }));
    const { notices } = match({ fields });
    expect(notices).toHaveLength(11);
    expect(notices.at(-1)?.what).toContain('990 more');
  });
});

test('every field has at most one policy, of its own repository, and the order of fields does not matter', async () => {
  const policies = await parameters(['a=acme/api:^1', 'b=acme/api:^2', 'c=acme/web', 'd=acme/api:main'], {
    'd.update-strategy': 'digest',
  });
  const image = fc.constantFrom('acme/api:1.0.0', 'acme/api:2.0.0', 'acme/api:main', 'acme/web:1', 'acme/web', 'nginx');
  fc.assert(
    fc.property(fc.array(image, { maxLength: 12 }), (images) => {
      const fields = images.map((written, n) => field(written, { name: `n${n}` }));
      const { assigned } = match({ fields, parameters: policies });
      const { assigned: reversed } = match({ fields: fields.toReversed(), parameters: policies });
      for (const { id, reference } of fields) {
        const policy = assigned.get(id);
        expect(policy).toBe(reversed.get(id));
        expect(policy?.repository.name ?? reference?.repository.name).toBe(reference?.repository.name);
      }
    }),
  );
});
