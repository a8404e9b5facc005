import { expect, test } from 'vitest';
import { selectByNameHere } from '../../src/resolve/in-process.ts';
import type { SelectByName } from '../../src/resolve/job.ts';
import type { Fault } from '../../src/registry/sources.ts';
import { API, ask, inShort, repository, semver, world, type World } from './harness.ts';

// Policies that could not be evaluated: too slow, wrong, or not in the time there was. It says nothing of the registry, and
// nothing of other policies on the same listing.

const MINUTE = 60_000;
const slow = ask(semver('*', { filters: [{ effect: 'allow', kind: 'regexp', pattern: '^1' }] }));
const fine = ask(semver('*'), { image: 'fine' });

function fault(kind: Fault['kind'], code: Fault['error']['code']): Fault {
  return { kind, error: { code, what: `${code} of one policy`, where: '', fix: 'mend it' } };
}

/** Answers policies with filters by a fault, as threads would. */
function unless(failing: Fault): SelectByName {
  return async (wanted, tags, told) =>
    wanted.selection.filters.length > 0 ? { kind: 'fault', fault: failing } : selectByNameHere(wanted, tags, told);
}

/** Decided before the filters became too slow, and due to be looked at again. */
async function decidedOnce(failing: Fault): Promise<World> {
  const here = await world();
  here.registry.push(API, '1.0.0');
  await here.resolveAll([slow, fine]);
  here.selectByName = unless(failing);
  here.registry.push(API, '1.0.1');
  await here.clock.advance(MINUTE);
  return here;
}

test.for([fault('refused', 'FILTER_TOO_SLOW'), fault('refused', 'FILTER_INVALID')])(
  'who was answered before keeps it and is told, and nobody new is given anything: $error.code',
  async (failing) => {
    await using here = await decidedOnce(failing);
    const kept = await here.resolve(slow);
    expect(inShort(kept)).toBe('stale 1.0.0');
    expect(kept.notices.map(({ code, what }) => `${code}: ${what}`)).toEqual([
      'ANSWER_STALE: api stays at 1.0.0, confirmed 1 minute ago, because its filters could not be evaluated ' +
        `(${failing.error.code}: ${failing.error.what})`,
    ]);
    const unknown = await here.resolve(slow, { application: 'new' });
    expect(unknown).toMatchObject({
      kind: 'refused',
      error: { ...failing.error, where: 'parameter images[0] (api)' },
    });
  },
);

test.for([
  fault('refused', 'FILTER_TOO_SLOW'),
  fault('refused', 'FILTER_INVALID'),
  fault('cancelled', 'BUDGET_EXCEEDED'),
])('other policies on the same listing and host do not notice: $error.code', async (failing) => {
  await using here = await decidedOnce(failing);
  const web = repository('registry.example.com/acme/web');
  const other = ask(semver('*'), { repository: web, image: 'web' });
  here.registry.push(web.name, '2.0.0');
  await here.resolve(other);
  here.registry.push(web.name, '2.0.1');
  await here.clock.advance(MINUTE);

  expect(inShort(await here.resolve(slow))).toBe('stale 1.0.0');
  expect(inShort(await here.resolve(fine))).toBe('1.0.1');
  expect((await here.resolveAll([slow, other])).map(inShort)).toEqual(['stale 1.0.0', '2.0.1']);
});

test('a policy that can be evaluated again moves at once', async () => {
  await using here = await decidedOnce(fault('refused', 'FILTER_TOO_SLOW'));
  await here.resolve(slow);
  here.selectByName = undefined;
  expect(inShort(await here.resolve(slow))).toBe('1.0.1');
});

test('explain says that a policy could not be evaluated', async () => {
  await using here = await decidedOnce(fault('refused', 'FILTER_TOO_SLOW'));
  const { explanation } = await here.resolve(slow, { explain: true });
  expect(explanation).toMatchObject({ considered: 2, candidates: [], rejectedTotal: 0 });
  expect(explanation?.steps).toContain('the policy could not be evaluated: FILTER_TOO_SLOW of one policy');
});

test('a policy is known by the project that asks, for fairness', async () => {
  await using here = await world();
  here.registry.push(API, '1.0.0', { scope: 'scope:blue' });
  const projects: (string | undefined)[] = [];
  here.selectByName = (wanted, tags, told) => {
    projects.push(wanted.project);
    return selectByNameHere(wanted, tags, told);
  };
  expect(inShort(await here.resolve(slow, { project: 'blue' }))).toBe('1.0.0');
  expect(projects).toEqual(['blue']);
});
