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
  {
    name: 'that a controller lists once for applications that know nothing',
    subject: /on one repository, nothing known: requests/,
    met: true,
  },
  {
    name: 'that a controller lists once an interval, however many applications are rendered',
    subject: /each rendered once in every interval: requests/,
    met: true,
  },
  { name: 'that a controller patches nothing while nothing changes', subject: /: patches of Applications/, met: true },
  // Times are for people to judge: a test that failed by them would fail with the machine's load.
  { name: 'what a kustomize application of one image costs', subject: /^kustomize, 1 image: time/, met: false },
  { name: 'what a Helm application costs', subject: /^Helm, 1 image: time/, met: false },
  { name: 'what selecting from many tags costs', subject: /^select from \d+ tags, newest-build with/, met: false },
  {
    name: 'what editing a large rendering costs',
    subject: /^rendering .*: finding, editing and verifying/,
    met: false,
  },
  {
    name: 'what kustomize with a controller costs',
    subject: /^kustomize, 1 image, controller by http: time/,
    met: false,
  },
  {
    name: 'what Helm with a controller costs by TLS',
    subject: /^Helm, 3 images, each of its own, controller by https: time/,
    met: false,
  },
  { name: 'what an answer of the controller costs', subject: /^controller, 3 images, one client: answer/, met: false },
  { name: 'what the controller needs of memory', subject: /registrations over .*: memory/, met: false },
  { name: 'what the controller needs of a core', subject: /nothing changes: CPU/, met: false },
  { name: 'how soon the controller is ready', subject: /from start to ready/, met: false },
])('the benchmark tells $name', ({ subject, met }) => {
  expect(lineOf(subject)).toMatch(met ? / met$/ : / (met|MISSED)$/);
});
