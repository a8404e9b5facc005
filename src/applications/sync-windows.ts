import { parseDuration } from '../text/duration.ts';
import type { Application, Project, SyncWindow } from './application.ts';
import { parseSchedule } from './cron.ts';
import { windowGlobMatches } from './window-glob.ts';

/**
 * Whether Argo CD would let a sync of this application run now: of the windows that match it, an active deny window
 * blocks, else an active allow window lets pass, else an inactive allow window blocks. A window that cannot be read blocks,
 * as does a project that is not there.
 *
 * As `SyncWindows.Matches` and `CanSync` of Argo CD 3.2, its shifting of time by the zone's present offset included.
 *
 * @param now milliseconds since the epoch.
 * @param options.automated false: somebody asked for it, whom `manualSync` windows let pass.
 * @see https://github.com/argoproj/argo-cd/blob/v3.2.11/pkg/apis/application/v1alpha1/types.go#L2733
 */
export function syncWindowAllows(
  application: Pick<Application, 'name' | 'destination'>,
  project: Pick<Project, 'syncWindows'> | undefined,
  now: number,
  { automated }: { readonly automated: boolean },
): boolean {
  if (project === undefined) return false;
  const windows = project.syncWindows.filter((window) => isForApplication(window, application));
  const active: SyncWindow[] = [];
  const inactive: SyncWindow[] = [];
  for (const window of windows) {
    const isActive = isActiveAt(window, now);
    if (isActive === undefined) return false;
    (isActive ? active : inactive).push(window);
  }
  const allowsManual = (some: readonly SyncWindow[]): boolean =>
    !automated && some.every((window) => window.manualSync);
  const denying = active.filter(({ kind }) => kind === 'deny');
  if (denying.length > 0) return allowsManual(denying);
  if (active.some(({ kind }) => kind === 'allow')) return true;
  const waiting = inactive.filter(({ kind }) => kind === 'allow');
  return waiting.length === 0 || allowsManual(waiting);
}

function isForApplication(
  window: SyncWindow,
  { name, destination }: Pick<Application, 'name' | 'destination'>,
): boolean {
  const matches = (globs: readonly string[], ...texts: readonly string[]): boolean =>
    globs.some((glob) => texts.some((text) => windowGlobMatches(glob, text)));
  const clusters = [destination.name, destination.server].filter((text) => text !== '');
  const lists = [
    { globs: window.applications, texts: [name] },
    { globs: window.clusters, texts: clusters },
    { globs: window.namespaces, texts: [destination.namespace] },
  ].filter(({ globs }) => globs.length > 0);
  if (!window.useAnd) return lists.some(({ globs, texts }) => matches(globs, ...texts));
  return lists.length > 0 && lists.every(({ globs, texts }) => matches(globs, ...texts));
}

/** Longer than any Go duration can be. */
const MAX_DURATION_MS = Number((2n ** 63n - 1n) / 1_000_000n);

/** Undefined: the window cannot be read. */
function isActiveAt({ schedule, duration, timeZone }: SyncWindow, now: number): boolean | undefined {
  const parsedSchedule = parseSchedule(schedule);
  const lengthMs = signedDuration(duration);
  if (!parsedSchedule.ok || lengthMs === undefined) return undefined;
  // Argo CD reads the schedule in UTC and moves the time instead.
  const shifted = now + offsetOf(timeZone, now);
  const next = parsedSchedule.value.next(shifted - lengthMs);
  // A schedule that never comes is always on in Argo CD: "never" is its earliest time.
  return next === undefined || next < shifted;
}

/** Milliseconds of a Go duration, which may have a sign. */
function signedDuration(text: string): number | undefined {
  const sign = /^[+-]/.exec(text)?.[0] ?? '';
  const duration = parseDuration(text.slice(sign.length));
  if (!duration.ok || duration.value > MAX_DURATION_MS) return undefined;
  return sign === '-' ? -duration.value : duration.value;
}

/** Milliseconds that a time zone is ahead of UTC; an unknown one counts as UTC. */
function offsetOf(timeZone: string, now: number): number {
  // Offsets are zones for JavaScript, but not for Go.
  if (timeZone === '' || /^[+-]/.test(timeZone)) return 0;
  try {
    const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
    const name = format.formatToParts(now).find(({ type }) => type === 'timeZoneName')?.value ?? '';
    const [, sign, hours = '0', minutes = '0', seconds = '0'] = /^GMT([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(name) ?? [];
    const offset = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
    return sign === '-' ? -offset : offset;
  } catch {
    return 0;
  }
}
