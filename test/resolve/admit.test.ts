import { expect, test } from 'vitest';
import { completeConfiguration } from '../../src/operator/complete-configuration.ts';
import type { OperatorConfiguration } from '../../src/operator/operator-configuration.ts';
import type { Access, AccessAnswer } from '../../src/registry/access.ts';
import { admit, type Admitted } from '../../src/resolve/admit.ts';
import { ask, semver } from './harness.ts';

const configured = (file: Parameters<typeof completeConfiguration>[0]): OperatorConfiguration =>
  completeConfiguration(file, [], {});
const accessAs = (name: string): AccessAnswer => {
  const access = {
    repository: one.repository,
    endpoint: { host: 'registry.example.com', id: name },
    scope: `${name} as anonymous`,
    credential: { id: 'anonymous' },
  };
  return { kind: 'granted', access: access as unknown as Access };
};
const one = ask(semver('~1.0'));
const PLAIN = configured({ interval: '1m' });
const FREEZING = configured({ interval: '2m', modes: [{ application: 'argocd/frozen', mode: 'freeze' }] });
const [ONE, OTHER] = [accessAs('one'), accessAs('other')];

test('what is asked again is admitted as it is now: by its application, its project, its rights and the configuration', () => {
  const admitted = (
    application: string,
    project: string,
    configuration: OperatorConfiguration,
    answer: AccessAnswer,
  ) => {
    const admission = admit(one, { application, project }, { configuration, broker: { accessFor: () => answer } });
    return (admission as { readonly admitted: Admitted }).admitted;
  };
  const steps = [
    { application: 'shop', project: 'a', configuration: PLAIN, answer: ONE, mode: 'enforce', intervalMs: 60_000 },
    { application: 'frozen', project: 'a', configuration: PLAIN, answer: ONE, mode: 'enforce', intervalMs: 60_000 },
    { application: 'frozen', project: 'a', configuration: FREEZING, answer: ONE, mode: 'freeze', intervalMs: 120_000 },
    { application: 'shop', project: 'a', configuration: FREEZING, answer: ONE, mode: 'enforce', intervalMs: 120_000 },
    { application: 'shop', project: 'b', configuration: FREEZING, answer: ONE, mode: 'enforce', intervalMs: 120_000 },
    { application: 'shop', project: 'b', configuration: FREEZING, answer: OTHER, mode: 'enforce', intervalMs: 120_000 },
    { application: 'shop', project: 'a', configuration: PLAIN, answer: ONE, mode: 'enforce', intervalMs: 60_000 },
  ] as const;
  for (const { application, project, configuration, answer, mode, intervalMs } of steps) {
    const got = admitted(application, project, configuration, answer);
    expect(got).toMatchObject({ ask: one, mode, project, intervalMs });
    expect(got.access).toBe(answer.kind === 'granted' && answer.access);
    expect(got.listing).toContain(got.access.scope);
    expect(admitted(application, project, configuration, answer)).toBe(got);
  }
});
