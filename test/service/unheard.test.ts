import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Tag } from '../../src/image/reference.ts';
import { completeConfiguration } from '../../src/operator/complete-configuration.ts';
import { createRegistrations } from '../../src/registrations/create-registrations.ts';
import { givenText } from '../../src/registrations/given.ts';
import type { Registrations } from '../../src/registrations/registration.ts';
import type { Sleep } from '../../src/registry/time.ts';
import { createRemoteResolver } from '../../src/remote/remote-resolver.ts';
import type { Resolution, ResolveQuery } from '../../src/resolve/resolver.ts';
import { Refusal, type Route } from '../../src/service/exchange.ts';
import { reportEndpoint } from '../../src/service/report-endpoint.ts';
import { resolveEndpoint } from '../../src/service/resolve-endpoint.ts';
import { openStore } from '../../src/store/open-store.ts';
import { KnownApplications, SOURCE } from '../registrations/known-applications.ts';
import { ask, inShort, semver } from '../resolve/harness.ts';
import { callers, KeptLog, people, realTime, type Running, serve } from './ports.ts';

// Sidecars with stores of their own and one controller: what it believes that an application was given is what it was given.

const MINUTE = 60_000;
const never = new AbortController().signal;
const applications = new KnownApplications();
let folder: string;
let now = Date.parse('2026-03-01T12:00:00Z');
let tag = '1.0.5';
let isAway = false;
/** What an answer waits for before it is registered. */
let stall: Promise<unknown> = Promise.resolve();
/** Called when an answer is about to be registered. */
let reached = (): void => undefined;
let recorded = 0;
/** Of the last request. */
let asking: AbortSignal | undefined;
let registrations: Registrations;
let controller: Running;
let generations = 0;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'unheard-'));
  [tag, isAway, stall, recorded] = ['1.0.5', false, Promise.resolve(), 0];
  for (const name of ['shop', 'other']) applications.set(name);
  const store = await openStore({ directory: join(folder, 'controller'), now: () => now, notices: () => undefined });
  registrations = await createRegistrations({ store, applications, now: () => now });
  const ports = {
    ...callers,
    ...people,
    applications,
    answer: async ({ asks }: ResolveQuery) => asks.map(() => decidedNow()),
    async record(...[query, resolutions]: Parameters<Registrations['record']>) {
      reached();
      await stall;
      await registrations.record(query, resolutions);
      recorded += 1;
    },
    registrations,
    recordUnheard: registrations.recordUnheard.bind(registrations),
    notices: () => undefined,
    metrics: { resolveRequest: () => undefined },
    log: new KeptLog(),
    time: realTime,
  };
  const route = (of: Route): Route => ({
    ...of,
    open: async (head, signal) => {
      if (isAway) throw new Refusal(503, 'away');
      const opened = await of.open(head, signal);
      if (typeof opened !== 'function') return opened;
      return async (body, during) => {
        asking = during;
        return opened(body, during);
      };
    },
  });
  controller = await serve([route(resolveEndpoint(ports)), route(reportEndpoint(ports))]);
});
afterEach(async () => {
  await controller[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

function decidedNow(): Resolution {
  return {
    kind: 'decided',
    decision: { tag: tag as Tag, movedAt: now, confirmedAt: now },
    why: 'best',
    notices: [],
  };
}

/** A generation in a process of its own of the container of a repo-server. Answers what was rendered. */
async function generate(container: string, application = 'shop', sleep?: Sleep): Promise<string> {
  const resolver = createRemoteResolver({
    controller: { url: controller.url },
    token: () => 'sidecar',
    store: () => openStore({ directory: join(folder, container), now: () => now, notices: () => undefined }),
    configuration: completeConfiguration({}, [], {}),
    now: () => now,
    // Nobody gives up because the machine is busy.
    sleep: sleep ?? (async () => new Promise(() => undefined)),
  });
  const who = { application, project: 'default' };
  const generation = { id: `g${++generations}`, source: SOURCE, revision: 'r1', parametersFingerprint: 'p' };
  const asked = { v: 1, who, generation, budgetMs: 20_000, asks: [ask(semver('~1.0'))] } as const;
  const [resolution] = await resolver.resolve(asked, never);
  await resolver.report?.({ v: 1, who, generation, notices: [] }, never);
  await resolver.close();
  if (resolution === undefined) throw new Error('nothing was answered');
  return inShort(resolution);
}

const given = (application = 'shop'): readonly string[] =>
  registrations.of(application).flatMap(({ answers }) => answers.map((one) => givenText(one.given)));

/** How many messages wait in a container. */
async function waiting(container: string): Promise<number> {
  const store = await openStore({ directory: join(folder, container), now: () => now, notices: () => undefined });
  const { length } = await store.outbox.oldest(100);
  await store.close();
  return length;
}

test('what a sidecar rendered while the controller was away is told with the next generation that reaches it', async () => {
  expect(await generate('a')).toBe('1.0.5');
  expect(await generate('b')).toBe('1.0.5');
  tag = '1.0.6';
  now += MINUTE;
  expect(await generate('a')).toBe('1.0.6');
  isAway = true;
  now += MINUTE;
  expect(await generate('b')).toBe('stale 1.0.5');
  expect([given(), await waiting('b')]).toEqual([['1.0.6'], 1]);
  isAway = false;
  now += MINUTE;
  expect(await generate('a', 'other')).toBe('1.0.6');
  expect(given()).toEqual(['1.0.6']);
  expect(await generate('b', 'other')).toBe('1.0.6');
  expect([given(), await waiting('b')]).toEqual([['1.0.5'], 0]);
  expect(await generate('b')).toBe('1.0.6');
  expect(given()).toEqual(['1.0.6']);
});

test('what was rendered before somebody else was answered is told, and changes nothing', async () => {
  await generate('a');
  await generate('b');
  isAway = true;
  now += MINUTE;
  expect(await generate('b')).toBe('stale 1.0.5');
  isAway = false;
  tag = '1.0.6';
  now += MINUTE;
  await generate('a');
  const before = registrations.of('shop');
  now += MINUTE;
  await generate('b', 'other');
  expect([registrations.of('shop'), await waiting('b')]).toEqual([before, 0]);
});

/** A generation of the container `a` that gives up while its answer is about to be registered. */
async function giveUp(): Promise<{ readonly signal: AbortSignal | undefined; readonly goOn: () => Promise<void> }> {
  await generate('a');
  tag = '1.0.6';
  now += MINUTE;
  const stalled = Promise.withResolvers<void>();
  stall = stalled.promise;
  const patience = Promise.withResolvers<void>();
  reached = patience.resolve;
  expect(await generate('a', 'shop', async () => patience.promise)).toBe('stale 1.0.5');
  expect(await waiting('a')).toBe(1);
  stall = Promise.resolve();
  const before = recorded;
  const goOn = async (): Promise<void> => {
    stalled.resolve();
    await vi.waitFor(() => expect(recorded).toBeGreaterThan(before));
  };
  // The sidecar leaves it alone for some seconds.
  now += MINUTE;
  return { signal: asking, goOn };
}

test('an answer that nobody heard is not what was given, whether that is told after it is registered', async () => {
  const { goOn } = await giveUp();
  await goOn();
  await generate('a', 'other');
  expect([given(), await waiting('a')]).toEqual([['1.0.5'], 0]);
});

test('or before', async () => {
  const { goOn } = await giveUp();
  await generate('a', 'other');
  expect([given(), await waiting('a')]).toEqual([['1.0.5'], 0]);
  await goOn();
  expect(given()).toEqual(['1.0.5']);
});

test('or not at all: who went away has to ask again', async () => {
  const { signal, goOn } = await giveUp();
  await vi.waitFor(() => expect(signal?.aborted).toBe(true));
  await goOn();
  expect(given()).toEqual(['CONTROLLER_UNREACHABLE']);
});
