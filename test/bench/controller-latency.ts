import { Agent, get } from 'node:http';
import { makeControllerPlace } from './controller-process.ts';
import type { Size } from './fixture.ts';
import { askAll, percentiles, queryOf, resolveClient } from './resolve-client.ts';
import { simulateKubernetes, simulateRegistry, tagsOf } from './simulated.ts';
import { millisecondsOf } from './measure.ts';
import type { Row } from './table.ts';

const GOAL_MS = 5;
const CLIENTS = 50;

/** How long the controller takes for a question it knows the answer of, while it lists repositories all the time. */
export async function measureControllerLatency(size: Size): Promise<readonly Row[]> {
  const { repositories, tags, intervalS } = size.latency;
  await using kubernetes = await simulateKubernetes({ applications: repositories, ownPaths: true });
  await using registry = await simulateRegistry({ tags, etags: false });
  const interval = `${intervalS}s`;
  await using place = await makeControllerPlace({ kubernetes: kubernetes.host, registry: registry.host, interval });
  await using controller = await place.start();
  using client = resolveClient(controller.url);
  const name = (index: number): string => `${registry.host}/bench/app-${index % repositories}`;
  const expected = tagsOf(tags).at(-1) ?? '';
  const images = (first: number, count: number): readonly string[] =>
    Array.from({ length: count }, (_, index) => name(first + index));
  const every = Array.from({ length: repositories }, (_, index) => queryOf(index, [name(index)]));
  await askAll(client, every, { atOnce: CLIENTS, expected });

  const measure = async (count: number, atOnce: number): Promise<Row> => {
    // Each asks for other images than the one before, and so hits nothing that was only just used.
    const queries = Array.from({ length: size.latency.requests }, (_, round) =>
      queryOf(round % 10, images((round % 10) * count, count), { id: `round-${Math.floor(round / 10)}` }),
    );
    // A controller runs for weeks: its code is compiled, and its heap has its size.
    await askAll(client, queries, { atOnce, expected });
    const before = { figures: await controller.figures(), counts: await registry.counts(), at: performance.now() };
    const took = percentiles(await askAll(client, queries, { atOnce, expected }));
    const seconds = (performance.now() - before.at) / 1000;
    const cpu = (await controller.figures()).cpuSeconds - before.figures.cpuSeconds;
    const listings = (await registry.counts()).listings - before.counts.listings;
    const hasGoal = atOnce === 1;
    const bare = hasGoal ? await bareAnswers(registry.host, queries.length, repositories) : undefined;
    return {
      subject: `controller, ${count === 1 ? '1 image' : `${count} images`}, ${atOnce === 1 ? 'one client' : `${atOnce} clients at once`}: answer`,
      figure: `median ${took.median.toFixed(2)} ms, 99 % within ${took.p99.toFixed(2)} ms; ${((cpu / queries.length) * 1000).toFixed(2)} ms of CPU each`,
      baseline: `${bare === undefined ? '' : `a bare Node server: median ${bare.median.toFixed(2)} ms, 99 % within ${bare.p99.toFixed(2)} ms; `}${(listings / seconds).toFixed(0)} listings of ${tags} tags a second, ${(queries.length / seconds).toFixed(0)} answers a second`,
      ...(hasGoal && { goal: `99 % < ${GOAL_MS} ms`, met: took.p99 < GOAL_MS }),
    };
  };
  return [
    await measure(1, 1),
    await measure(size.images, 1),
    await measure(1, size.atOnce),
    await measure(size.images, size.atOnce),
  ];
}

/** What any Node server on this machine takes for an answer of some kilobytes, while the controller asks it now and then. */
async function bareAnswers(host: string, count: number, repositories: number): Promise<ReturnType<typeof percentiles>> {
  const agent = new Agent({ keepAlive: true });
  const times: number[] = [];
  for (let index = 0; index < count; index++) {
    times.push(
      await millisecondsOf(async () => {
        const got = Promise.withResolvers<void>();
        get(`http://${host}/v2/bench/app-${index % repositories}/tags/list`, { agent }, (response) => {
          response.resume().on('end', () => got.resolve());
        }).on('error', (error) => got.reject(error));
        await got.promise;
      }),
    );
  }
  agent.destroy();
  return percentiles(times);
}
