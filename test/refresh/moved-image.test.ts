import * as v from 'valibot';
import { expect, test } from 'vitest';
import { movedMessage } from '../../src/refresh/messages.ts';
import { addMoves, movedImagesSchema } from '../../src/refresh/moved-image.ts';

const first = { label: 'web', from: '1.0.4', to: '1.0.5', policy: 'semver ~1.0' };

test('an image that moved twice moved from the first to the last, by the policy of the last', () => {
  const second = { label: 'web', from: '1.0.5', to: '1.1.0', policy: 'semver ~1' };
  expect(movedMessage(addMoves(addMoves([], [first]), [second]))).toBe('web: 1.0.4 -> 1.1.0 (semver ~1)');
});

test('what an earlier version kept without a policy is read, and told without one', () => {
  const kept = v.parse(movedImagesSchema, [{ label: 'api', from: '1', to: '2' }, first]);
  expect(movedMessage(kept)).toBe('api: 1 -> 2; web: 1.0.4 -> 1.0.5 (semver ~1.0)');
});

test('texts of tenants are cut, and images beyond the fifth are counted', () => {
  const long = { ...first, policy: 'x'.repeat(10_000) };
  expect(addMoves([], [long])[0]?.policy).toHaveLength(201);
  const many = Array.from({ length: 30 }, (_, at) => ({ ...first, label: `web-${at}` }));
  expect(movedMessage(addMoves([], many))).toMatch(/; and 15 more$/);
});
