import { expect, test } from 'vitest';
import { SimulatedController } from './simulated-controller.ts';

test('a part that does not end keeps nothing from being kept: the store is closed in time', async () => {
  await using here = new SimulatedController({ configuration: {}, rendered: () => undefined });
  here.registry.close = () => new Promise(() => undefined);
  await here.start();
  const began = here.clock.now();
  expect(await here.stop()).toBe(true);
  expect(here.clock.now() - began).toBeLessThan(5_000);
});
