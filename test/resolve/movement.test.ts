import { expect, test } from 'vitest';
import type { Tag } from '../../src/image/reference.ts';
import { decisionAfter, planMove, type Evaluation, type Move } from '../../src/resolve/movement.ts';
import type { StoredDecision } from '../../src/store/store.ts';
import type { Candidate } from '../../src/strategy/strategy.ts';
import { digestOf } from '../support/memory-registry.ts';

const MINUTE = 60_000;
const NOW = 100 * MINUTE;
const old = digestOf('old');
const fresh = digestOf('new');
const at = (tag: string, rest: Partial<StoredDecision> = {}): StoredDecision => ({
  tag: tag as Tag,
  movedAt: 1,
  confirmedAt: 2,
  ...rest,
});
const to = (tag: string): Candidate => ({ tag: tag as Tag });
const evaluation = (rest: Partial<Evaluation>): Evaluation => ({
  previous: at('1.0.5'),
  best: to('1.0.5'),
  standing: 'ranked',
  outranks: undefined,
  manifest: 'unknown',
  onRemoved: 'keep',
  listedAt: NOW,
  ...rest,
});
const gone: Partial<Evaluation> = {
  best: to('1.0.4'),
  standing: 'missing',
  outranks: false,
  manifest: 'gone',
  onRemoved: 'next-best',
};

test.for<{ name: string; given: Partial<Evaluation>; want: Move }>([
  {
    name: 'a new key takes the best there is',
    given: { previous: undefined },
    want: { kind: 'first', to: to('1.0.5') },
  },
  {
    name: 'a new key without candidate has no decision',
    given: { previous: undefined, best: undefined },
    want: { kind: 'none' },
  },
  {
    name: 'a better tag is taken',
    given: { best: to('1.0.6'), outranks: true },
    want: { kind: 'better', to: to('1.0.6') },
  },
  { name: 'the same tag is confirmed', given: {}, want: { kind: 'same', to: to('1.0.5') } },
  {
    name: 'a better tag is taken although the old one is gone',
    given: { best: to('1.0.6'), standing: 'missing', outranks: true },
    want: { kind: 'better', to: to('1.0.6') },
  },
  {
    name: 'a lower tag is never taken because the old one is gone',
    given: { ...gone, onRemoved: 'keep', manifest: 'unknown' },
    want: { kind: 'keep', missing: { since: NOW, times: 0 } },
  },
  {
    name: 'what cannot be compared is not taken',
    given: { best: to('x'), standing: 'missing', outranks: undefined },
    want: { kind: 'keep', missing: { since: NOW, times: 0 } },
  },
  {
    name: 'a tag that is listed but no candidate any more is kept when the best is lower',
    given: { best: to('x'), standing: 'unfit', outranks: false },
    want: { kind: 'keep', missing: { since: NOW, times: 0 } },
  },
  {
    name: 'a complete listing without candidate keeps the decision',
    given: { best: undefined, standing: 'missing' },
    want: { kind: 'keep', missing: { since: NOW, times: 0 } },
  },
  { name: 'next-best begins to count', given: gone, want: { kind: 'keep', missing: { since: NOW, times: 1 } } },
  {
    name: 'next-best falls after three times over ten minutes',
    given: { ...gone, previous: at('1.0.5', { missing: { since: NOW - 10 * MINUTE, times: 2 } }) },
    want: { kind: 'fall', to: to('1.0.4') },
  },
  {
    name: 'next-best does not fall after three times in less than ten minutes',
    given: { ...gone, previous: at('1.0.5', { missing: { since: NOW - 10 * MINUTE + 1, times: 2 } }) },
    want: { kind: 'keep', missing: { since: NOW - 10 * MINUTE + 1, times: 3 } },
  },
  {
    name: 'next-best does not fall after two times over ten minutes',
    given: { ...gone, previous: at('1.0.5', { missing: { since: NOW - 60 * MINUTE, times: 1 } }) },
    want: { kind: 'keep', missing: { since: NOW - 60 * MINUTE, times: 2 } },
  },
  {
    name: 'next-best does not fall while the manifest is there',
    given: { ...gone, manifest: 'there', previous: at('1.0.5', { missing: { since: NOW - 60 * MINUTE, times: 9 } }) },
    want: { kind: 'keep', missing: { since: NOW, times: 0 } },
  },
  {
    name: 'next-best does not count a manifest nobody could ask for',
    given: { ...gone, manifest: 'unknown', previous: at('1.0.5', { missing: { since: NOW - 60 * MINUTE, times: 2 } }) },
    want: { kind: 'keep', missing: { since: NOW - 60 * MINUTE, times: 2 } },
  },
  {
    name: 'next-best counts anew when the count began in the future',
    given: { ...gone, previous: at('1.0.5', { missing: { since: NOW + MINUTE, times: 9 } }) },
    want: { kind: 'keep', missing: { since: NOW, times: 1 } },
  },
  {
    name: 'next-best has nowhere to fall without candidate',
    given: { ...gone, best: undefined, previous: at('1.0.5', { missing: { since: NOW - 60 * MINUTE, times: 9 } }) },
    want: { kind: 'keep', missing: { since: NOW - 60 * MINUTE, times: 10 } },
  },
])('$name', ({ given, want }) => {
  expect(planMove(evaluation(given))).toEqual(want);
});

const times = { listedAt: NOW, now: NOW + 5 };
test.for<{
  name: string;
  move: Exclude<Move, { kind: 'none' }>;
  previous?: StoredDecision;
  digest?: typeof old;
  want: StoredDecision;
}>([
  {
    name: 'a first decision moved now',
    move: { kind: 'first', to: to('1.0.5') },
    want: at('1.0.5', { movedAt: NOW + 5, confirmedAt: NOW }),
  },
  {
    name: 'a confirmed decision did not move',
    move: { kind: 'same', to: to('1.0.5') },
    previous: at('1.0.5', { digest: old }),
    digest: old,
    want: at('1.0.5', { digest: old, confirmedAt: NOW }),
  },
  {
    name: 'the digest of the same tag follows, and that is a move',
    move: { kind: 'same', to: to('1.0.5') },
    previous: at('1.0.5', { digest: old }),
    digest: fresh,
    want: at('1.0.5', { digest: fresh, movedAt: NOW + 5, confirmedAt: NOW }),
  },
  {
    name: 'a digest that was not asked for stays',
    move: { kind: 'same', to: to('1.0.5') },
    previous: at('1.0.5', { digest: old }),
    want: at('1.0.5', { digest: old, confirmedAt: NOW }),
  },
  {
    name: 'learning the digest of the same tag is no move',
    move: { kind: 'same', to: to('1.0.5') },
    previous: at('1.0.5'),
    digest: old,
    want: at('1.0.5', { digest: old, confirmedAt: NOW }),
  },
  {
    name: 'the digest of another tag never stays',
    move: { kind: 'better', to: to('1.0.6') },
    previous: at('1.0.5', { digest: old, missing: { since: 1, times: 1 } }),
    want: at('1.0.6', { movedAt: NOW + 5, confirmedAt: NOW }),
  },
  {
    name: 'a kept decision keeps its digest and remembers since when it is missing',
    move: { kind: 'keep', missing: { since: 7, times: 1 } },
    previous: at('1.0.5', { digest: old }),
    want: at('1.0.5', { digest: old, confirmedAt: NOW, missing: { since: 7, times: 1 } }),
  },
  {
    name: 'a tag that came back is not missing any more',
    move: { kind: 'same', to: to('1.0.5') },
    previous: at('1.0.5', { missing: { since: 7, times: 2 } }),
    want: at('1.0.5', { confirmedAt: NOW }),
  },
])('$name', ({ move, previous, digest, want }) => {
  expect(decisionAfter(move, previous, digest, times)).toEqual(want);
});
