import { expect, test } from 'vitest';
import { explainRejection, parseConstraint, satisfies, type Constraint } from '../../src/image/constraint.ts';
import { parseVersion, type Version } from '../../src/image/version.ts';

function constraint(text: string): Constraint {
  const result = parseConstraint(text);
  if (!result.ok) throw new Error(result.problem);
  return result.value;
}

function version(text: string): Version {
  const found = parseVersion(text);
  if (found === undefined) throw new Error(`no version: ${text}`);
  return found;
}

test.for([
  { text: '~0-0', takes: ['0.1.0-rc.1', '0.1.0', '0.2.0-beta.1', '0.9.0'], refuses: [] },
  { text: '~0', takes: ['0.1.0', '0.2.0'], refuses: ['0.1.0-rc.1', '1.0.0'] },
  { text: '1.x', takes: ['1.0.0', '1.5.2'], refuses: ['0.9.0', '2.0.0', '1.5.0-rc.1'] },
  { text: '~1.2', takes: ['1.2.0', '1.2.5'], refuses: ['1.1.9', '1.3.0'] },
  { text: '~1.0', takes: ['v1.0.5', 'v1.0.6'], refuses: ['v1.1.0', 'v2.0.0'] },
  { text: '~1.0.0', takes: ['1.0.0', '1.0.99'], refuses: ['1.1.0', '0.9.9'] },
  { text: '^1.0', takes: ['1.0.0', '1.9.9'], refuses: ['2.0.0', '0.9.9'] },
  { text: '^1.0.0', takes: ['1.0.0', '1.1.0', '1.99.0'], refuses: ['2.0.0', '0.9.9'] },
  { text: '>=1.0.0', takes: ['1.0.0', '2.0.0', '20240101'], refuses: ['0.9.9', '2.0.0-rc.1'] },
  { text: '2.x-0', takes: ['2.0.0-rc.1', '2.4.0'], refuses: ['1.9.0', '3.0.0'] },
  { text: '', takes: ['0.0.0', '1.2.3', '8123456'], refuses: ['1.25-alpine'] },
  { text: '>=1.0, <2', takes: ['1.5.0'], refuses: ['2.0.0'] },
  { text: '>=1.0.0-0 <2', takes: ['1.5.0-rc.1', '2.0.0-rc.1'], refuses: ['2.0.0'] },
])('"$text" takes $takes and refuses $refuses', ({ text, takes, refuses }) => {
  const parsed = constraint(text);
  expect(takes.filter((each) => !satisfies(parsed, version(each)))).toEqual([]);
  expect(refuses.filter((each) => satisfies(parsed, version(each)))).toEqual([]);
});

test.for([
  { name: 'keeps what was written, trimmed', text: '  ~1.0\n', want: '~1.0' },
  { name: 'is * when nothing was written', text: ' ', want: '*' },
])('the text of a constraint $name', ({ text, want }) => {
  expect(constraint(text).text).toBe(want);
});

test.for([
  { text: 'latest', problem: /"latest" where a version is expected/ },
  { text: '>=1 <', problem: /"<" where a version is expected/ },
  { text: '>=1.0 &&', problem: /"&&"/ },
  { text: '1 ||', problem: /nothing beside it/ },
  { text: '||1', problem: /nothing beside it/ },
  { text: '1,', problem: /nothing beside it/ },
  { text: '1|2', problem: /"1\|2", which is no version/ },
  { text: '18446744073709551616', problem: /which is no version/ },
  { text: '1.2.3.4', problem: /".4" where/ },
  { text: '\u202e1', problem: /a character that cannot stand/ },
  { text: `${'1 '.repeat(128)}1`, problem: /longer than 256/ },
])('"$text" is refused, and the message says why', ({ text, problem }) => {
  expect(parseConstraint(text)).toMatchObject({ ok: false, problem: expect.stringMatching(problem) as string });
});

test('a constraint made to be split in endlessly many ways is refused at once', () => {
  // Masterminds' own expression, run by a backtracking engine, would not end within the test's time.
  expect(parseConstraint(`${'1  '.repeat(85)}!`).ok).toBe(false);
  expect(parseConstraint(`${' '.repeat(255)}!`).ok).toBe(false);
  expect(parseConstraint(`1-${'-'.repeat(253)}!`).ok).toBe(false);
});

test.for([
  { name: 'nothing when it is in', text: '~1.0', version: '1.0.1', want: undefined },
  { name: 'the constraint when it is out', text: '~1.0', version: '1.1.0', want: 'constraint ~1.0' },
  { name: 'the part that failed of several', text: '>=1.0 <2', version: '2.1.0', want: 'constraint >=1.0 <2 (not <2)' },
  { name: 'the whole of alternatives', text: '^1 || ^3', version: '2.1.0', want: 'constraint ^1 || ^3' },
  {
    name: 'that a prerelease was not asked for',
    text: '~1.0',
    version: '1.0.7-rc.1',
    want: 'constraint ~1.0 (it names no prerelease, and this is one)',
  },
  {
    name: 'the constraint for a prerelease that is out anyway',
    text: '~1.0',
    version: '1.1.0-rc.1',
    want: 'constraint ~1.0',
  },
])('of a version it says $name', ({ text, version: versionText, want }) => {
  expect(explainRejection(constraint(text), version(versionText))).toBe(want);
});
