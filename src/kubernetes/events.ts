import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { cutToBytes, escapeControls } from '../error/printable.ts';
import type { Sleep } from '../registry/time.ts';
import { type EventRecorder, type Kubernetes, KubernetesError } from './kubernetes.ts';

type EventSubject = Parameters<EventRecorder['record']>[0];
type ApplicationEvent = Parameters<EventRecorder['record']>[1];

export interface EventRecorderOptions {
  readonly kubernetes: Pick<Kubernetes, 'create' | 'patch'>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly sleep: Sleep;
  readonly signal: AbortSignal;
  /** Told when events cannot be written (once), and when they can again. */
  readonly trouble?: (problem: string | undefined) => void;
  /** Told of each event but those that only repeat a recent one. */
  readonly counted?: (result: 'written' | 'failed' | 'dropped') => void;
}

const COMPONENT = 'image-resolver';
/** As the API server takes it. */
const MAX_MESSAGE_BYTES = 1024;
/** The same event again is written at most so often. */
const REPEAT_MS = 600_000;
const MAX_QUEUE = 1_000;
const MAX_KNOWN = 5_000;
/** Between two writes. */
const PACE_MS = 50;
/** Of one application: so many at once, and then one a minute. */
const BURST = 10;
const REFILL_MS = 60_000;

interface KnownEvent {
  /** Of the object: the same after a restart, so that an event is not written twice for that. */
  readonly name: string;
  readonly firstAt: number;
  count: number;
  /** undefined: never yet, or it is gone. */
  writtenAt: number | undefined;
  queued: boolean;
}

interface Queued {
  readonly subject: EventSubject;
  readonly event: ApplicationEvent;
  readonly known: KnownEvent;
}

/** Writes core/v1 Events into the Application's namespace, where `kubectl describe` and Argo CD's UI show them. */
export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { kubernetes, now, sleep, signal, trouble, counted } = options;
  const knownEvents = new LRUCache<string, KnownEvent>({ max: MAX_KNOWN });
  const budgets = new LRUCache<string, { left: number; at: number }>({ max: MAX_KNOWN });
  const queue: Queued[] = [];
  let isWriting = false;
  let problem: string | undefined;

  const mayWrite = (uid: string): boolean => {
    const budget = budgets.get(uid) ?? { left: BURST, at: now() };
    // A clock that went back refills nothing, but counts from there.
    const refilled = Math.max(0, Math.floor((now() - budget.at) / REFILL_MS));
    const left = Math.min(BURST, budget.left + refilled);
    const at = now() < budget.at || left === BURST ? now() : budget.at + refilled * REFILL_MS;
    budgets.set(uid, { left: Math.max(0, left - 1), at });
    return left > 0;
  };

  const write = async ({ subject, event, known }: Queued): Promise<void> => {
    const path = `/api/v1/namespaces/${encodeURIComponent(subject.namespace)}/events`;
    const repeated = { count: known.count, lastTimestamp: timestamp(now()) };
    if (known.writtenAt !== undefined) {
      const isThere = await answered(kubernetes.patch(`${path}/${known.name}`, repeated, signal), 404);
      if (isThere) return;
      // The API server keeps events for an hour.
    }
    const body = { ...eventOf(subject, event, known), ...repeated };
    if (await answered(kubernetes.create(path, body, signal), 409)) return;
    // Ours, from before a restart.
    known.count += 1;
    await kubernetes.patch(`${path}/${known.name}`, { ...repeated, count: known.count }, signal);
  };

  const drain = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined && !signal.aborted; next = queue.shift()) {
      const { known } = next;
      known.queued = false;
      try {
        await write(next);
        known.writtenAt = now();
        counted?.('written');
        tell(undefined);
      } catch (error) {
        // The next time it happens is soon enough.
        counted?.('failed');
        tell(error instanceof Error ? error.message : String(error));
      }
      await sleep(PACE_MS, signal).catch(() => undefined);
    }
  };

  const tell = (current: string | undefined): void => {
    if ((current === undefined) === (problem === undefined)) return;
    problem = current;
    trouble?.(current);
  };

  return {
    record(subject, event) {
      const message = cutToBytes(escapeControls(event.message, 'escape'), MAX_MESSAGE_BYTES);
      const shown = { ...event, message };
      const key = keyOf(subject, shown);
      const known = knownEvents.get(key) ?? {
        name: nameOf(subject, key),
        firstAt: now(),
        count: 0,
        writtenAt: undefined,
        queued: false,
      };
      knownEvents.set(key, known);
      known.count += 1;
      const isRecent = known.writtenAt !== undefined && now() >= known.writtenAt && now() < known.writtenAt + REPEAT_MS;
      if (known.queued || isRecent) return;
      if (queue.length >= MAX_QUEUE || !mayWrite(subject.uid)) {
        counted?.('dropped');
        return;
      }
      known.queued = true;
      queue.push({ subject, event: shown, known });
      if (isWriting) return;
      isWriting = true;
      void drain().finally(() => {
        isWriting = false;
      });
    },
  };
}

/** Whether it was done; false when the answer was this status. */
async function answered(asked: Promise<unknown>, status: number): Promise<boolean> {
  try {
    await asked;
    return true;
  } catch (error) {
    if (error instanceof KubernetesError && error.status === status) return false;
    throw error;
  }
}

function keyOf({ uid }: EventSubject, { type, reason, message }: ApplicationEvent): string {
  return createHash('sha256').update([uid, type, reason, message].join('\0')).digest('hex').slice(0, 16);
}

/** `<application>.<hash>`, within the 253 characters of a name. */
function nameOf({ name }: EventSubject, key: string): string {
  return `${name.slice(0, 200).replace(/[^a-z0-9]+$/, '')}.${key}`;
}

function eventOf({ namespace, name, uid }: EventSubject, event: ApplicationEvent, known: KnownEvent): object {
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: known.name, namespace },
    involvedObject: { apiVersion: 'argoproj.io/v1alpha1', kind: 'Application', namespace, name, uid },
    type: event.type,
    reason: event.reason,
    message: event.message,
    source: { component: COMPONENT },
    reportingComponent: COMPONENT,
    reportingInstance: COMPONENT,
    firstTimestamp: timestamp(known.firstAt),
  };
}

/** As Kubernetes writes times: no fraction. */
function timestamp(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
