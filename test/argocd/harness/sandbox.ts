// A folder and the programs that run in it. All of them end when the test process does, however it ends.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, realpath } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A program that was started in a sandbox. */
export interface Program {
  readonly name: string;
  readonly pid: number;
  readonly running: boolean;
  /** Everything it wrote so far, to stdout and stderr. */
  log(): Promise<string>;
  /** Sends the signal (default SIGKILL) and waits for the end. */
  end(signal?: NodeJS.Signals): Promise<void>;
}

export interface ProgramOptions {
  /** For messages and the log's file name. */
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  /** All of it: nothing is inherited. */
  readonly environment: Readonly<Record<string, string>>;
  /** Asked again and again until it is so. */
  readonly ready?: (log: string) => boolean | Promise<boolean>;
}

export interface Sandbox extends AsyncDisposable {
  /** Removed at the end. */
  readonly folder: string;
  /** Makes a folder below it. */
  directory(...path: readonly string[]): Promise<string>;
  start(options: ProgramOptions): Promise<Program>;
  /** The last lines of every log, without what Argo CD says of each call and each run of Git. */
  lastLines(count: number): Promise<string>;
  /** Lets the logs stay after the end; answers where. */
  keepLogs(): string;
}

const READY_WITHIN_MS = 60_000;
const LOOK_AGAIN_MS = 20;
const LONGEST_LINE = 600;
const NOISE = /"grpc\.method"|"msg":"git |"msg":"Trace"|GetRepoObjs stats|Ignore status for all/;

/**
 * Reads `started <pid>`, `ended <pid>` and `keep`. The end of the input is the end of the test process, even by SIGKILL: then
 * whatever still runs is killed and the folders are removed.
 */
const GUARD = `
trap '' INT TERM HUP
pids='' keep=''
while read -r word pid; do
  case $word in
    started) pids="$pids $pid " ;;
    ended) pids=$(printf '%s' "$pids" | sed "s/ $pid / /") ;;
    keep) keep=yes ;;
  esac
done
kill -9 $pids 2>/dev/null
rm -rf -- "$1" || { sleep 1; rm -rf -- "$1"; }
[ -n "$keep" ] || rm -rf -- "$2"
`;

/** Opens an empty sandbox. */
export async function openSandbox(name: string): Promise<Sandbox> {
  // Short: paths of Unix sockets below it have 104 bytes at most.
  const folder = await realpath(await mkdtemp(join(tmpdir(), `${name}-`)));
  const logs = await mkdtemp(join(tmpdir(), `${name}-logs-`));
  const guard = spawn('/bin/sh', ['-c', GUARD, 'guard', folder, logs], {
    detached: true, // an interrupt from the keyboard goes to the others only
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.unref();
  const programs = new Set<Program>();
  const names = new Map<string, number>();

  function logFileOf(program: string): string {
    const number = (names.get(program) ?? 0) + 1;
    names.set(program, number);
    return join(logs, number === 1 ? `${program}.log` : `${program}-${number}.log`);
  }

  async function start(options: ProgramOptions): Promise<Program> {
    const logFile = logFileOf(options.name);
    const output = openSync(logFile, 'a');
    const child = spawn(options.program, options.args, {
      cwd: folder,
      env: { ...options.environment },
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    const program = programOf(options.name, child, logFile);
    guard.stdin.write(`started ${program.pid}\n`);
    programs.add(program);
    child.once('exit', () => {
      programs.delete(program);
      if (guard.stdin.writable) guard.stdin.write(`ended ${program.pid}\n`);
    });
    if (options.ready !== undefined) await untilReady(program, options.ready);
    return program;
  }

  return {
    folder,
    start,
    async directory(...path) {
      const whole = join(folder, ...path);
      await mkdir(whole, { recursive: true });
      return whole;
    },
    async lastLines(count) {
      const files = (await readdir(logs)).toSorted();
      const tails = files.map(async (file) => {
        const lines = (await readFile(join(logs, file), 'utf8')).trimEnd().split('\n');
        const telling = lines.filter((line) => !NOISE.test(line)).map((line) => line.slice(0, LONGEST_LINE));
        return [`== ${file}`, ...telling.slice(-count)].join('\n');
      });
      return (await Promise.all(tails)).join('\n');
    },
    keepLogs() {
      if (guard.stdin.writable) guard.stdin.write('keep\n');
      return logs;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...programs].map(async (program) => program.end()));
      guard.ref();
      const ended = once(guard, 'exit');
      guard.stdin.end();
      await ended;
    },
  };
}

function programOf(name: string, child: ChildProcess, logFile: string): Program {
  child.on('error', () => undefined); // `running` says so
  return {
    name,
    pid: child.pid ?? -1,
    get running() {
      return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
    },
    log: async () => readFile(logFile, 'utf8'),
    async end(signal = 'SIGKILL') {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    },
  };
}

async function untilReady(program: Program, ready: (log: string) => boolean | Promise<boolean>): Promise<void> {
  const until = performance.now() + READY_WITHIN_MS;
  while (!(await ready(await program.log()))) {
    if (!program.running) throw new Error(`${program.name} ended:\n${await program.log()}`);
    if (performance.now() > until) throw new Error(`${program.name} is not ready in time:\n${await program.log()}`);
    await new Promise((done) => setTimeout(done, LOOK_AGAIN_MS));
  }
}

/** A loopback port that nobody listens on now, for programs that cannot choose one themselves. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
