// `npm run demo`: a real registry, three applications, and what becomes of their images; then newer tags are pushed.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import type { ImageReport } from '../../src/generate/image-report.ts';
import { startRealRegistry, type RealRegistry } from '../support/real-registry.ts';
import { buildTool } from '../tools/build.mjs';
import {
  APPLICATIONS,
  type DemoApplication,
  type DemoImage,
  PUSHED_FIRST,
  PUSHED_LATER,
  REGISTRY,
} from './applications.ts';
import { runCommand } from './command.ts';
import { type Row, styled, table } from './table.ts';

const dist = resolve(import.meta.dirname, '../../dist');

const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // Not `once`: Ctrl-C arrives from the terminal and again from npm, and the second must not cut the cleaning up.
  process.on(name, () => {
    process.exitCode = 128 + constants.signals[name];
    interrupted.abort(new Error(`stopped by ${name}`));
  });
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** The demo in a folder of its own, in which everything is that it and its programs write. */
async function demo(folder: string, signal: AbortSignal): Promise<void> {
  say(styled('dim', 'starting a registry on this machine'));
  await using registry = await startRealRegistry();
  await push(registry, PUSHED_FIRST, signal);
  const environment = await sidecarEnvironment(folder, registry);

  const before = await renderAll(folder, environment, new Map(), signal);
  say(`\n${styled('bold', 'Meanwhile somebody pushes:')}`);
  for (const { repository, tag } of PUSHED_LATER) say(`  ${REGISTRY}/${repository}:${tag}`);
  await push(registry, PUSHED_LATER, signal);
  const after = await renderAll(folder, environment, before, signal);

  const moved = [...after].filter(([image, becomes]) => before.get(image) !== becomes).length;
  say(`\n${moved} of ${after.size} images moved, and Git did not change.`);
}

/** What every image becomes, by application and place. */
type Outcome = ReadonlyMap<string, string>;

async function renderAll(
  folder: string,
  environment: Readonly<Record<string, string>>,
  before: Outcome,
  signal: AbortSignal,
): Promise<Outcome> {
  const outcome = new Map<string, string>();
  for (const [index, application] of APPLICATIONS.entries()) {
    const directory = join(folder, `application-${index}`);
    await checkOut(directory, application);
    const rows = await render(directory, application, environment, signal);
    say(`\n${styled('bold', application.title)}`);
    say(
      table(
        rows.map((row) => {
          const key = `${index} ${row.image}`;
          const last = before.get(key);
          outcome.set(key, row.becomes);
          return { ...row, ...(last !== undefined && last !== row.becomes && { before: last }) };
        }),
      ),
    );
  }
  return outcome;
}

/** Renders with `generate`, as Argo CD's plugin server would call it, and takes the reasons from `explain`. */
async function render(
  directory: string,
  application: DemoApplication,
  environment: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<readonly Row[]> {
  const run = async (args: readonly string[], parameters: readonly object[]): Promise<string> =>
    runCommand(join(dist, 'image-resolver'), args, {
      directory,
      environment: { ...environment, ARGOCD_APP_PARAMETERS: JSON.stringify(parameters) },
      signal,
    });
  const explain = async (parameters: readonly object[]): Promise<readonly ImageReport[]> =>
    (JSON.parse(await run(['explain', '--json'], parameters)) as { readonly images: readonly ImageReport[] }).images;

  const manifests = await run(['generate'], application.parameters);
  // Helm values are set before rendering, so what Git says is what comes out without parameters.
  const git = await explain([]);
  const images = await explain(application.parameters);
  return images.flatMap((report, index): readonly Row[] => {
    const { field } = report;
    if (field === undefined) return [];
    if (!manifests.includes(field.becomes)) throw new Error(`${field.becomes} is not in the manifests:\n${manifests}`);
    const image = `${field.resource.kind}/${field.resource.name}`;
    return [{ image, inGit: git[index]?.field?.written ?? '', becomes: field.becomes, why: reason(report) }];
  });
}

function reason({ policy, resolution }: ImageReport): string {
  if (policy === undefined || resolution === undefined) return 'no policy: it passes as written';
  const { explanation, why } = resolution;
  if (explanation === undefined || policy.choice.kind !== 'select') return why;
  const { strategy } = policy.choice.selection;
  if (strategy.kind === 'digest') return `digest: what ${strategy.tag ?? 'the tag in Git'} points at now`;
  const label = strategy.kind === 'semver' ? `semver ${strategy.constraint}` : strategy.kind;
  const refused = Map.groupBy(explanation.rejected, ({ rule }) => rule);
  const rules = [...refused].map(([rule, tags]) => `${tags.map(({ tag }) => tag).join(', ')} refused by ${rule}`);
  return [`${label}: best of ${explanation.candidates.join(', ')}`, ...rules].join('; ');
}

async function checkOut(directory: string, { files }: DemoApplication): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const file = join(directory, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
}

async function push(registry: RealRegistry, images: readonly DemoImage[], signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const pushed = images.map(({ repository, tag, built }) => ({
    repository,
    tag,
    created: `2026-${built}T12:00:00Z`,
    content: built,
  }));
  await registry.pushImages(pushed);
  say(styled('dim', `pushed ${images.length} images to ${registry.host}, which is ${REGISTRY} here`));
}

/** What a sidecar's container would have. */
async function sidecarEnvironment(folder: string, registry: RealRegistry): Promise<Readonly<Record<string, string>>> {
  const tools = [await buildTool('kustomize'), await buildTool('helm4'), process.execPath].map((tool) => dirname(tool));
  const configuration = join(folder, 'config.yaml');
  await writeFile(
    configuration,
    JSON.stringify({
      apiVersion: 'image-resolver.io/v1alpha1',
      kind: 'ResolverConfiguration',
      interval: '0s',
      state: join(folder, 'state'),
      registries: { hosts: [{ host: REGISTRY, apiUrl: registry.url, insecure: true }] },
    }),
  );
  return {
    PATH: [...tools, '/usr/bin', '/bin'].join(delimiter),
    HOME: folder,
    TMPDIR: folder,
    IMAGE_RESOLVER_CONFIG: configuration,
    ARGOCD_APP_NAME: 'demo',
    ARGOCD_APP_NAMESPACE: 'shop',
  };
}

const folder = await mkdtemp(join(tmpdir(), 'image-resolver-demo-'));
// The registry's folder, too, is inside: one removal, whenever an interruption comes.
process.env['TMPDIR'] = folder;
try {
  await demo(folder, interrupted.signal);
} catch (error) {
  if (!interrupted.signal.aborted) throw error;
  say(`\n${(interrupted.signal.reason as Error).message}; everything is cleaned up`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
