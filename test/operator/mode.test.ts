import { expect, test } from 'vitest';
import { modeFor } from '../../src/operator/mode.ts';
import { completeConfiguration } from '../../src/operator/complete-configuration.ts';
import type { ModeRule } from '../../src/operator/operator-configuration.ts';

const nginx = { host: 'docker.io', path: 'library/nginx', name: 'docker.io/library/nginx' };
const freeze = (rule: Omit<ModeRule, 'mode'>): readonly ModeRule[] => [{ ...rule, mode: 'freeze' }];

test.for([
  { name: 'is enforce without rules', modes: [], want: 'enforce' },
  {
    name: 'is that of the first rule that matches',
    modes: [{ project: 'x', mode: 'freeze' as const }, { mode: 'observe' as const }, { mode: 'freeze' as const }],
    want: 'observe',
  },
  { name: 'matches a project by glob', modes: freeze({ project: 'legacy-*' }), project: 'legacy-shop', want: 'freeze' },
  {
    name: 'matches the whole project name',
    modes: freeze({ project: 'legacy' }),
    project: 'legacy-shop',
    want: 'enforce',
  },
  {
    name: 'needs every glob of a rule to match',
    modes: freeze({ project: 'a', repository: 'docker.io/library/*' }),
    project: 'b',
    want: 'enforce',
  },
  {
    name: 'takes a bare instance name for one of the control plane',
    modes: freeze({ application: 'argocd/payments-*' }),
    application: 'payments-eu',
    want: 'freeze',
  },
  {
    name: 'takes an instance name apart at its underscore',
    modes: freeze({ application: 'team-a/payments-*' }),
    application: 'team-a_payments-eu',
    want: 'freeze',
  },
  {
    name: 'does not take another namespace for the control plane',
    modes: freeze({ application: 'argocd/*' }),
    application: 'team-a_payments',
    want: 'enforce',
  },
  {
    name: 'does not take the control plane for another namespace',
    modes: freeze({ application: 'team-a/*' }),
    application: 'payments',
    want: 'enforce',
  },
  {
    name: 'matches the namespace by glob',
    modes: freeze({ application: '*/payments' }),
    application: 'payments',
    want: 'freeze',
  },
  {
    name: 'takes a rule without namespace for the control plane',
    modes: freeze({ application: 'payments' }),
    application: 'payments',
    want: 'freeze',
  },
  {
    name: 'does not give a rule without namespace other namespaces',
    modes: freeze({ application: 'payments' }),
    application: 'team-a_payments',
    want: 'enforce',
  },
  {
    name: 'knows a control plane that is elsewhere',
    modes: freeze({ application: 'gitops/payments' }),
    application: 'payments',
    namespace: 'gitops',
    want: 'freeze',
  },
  {
    name: 'matches no application by name when it is unknown',
    modes: freeze({ application: 'argocd/*' }),
    application: '',
    want: 'enforce',
  },
  { name: 'matches an unknown project by * only', modes: freeze({ project: '*' }), want: 'freeze' },
  {
    name: 'matches a repository in its normal form',
    modes: freeze({ repository: 'docker.io/library/*' }),
    want: 'freeze',
  },
  { name: 'lets * stop at a slash', modes: freeze({ repository: 'docker.io/*' }), want: 'enforce' },
  { name: 'lets /** reach everything below', modes: freeze({ repository: 'docker.io/**' }), want: 'freeze' },
  { name: 'lets /** match with globs before it', modes: freeze({ repository: '*/library/**' }), want: 'freeze' },
  {
    name: 'does not let /** match the place itself',
    modes: freeze({ repository: 'docker.io/library/nginx/**' }),
    want: 'enforce',
  },
] as readonly {
  name: string;
  modes: readonly ModeRule[];
  project?: string;
  application?: string;
  namespace?: string;
  want: string;
}[])('the mode $name', ({ modes, application = 'shop', namespace, want, ...claim }) => {
  const configuration = completeConfiguration(
    { modes, ...(namespace && { controlPlaneNamespace: namespace }) },
    [],
    {},
  );
  expect(modeFor(configuration, { ...claim, application, repository: nginx })).toBe(want);
});
