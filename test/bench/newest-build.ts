import { kustomizeApplication } from './applications.ts';
import { generated, type Size, startBench } from './fixture.ts';
import { millisecondsOf } from './measure.ts';
import type { Row } from './table.ts';

/** What argocd-image-updater took for the same 500 tags, without process start; measured elsewhere, on other hardware. */
const IMAGE_UPDATER_S = 5.3;

/** How many requests newest-build costs, and how long they take, when nothing is known and when everything is. */
export async function measureNewestBuild(size: Size): Promise<readonly Row[]> {
  const counted = await coldAndAgain(size, true);
  const uncounted = await coldAndAgain(size, false);
  const subject = `newest-build over ${size.tags} single-platform tags`;
  const goal = 1 + 2 * size.tags;
  return [
    {
      subject: `${subject}, nothing known: requests`,
      figure: String(counted.cold.requests),
      goal: `≤ ${goal}`,
      met: counted.cold.requests <= goal,
    },
    {
      subject: `${subject}, looking again: requests`,
      figure: `${counted.again.requests} (${counted.again.listings} listing, ${counted.again.heads} HEAD)`,
      goal: '1 listing, 1 HEAD',
      met: counted.again.requests === 2 && counted.again.listings === 1 && counted.again.heads === 1,
    },
    {
      subject: `${subject}, nothing known: time of the whole generation`,
      figure: `${uncounted.cold.seconds.toFixed(1)} s`,
      baseline: `${IMAGE_UPDATER_S} s argocd-image-updater, 500 tags, not measured here`,
      ratio: (uncounted.cold.seconds / IMAGE_UPDATER_S).toFixed(2),
      goal: `≤ ${IMAGE_UPDATER_S} s`,
      met: uncounted.cold.seconds <= IMAGE_UPDATER_S,
    },
  ];
}

interface Look {
  readonly seconds: number;
  readonly requests: number;
  readonly listings: number;
  readonly heads: number;
}

/** @param counted through the proxy that counts, which takes time itself. */
async function coldAndAgain(size: Size, counted: boolean): Promise<{ readonly cold: Look; readonly again: Look }> {
  await using bench = await startBench({ counted, interval: '0s' });
  const { container, registry } = bench;
  const repository = `${bench.host}/acme/web`;
  await registry.pushImages(
    Array.from({ length: size.tags }, (_, index) => ({
      repository: 'acme/web',
      tag: `build-${index}`,
      created: new Date(Date.UTC(2024, 0, 1) + index * 60_000).toISOString(),
    })),
  );
  const application = await container.application(kustomizeApplication(repository, 1), {
    parameters: [
      { name: 'images', array: [`web=${repository}`] },
      { name: 'image-settings', map: { 'web.update-strategy': 'newest-build' } },
    ],
  });
  const look = async (): Promise<Look> => {
    registry.clearRequests();
    const ms = await millisecondsOf(async () => generated(container, application, `build-${size.tags - 1}@sha256:`));
    const { requests, listings } = registry;
    const heads = requests.filter(({ method }) => method === 'HEAD').length;
    return { seconds: ms / 1000, requests: requests.length, listings, heads };
  };
  return { cold: await look(), again: await look() };
}
