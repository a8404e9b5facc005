import { kustomizeApplication, policyFor } from './applications.ts';
import { generated, type Size, startBench } from './fixture.ts';
import { millisecondsOf } from './measure.ts';
import type { Row } from './table.ts';

/** How many listings several applications that use one repository cost together. */
export async function measureSharing(size: Size): Promise<readonly Row[]> {
  return [
    await countListings({ applications: size.applications, tags: size.tags, atOnce: 1, goal: 1 }),
    await countListings({ applications: size.atOnce, tags: size.tags, atOnce: size.atOnce, goal: 2 }),
  ];
}

async function countListings(options: {
  readonly applications: number;
  readonly tags: number;
  readonly atOnce: number;
  readonly goal: number;
}): Promise<Row> {
  await using bench = await startBench({ counted: true, interval: '10m' });
  const { container, registry } = bench;
  const repository = `${bench.host}/acme/web`;
  await registry.pushImages(
    Array.from({ length: options.tags }, (_, patch) => ({
      repository: 'acme/web',
      tag: `1.0.${patch}`,
      content: 'one',
    })),
  );
  const parameters = policyFor(repository);
  const files = kustomizeApplication(repository, 1);
  const waiting = await Promise.all(
    Array.from({ length: options.applications }, async (_, index) =>
      container.application(files, { name: `shop-${index}`, parameters }),
    ),
  );
  const expected = `${repository}:1.0.${options.tags - 1}`;
  const tookMs = await millisecondsOf(async () => {
    const worker = async (): Promise<void> => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop())
        await generated(container, next, expected);
    };
    await Promise.all(Array.from({ length: options.atOnce }, worker));
  });
  const { listings } = registry;
  const how = options.atOnce === 1 ? 'one after the other' : 'all at once, nothing known';
  return {
    subject: `${options.applications} applications, one repository of ${options.tags} tags, ${how}: listings`,
    figure: `${listings} (${registry.requests.length} requests, ${(tookMs / 1000).toFixed(1)} s)`,
    goal: `≤ ${options.goal}`,
    met: listings <= options.goal,
  };
}
