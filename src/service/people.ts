import type { ApplicationVerb, User } from '../kubernetes/kubernetes.ts';
import type { ApplicationName } from './application-name.ts';
import { Refusal } from './exchange.ts';

export interface PeoplePorts {
  /** SubjectAccessReview; an empty name and namespace ask about all Applications. Rejects when the API does not answer. */
  readonly mayAccessApplication: (
    user: User,
    verb: ApplicationVerb,
    application: ApplicationName,
    signal: AbortSignal,
  ) => Promise<boolean>;
  readonly controlPlaneNamespace: () => string;
}

/**
 * Whether it exists is told to those only who may get it.
 *
 * @throws {Refusal} 403; 503 when the API does not answer.
 */
export async function checkMayGet(
  user: User,
  application: ApplicationName,
  ports: PeoplePorts,
  signal: AbortSignal,
): Promise<void> {
  if (await may(user, 'get', application, ports, signal)) return;
  throw new Refusal(
    403,
    application.name === ''
      ? 'you may not get all Applications; name one that you may get'
      : 'you may not get this Application',
  );
}

/** @throws {Refusal} 503 when the API does not answer. */
export async function may(
  user: User,
  verb: ApplicationVerb,
  application: ApplicationName,
  ports: PeoplePorts,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    return await ports.mayAccessApplication(user, verb, application, signal);
  } catch {
    signal.throwIfAborted();
    throw new Refusal(503, 'the Kubernetes API does not answer, so your rights cannot be checked', {
      'retry-after': '2',
    });
  }
}
