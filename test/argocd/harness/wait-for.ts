import type { Mirror } from './mirror.ts';

const WITHIN_MS = 30_000;
/** For what no watch tells. */
const LOOK_AGAIN_MS = 100;

/**
 * Resolves as soon as the condition holds. It looks again after every change in the cluster.
 *
 * @param what follows "it did not happen that" in the error.
 */
export async function waitFor(
  mirror: Mirror,
  what: string,
  condition: () => boolean | Promise<boolean>,
  withinMs: number = WITHIN_MS,
): Promise<void> {
  if (!(await happens(mirror, condition, withinMs)))
    throw new Error(`within ${withinMs / 1000} s it did not happen that ${what}`);
}

/** Whether the condition comes to hold within the time. */
export async function happens(
  mirror: Mirror,
  condition: () => boolean | Promise<boolean>,
  withinMs: number,
): Promise<boolean> {
  const until = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > until) return false;
    await new Promise<void>((done) => {
      const finish = (): void => {
        stop();
        clearTimeout(timer);
        done();
      };
      const stop = mirror.onChange(finish);
      const timer = setTimeout(finish, LOOK_AGAIN_MS);
    });
  }
  return true;
}
