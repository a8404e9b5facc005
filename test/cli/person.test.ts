import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openResolver } from '../../src/cli/operator.ts';
import { askController } from '../../src/cli/person.ts';
import { completeConfiguration } from '../../src/operator/complete-configuration.ts';
import { PATHS } from '../../src/remote/protocol.ts';
import { refusal } from '../../src/service/exchange.ts';
import { ask, semver } from '../resolve/harness.ts';
import { route, serve } from '../service/ports.ts';

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'person-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

test.for([
  { status: 401, cure: /log in .*kubectl create token .*--token-file/ },
  { status: 403, cure: /ask for the right to get that Application/ },
  { status: 404, cure: /namespace\/name/ },
  { status: 500, cure: /logs deployment\/image-resolver-controller/ },
])('a person who is answered $status is told what a person can do', async ({ status, cure }) => {
  const answer = async () => refusal(status, 'it said so');
  await using controller = await serve([
    route(answer, { path: PATHS.status, methods: ['GET'] }),
    route(answer, { path: PATHS.resolve, maxBodyBytes: 100_000 }),
  ]);
  const directory = folder();
  const tokenFile = join(directory, 'token');
  writeFileSync(tokenFile, 'alice');
  const fault = { code: 'CONTROLLER_UNREACHABLE', fix: expect.stringMatching(cure) as unknown };
  await expect(askController({ controller: controller.url, tokenFile }, { path: PATHS.status })).rejects.toMatchObject(
    fault,
  );

  const configuration = completeConfiguration({}, [], { stateDirectory: join(directory, 'state') });
  const person = { controller: { url: controller.url }, token: () => 'alice' };
  const resolver = await openResolver({ configuration, environment: {}, notices: () => expect.unreachable(), person });
  const asks = [ask(semver('~1.0'))];
  const query = { v: 1, who: { application: 'shop' }, budgetMs: 5_000, asks, explain: true } as const;
  const resolutions = await resolver.resolve(query, new AbortController().signal);
  expect(resolutions).toMatchObject([{ kind: 'failed', error: fault }]);
  await resolver.close();
});
