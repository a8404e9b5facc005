import { type Notice, UserError } from '../error/user-error.ts';
import { generate, type Generation, type GenerateRequest } from '../generate/generate.ts';
import { monotonicMs } from '../render/monotonic-clock.ts';
import { TOOLS_ON_PATH } from '../render/render-options.ts';
import type { Resolver } from '../resolve/resolver.ts';
import { fail, tell } from './exit.ts';
import { type ControllerAccess, openResolver, operatorConfiguration } from './operator.ts';

/**
 * One generation with the real operator configuration, store and registries; undefined when it failed. Warnings, and what
 * made it fail, go to stderr.
 *
 * @param person how a person asks the controller; absent: as the sidecar would.
 */
export async function runGeneration(
  request: GenerateRequest,
  person?: ControllerAccess,
): Promise<Generation | undefined> {
  const { configuration, notices } = await operatorConfiguration().current();
  const warnings: Notice[] = [...notices];
  let resolver: Promise<Resolver> | undefined;
  try {
    const generation = await generate(
      request,
      {
        configuration,
        resolver: async () => (resolver ??= openResolver(configuration, (notice) => warnings.push(notice), person)),
        tools: TOOLS_ON_PATH,
        now: monotonicMs,
        random: Math.random,
      },
      stopSignal(),
    );
    tell([...warnings, ...generation.notices]);
    return generation;
  } catch (error) {
    fail(error, warnings);
    return undefined;
  } finally {
    // Why it could not be opened has been told.
    await (await resolver?.catch(() => undefined))?.close();
  }
}

/** Aborts when the process is told to stop, so that children are ended and temporary files removed. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.once(name, () => {
      controller.abort(
        new UserError('CANCELLED', {
          what: `stopped by ${name}`,
          where: 'image-resolver',
          fix: 'if it was too slow for who stopped it, image-resolver explain shows what takes long',
        }),
      );
    });
  }
  return controller.signal;
}
