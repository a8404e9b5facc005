// Builds the real programs that tests and the demo run, with the Go toolchain, at pinned versions, into .tools/ (ignored
// by git). Plain JavaScript for Node 20, because it runs before anything is installed.
//
//   node test/tools/build.mjs [name…]      without names: all of them

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const toolsDirectory = resolve(here, '../../.tools');

/** `install`: a module that builds by itself. `module`: a folder with its own go.mod and go.sum, seen from here. `variables`: set by the linker. `minutes`: cold, on two cores. */
const TOOLS = {
  kustomize: {
    version: '5.8.1',
    install: 'sigs.k8s.io/kustomize/kustomize/v5@v5.8.1',
    binary: 'kustomize',
    minutes: 1,
  },
  helm4: { version: '4.2.1', install: 'helm.sh/helm/v4/cmd/helm@v4.2.1', binary: 'helm', minutes: 2 },
  helm3: { version: '3.19.4', install: 'helm.sh/helm/v3/cmd/helm@v3.19.4', binary: 'helm', minutes: 2 },
  registry: {
    version: '3.1.2',
    module: 'registry',
    target: 'github.com/distribution/distribution/v3/cmd/registry',
    binary: 'registry',
    minutes: 2,
  },
  client: { module: '../../plugin/client', target: '.', binary: 'image-resolver-generate', minutes: 1 },
  oracle: { module: 'oracle', target: '.', binary: 'oracle', minutes: 1 },
  argocd: {
    version: '3.2.11',
    module: 'argocd',
    target: 'github.com/argoproj/argo-cd/v3/cmd',
    binary: 'argocd',
    links: ['argocd-cmp-server', 'argocd-repo-server', 'argocd-application-controller'],
    minutes: 5,
  },
  'kube-apiserver': {
    version: '1.34.3',
    module: 'kube',
    target: 'k8s.io/kubernetes/cmd/kube-apiserver',
    binary: 'kube-apiserver',
    // Without them it says that it is v0.0.0.
    variables: {
      'k8s.io/component-base/version.gitVersion': 'v1.34.3',
      'k8s.io/component-base/version.gitMajor': '1',
      'k8s.io/component-base/version.gitMinor': '34',
    },
    minutes: 4,
  },
  etcd: { version: '3.6.7', module: 'etcd', target: 'go.etcd.io/etcd/server/v3', binary: 'etcd', minutes: 1 },
  redis: { module: 'redis', target: '.', binary: 'redis', minutes: 1 },
};

export const TOOL_NAMES = Object.keys(TOOLS);

/** Where a tool's program is or will be. A module without a version is named by its content, so that a change rebuilds it. */
export function toolDirectory(name) {
  const tool = TOOLS[name];
  return join(toolsDirectory, `${name}-${tool.version ?? contentHash(join(here, tool.module))}`);
}

function contentHash(folder) {
  const hash = createHash('sha256');
  for (const file of readdirSync(folder).toSorted()) hash.update(file).update(readFileSync(join(folder, file)));
  return hash.digest('hex').slice(0, 12);
}

/** Other names a program is started under, where its role depends on its name; a name that was added later is made up for. */
function link(name, directory) {
  const tool = TOOLS[name];
  for (const other of tool.links ?? []) {
    if (!existsSync(join(directory, other))) symlinkSync(tool.binary, join(directory, other));
  }
}

function linkerFlags(tool) {
  const flags = Object.entries(tool.variables ?? {}).map(([name, value]) => `-X=${name}=${value}`);
  return flags.length === 0 ? [] : [`-ldflags=${flags.join(' ')}`];
}

function run(command, args, options) {
  return new Promise((done, failed) => {
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], ...options });
    child.on('error', (error) => {
      failed(
        error.code === 'ENOENT'
          ? new Error(`${command} is not on PATH: install Go 1.25 or later, https://go.dev/dl`)
          : error,
      );
    });
    child.on('close', (code, signal) =>
      code === 0 ? done() : failed(new Error(`${command} ${args.join(' ')} ended with ${signal ?? code}`)),
    );
  });
}

/** Builds one tool unless it is there; answers its program's path. */
export async function buildTool(name) {
  const tool = TOOLS[name];
  if (tool === undefined) throw new Error(`unknown tool ${name}; there are ${Object.keys(TOOLS).join(', ')}`);
  const directory = toolDirectory(name);
  const program = join(directory, tool.binary);
  if (existsSync(program)) {
    link(name, directory);
    return program;
  }
  process.stderr.write(
    `building ${name}${tool.version ? ` ${tool.version}` : ''} with Go, once; up to ${tool.minutes} min on two cores\n`,
  );
  const unfinished = `${directory}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  try {
    const env = { ...process.env, GOBIN: unfinished, CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' };
    if (tool.install !== undefined) await run('go', ['install', '-trimpath', tool.install], { env, cwd: unfinished });
    else
      await run(
        'go',
        ['build', '-trimpath', '-mod=readonly', ...linkerFlags(tool), '-o', join(unfinished, tool.binary), tool.target],
        {
          env,
          cwd: join(here, tool.module),
        },
      );
    link(name, unfinished);
    // Whole or not at all: a build that was killed leaves no half tool behind under the final name.
    if (!existsSync(program)) renameSync(unfinished, directory);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return program;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const names = process.argv.length > 2 ? process.argv.slice(2) : TOOL_NAMES;
  for (const name of names) await buildTool(name);
}
