import { type Notice, UserError } from '../error/user-error.ts';
import { generate, type Generation, type GenerateRequest } from '../generate/generate.ts';
import { monotonicMs } from '../render/monotonic-clock.ts';
import { TOOLS_ON_PATH } from '../render/render-options.ts';
import type { Resolver } from '../resolve/resolver.ts';
import { type Ending, EXIT, failureEnding, noticeLines } from './exit.ts';
import { type ControllerAccess, openResolver, operatorConfiguration } from './operator.ts';

/** A generation that was done, or undefined, and how whoever asked for it is to be told. */
export interface GenerationEnding extends Ending {
  readonly generation?: Generation;
}

/**
 * One generation with the real operator configuration, store and registries, as the environment of the request names them.
 * It neither writes to this process's streams nor ends it.
 *
 * @param person how a person asks the controller; absent: as the sidecar would.
 */
export async function runGeneration(
  request: GenerateRequest,
  signal: AbortSignal,
  person?: ControllerAccess,
): Promise<GenerationEnding> {
  const { environment } = request;
  const warnings: Notice[] = [];
  let resolver: Promise<Resolver> | undefined;
  try {
    const { configuration, notices } = await operatorConfiguration(environment).current();
    warnings.push(...notices);
    const open = async (): Promise<Resolver> =>
      openResolver({ configuration, environment, notices: (notice) => warnings.push(notice), person });
    const generation = await generate(
      request,
      {
        configuration,
        resolver: async () => (resolver ??= open()),
        tools: TOOLS_ON_PATH,
        now: monotonicMs,
        random: Math.random,
      },
      signal,
    );
    return { generation, stderr: noticeLines([...warnings, ...generation.notices]), exitCode: EXIT.done };
  } catch (error) {
    return failureEnding(error, warnings, request.directory);
  } finally {
    // Why it could not be opened has been told.
    await (await resolver?.catch(() => undefined))?.close();
  }
}

/** Tells on this process's stderr and exit code how a generation ended; what came out of it. */
export function toldGeneration({ generation, stderr, exitCode }: GenerationEnding): Generation | undefined {
  process.stderr.write(stderr);
  process.exitCode = exitCode;
  return generation;
}

/** Aborts when the process is told to stop, so that children are ended and temporary files removed. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.once(name, () => controller.abort(stopped(`stopped by ${name}`)));
  }
  return controller.signal;
}

/** Why a generation was not carried to its end. */
export function stopped(what: string): UserError {
  return new UserError('CANCELLED', {
    what,
    where: 'image-resolver',
    fix: 'if it was too slow for who stopped it, image-resolver explain shows what takes long',
  });
}
