import { expect, test } from 'vitest';
import { faultOf } from '../support/memory-registry.ts';
import { API, ask, inShort, newestBuild, semver, world, type World } from './harness.ts';

// One repository that shows different tags to different credentials: nothing one tenant's rights showed may reach the other.

const MINUTE = 60_000;
const one = ask(semver('*'));
const asA = { project: 'a', application: 'a' };
const asB = { project: 'b', application: 'b' };

async function twoTenants(): Promise<World> {
  const here = await world();
  here.registry.pushAll(API, ['1.0.0', '9.9.9'], 'scope:a');
  here.registry.pushAll(API, ['1.0.0'], 'scope:b');
  return here;
}

test.for<{ name: string; between: (here: World) => Promise<void> | void; want: string }>([
  { name: 'at once', between: () => undefined, want: '1.0.0' },
  { name: 'after a restart', between: (here) => here.restart(), want: '1.0.0' },
  {
    name: 'with 503',
    between: (here) => {
      here.registry.fault = ({ scope }) => (scope === 'scope:b' ? faultOf('outage') : undefined);
    },
    want: 'failed REGISTRY_UNAVAILABLE',
  },
  {
    name: 'with 403',
    between: (here) => {
      here.registry.fault = ({ scope }) => (scope === 'scope:b' ? faultOf('denied') : undefined);
    },
    want: 'failed REGISTRY_DENIED',
  },
])('the tag list of one tenant never serves another: $name', async ({ between, want }) => {
  await using here = await twoTenants();
  expect(inShort(await here.resolve(one, asA))).toBe('9.9.9');
  await between(here);
  expect(inShort(await here.resolve(one, asB))).toBe(want);
  expect(inShort(await here.resolve(ask(semver('>1')), asB))).not.toContain('9.9.9');
});

test('a validator of one tenant is never sent for another, and 304 stays with its own', async () => {
  await using here = await twoTenants();
  here.registry.etags = true;
  await here.resolve(one, asA);
  expect(inShort(await here.resolve(one, asB))).toBe('1.0.0');
  await here.clock.advance(MINUTE);
  expect(inShort(await here.resolve(one, asA))).toBe('9.9.9');
  expect(inShort(await here.resolve(one, asB))).toBe('1.0.0');
  expect(here.registry.requests.map(({ scope, conditional }) => `${scope} ${conditional ?? false}`)).toEqual([
    'scope:a false',
    'scope:b false',
    'scope:a true',
    'scope:b true',
  ]);
});

test('who claims the application of another gets nothing of its answers', async () => {
  await using here = await twoTenants();
  await here.resolve(one, asA);
  here.registry.fault = ({ scope }) => (scope === 'scope:b' ? faultOf('outage') : undefined);
  expect(inShort(await here.resolve(one, { project: 'b', application: 'a' }))).toBe('failed REGISTRY_UNAVAILABLE');
});

test('an answer for one repository never stands for another, whatever the ask calls its image', async () => {
  await using here = await twoTenants();
  await here.resolve(one, asA);
  const other = ask(semver('*'), {
    image: one.image,
    repository: { host: 'registry.example.com', path: 'x', name: 'registry.example.com/x' },
  });
  here.registry.fault = () => faultOf('outage');
  expect(inShort(await here.resolve(other, asA))).toBe('failed REGISTRY_UNAVAILABLE');
});

test('facts about tags are kept per tenant', async () => {
  await using here = await world();
  for (const scope of ['scope:a', 'scope:b']) here.registry.push(API, 'main', { scope, createdMs: 1, content: scope });
  const digestFor = async (who: typeof asA): Promise<unknown> => {
    const resolution = await here.resolve(ask(newestBuild), who);
    return 'decision' in resolution ? resolution.decision.digest : resolution.kind;
  };
  expect(await digestFor(asA)).not.toBe(await digestFor(asB));
});

test('throttling of one credential does not rest another', async () => {
  await using here = await twoTenants();
  await here.resolve(one, asA);
  await here.resolve(one, asB);
  here.registry.fault = ({ scope }) => (scope === 'scope:a' ? faultOf('throttled') : undefined);
  await here.clock.advance(MINUTE);
  expect(inShort(await here.resolve(one, asA))).toBe('stale 9.9.9');
  expect(inShort(await here.resolve(one, asB))).toBe('1.0.0');
});
