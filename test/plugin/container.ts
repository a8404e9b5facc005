// Runs a program as a container engine would, with util-linux alone: its own process, mount and (where we are not root)
// user namespace, a root file system of its own, no capabilities and no way to new privileges.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A file or folder of this machine, shown at a place in the container. */
export interface Mount {
  readonly from: string;
  /** Absolute, in the container. */
  readonly to: string;
  readonly writable?: true;
}

export interface ContainerOptions {
  /** Folder that becomes `/`. */
  readonly root: string;
  readonly mounts: readonly Mount[];
  /** As while an image is built: `/` can be written and root keeps its capabilities. */
  readonly building?: true;
  /** Where we are root; else the namespace maps our own user. */
  readonly user: number;
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly command: readonly string[];
}

/** A process of the container, with this machine's ids. */
export interface ContainerProcess {
  readonly pid: number;
  readonly name: string;
  /** `Z` is a zombie. */
  readonly state: string;
}

export interface Container {
  /** What it wrote so far, both streams. */
  output(): string;
  /** Ends with the exit code of process 1. */
  readonly ended: Promise<number | null>;
  processes(): readonly ContainerProcess[];
  /** Of process 1, as `/proc/<pid>/status` says: `CapEff`, `NoNewPrivs`, `Uid`. */
  status(field: string): string | undefined;
  /** A signal to process 1. */
  signal(signal: NodeJS.Signals): void;
  remove(): Promise<void>;
}

const isRoot = process.getuid?.() === 0;
const namespaces = ['--mount', '--pid', '--fork', '--kill-child', ...(isRoot ? [] : ['--user', '--map-root-user'])];

/** Whether this machine lets us. */
export function canRunContainers(): boolean {
  try {
    execFileSync('unshare', [...namespaces, 'setpriv', '--no-new-privs', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const UNPRIVILEGED = ['--no-new-privs', '--bounding-set=-all', '--inh-caps=-all'];

/** What the base image brings and this machine has, too: the shell, its tools and the libraries. */
const SYSTEM_FOLDERS = ['usr/bin', 'usr/sbin', 'usr/lib', 'usr/lib64', 'bin', 'sbin', 'lib', 'lib64'];

/** Arguments: root, ro or rw, number of mounts, from, to and mode of each, then the command. */
const SCRIPT = `
root=$1 mode=$2 count=$3
shift 3
mount --bind "$root" "$root"
while [ "$count" -gt 0 ]; do
  mount --rbind "$1" "$root$2"
  [ "$3" = rw ] || mount -o remount,bind,ro "$root$2"
  shift 3
  count=$((count - 1))
done
mount -t tmpfs tmpfs "$root/tmp"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
[ "$mode" = rw ] || mount -o remount,bind,ro "$root"
exec chroot "$root" "$@"
`;

/** Starts it. Only `/tmp` and writable mounts can be written, unless it is `building`. */
export function startContainer(options: ContainerOptions): Container {
  const mounts = [...systemMounts(options.root), ...options.mounts];
  for (const { from, to } of mounts) makeMountPoint(from, join(options.root, to));
  for (const folder of ['tmp', 'dev', 'proc']) mkdirSync(join(options.root, folder), { recursive: true });
  const mode = (writable: boolean): string => (writable ? 'rw' : 'ro');
  const namespaced = [...namespaces, 'sh', '-euc', SCRIPT, 'sh', options.root, mode(options.building ?? false)];
  const shown = mounts.flatMap(({ from, to, writable }) => [from, to, mode(writable ?? false)]);
  const user = [`--reuid=${options.user}`, `--regid=${options.user}`, '--clear-groups'];
  // With another user id the kernel forgets what --kill-child asked for, so setpriv asks again.
  const privileges = [
    'setpriv',
    '--pdeathsig=KILL',
    ...(options.building ? [] : UNPRIVILEGED),
    ...(isRoot ? user : []),
  ];
  const variables = Object.entries(options.environment).map(([name, value]) => `${name}=${value}`);
  const environment = ['env', '--ignore-environment', `--chdir=${options.directory}`, ...variables];
  const child = spawn(
    'unshare',
    [...namespaced, String(mounts.length), ...shown, ...privileges, ...environment, ...options.command],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  return containerOf(child);
}

function containerOf(child: ChildProcess): Container {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => (output += text));
  const killAtExit = (): boolean => child.kill('SIGKILL');
  process.once('exit', killAtExit);
  const ended = once(child, 'close').then(([code]) => {
    process.off('exit', killAtExit);
    return code as number | null;
  });
  const first = (): number | undefined => allProcesses().find(({ parent }) => parent === child.pid)?.pid;
  const processes = (): readonly ContainerProcess[] => {
    const one = first();
    const namespace = one === undefined ? undefined : namespaceOf(one);
    return namespace === undefined ? [] : allProcesses().filter(({ pid }) => namespaceOf(pid) === namespace);
  };
  return {
    output: () => output,
    ended,
    processes,
    status: (field) => {
      const text = readFileSync(`/proc/${first()}/status`, 'utf8');
      return new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(text)?.[1];
    },
    signal: (signal) => {
      const pid = first();
      if (pid !== undefined) process.kill(pid, signal);
    },
    remove: async () => {
      // --kill-child takes process 1 along, and with process 1 all others go.
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function systemMounts(root: string): readonly Mount[] {
  return SYSTEM_FOLDERS.flatMap((folder): Mount[] => {
    const origin = lstatSync(`/${folder}`, { throwIfNoEntry: false });
    if (origin === undefined) return [];
    if (!origin.isSymbolicLink()) return [{ from: `/${folder}`, to: `/${folder}` }];
    const link = join(root, folder);
    mkdirSync(dirname(link), { recursive: true });
    if (lstatSync(link, { throwIfNoEntry: false }) === undefined) symlinkSync(readlinkSync(`/${folder}`), link);
    return [];
  });
}

function makeMountPoint(from: string, to: string): void {
  if (lstatSync(to, { throwIfNoEntry: false }) !== undefined) return;
  mkdirSync(dirname(to), { recursive: true });
  if (lstatSync(from).isDirectory()) mkdirSync(to);
  else writeFileSync(to, '');
}

function allProcesses(): readonly (ContainerProcess & { readonly parent: number })[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        const [, command = '', state = '', parent = ''] = /\((.*)\) (\S) (\d+)/.exec(stat) ?? [];
        return [{ pid: Number(name), name: command, state, parent: Number(parent) }];
      } catch {
        return []; // it ended in between
      }
    });
}

function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}
