// The real registry tells of a push by itself, and nothing is polled.

import { afterAll, expect, test } from 'vitest';
import { plainHttp } from '../../e2e/argo-cd.ts';
import { PushToLive } from '../harness/times.ts';
import { useArgoCd } from '../harness/use-argo-cd.ts';
import { directory } from '../manifests.ts';
import { stepsWith } from '../steps.ts';

const SECRET = 'only-for-tests';
const argoCd = useArgoCd({
  // Events name the registry as the client that pushed called it; images are written with another name here.
  configuration: async ({ registry }) => ({
    interval: '1h',
    registries: { hosts: [plainHttp(registry)] },
    webhooks: [{ type: 'distribution', host: registry.host, secret: 'env:DISTRIBUTION_WEBHOOK_SECRET' }],
  }),
  controller: { environment: { DISTRIBUTION_WEBHOOK_SECRET: SECRET }, notifiedWith: `Bearer ${SECRET}` },
});
const { image, push, create } = stepsWith(argoCd);
const pushToLive = new PushToLive();
afterAll(() => console.log(pushToLive.toString()));

test('what the registry tells of gets live, and only the applications that take it are refreshed', async () => {
  await push('told', '1.0.0', '1.0.1');
  await push('other', '1.0.0');
  const [application, other] = [
    await create('told', directory({ told: image('told', '1.0.0') })),
    await create('other', directory({ other: image('other', '1.0.0') })),
  ];
  await argoCd().waitFor('both rest', () =>
    [application, other].every((one) => one.isAtRest() && one.secondsSinceSync() > 2),
  );
  await application.becomesLive('told', image('told', '1.0.1'));
  const seen = [application.observe(), other.observe()];
  await pushToLive.measure(
    "a directory of plain files, by distribution's own notification",
    async () => push('told', '1.1.0', '1.0.2'),
    async () => application.becomesLive('told', image('told', '1.0.2')),
  );
  await argoCd().waitFor(
    'the refresh is confirmed',
    async () => (await argoCd().controller.metric('image_resolver_refresh_queue_applications')) === 0,
  );
  for (const observation of seen) observation.stop();
  expect(seen.map(({ refreshes }) => refreshes)).toEqual([1, 0]);
});

test('an event with another secret is refused', async () => {
  const event = { events: [{ action: 'push', target: { repository: 'acme/told', tag: '1.0.3' } }] };
  expect(await argoCd().controller.webhook('distribution', event, { authorization: 'Bearer guessed' })).toBe(401);
});
