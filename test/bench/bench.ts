// What the project costs, beside the goals it has. `npm run bench`; with --quick just enough to see that it works; with
// the names of subjects only those.

import { cpus, loadavg, tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { measureControllerLatency } from './controller-latency.ts';
import { measureControllerSharing } from './controller-sharing.ts';
import { measureControllerSize } from './controller-size.ts';
import { FULL, QUICK, type Size, warmUp } from './fixture.ts';
import { millisecondsOf, runProgram, sampleOf } from './measure.ts';
import { measureNewestBuild } from './newest-build.ts';
import { measureRendering } from './rendering.ts';
import { measureSelect } from './select.ts';
import { measureSharing } from './sharing.ts';
import { measureStartUp } from './start-up.ts';
import { formatTable, type Row } from './table.ts';
import { measureWithController } from './with-controller.ts';

const SUBJECTS: Readonly<Record<string, (size: Size) => Promise<readonly Row[]>>> = {
  'start-up': measureStartUp,
  sharing: measureSharing,
  'newest-build': measureNewestBuild,
  select: measureSelect,
  rendering: measureRendering,
  'with-controller': measureWithController,
  'controller-latency': measureControllerLatency,
  'controller-sharing': measureControllerSharing,
  'controller-size': measureControllerSize,
};

const { values, positionals } = parseArgs({ options: { quick: { type: 'boolean' } }, allowPositionals: true });
const size = values.quick === true ? QUICK : FULL;
const chosen = positionals.length === 0 ? Object.keys(SUBJECTS) : positionals;
const rows: Row[] = [];
await warmUp();
for (const name of chosen) {
  const measure = SUBJECTS[name];
  if (measure === undefined) throw new Error(`no subject ${name}; there are ${Object.keys(SUBJECTS).join(', ')}`);
  process.stderr.write(`measuring ${name}\n`);
  rows.push(...(await measure(size)));
}
// Machines differ by more than programs do: figures of two of them compare by this.
const starts: number[] = [];
for (let count = 0; count < 9; count++)
  starts.push(
    await millisecondsOf(async () =>
      runProgram({ command: process.execPath, args: ['-e', '0'], cwd: tmpdir(), environment: {} }),
    ),
  );
const load = loadavg().map((value) => value.toFixed(1));
console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, load ${load.join(' ')}`);
console.log(`An empty Node takes ${sampleOf(starts).median.toFixed(0)} ms here, from its start to its end.`);
console.log(
  'Times are medians of runs that alternate with their baseline, and in parentheses the middle half of them.',
);
if (size === QUICK) console.log('--quick: the sizes are small and the figures say nothing.');
console.log(`\n${formatTable(rows)}`);
