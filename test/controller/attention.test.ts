import { expect, test } from 'vitest';
import { Attention } from '../../src/controller/attention.ts';
import type { Standing } from '../../src/freshness/freshness.ts';
import type { Given, Registration } from '../../src/registrations/registration.ts';
import { ask, semver } from '../resolve/harness.ts';
import { KnownApplications } from '../registrations/known-applications.ts';
import { FakeClock } from '../support/clock.ts';

const MINUTE = 60_000;
const FAULT = { kind: 'outage', error: { code: 'REGISTRY_TIMEOUT', what: 'no answer', where: '', fix: '' } } as const;
const api = ask(semver('~1.0'));

function registration(application: string, given: Given): Registration {
  return {
    application,
    source: { repoURL: '', path: '', targetRevision: '' },
    revision: 'r1',
    parametersFingerprint: 'p',
    generation: 'g',
    answeredAt: 0,
    answers: [{ ask: api, given }],
    earlierRevisions: [],
  };
}

test('what keeps an image back is counted at once, a registry that fails after 5 minutes; Events are told once', async () => {
  const clock = new FakeClock();
  const began = clock.now();
  const blocked = { 'self-heal-off': 0, 'last-sync-failed': 0, hooks: 0 };
  const failing = new Map<string, Standing>();
  const events: string[] = [];
  const applications = new KnownApplications();
  for (const name of ['shop', 'new']) applications.set(name);
  const registrations = [
    registration('shop', { kind: 'image', tag: '1.0.0' as never }),
    registration('new', { kind: 'error', code: 'REGISTRY_TIMEOUT' }),
  ];
  const attention = new Attention({
    registrations: { all: () => registrations, of: (name) => registrations.filter((one) => one.application === name) },
    applications,
    freshness: { standings: () => failing },
    refresher: { conditionsOf: () => new Set(), conditionCounts: () => blocked },
    events: { record: ({ name }, { reason }) => void events.push(`${name} ${reason}`) },
    now: clock.now,
    sleep: clock.sleep,
  });
  const stop = new AbortController();
  const ended = attention.run(stop.signal);
  blocked.hooks = 1;
  expect(attention.counts()).toEqual({ 'self-heal-off': 0, 'last-sync-failed': 0, hooks: 1, stale: 0, failing: 0 });
  failing.set(api.image, { intervalMs: MINUTE, failing: { since: began, fault: FAULT } });
  await clock.advance(4 * MINUTE);
  expect(attention.counts()).toMatchObject({ stale: 0, failing: 0 });
  await clock.advance(3 * MINUTE);
  blocked.hooks = 0;
  expect(attention.counts()).toEqual({ 'self-heal-off': 0, 'last-sync-failed': 0, hooks: 0, stale: 1, failing: 1 });
  expect([...attention.conditionsOf('shop')]).toEqual(['stale']);
  expect(events).toEqual(['shop ImageStale', 'new ImageFailing']);
  failing.clear();
  await clock.advance(2 * MINUTE);
  expect(attention.counts()).toMatchObject({ stale: 0, failing: 0 });
  stop.abort();
  await ended;
});
