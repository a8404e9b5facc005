import { Agent, request } from 'node:http';
import { parseRepository } from '../../src/image/reference.ts';
import { PATHS } from '../../src/remote/protocol.ts';
import type { Ask, ResolveQuery } from '../../src/resolve/resolver.ts';
import { TOKEN } from './controller-process.ts';
import { millisecondsOf, type Sample, sampleOf } from './measure.ts';
import { applicationName, sourceOf } from './simulated.ts';

/** A client that keeps its connections, as many as it has questions at once. */
export interface ResolveClient extends Disposable {
  /** Asks with the JSON of a query, and reads the answer to its end. */
  ask(body: Buffer): Promise<string>;
}

export function resolveClient(url: string): ResolveClient {
  const agent = new Agent({ keepAlive: true });
  return {
    async ask(body) {
      const headers = {
        authorization: `Bearer ${TOKEN}`,
        'content-type': 'application/json',
        'content-length': body.length,
      };
      const answered = Promise.withResolvers<string>();
      const asked = request(`${url}${PATHS.resolve}`, { method: 'POST', agent, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('end', () => {
          if (response.statusCode === 200) answered.resolve(text);
          else answered.reject(new Error(`the controller answered ${response.statusCode}: ${text}`));
        });
      });
      asked.on('error', (error) => answered.reject(error));
      asked.end(body);
      return answered.promise;
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
}

/** What the generation of an application asks for: one image of each repository. */
export function queryOf(
  index: number,
  repositories: readonly string[],
  { id = 'first', path = `apps/${index}` }: { readonly id?: string; readonly path?: string } = {},
): ResolveQuery {
  return {
    v: 1,
    who: { application: applicationName(index), project: 'default' },
    generation: {
      id: `${id}-${index}`,
      source: sourceOf(path),
      revision: '0123456789abcdef0123456789abcdef01234567',
      parametersFingerprint: `parameters-of-${index}`,
    },
    budgetMs: 12_000,
    asks: repositories.map((repository) => askFor(repository)),
  };
}

function askFor(name: string): Ask {
  const repository = parseRepository(name);
  if (!repository.ok) throw new Error(`${name} ${repository.problem}`);
  return {
    image: `${name}|web`,
    label: 'web',
    where: 'plugin parameter images[0]',
    repository: repository.value,
    choice: {
      kind: 'select',
      selection: {
        strategy: { kind: 'semver', constraint: '^1.0' },
        filters: [],
        platforms: [{ os: 'linux', architecture: 'amd64' }],
      },
    },
    onUnsatisfied: 'git',
    onRemoved: 'keep',
  };
}

/** Asks all, so many at once, and checks what is answered. */
export async function askAll(
  client: ResolveClient,
  queries: readonly ResolveQuery[],
  options: { readonly atOnce: number; readonly expected: string },
): Promise<readonly number[]> {
  const waiting = queries.values();
  const times: number[] = [];
  const worker = async (): Promise<void> => {
    for (const query of waiting) {
      // What the client has to do before and after is not the controller's.
      const body = Buffer.from(JSON.stringify(query));
      let answer = '';
      times.push(await millisecondsOf(async () => (answer = await client.ask(body))));
      const right = answer.split(`"tag":"${options.expected}"`).length - 1;
      if (right !== query.asks.length) throw new Error(`${right} of ${query.asks.length} answers are right`);
    }
  };
  await Promise.all(Array.from({ length: options.atOnce }, worker));
  return times;
}

/** Median and 99th percentile. */
export function percentiles(times: readonly number[]): Sample & { readonly p99: number } {
  const sorted = times.toSorted((a, b) => a - b);
  return { ...sampleOf(times), p99: sorted[Math.ceil(sorted.length * 0.99) - 1] ?? NaN };
}
