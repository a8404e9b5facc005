import type { User } from '../kubernetes/kubernetes.ts';
import type { ApplicationName } from './application-name.ts';
import { Refusal } from './exchange.ts';

export interface PeoplePorts {
  /** SubjectAccessReview; an empty name and namespace ask about all Applications. Rejects when the API does not answer. */
  readonly mayGetApplication: (user: User, application: ApplicationName, signal: AbortSignal) => Promise<boolean>;
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
  let may: boolean;
  try {
    may = await ports.mayGetApplication(user, application, signal);
  } catch {
    signal.throwIfAborted();
    throw new Refusal(503, 'the Kubernetes API does not answer, so your rights cannot be checked', {
      'retry-after': '2',
    });
  }
  if (may) return;
  throw new Refusal(
    403,
    application.name === ''
      ? 'you may not get all Applications; name one that you may get'
      : 'you may not get this Application',
  );
}
