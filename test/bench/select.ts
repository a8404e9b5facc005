import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Size } from './fixture.ts';
import { costOf, inMs, interleaved, type Program, runProgram, sampleOf } from './measure.ts';
import type { Row } from './table.ts';

const PROGRAM = fileURLToPath(new URL('../../dist/image-resolver', import.meta.url));
const GOAL_MS = 1_000;
const GOAL_MB = 300;

/** What `select` takes for many tags: one version in three is none that may be taken. */
export async function measureSelect(size: Size): Promise<readonly Row[]> {
  const tags = Array.from(
    { length: size.selectFrom },
    (_, index) => `v1.${index % 100}.${Math.floor(index / 100)}${index % 3 === 0 ? '-rc.1' : ''}`,
  );
  const names = tags.join('\n');
  const dated = tags.map((tag, index) => `${tag}\t${new Date(Date.UTC(2020, 0, 1) + index * 60_000).toISOString()}`);
  const inputs = { semver: names, alphabetical: names, 'newest-build': dated.join('\n') };
  const filter = ['--allow-tags', String.raw`regexp:^v[0-9]+\.[0-9]+\.[0-9]+$`];
  const rows: Row[] = [];
  for (const [strategy, input] of Object.entries(inputs)) {
    for (const filters of [[], filter]) {
      const constraint = strategy === 'semver' ? ['--constraint', '>=1.0'] : [];
      const program = selectProgram(['--strategy', strategy, ...constraint, ...filters], input);
      const times = await interleaved(Math.min(size.rounds, 5), { select: async () => runProgram(program) });
      const took = sampleOf(times.select);
      const { peakMb } = await costOf(1, async (hook) =>
        runProgram({ ...program, environment: { ...program.environment, ...hook } }),
      );
      rows.push({
        subject: `select from ${size.selectFrom} tags, ${strategy}${filters.length > 0 ? ' with a regular expression' : ''}`,
        figure: `${inMs(took)}, ${peakMb.toFixed(0)} MB`,
        goal: `< ${GOAL_MS} ms, ${GOAL_MB} MB`,
        met: took.median < GOAL_MS && peakMb < GOAL_MB,
      });
    }
  }
  return rows;
}

function selectProgram(options: readonly string[], input: string): Program {
  return {
    command: process.execPath,
    args: [PROGRAM, 'select', ...options],
    cwd: tmpdir(),
    environment: { PATH: '/usr/bin:/bin' },
    input,
  };
}
