import type { Soon } from '../store/soon.ts';
import type { Answer, Decision } from '../store/store.ts';
import type { Admitted } from './admit.ts';
import { headOf } from './evaluate.ts';
import type { Job, Ports } from './job.ts';
import { isDecidedFrom } from './keys.ts';
import { answersAsk, shown } from './resolution.ts';
import type { Resolution, SourceClaim } from './resolver.ts';
import { faultError, frozenElsewhereError } from './wording.ts';

/** How exactly it is kept when an answer was last confirmed, in milliseconds: it is read when the registry is away, and a write costs. */
const CONFIRMED_PRECISION_MS = 10 * 60 * 1000;

/**
 * Names one of several sources of an application: the images that they use may have the same names. Not by its revision, which
 * is changed to promote something and must not let go of what is frozen.
 */
export function placeOf({ repoURL, path }: Pick<SourceClaim, 'repoURL' | 'path'>): string {
  return JSON.stringify([repoURL, path]);
}

/** What the answer to an ask of a source is kept under. No image has a line feed in its name. */
function nameOf(image: string, place: string | undefined): string {
  return place === undefined ? image : `${image}\n${place}`;
}

/** What an application was answered for images of one name. */
interface Named<T> {
  readonly answers: ReadonlyMap<string, T>;
  readonly image: string;
  readonly place: string | undefined;
}

/** Of this source. */
export function ownAnswer<T>({ answers, image, place }: Named<T>): T | undefined {
  return answers.get(nameOf(image, place));
}

/**
 * Of other sources, or kept without one, by an older version too; confirmed last first. Looks at all: to be asked only where
 * there is none of its own.
 */
export function otherAnswers<T extends { readonly decision: Decision }>({
  answers,
  image,
  place,
}: Named<T>): readonly T[] {
  const name = nameOf(image, place);
  const others = [...answers].filter(([of]) => of !== name && (of === image || of.startsWith(nameOf(image, ''))));
  return others.map(([, answer]) => answer).sort((a, b) => b.decision.confirmedAt - a.decision.confirmedAt);
}

/** What an application was answered last for an ask. */
export interface LastAnswer {
  readonly answer: Answer;
  /** It is kept under the very name that the next is. */
  readonly own: boolean;
  /** It is this source's, or may be; else it only shows that the application was answered before. */
  readonly fits: boolean;
}

/** What was found for asks that come again, as long as the application was answered nothing else. */
const foundBefore = new WeakMap<
  Admitted,
  { readonly among: ReadonlyMap<string, Answer>; readonly place: string | undefined; readonly last: LastAnswer }
>();

/** Undefined: an image of that name was never answered. */
export function lastAnswer(
  one: Admitted,
  answers: ReadonlyMap<string, Answer>,
  place: string | undefined,
  ports: Ports,
): Soon<LastAnswer | undefined> {
  const before = foundBefore.get(one);
  if (before?.among === answers && before.place === place) return before.last;
  const named = { answers, image: one.ask.image, place };
  const own = ownAnswer(named);
  if (own === undefined) return lastOther(one, named, ports);
  const last = { answer: own, own: true, fits: true };
  foundBefore.set(one, { among: answers, place, last });
  return last;
}

async function lastOther(one: Admitted, named: Named<Answer>, ports: Ports): Promise<LastAnswer | undefined> {
  const others = otherAnswers(named);
  for (const answer of others) if (await answersAsk(one, answer, ports)) return { answer, own: false, fits: true };
  const [answer] = others;
  return answer && { answer, own: false, fits: false };
}

/** An answer that is given again, and why. */
export interface HeldAnswer {
  readonly answer: Answer;
  readonly why: string;
}

/**
 * In mode freeze, what the application was answered last: it is held, whatever the policy says now. While a sync of it runs,
 * what the same policy was answered.
 */
export function answerToHold(one: Admitted, last: LastAnswer | undefined, isSyncing: boolean): HeldAnswer | undefined {
  if (last?.fits !== true) return undefined;
  const { answer } = last;
  if (one.mode === 'freeze') return { answer, why: 'decisions of this application are frozen' };
  const isWhole = !one.wantsDigest || answer.decision.digest !== undefined;
  if (!isSyncing || answer.key !== one.key || !isWhole) return undefined;
  return { answer, why: 'a sync of this application runs, and all of it gets the same images' };
}

/** A held answer. Never one that was obtained with other rights: that is an error, because moving would be none the better. */
export async function held(
  one: Admitted,
  { answer, why }: HeldAnswer,
  job: Job,
  ports: Ports,
  signal: AbortSignal,
): Promise<Resolution> {
  const { notices } = one;
  if (!isDecidedFrom(answer.key, one.listing)) {
    const error = frozenElsewhereError(one);
    return { kind: 'failed', error, why: error.what, notices };
  }
  const { decision } = answer;
  if (!one.wantsDigest || decision.digest !== undefined) {
    return { kind: 'held', decision: shown(one, decision), why, notices };
  }
  // The output was changed to hold a digest after the freeze: the tag stays, and its digest is looked up once.
  const head = await headOf(job, decision.tag, ports, signal);
  if (head.kind === 'fault') {
    const error = faultError(one, head.fault);
    return { kind: 'failed', error, why: error.what, notices };
  }
  return { kind: 'held', decision: { ...decision, digest: head.digest }, why, notices };
}

/** What was given, when it has to be remembered: it differs from before, or was confirmed long after. */
export function answerToKeep(
  one: Admitted,
  resolution: Resolution,
  last: LastAnswer | undefined,
  place: string | undefined,
): readonly Answer[] {
  if (resolution.kind !== 'decided' && resolution.kind !== 'stale' && resolution.kind !== 'held') return [];
  const { decision } = resolution;
  const before = last?.answer;
  const key = resolution.kind === 'held' && before !== undefined ? before.key : one.key;
  const same =
    before !== undefined &&
    last?.own === true &&
    before.key === key &&
    before.decision.tag === decision.tag &&
    before.decision.digest === decision.digest;
  if (same && decision.confirmedAt - before.decision.confirmedAt < CONFIRMED_PRECISION_MS) return [];
  return [{ image: nameOf(one.ask.image, place), scope: one.access.scope, key, decision }];
}
