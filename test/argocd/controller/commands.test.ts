// What people run with a Kubernetes token of their own, against the controller of a whole Argo CD.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { AUDIENCE } from '../../../src/remote/protocol.ts';
import { CONTROL_PLANE } from '../harness/argo-cd-objects.ts';
import { SIDECAR_ACCOUNT } from '../harness/image-resolver-controller.ts';
import { type Person, personOf } from '../harness/person.ts';
import { allow, type RoleOptions } from '../harness/roles.ts';
import type { TestApplication } from '../harness/test-application.ts';
import { useArgoCd } from '../harness/use-argo-cd.ts';
import { directory } from '../manifests.ts';
import { stepsWith } from '../steps.ts';

/** Nothing moves by itself. */
const argoCd = useArgoCd({ configuration: { interval: '1h' }, controller: {} });
const { repository, image, push, create } = stepsWith(argoCd);

let application: TestApplication;
/** May get the Application `shop` and nothing else. */
let member: Person;
let stranger: Person;

const mayGet = (...names: readonly string[]): RoleOptions['rules'] => [
  { apiGroups: ['argoproj.io'], resources: ['applications'], resourceNames: names, verbs: ['get'] },
];

beforeAll(async () => {
  await push('shop', '1.0.0', '1.0.1');
  await push('secret', '1.0.0');
  [application] = await Promise.all([
    create('shop', directory({ shop: image('shop', '1.0.0') })),
    create('secret', directory({ secret: image('secret', '1.0.0') })),
  ]);
  member = await personOf(argoCd(), { namespace: 'default', name: 'member' });
  stranger = await personOf(argoCd(), { namespace: 'default', name: 'stranger' });
  await allow(argoCd().kubernetes, {
    namespace: CONTROL_PLANE,
    name: 'shop',
    account: member.account,
    rules: mayGet('shop'),
  });
  await argoCd().waitFor('it rests', () => application.isAtRest() && application.secondsSinceSync() > 2);
});

test('who may get the Application sees how it stands, for people and for machines', async () => {
  const { code, stdout, stderr } = await member.run('status', 'shop');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('argocd/shop (project default)');
  expect(stdout).toMatch(/has +1\.0\.1\n/);
  expect(stdout).toContain(application.state()?.status?.sync?.revision);
  const { stdout: json } = await member.run('status', 'argocd/shop', '--json');
  expect(JSON.parse(json)).toMatchObject({
    applications: [
      {
        application: 'argocd/shop',
        sources: [
          {
            images: [
              {
                label: 'app',
                repository: repository('shop'),
                given: { kind: 'image', tag: '1.0.1' },
                decision: { tag: '1.0.1' },
              },
            ],
          },
        ],
        refresh: { kind: 'idle' },
      },
    ],
  });
});

test('refresh looks at the registry now, and what is new gets live', async () => {
  await push('shop', '1.0.2');
  const { code, stdout, stderr } = await member.run('refresh', 'shop');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('1 repository is looked at again');
  await application.becomesLive('shop', image('shop', '1.0.2'));
  expect((await member.run('status', 'shop')).stdout).toMatch(/decided +1\.0\.2, moved/);
});

test.for([
  { who: 'somebody who may get no Application', person: () => stranger, of: ['shop'] },
  { who: 'somebody who may get another one', person: () => member, of: ['secret'] },
  { who: 'somebody who asks for one that is not there', person: () => stranger, of: ['nothing'] },
])('$who is refused, is told nothing of it, and nothing is looked at', async ({ person, of }) => {
  const requests = argoCd().registry.requests.length;
  for (const command of ['status', 'refresh']) {
    const { code, stdout, stderr } = await person().run(command, ...of);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('may not');
    expect(stderr).not.toContain('1.0.');
  }
  expect(argoCd().registry.requests).toHaveLength(requests);
});

test('all applications are for those who may get all of them', async () => {
  expect(await member.run('status')).toMatchObject({ code: 1, stdout: '' });
});

test("the sidecar's token is for generations, not for people's questions", async () => {
  const file = join(await argoCd().sandbox.directory('stolen'), 'token');
  await writeFile(file, await argoCd().kubernetes.tokenFor(SIDECAR_ACCOUNT, AUDIENCE));
  for (const command of ['status', 'refresh']) {
    const { code, stdout } = await member.run(command, 'shop', '--token-file', file);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  }
});
