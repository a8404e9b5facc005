import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type PluginContainer,
  type RunOptions,
  startPluginContainer,
  type TestApplication,
} from '../support/run-resolver.ts';
import { type Files, helmOf, kustomizeOf, policyFor } from './applications.ts';
import { makeControllerPlace } from './controller-process.ts';
import { checkGenerated, generated, type Size, startBench, startWorker } from './fixture.ts';
import { addedOver, costOf, inMs, interleaved, peakOf, residentOf, runProgram, sampleOf } from './measure.ts';
import { applicationName, simulateKubernetes } from './simulated.ts';
import { bareRenderer } from './start-up.ts';
import type { Row } from './table.ts';

const GOAL_MS = 60;
const GOAL_MB = 80;
const NEWEST = '1.0.9';

/** A container that runs `generate`, and how. */
interface Asking {
  readonly container: PluginContainer;
  readonly environment: Readonly<Record<string, string>>;
}

/** What a generation adds to the renderer that it runs, when it asks a controller that knows the answer. */
export async function measureWithController(size: Size): Promise<readonly Row[]> {
  await using bench = await startBench({ counted: false, interval: '24h' });
  const repositories = Array.from({ length: size.images }, (_, index) => `acme/web-${index}`);
  await bench.registry.pushImages(
    repositories.flatMap((repository) =>
      ['1.0.0', NEWEST].map((tag) => ({ repository, tag, content: 'the same for all' })),
    ),
  );
  const names = repositories.map((repository) => `${bench.host}/${repository}`);
  const one = names.slice(0, 1);
  const applications: readonly (readonly [string, 'kustomize' | 'helm', readonly string[], Files])[] = [
    ['kustomize, 1 image', 'kustomize', one, kustomizeOf(one)],
    [
      `kustomize, ${size.images} images of one repository`,
      'kustomize',
      one,
      kustomizeOf(names.map(() => names[0] ?? '')),
    ],
    [`kustomize, ${size.images} images, each of its own`, 'kustomize', names, kustomizeOf(names)],
    ['Helm, 1 image', 'helm', one, helmOf(one)],
    [`Helm, ${size.images} images of one repository`, 'helm', one, helmOf(names.map(() => names[0] ?? ''))],
    [`Helm, ${size.images} images, each of its own`, 'helm', names, helmOf(names)],
  ];
  await using kubernetes = await simulateKubernetes({ applications: applications.length, ownPaths: false });
  const controllerOf = { kubernetes: kubernetes.host, registry: bench.host, interval: '2m' };
  await using plainPlace = await makeControllerPlace(controllerOf);
  await using plain = await plainPlace.start();
  await using securePlace = await makeControllerPlace(controllerOf);
  await using secure = await securePlace.start({ tls: true });
  await using plainContainer = await startPluginContainer();
  await using secureContainer = await startPluginContainer();
  await plainContainer.configure({ controller: { url: plain.url } });
  await secureContainer.configure({ controller: { url: secure.url, caFile: securePlace.caFile } });
  const worker = await startWorker(plainContainer);
  await startWorker(secureContainer);
  const alone: Asking = { container: bench.container, environment: {} };
  const http: Asking = { container: plainContainer, environment: { IMAGE_RESOLVER_TOKEN_FILE: plainPlace.tokenFile } };
  const https: Asking = {
    container: secureContainer,
    environment: { IMAGE_RESOLVER_TOKEN_FILE: securePlace.tokenFile },
  };

  const rows: Row[] = [];
  for (const [index, [subject, renderer, asked, files]] of applications.entries()) {
    const application = await bench.container.application(files, {
      name: applicationName(index),
      parameters: policyFor(...asked),
    });
    const expected = `${asked.at(-1) ?? ''}:${NEWEST}`;
    rows.push(
      ...(await measureOne({ subject, renderer, application, expected, askings: { alone, http, https } }, size)),
    );
  }
  const last = await bench.container.application(kustomizeOf(names), {
    name: applicationName(0),
    parameters: policyFor(...names),
  });
  const client = plainContainer.startGenerate(last, { byClient: true, environment: http.environment });
  const clientMb = await peakOf(client);
  checkGenerated(await client.ended, `${names.at(-1) ?? ''}:${NEWEST}`);
  const { mb, ownMb } = await residentOf(worker.pid);
  rows.push({
    subject:
      'generate as Argo CD starts it, after all of that: memory of the client, and of its own that the worker holds',
    figure: `${clientMb.toFixed(0)} MB and ${ownMb.toFixed(0)} MB`,
    baseline: `the worker with what it shares with other processes of Node ${mb.toFixed(0)} MB`,
    goal: `together < ${GOAL_MB} MB`,
    met: clientMb + ownMb < GOAL_MB,
  });
  return rows;
}

async function measureOne(
  measured: {
    readonly subject: string;
    readonly renderer: 'kustomize' | 'helm';
    readonly application: TestApplication;
    readonly expected: string;
    readonly askings: Readonly<Record<'alone' | 'http' | 'https', Asking>>;
  },
  size: Size,
): Promise<readonly Row[]> {
  const { subject, renderer, application, expected, askings } = measured;
  const { folder } = askings.alone.container;
  const cwd = application.directory;
  const environment = { PATH: '/usr/bin:/bin', HOME: folder };
  const bare = bareRenderer(renderer);
  const empty = join(folder, 'empty.cjs');
  await writeFile(empty, '');
  const node = { command: process.execPath, args: [empty], cwd, environment };
  const run = async ({ container, environment: own }: Asking, options: RunOptions = {}): Promise<void> =>
    generated(container, application, expected, { ...options, environment: { ...own, ...options.environment } });
  const times = await interleaved(size.rounds, {
    bare: async () => runProgram({ ...bare, cwd, environment }),
    node: async () => runProgram(node),
    http: async () => run(askings.http, { byClient: true }),
    httpByProcess: async () => run(askings.http),
    https: async () => run(askings.https, { byClient: true }),
    httpsByProcess: async () => run(askings.https),
  });
  const runs = Math.min(size.rounds, 11);
  const least = await costOf(runs, async (hook) => runProgram({ ...node, environment: { ...environment, ...hook } }));
  const aloneCost = await costOf(runs, async (hook) => run(askings.alone, { environment: hook }));
  const baseline = sampleOf(times.bare);
  const rows: Row[] = [];
  for (const how of ['http', 'https'] as const) {
    const added = addedOver(times[how], times.bare);
    const byProcess = addedOver(times[`${how}ByProcess`], times.bare);
    const cost = await costOf(runs, async (hook) => run(askings[how], { environment: hook }));
    rows.push(
      {
        subject: `${subject}, controller by ${how}: time that generate adds to ${renderer} ${bare.args[0]}`,
        figure: inMs(added),
        baseline: `${inMs(baseline)}; node alone ${inMs(sampleOf(times.node))}; generate as a process of its own adds ${inMs(byProcess)}`,
        ratio: ((baseline.median + added.median) / baseline.median).toFixed(1),
        goal: `≤ ${GOAL_MS} ms`,
        met: added.median <= GOAL_MS,
      },
      {
        subject: `${subject}, controller by ${how}: memory and CPU of generate as a process of its own, the renderer's not counted`,
        figure: `${cost.peakMb.toFixed(0)} MB, ${cost.cpuMs.toFixed(0)} ms`,
        baseline: `node alone ${least.peakMb.toFixed(0)} MB, ${least.cpuMs.toFixed(0)} ms; generate without a controller ${aloneCost.peakMb.toFixed(0)} MB, ${aloneCost.cpuMs.toFixed(0)} ms`,
        ratio: (cost.cpuMs / least.cpuMs).toFixed(1),
        goal: `< ${GOAL_MB} MB`,
        met: cost.peakMb < GOAL_MB,
      },
    );
  }
  return rows;
}
