import { setTimeout as sleep } from 'node:timers/promises';
import { type ControllerProcess, makeControllerPlace } from './controller-process.ts';
import type { Size } from './fixture.ts';
import { askAll, queryOf, resolveClient } from './resolve-client.ts';
import {
  type KubernetesCounts,
  type RegistryCounts,
  type Simulated,
  simulateKubernetes,
  simulateRegistry,
  tagsOf,
} from './simulated.ts';
import type { Row } from './table.ts';

const GOAL_MB = 400;
const GOAL_SHARE = 0.05;
const GOAL_READY_MS = 5_000;
/** Argo CD compares each application every three minutes or so, and writes when it did. */
const RECONCILED_EVERY_S = 180;

/** What the controller of a large installation needs while nothing happens. */
export async function measureControllerSize(size: Size): Promise<readonly Row[]> {
  const { registrations, repositories, tags, intervalS, settleS } = size.controllerSize;
  await using kubernetes = await simulateKubernetes({ applications: registrations, ownPaths: true });
  await using registry = await simulateRegistry({ tags, etags: false });
  const interval = `${intervalS}s`;
  await using place = await makeControllerPlace({ kubernetes: kubernetes.host, registry: registry.host, interval });
  const repositoryOf = (index: number): string => `${registry.host}/bench/app-${index % repositories}`;
  const all = Array.from({ length: registrations }, (_, index) => queryOf(index, [repositoryOf(index)]));
  const expected = tagsOf(tags).at(-1) ?? '';
  {
    await using filling = await place.start();
    using client = resolveClient(filling.url);
    await askAll(client, all, { atOnce: 50, expected });
  }

  const startedAt = performance.now();
  await using controller = await place.start();
  using client = resolveClient(controller.url);
  await askAll(client, all.slice(0, 1), { atOnce: 1, expected });
  const answersAfterMs = performance.now() - startedAt;
  if (controller.registrations !== registrations)
    throw new Error(`${controller.registrations} of ${registrations} registrations are there after a restart`);
  // Listings that grew old meanwhile are all made at once, and the first look after a start ranks everything again.
  await sleep(settleS * 1000);

  const idle = async (): Promise<Idle> => measureIdle(controller, registry, kubernetes, intervalS);
  const without = await idle();
  await registry.change('etags=true');
  // The first look after that gets the validators.
  await sleep(intervalS * 1000);
  const conditional = await idle();
  await kubernetes.change('', String(registrations / RECONCILED_EVERY_S));
  const reconciled = await idle();
  const { patches } = await kubernetes.counts();

  const subject = `controller, ${registrations} registrations over ${repositories} repositories of ${tags} tags`;
  const sharesRow = (what: string, { share, listings, unchanged, events }: Idle, hasGoal: boolean): Row => ({
    subject: `${subject}, ${what}: CPU over a whole interval of ${interval}`,
    figure: `${(share * 100).toFixed(1)} % of a core`,
    baseline: `${listings} listings (${unchanged} unchanged), ${events} changes of Applications`,
    ...(hasGoal && { goal: `< ${GOAL_SHARE * 100} %`, met: share < GOAL_SHARE }),
  });
  const mb = Math.max(without.residentMb, conditional.residentMb, reconciled.residentMb);
  return [
    {
      subject: `${subject}: memory (with a kubeconfig's login, which a cluster does not need)`,
      figure: `${mb.toFixed(0)} MB`,
      goal: `< ${GOAL_MB} MB`,
      met: mb < GOAL_MB,
    },
    sharesRow('nothing changes', without, true),
    sharesRow('nothing changes, with ETags', conditional, true),
    sharesRow('Argo CD compares each every 3 minutes', reconciled, false),
    {
      subject: `${subject}: from start to ready`,
      figure: `${(controller.readyAfterMs / 1000).toFixed(1)} s, first answer after ${(answersAfterMs / 1000).toFixed(1)} s`,
      goal: `< ${GOAL_READY_MS / 1000} s`,
      met: controller.readyAfterMs < GOAL_READY_MS,
    },
    {
      subject: `${subject}: patches of Applications in all that time`,
      figure: String(patches),
      goal: '0',
      met: patches === 0,
    },
  ];
}

interface Idle {
  /** Of one core. */
  readonly share: number;
  readonly residentMb: number;
  readonly listings: number;
  readonly unchanged: number;
  /** Changes of Applications. */
  readonly events: number;
}

async function measureIdle(
  controller: ControllerProcess,
  registry: Simulated<RegistryCounts>,
  kubernetes: Simulated<KubernetesCounts>,
  intervalS: number,
): Promise<Idle> {
  const take = async () => ({
    at: performance.now(),
    figures: await controller.figures(),
    listed: await registry.counts(),
    told: await kubernetes.counts(),
  });
  const before = await take();
  await sleep(intervalS * 1000);
  const after = await take();
  return {
    share: (after.figures.cpuSeconds - before.figures.cpuSeconds) / ((after.at - before.at) / 1000),
    residentMb: after.figures.residentMb,
    listings: after.listed.listings - before.listed.listings,
    unchanged: after.listed.unchanged - before.listed.unchanged,
    events: after.told.events - before.told.events,
  };
}
