import type { Application } from '../applications/application.ts';
import type { Registration } from '../registrations/registration.ts';
import { otherRevision } from '../registrations/sources.ts';
import type { AskedRefresh } from './refresh-entry.ts';

/** How far Argo CD is with a hard refresh that was asked for. */
export type Progress =
  /** The annotation stands: it is waiting for its turn or at work. */
  | 'standing'
  /** Nothing shows that the Application was reconciled after it. */
  | 'not-reconciled'
  | 'not-rendered'
  | 'rendered';

/** What is known of a rendering. */
export type Rendering = Pick<Registration, 'answeredAt' | 'source' | 'revision'>;

/** Whether it was for the revision that the Application shows, and not for an operation's or a person's. */
export function isRenderedSince(
  application: Pick<Application, 'sources' | 'revisions'>,
  renderings: readonly Rendering[],
  at: number,
): boolean {
  return renderings.some((one) => one.answeredAt >= at && otherRevision(application, one) === undefined);
}

/**
 * Argo CD takes the annotation away with the status of the reconcile it asked for, so an annotation that was seen and is
 * gone proves one. `reconciledAt` counts whole seconds: another one proves it too, the same one proves nothing.
 */
export function progressOf(
  asked: AskedRefresh,
  application: Pick<Application, 'refreshAsked' | 'reconciledAt' | 'sources' | 'revisions'>,
  renderings: readonly Rendering[],
): Progress {
  if (application.refreshAsked === 'hard') return 'standing';
  if (!asked.seen && application.reconciledAt === asked.reconciledAt) return 'not-reconciled';
  // A hard refresh renders every source. Which of them have what they should is for the comparison to say.
  const answered = renderings.length === 0 || isRenderedSince(application, renderings, asked.at);
  return answered ? 'rendered' : 'not-rendered';
}
