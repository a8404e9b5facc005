import { spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** A program to run, with nothing of this process's environment but what is given. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** Runs a program to its end; its output. A failure ends the benchmark. */
export async function runProgram({ command, args, cwd, environment, input }: Program): Promise<string> {
  const child = spawn(command, args, { cwd, env: environment, stdio: ['pipe', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => (said[name] += text));
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const code = await new Promise<number | null>((done, failed) => {
    child.once('error', failed);
    child.once('close', done);
  });
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${said.stderr}`);
  return said.stdout;
}

/** What several runs took, in milliseconds. */
export interface Sample {
  readonly least: number;
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** Median and quartiles. */
export function sampleOf(values: readonly number[]): Sample {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number): number => sorted[Math.floor((sorted.length - 1) * part)] ?? NaN;
  return { least: at(0), median: at(0.5), low: at(0.25), high: at(0.75) };
}

export async function millisecondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - start) / 1e6;
}

/**
 * Times several things in turn, again and again, so that whatever else the machine does hits all of them alike. One round
 * before is not counted: it fills the caches.
 *
 * @returns the times of each, in the order of the rounds.
 */
export async function interleaved<Name extends string>(
  rounds: number,
  works: Readonly<Record<Name, () => Promise<unknown>>>,
): Promise<Readonly<Record<Name, readonly number[]>>> {
  const names = Object.keys(works) as Name[];
  const times = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>;
  for (let round = 0; round <= rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const took = await millisecondsOf(works[name]);
      if (round > 0) times[name].push(took);
    }
  }
  return times;
}

/** What one thing took more than another, round by round. */
export function addedOver(subject: readonly number[], baseline: readonly number[]): Sample {
  return sampleOf(subject.map((took, round) => took - (baseline[round] ?? NaN)));
}

/** `61 ms (58 to 66)`: median and the middle half. */
export function inMs({ median, low, high }: Sample): string {
  return `${median.toFixed(0)} ms (${low.toFixed(0)} to ${high.toFixed(0)})`;
}

/** What a Node process used, without the programs that it started. */
export interface Cost {
  /** The most it held at any moment, in MB (10^6 bytes). */
  readonly peakMb: number;
  /** On all cores together, in milliseconds. Unlike time it hardly depends on what else the machine does. */
  readonly cpuMs: number;
}

const HOOK = fileURLToPath(new URL('process-cost.cjs', import.meta.url));

/** What a process costs, in runs of their own: the most memory of all, and the median of CPU time. */
export async function costOf(
  runs: number,
  run: (environment: Readonly<Record<string, string>>) => Promise<unknown>,
): Promise<Cost> {
  const file = join(tmpdir(), `bench-cost-${process.pid}`);
  const peaks: number[] = [];
  const cpu: number[] = [];
  try {
    for (let done = 0; done < runs; done++) {
      await run({ NODE_OPTIONS: `--require=${HOOK}`, BENCH_COST_FILE: file });
      const [bytes, microseconds] = JSON.parse(await readFile(file, 'utf8')) as readonly [number, number];
      peaks.push(bytes / 1e6);
      cpu.push(microseconds / 1e3);
    }
    return { peakMb: Math.max(...peaks), cpuMs: sampleOf(cpu).median };
  } finally {
    await rm(file, { force: true });
  }
}

/** The most a program held while it ran, in MB (10^6 bytes), as seen from outside: for programs that are not Node's. */
export async function peakOf({
  pid,
  ended,
}: {
  readonly pid: number;
  readonly ended: Promise<unknown>;
}): Promise<number> {
  let kilobytes = 0;
  const over = ended.then(() => true);
  do {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    kilobytes = Math.max(kilobytes, Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0));
  } while (!(await Promise.race([over, sleep(1, false)])));
  if (kilobytes === 0) throw new Error('it ended before its memory could be read');
  return (kilobytes * 1024) / 1e6;
}

/** Memory of a process that stays, in MB (10^6 bytes). */
export interface Resident {
  /** All of it. */
  readonly mb: number;
  /** Without what it shares with other processes of the same program. */
  readonly ownMb: number;
}

/** What a process holds now. */
export async function residentOf(pid: number): Promise<Resident> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  const mbOf = (name: string): number =>
    (Number(new RegExp(`^${name}: +([0-9]+) kB$`, 'm').exec(text)?.[1]) * 1024) / 1e6;
  return { mb: mbOf('Rss'), ownMb: mbOf('Private_Clean') + mbOf('Private_Dirty') };
}
