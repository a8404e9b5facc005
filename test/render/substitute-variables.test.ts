import { expect, test } from 'vitest';
import { substituteVariables } from '../../src/render/substitute-variables.ts';

/** What Go's os.Expand with Argo CD's mapping gives, run with Go 1.26. */
test.for([
  { text: 'a $NAME b', want: 'a shop b' },
  { text: '${NAME}-$NAME', want: 'shop-shop' },
  { text: '$NAMEx ${NAME}x', want: ' shopx' },
  { text: '$UNKNOWN|${UNKNOWN}', want: '|' },
  { text: '$$NAME', want: '$NAME' },
  { text: '${$}', want: '$' },
  { text: '100$', want: '100$' },
  { text: 'a$ b$-c$1d', want: 'a$ bcd' },
  { text: '${}x', want: 'x' },
  { text: '${NAME', want: 'NAME' },
  { text: '${a b}c', want: 'c' },
  { text: '$é', want: '$é' },
  { text: '$__proto__ $constructor', want: ' ' },
])('$text becomes $want', ({ text, want }) => {
  expect(substituteVariables(text, { NAME: 'shop' })).toBe(want);
});

test('a value is not looked at again', () => {
  expect(substituteVariables('$A', { A: '$B', B: 'x' })).toBe('$B');
});
