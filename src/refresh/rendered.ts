import type { Application } from '../applications/application.ts';
import type { Registration } from '../registrations/registration.ts';
import type { AskedRefresh } from './refresh-entry.ts';

/** How far Argo CD is with a hard refresh that was asked for. */
export type Progress =
  /** The annotation stands: it is waiting for its turn or at work. */
  | 'standing'
  /** Nothing shows that the Application was reconciled after it. */
  | 'not-reconciled'
  | 'not-rendered'
  | 'rendered';

/**
 * Argo CD takes the annotation away with the status of the reconcile it asked for, so an annotation that was seen and is
 * gone proves one. `reconciledAt` counts whole seconds: another one proves it too, the same one proves nothing.
 */
export function progressOf(
  asked: AskedRefresh,
  application: Pick<Application, 'refreshAsked' | 'reconciledAt'>,
  registrations: readonly Pick<Registration, 'answeredAt'>[],
): Progress {
  if (application.refreshAsked === 'hard') return 'standing';
  if (!asked.seen && application.reconciledAt === asked.reconciledAt) return 'not-reconciled';
  // A hard refresh renders every source. Which of them have what they should is for the comparison to say.
  const answered = registrations.length === 0 || registrations.some(({ answeredAt }) => answeredAt >= asked.at);
  return answered ? 'rendered' : 'not-rendered';
}
