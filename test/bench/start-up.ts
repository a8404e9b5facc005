import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PluginContainer, TestApplication } from '../support/run-resolver.ts';
import { toolDirectory } from '../tools/build.mjs';
import { type Files, helmApplication, kustomizeApplication, policyFor } from './applications.ts';
import { generated, type Size, startBench, startWorker } from './fixture.ts';
import { addedOver, costOf, inMs, interleaved, type Program, runProgram, sampleOf } from './measure.ts';
import type { Row } from './table.ts';

const GOAL_MS = 80;
const NEWEST = '1.0.9';

/** What a generation adds to the renderer that it runs, when the store knows a fresh answer. */
export async function measureStartUp(size: Size): Promise<readonly Row[]> {
  await using bench = await startBench({ counted: false, interval: '24h' });
  const { container, registry } = bench;
  await registry.pushImages(['1.0.0', NEWEST, '1.1.0'].map((tag) => ({ repository: 'acme/web', tag })));
  const repository = `${bench.host}/acme/web`;
  const applications: readonly (readonly [subject: string, renderer: 'kustomize' | 'helm', files: Files])[] = [
    ['kustomize, 1 image', 'kustomize', kustomizeApplication(repository, 1)],
    [`kustomize, ${size.images} images`, 'kustomize', kustomizeApplication(repository, size.images)],
    ['Helm, 1 image', 'helm', helmApplication(repository)],
  ];
  await startWorker(container);
  const rows: Row[] = [];
  for (const [index, [subject, renderer, files]] of applications.entries()) {
    const application = await container.application(files, {
      name: `shop-${index}`,
      parameters: policyFor(repository),
    });
    rows.push(
      ...(await measureOne({ subject, renderer, application, expected: `${repository}:${NEWEST}` }, container, size)),
    );
  }
  return rows;
}

async function measureOne(
  measured: {
    readonly subject: string;
    readonly renderer: 'kustomize' | 'helm';
    readonly application: TestApplication;
    readonly expected: string;
  },
  container: PluginContainer,
  size: Size,
): Promise<readonly Row[]> {
  const { subject, renderer, application, expected } = measured;
  const cwd = application.directory;
  const environment = { PATH: '/usr/bin:/bin', HOME: container.folder };
  const bare = bareRenderer(renderer);
  const empty = join(container.folder, 'empty.cjs');
  await writeFile(empty, '');
  const node = { command: process.execPath, args: [empty], cwd, environment };
  const times = await interleaved(size.rounds, {
    bare: async () => runProgram({ ...bare, cwd, environment }),
    node: async () => runProgram(node),
    byWorker: async () => generated(container, application, expected, { byClient: true }),
    byProcess: async () => generated(container, application, expected),
  });
  const added = addedOver(times.byWorker, times.bare);
  const byProcess = addedOver(times.byProcess, times.bare);
  const baseline = sampleOf(times.bare);
  const runs = Math.min(size.rounds, 11);
  const cost = await costOf(runs, async (hook) => generated(container, application, expected, { environment: hook }));
  const least = await costOf(runs, async (hook) => runProgram({ ...node, environment: { ...environment, ...hook } }));
  return [
    {
      subject: `${subject}: time that generate adds to ${renderer} ${bare.args[0]}`,
      figure: inMs(added),
      baseline: `${inMs(baseline)}; node alone ${inMs(sampleOf(times.node))}; generate as a process of its own adds ${inMs(byProcess)}`,
      ratio: ((baseline.median + added.median) / baseline.median).toFixed(1),
      goal: `< ${GOAL_MS} ms`,
      met: added.median < GOAL_MS,
    },
    {
      subject: `${subject}: memory and CPU of generate as a process of its own, the renderer's not counted`,
      figure: `${cost.peakMb.toFixed(0)} MB, ${cost.cpuMs.toFixed(0)} ms`,
      baseline: `node alone ${least.peakMb.toFixed(0)} MB, ${least.cpuMs.toFixed(0)} ms`,
      ratio: (cost.cpuMs / least.cpuMs).toFixed(1),
    },
  ];
}

/** What Argo CD would run, without us. */
export function bareRenderer(renderer: 'kustomize' | 'helm'): Pick<Program, 'command' | 'args'> {
  return renderer === 'kustomize'
    ? { command: join(toolDirectory('kustomize'), 'kustomize'), args: ['build', '.'] }
    : { command: join(toolDirectory('helm4'), 'helm'), args: ['template', 'web', '.', '--include-crds'] };
}
