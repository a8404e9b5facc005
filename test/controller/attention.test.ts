import { expect, test } from 'vitest';
import type { ErrorCode } from '../../src/error/codes.ts';
import { Attention } from '../../src/controller/attention.ts';
import type { Failure } from '../../src/freshness/freshness.ts';
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
  const failing = new Map<string, Failure>();
  const events: string[] = [];
  const applications = new KnownApplications();
  for (const name of ['shop', 'new']) applications.set(name);
  const registrations = [
    registration('shop', { kind: 'image', tag: '1.0.0' as never }),
    registration('new', { kind: 'error', code: 'REGISTRY_TIMEOUT' }),
  ];
  const erring = registrations[1] as Registration;
  const attention = new Attention({
    registrations: { all: () => registrations, of: (name) => registrations.filter((one) => one.application === name) },
    applications,
    freshness: { failures: () => failing },
    refresher: { conditionsOf: () => new Set(), conditionCounts: () => blocked },
    events: { record: ({ name }, { reason }) => void events.push(`${name} ${reason}`) },
    now: clock.now,
    sleep: clock.sleep,
  });
  const stop = new AbortController();
  const ended = attention.run(stop.signal);
  blocked.hooks = 1;
  expect(attention.counts()).toEqual({ 'self-heal-off': 0, 'last-sync-failed': 0, hooks: 1, stale: 0, failing: 0 });
  failing.set(api.image, { since: began, fault: FAULT });
  await clock.advance(4 * MINUTE);
  expect(attention.counts()).toMatchObject({ stale: 0, failing: 0 });
  await clock.advance(3 * MINUTE);
  blocked.hooks = 0;
  expect(attention.counts()).toEqual({ 'self-heal-off': 0, 'last-sync-failed': 0, hooks: 0, stale: 1, failing: 1 });
  expect([...attention.conditionsOf('shop')]).toEqual(['stale']);
  expect(events).toEqual(['shop ImageStale', 'new ImageFailing']);
  failing.clear();
  registrations.splice(registrations.indexOf(erring), 1);
  await clock.advance(2 * MINUTE);
  expect(attention.counts()).toMatchObject({ stale: 0, failing: 0 });
  stop.abort();
  await ended;
});

test('an image that generations fail for is told of after 5 minutes, whatever its registry does, and once for each reason', async () => {
  const clock = new FakeClock();
  const events: string[] = [];
  const applications = new KnownApplications();
  // More than are looked at in one turn.
  const names = Array.from({ length: 250 }, (_, index) => `app-${index}`);
  for (const name of names) applications.set(name);
  let code: ErrorCode = 'HOST_NOT_ALLOWED';
  const of = (name: string): readonly Registration[] => [registration(name, { kind: 'error', code })];
  const attention = new Attention({
    registrations: { all: () => names.flatMap(of), of },
    applications,
    freshness: { failures: () => new Map() },
    refresher: {
      conditionsOf: () => new Set(),
      conditionCounts: () => ({ 'self-heal-off': 0, 'last-sync-failed': 0, hooks: 0 }),
    },
    events: { record: ({ name }, { message }) => void events.push(`${name} ${message}`) },
    now: clock.now,
    sleep: clock.sleep,
  });
  const stop = new AbortController();
  const ended = attention.run(stop.signal);
  await clock.advance(5 * MINUTE);
  expect(attention.counts().failing).toBe(0);
  await clock.advance(2 * MINUTE);
  expect(attention.counts().failing).toBe(250);
  expect([...attention.conditionsOf('app-249')]).toEqual(['failing']);
  expect(events).toHaveLength(250);
  expect(events[249]).toMatch(/^app-249 .*cannot be resolved since 2026-03-01T12:01:00.000Z: HOST_NOT_ALLOWED /);
  await clock.advance(5 * MINUTE);
  expect(events).toHaveLength(250);
  code = 'TAG_NOT_FOUND';
  await clock.advance(2 * MINUTE);
  expect(events).toHaveLength(500);
  expect(events[499]).toContain('TAG_NOT_FOUND');
  stop.abort();
  await ended;
});
