import type { Notice, UserErrorData } from '../error/user-error.ts';
import type { Tag } from '../image/reference.ts';
import type { Fault } from '../registry/sources.ts';
import { ageInWords } from '../text/age.ts';
import { placed, type Admitted } from './admit.ts';
import type { Settled } from './job.ts';
import { NEVER_CONFIRMED, type Decision } from '../store/store.ts';

// What people read. Equal faults give equal text: no times in errors, ages in notices in coarse words only.

/** An image as it is written: `ghcr.io/acme/web:1.0.6`. */
export function imageText({ ask }: Admitted, decision: Decision): string {
  const digest = decision.digest === undefined ? '' : `@${decision.digest}`;
  return `${ask.repository.name}:${decision.tag}${digest}`;
}

const OF_FILTERS: ReadonlySet<string> = new Set(['FILTER_TOO_SLOW', 'FILTER_INVALID']);

/** Last known good is served. */
export function staleNotice(admitted: Admitted, decision: Decision, fault: Fault, now: number): Notice {
  const known =
    decision.confirmedAt === NEVER_CONFIRMED
      ? 'recovered from what runs'
      : `confirmed ${ageInWords(now - decision.confirmedAt)} ago`;
  return {
    code: 'ANSWER_STALE',
    what:
      `${admitted.ask.label} stays at ${decision.tag}, ${known}, ` +
      `because ${OF_FILTERS.has(fault.error.code) ? 'its filters could not be evaluated' : 'the registry could not be asked'} (${fault.error.code}: ${fault.error.what})`,
    where: admitted.ask.where,
  };
}

/** The decision stays although its tag is gone. */
export function keptNotice({ ask }: Admitted, decision: Decision): Notice {
  const next = ask.onRemoved === 'next-best' ? 'the next best is taken when it is gone for good' : 'on-removed is keep';
  return {
    code: 'ANSWER_KEPT',
    what: `${ask.label} stays at ${decision.tag}, although ${ask.repository.name} no longer offers that tag (${next})`,
    where: ask.where,
  };
}

/** Nothing satisfies (a followed tag is not there), and the field stays as in Git. */
export function nothingNotice(admitted: Admitted, error: UserErrorData): Notice {
  const until = admitted.followed === undefined ? 'one does' : 'it is there';
  return {
    code: 'NOTHING_SATISFIES',
    what: `${error.what}; ${admitted.ask.label} stays as in Git until ${until}`,
    where: admitted.ask.where,
  };
}

/** Nothing satisfies, as an error. */
export function nothingError(admitted: Admitted, nothing: Extract<Settled, { kind: 'nothing' }>): UserErrorData {
  const { name } = admitted.ask.repository;
  const nearest = nothing.nearest === undefined ? '' : ` (newest outside it: ${nothing.nearest})`;
  const what =
    nothing.tags === 0
      ? `${name} has no tags, so none satisfies ${nothing.label}`
      : `none of the ${nothing.tags} tags of ${name} satisfies ${nothing.label}`;
  return placed(
    { code: 'TAG_NOT_FOUND', what, where: '', fix: `widen the policy, or publish a matching tag${nearest}` },
    admitted.ask,
  );
}

/** The tag that a digest policy follows does not exist (or may not be seen, which some registries answer alike). */
export function notThereYet({ ask }: Admitted, tag: Tag, fault: Fault): UserErrorData {
  const what = `the registry has no tag ${tag} of ${ask.repository.name} (yet)`;
  return placed({ ...fault.error, what }, ask);
}

/** Nothing is known, and it could not be asked. */
export function faultError(admitted: Admitted, fault: Fault): UserErrorData {
  if (fault.kind !== 'cancelled') return placed(fault.error, admitted.ask);
  const { host } = admitted.access.endpoint;
  return placed(
    {
      code: 'BUDGET_EXCEEDED',
      what: `the time for this generation passed while ${host} was asked about ${admitted.ask.repository.name}`,
      where: '',
      fix: `see why ${host} is slow, narrow the policy's filters, or try again: what was learnt is kept`,
    },
    admitted.ask,
  );
}

/** A frozen application whose rights have changed. */
export function frozenElsewhereError({ ask }: Admitted): UserErrorData {
  return placed(
    {
      code: 'CREDENTIAL_NOT_GRANTED',
      what: `${ask.label} is frozen, but its last answer was obtained with another credential for ${ask.repository.host}`,
      where: '',
      fix: 'give the application that credential again, or lift the freeze so that the image is resolved anew',
    },
    ask,
  );
}
