import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Application, Project } from '../../src/applications/application.ts';
import { parseSchedule } from '../../src/applications/cron.ts';
import { reduceProject } from '../../src/applications/reduce-project.ts';
import { syncWindowAllows } from '../../src/applications/sync-windows.ts';
import { windowGlobMatches } from '../../src/applications/window-glob.ts';

/** What Argo CD's own code says: see sync-window-oracle. */
const cases = JSON.parse(readFileSync(new URL('sync-window-cases.json', import.meta.url), 'utf8')) as {
  readonly windows: readonly {
    readonly windows: readonly object[];
    readonly application: Pick<Application, 'name' | 'destination'>;
    readonly now: string;
    readonly automated: boolean;
    readonly manual: boolean;
  }[];
  readonly globs: readonly { readonly pattern: string; readonly text: string; readonly matches: boolean }[];
};

function project(syncWindows: readonly object[]): Project {
  return reduceProject({ metadata: { name: 'default' }, spec: { syncWindows } });
}

test('sync windows decide as in Argo CD', () => {
  const wrong = cases.windows.filter(({ windows, application, now, automated, manual }) => {
    const decide = (by: boolean): boolean =>
      syncWindowAllows(application, project(windows), Date.parse(now), { automated: by });
    return decide(true) !== automated || decide(false) !== manual;
  });
  expect(wrong).toEqual([]);
});

/** Where gobwas/glob contradicts itself: one character that is none, and a `?` inside of braces. */
const FAULTS = [
  { pattern: '?', text: '' },
  { pattern: '[!abc]', text: '' },
  { pattern: '{a*,b?}c', text: 'axbxc' },
];

test('globs of sync windows match as in Argo CD', () => {
  const wrong = cases.globs.filter(({ pattern, text, matches }) => windowGlobMatches(pattern, text) !== matches);
  expect(wrong.map(({ pattern, text }) => ({ pattern, text }))).toEqual(FAULTS);
});

// Cases of Argo CD's own tables (types_test.go, TestSyncWindows_Active and TestSyncWindows_CanSync).
describe('by the tables of Argo CD', () => {
  const application = { name: 'test-app', destination: { server: 'cluster1', name: '', namespace: 'default' } };
  const at = (hour: number): number => Date.UTC(2026, 6, 15, hour);
  const window = (kind: string, schedule: string, duration: string, timeZone = '', manualSync = false): object => ({
    kind,
    schedule,
    duration,
    timeZone,
    manualSync,
    applications: ['test-*'],
  });
  test.for([
    { name: 'in the first window', windows: ['* 10 * * *', '* 14 * * *'], zone: '', hour: 11, allowed: true },
    { name: 'in the second window', windows: ['* 10 * * *', '* 14 * * *'], zone: '', hour: 15, allowed: true },
    { name: 'in no window', windows: ['* 10 * * *', '* 14 * * *'], zone: '', hour: 17, allowed: false },
    { name: 'in a window of New York', windows: ['* 10 * * *'], zone: 'America/New_York', hour: 16, allowed: true },
    { name: 'after a window of New York', windows: ['* 14 * * *'], zone: 'America/New_York', hour: 22, allowed: false },
    { name: 'in a window of Dhaka', windows: ['* 8 * * *'], zone: 'Asia/Dhaka', hour: 3, allowed: true },
    { name: 'a schedule that cannot be read', windows: ['* 10 * * 7'], zone: '', hour: 11, allowed: false },
  ])('$name: automated sync allowed is $allowed', ({ windows, zone, hour, allowed }) => {
    const list = windows.map((schedule) => window('allow', schedule, '2h', zone));
    expect(syncWindowAllows(application, project(list), at(hour), { automated: true })).toBe(allowed);
  });

  const active = '* * * * *';
  const inactive = '0 0 1 1 *';
  test.for([
    { name: 'no window', windows: [], automated: true, manual: true },
    { name: 'an inactive deny', windows: [window('deny', inactive, '1h')], automated: true, manual: true },
    { name: 'an active deny', windows: [window('deny', active, '1h')], automated: false, manual: false },
    {
      name: 'an active deny with manual sync',
      windows: [window('deny', active, '1h', '', true)],
      automated: false,
      manual: true,
    },
    {
      name: 'two active denies, one with manual sync',
      windows: [window('deny', active, '1h', '', true), window('deny', active, '1h')],
      automated: false,
      manual: false,
    },
    {
      name: 'an inactive allow with manual sync',
      windows: [window('allow', inactive, '1h', '', true)],
      automated: false,
      manual: true,
    },
    {
      name: 'an active allow and an inactive allow',
      windows: [window('allow', active, '1h'), window('allow', inactive, '1h')],
      automated: true,
      manual: true,
    },
    {
      name: 'an active allow and an active deny',
      windows: [window('allow', active, '1h'), window('deny', active, '1h')],
      automated: false,
      manual: false,
    },
    { name: 'an unreadable duration', windows: [window('allow', active, '1 hour')], automated: false, manual: false },
  ])('$name', ({ windows, automated, manual }) => {
    const decide = (by: boolean): boolean => syncWindowAllows(application, project(windows), at(12), { automated: by });
    expect({ automated: decide(true), manual: decide(false) }).toEqual({ automated, manual });
  });
});

test('without its project nothing is allowed', () => {
  const application = { name: 'a', destination: { server: '', name: '', namespace: '' } };
  expect(syncWindowAllows(application, undefined, 0, { automated: true })).toBe(false);
});

test('a schedule that never comes is not searched for ever', () => {
  const schedule = parseSchedule('0 0 30 2 *');
  expect(schedule.ok && schedule.value.next(Date.UTC(2026, 0, 1))).toBeUndefined();
  expect(schedule.ok && schedule.value.next(-8.64e15)).toBeUndefined();
  expect(schedule.ok && schedule.value.next(Number.MAX_VALUE)).toBeUndefined();
});
