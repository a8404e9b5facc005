import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FairQueue } from '../../src/filtering/fair-queue.ts';

const anybody = (): boolean => true;

function drained<T>(queue: FairQueue<T>): readonly T[] {
  const items: T[] = [];
  for (let item = queue.take(anybody); item !== undefined; item = queue.take(anybody)) items.push(item);
  return items;
}

test('groups take turns, and within a group who came first is first', () => {
  const queue = new FairQueue<string>(100);
  for (const item of ['a1', 'a2', 'a3', 'b1', 'a4', 'b2', 'c1']) {
    queue.add({ item, group: item.charAt(0), weight: 1 });
  }
  expect(drained(queue)).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4']);
});

test('who had the last turn lets a newcomer go first', () => {
  const queue = new FairQueue<string>(100);
  for (const item of ['a1', 'a2']) queue.add({ item, group: 'a', weight: 1 });
  expect(queue.take(anybody)).toBe('a1');
  queue.add({ item: 'b1', group: 'b', weight: 1 });
  queue.add({ item: 'c1', group: 'c', weight: 1 });
  expect(drained(queue)).toEqual(['b1', 'c1', 'a2']);
});

test('a group that may not have a turn keeps its place', () => {
  const queue = new FairQueue<string>(100);
  for (const item of ['a1', 'a2', 'b1']) queue.add({ item, group: item.charAt(0), weight: 1 });
  expect(queue.take((group) => group !== 'a')).toBe('b1');
  expect(queue.take((group) => group !== 'a')).toBeUndefined();
  expect(queue.take(anybody)).toBe('a1');
});

test('in a full queue the group with the most in it loses its last', () => {
  const queue = new FairQueue<string>(10);
  queue.add({ item: 'a1', group: 'a', weight: 4 });
  queue.add({ item: 'a2', group: 'a', weight: 4 });
  expect(queue.add({ item: 'b1', group: 'b', weight: 3 })).toEqual(['a2']);
  expect(queue.add({ item: 'a3', group: 'a', weight: 4 })).toEqual(['a3']);
  expect(drained(queue)).toEqual(['a1', 'b1']);
});

test('nothing is lost, doubled or overtaken by more than one item of each other group', () => {
  const waitings = fc.array(fc.record({ group: fc.constantFrom('a', 'b', 'c'), gone: fc.boolean() }), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(waitings, (all) => {
      const queue = new FairQueue<number>(1_000);
      const added = all.map(({ group, gone }, item) => ({ waiting: { item, group, weight: 1 }, gone }));
      for (const { waiting } of added) expect(queue.add(waiting)).toEqual([]);
      for (const { waiting, gone } of added) if (gone) queue.remove(waiting);
      const taken = drained(queue);
      const staying = added.filter(({ gone }) => !gone).map(({ waiting }) => waiting);
      expect(taken.toSorted((a, b) => a - b)).toEqual(staying.map(({ item }) => item));
      const rounds = new Map(staying.map(({ item, group }) => [item, turnOf(staying, item, group)]));
      const turns = taken.map((item) => rounds.get(item) ?? -1);
      expect(turns).toEqual(turns.toSorted((a, b) => a - b));
    }),
  );
});

/** How many of its group are before it. */
function turnOf(all: readonly { item: number; group: string }[], item: number, group: string): number {
  return all.filter((other) => other.group === group && other.item < item).length;
}
