import { expect, test } from 'vitest';
import { parseDigest, parseTag, type Digest, type Tag } from '../../src/image/reference.ts';
import { writtenParts } from '../../src/policy/output.ts';
import { readOne } from './support.ts';

const TAG = tag('1.0.6');
const DIGEST = digest('a');

function tag(text: string): Tag {
  const answer = parseTag(text);
  if (!answer.ok) throw new Error(answer.problem);
  return answer.value;
}

function digest(character: string): Digest {
  const answer = parseDigest(`sha256:${character.repeat(64)}`);
  if (!answer.ok) throw new Error(answer.problem);
  return answer.value;
}

test.for([
  { strategy: 'semver', output: undefined, want: { tag: TAG } },
  { strategy: 'alphabetical', output: undefined, want: { tag: TAG } },
  { strategy: 'newest-build', output: undefined, want: { tag: TAG, digest: DIGEST } },
  { strategy: 'digest', output: undefined, want: { tag: TAG, digest: DIGEST } },
  { strategy: 'semver', output: 'tag@digest', want: { tag: TAG, digest: DIGEST } },
  { strategy: 'semver', output: 'digest', want: { digest: DIGEST } },
  { strategy: 'newest-build', output: 'tag', want: { tag: TAG } },
  { strategy: 'digest', output: 'digest', want: { digest: DIGEST } },
])('$strategy with output $output writes $want', async ({ strategy, output, want }) => {
  const policy = await readOne('a=nginx', {
    'a.update-strategy': strategy,
    ...(output !== undefined && { 'a.output': output }),
  });
  expect(writtenParts(policy, { tag: TAG, digest: DIGEST })).toEqual(want);
});

test('a pin is written as it is, whatever the output says', async () => {
  const pinnedTag = await readOne('a=nginx', { 'a.pin': '1.0.5', 'a.output': 'tag@digest' });
  expect(writtenParts(pinnedTag, { tag: TAG, digest: DIGEST })).toEqual({ tag: '1.0.5' });
  const pinnedDigest = await readOne('a=nginx', { 'a.pin': digest('c'), 'a.output': 'tag' });
  expect(writtenParts(pinnedDigest, { digest: DIGEST })).toEqual({ digest: digest('c') });
});

test('a digest that is to be written and is not there is a bug, not a tag alone', async () => {
  const policy = await readOne('a=nginx', { 'a.update-strategy': 'digest' });
  expect(() => writtenParts(policy, { tag: TAG })).toThrow('was not looked up');
});
