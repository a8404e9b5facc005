import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';

let table = '';

beforeAll(async () => {
  const bench = fileURLToPath(new URL('bench.ts', import.meta.url));
  table = (await promisify(execFile)(process.execPath, [bench, '--quick'])).stdout;
});

/** The line about a subject. */
function lineOf(subject: RegExp): string {
  return table.split('\n').find((line) => subject.test(line)) ?? `nothing about ${subject.source} in\n${table}`;
}

test.for([
  {
    name: 'that applications one after the other share a listing',
    subject: /one after the other: listings/,
    met: true,
  },
  {
    name: 'that applications at once take two listings at most',
    subject: /all at once, nothing known: listings/,
    met: true,
  },
  { name: 'that newest-build asks at most twice for each tag', subject: /nothing known: requests/, met: true },
  {
    name: 'that newest-build looks again with one listing and one HEAD',
    subject: /looking again: requests/,
    met: true,
  },
  // Times are for people to judge: a test that failed by them would fail with the machine's load.
  { name: 'what a kustomize application of one image costs', subject: /^kustomize, 1 image: time/, met: false },
  { name: 'what a Helm application costs', subject: /^Helm, 1 image: time/, met: false },
  { name: 'what selecting from many tags costs', subject: /^select from \d+ tags, newest-build with/, met: false },
  {
    name: 'what editing a large rendering costs',
    subject: /^rendering .*: finding, editing and verifying/,
    met: false,
  },
])('the benchmark tells $name', ({ subject, met }) => {
  expect(lineOf(subject)).toMatch(met ? / met$/ : / (met|MISSED)$/);
});
