import { setTimeout as sleep } from 'node:timers/promises';
import { makeControllerPlace } from './controller-process.ts';
import type { Size } from './fixture.ts';
import { askAll, queryOf, resolveClient } from './resolve-client.ts';
import { simulateKubernetes, simulateRegistry, tagsOf } from './simulated.ts';
import type { Row } from './table.ts';

const INTERVAL_S = 2;
/** The next look is up to a tenth of the interval early. */
const MOST_A_INTERVAL = 1 / 0.9;

/** How many requests many applications on one repository cost the registry. */
export async function measureControllerSharing(size: Size): Promise<readonly Row[]> {
  const { applications, intervals } = size.controllerSharing;
  await using kubernetes = await simulateKubernetes({ applications, ownPaths: true });
  await using registry = await simulateRegistry({ tags: size.tags, etags: false });
  await using place = await makeControllerPlace({
    kubernetes: kubernetes.host,
    registry: registry.host,
    interval: `${INTERVAL_S}s`,
  });
  await using controller = await place.start();
  using client = resolveClient(controller.url);
  const repository = `${registry.host}/acme/web`;
  const expected = tagsOf(size.tags).at(-1) ?? '';
  const queries = (id: string): Parameters<typeof askAll>[1] =>
    Array.from({ length: applications }, (_, index) => queryOf(index, [repository], { id }));
  await askAll(client, queries('first'), { atOnce: 50, expected });
  const before = await registry.counts();
  const at = performance.now();
  for (let interval = 0; interval < intervals; interval++) {
    await askAll(client, queries(`again-${interval}`), { atOnce: 50, expected });
    await sleep(Math.max(0, at + (interval + 1) * INTERVAL_S * 1000 - performance.now()));
  }
  const passed = (performance.now() - at) / 1000 / INTERVAL_S;
  const after = await registry.counts();
  const listings = after.listings - before.listings;
  return [
    {
      subject: `controller, ${applications} applications on one repository, nothing known: requests`,
      figure: `${before.listings} listings, ${before.others} others`,
      goal: '1 listing, 0 others',
      met: before.listings === 1 && before.others === 0,
    },
    {
      subject: `controller, the same, each rendered once in every interval: requests in ${passed.toFixed(1)} intervals`,
      figure: `${listings} listings, ${after.others} others`,
      baseline: 'argocd-image-updater: 60 a cycle for 30 applications, not measured here',
      goal: '1 listing an interval, 0 others',
      met: listings <= Math.ceil(passed * MOST_A_INTERVAL) && after.others === 0,
    },
  ];
}
