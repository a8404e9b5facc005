import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toolDirectory } from '../tools/build.mjs';
import { largeManifests, policyFor } from './applications.ts';
import { generated, type Size, startBench } from './fixture.ts';
import { addedOver, costOf, inMs, interleaved, runProgram, sampleOf } from './measure.ts';
import type { Row } from './table.ts';

const EDITOR = fileURLToPath(new URL('edit-rendering.ts', import.meta.url));
const NEWEST = '1.0.9';
const GOAL_MS = 1_000;
const GOAL_MB = 400;

/** What a large rendering costs: the editor alone, and the whole command. */
export async function measureRendering(size: Size): Promise<readonly Row[]> {
  await using bench = await startBench({ counted: false, interval: '24h' });
  const { container } = bench;
  await bench.registry.pushImages(['1.0.0', NEWEST].map((tag) => ({ repository: 'acme/web', tag })));
  const repository = `${bench.host}/acme/web`;
  const manifests = largeManifests(repository, size.workloads, size.renderingBytes);
  const file = await container.write('large.yaml', manifests);
  const application = await container.application(
    { 'app/kustomization.yaml': 'resources:\n  - large.yaml\n', 'app/large.yaml': manifests },
    { parameters: policyFor(repository) },
  );
  const environment = { PATH: '/usr/bin:/bin', HOME: container.folder };
  const editor = { command: process.execPath, args: [EDITOR, file, NEWEST], cwd: container.folder, environment };
  const kustomize = {
    command: join(toolDirectory('kustomize'), 'kustomize'),
    args: ['build', '.'],
    cwd: application.directory,
    environment,
  };
  const expected = `${repository}:${NEWEST}`;
  const edited: number[] = [];
  const times = await interleaved(Math.min(size.rounds, 5), {
    bare: async () => runProgram(kustomize),
    generate: async () => generated(container, application, expected),
    edit: async () => edited.push(Number(await runProgram(editor))),
  });
  const editorCost = await costOf(1, async (hook) =>
    runProgram({ ...editor, environment: { ...environment, ...hook } }),
  );
  const commandCost = await costOf(1, async (hook) =>
    generated(container, application, expected, { environment: hook }),
  );
  const took = sampleOf(edited);
  const bare = sampleOf(times.bare);
  const added = addedOver(times.generate, times.bare);
  const subject = `rendering of ${(manifests.length / 1e6).toFixed(1)} MB, ${size.workloads} workloads`;
  return [
    {
      subject: `${subject}: finding, editing and verifying, cold`,
      figure: `${inMs(took)}, ${editorCost.peakMb.toFixed(0)} MB`,
      goal: `< ${GOAL_MS} ms, ${GOAL_MB} MB`,
      met: took.median < GOAL_MS && editorCost.peakMb < GOAL_MB,
    },
    {
      subject: `${subject}: time that generate adds to kustomize build`,
      figure: `${inMs(added)}, ${commandCost.peakMb.toFixed(0)} MB`,
      baseline: inMs(bare),
      ratio: ((bare.median + added.median) / bare.median).toFixed(1),
      goal: `${GOAL_MB} MB`,
      met: commandCost.peakMb < GOAL_MB,
    },
  ];
}
