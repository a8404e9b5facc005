import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { completeConfiguration } from '../../src/operator/complete-configuration.ts';
import { createRemoteResolver } from '../../src/remote/remote-resolver.ts';
import type { ResolveQuery } from '../../src/resolve/resolver.ts';
import { resolveEndpoint } from '../../src/service/resolve-endpoint.ts';
import { openStore } from '../../src/store/open-store.ts';
import { ask, semver } from '../resolve/harness.ts';
import { SERVER_CERTIFICATE, TEST_CA } from '../support/fake-registry-certificates.ts';
import { applications, callers, decided, KeptLog, people, realTime, serve } from './ports.ts';

test('a sidecar that rendered for so long that its early connection was cut is answered all the same', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'both-'));
  const file = async (name: string, content: string): Promise<string> => {
    await writeFile(join(folder, name), content);
    return join(folder, name);
  };
  const tls = {
    certFile: await file('tls.crt', SERVER_CERTIFICATE.cert),
    keyFile: await file('tls.key', SERVER_CERTIFICATE.key),
  };
  const outcomes: string[] = [];
  const endpoint = resolveEndpoint({
    ...callers,
    ...people,
    applications,
    registrations: { of: () => [] },
    answer: async (query) => decided(query),
    record: async () => undefined,
    metrics: { resolveRequest: (outcome) => void outcomes.push(outcome) },
    log: new KeptLog(),
    time: realTime,
  });
  await using controller = await serve([endpoint], { tls, limits: { headMs: 150 } });
  const resolver = createRemoteResolver({
    controller: { url: controller.url, caFile: await file('ca.crt', TEST_CA) },
    token: () => 'sidecar',
    store: () => openStore({ directory: folder, now: Date.now, notices: () => undefined }),
    configuration: completeConfiguration({}, [], {}),
    now: Date.now,
  });
  // One that came after it and was cut, too: it had its time.
  await new Promise((done) => {
    connect(Number(new URL(controller.url).port), '127.0.0.1')
      .on('error', () => undefined)
      .on('close', done)
      .resume();
  });
  const query: ResolveQuery = {
    v: 1,
    who: { application: 'shop', project: 'team-a' },
    budgetMs: 20_000,
    asks: [ask(semver('~1.0')), ask(semver('~2.0'), { image: 'other' })],
  };
  const never = new AbortController().signal;
  expect(await resolver.resolve(query, never)).toEqual(decided(query));
  expect(await resolver.resolve(query, never)).toEqual(decided(query));
  expect(outcomes).toEqual(['answered', 'answered']);
  await resolver.close();
  await rm(folder, { recursive: true });
});
