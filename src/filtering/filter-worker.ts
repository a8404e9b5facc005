// Evaluates users' patterns in a thread of its own, which may be killed at any moment. Its own small file in the bundle.

import { parentPort } from 'node:worker_threads';
import { UserError } from '../error/user-error.ts';
import type { Tag } from '../image/reference.ts';
import { selectByName } from '../strategy/by-name.ts';
import type { FilterReply, FilterRequest } from './messages.ts';

async function replyTo({ selection, tags: text, count, told }: FilterRequest): Promise<FilterReply> {
  const tags = text === '' ? [] : (text.split('\n') as Tag[]);
  if (tags.length !== count) throw new Error(`${count} tags arrived as ${tags.length}`);
  const { tags: kept, label, rejected, rejectedTotal } = await selectByName(selection, tags, told);
  const placeOf = new Map(tags.map((tag, place) => [tag, place]));
  const places = Uint32Array.from(kept, (tag) => placeOf.get(tag) ?? 0);
  return { kind: 'selected', label, places, rejected, rejectedTotal };
}

function failure(error: unknown): FilterReply {
  if (error instanceof UserError) return { kind: 'invalid', error: error.toData() };
  if (error instanceof RangeError) return { kind: 'too large' };
  return { kind: 'broken', stack: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

function post(reply: FilterReply): void {
  parentPort?.postMessage(reply, reply.kind === 'selected' ? [reply.places.buffer] : []);
}

async function start(): Promise<void> {
  // Loaded before the first task, whose time would pass with it.
  await import('re2js');
  parentPort?.on('message', (request: FilterRequest) => void replyTo(request).catch(failure).then(post));
  post({ kind: 'ready' });
}

void start();
