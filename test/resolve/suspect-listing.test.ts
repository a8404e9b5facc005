import { expect, test } from 'vitest';
import { judgeListing } from '../../src/resolve/suspect-listing.ts';

const NOW = 100 * 60_000;
const seen = (times: number, minutesAgo: number): { since: number; times: number } => ({
  since: NOW - minutesAgo * 60_000,
  times,
});

test.for([
  { name: 'a first listing is believed', before: undefined, count: 0, want: 'believed' },
  { name: 'an empty listing after an empty one is believed', before: { count: 0 }, count: 0, want: 'believed' },
  { name: 'growth is believed', before: { count: 5 }, count: 500, want: 'believed' },
  { name: 'losing ten tags of eleven is believed', before: { count: 11 }, count: 1, want: 'believed' },
  { name: 'losing half of many is believed', before: { count: 500 }, count: 250, want: 'believed' },
  { name: 'losing more than half of many is not', before: { count: 500 }, count: 249, want: 'suspect' },
  { name: 'losing the only tag is not believed', before: { count: 1 }, count: 0, want: 'suspect' },
  {
    name: 'it is not believed after three times in a minute',
    before: { count: 500, suspect: seen(2, 1) },
    count: 3,
    want: 'suspect',
  },
  {
    name: 'it is not believed after two times in ten minutes',
    before: { count: 500, suspect: seen(1, 10) },
    count: 3,
    want: 'suspect',
  },
  {
    name: 'it is believed after three times in ten minutes',
    before: { count: 500, suspect: seen(2, 10) },
    count: 3,
    want: 'believed',
  },
  {
    name: 'a count that began in the future counts for nothing',
    before: { count: 500, suspect: seen(9, -1) },
    count: 3,
    want: 'suspect',
  },
])('$name', ({ before, count, want }) => {
  expect(judgeListing(before, count, NOW).kind).toBe(want);
});
