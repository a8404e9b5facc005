import type { Notice } from '../error/user-error.ts';
import type { Ask, Resolution } from '../resolve/resolver.ts';
import type { ReceivedAnswer } from '../store/store.ts';
import { ageInWords } from '../text/age.ts';
import { readResolution } from './read-resolutions.ts';

/** An answer that may be served when the controller is away. */
export type KeptResolution = Extract<Resolution, { kind: 'decided' | 'stale' | 'held' | 'as-in-git' }>;

/** An unchanged answer is written again after this long, in milliseconds: its age is told, and a write for each generation would be many. */
const REWRITE_AFTER_MS = 10 * 60_000;

/** What is kept of an answer: without notices and explanation, which are about the moment. Undefined: it is none to keep. */
export function keptFrom(resolution: Resolution): KeptResolution | undefined {
  switch (resolution.kind) {
    case 'decided':
    case 'stale':
    case 'held':
    case 'as-in-git': {
      const { explanation: _explanation, ...kept } = resolution;
      return { ...kept, notices: [] };
    }
    case 'pinned':
    case 'unsatisfied':
    case 'refused':
    case 'failed':
      return undefined;
    default:
      return resolution satisfies never;
  }
}

/** A kept answer; undefined when it is of a version that cannot be read here. */
export function readKept({ answer }: ReceivedAnswer): KeptResolution | undefined {
  try {
    return keptFrom(readResolution(JSON.parse(answer)));
  } catch {
    return undefined;
  }
}

/** Whether an answer has to be written over the one that is kept. */
export function isWorthWriting(
  kept: KeptResolution,
  before: { readonly answer: ReceivedAnswer; readonly resolution: KeptResolution },
  now: number,
): boolean {
  const isOld = Math.abs(now - before.answer.receivedAt) >= REWRITE_AFTER_MS;
  return isOld || essence(before.resolution) !== essence(kept);
}

/** What an answer says of the image; not when the registry confirmed it last, which changes all the time. */
function essence(kept: KeptResolution): string {
  const decision = 'decision' in kept ? kept.decision : kept.would;
  return JSON.stringify([
    kept.kind,
    'reason' in kept ? kept.reason : null,
    decision?.tag ?? null,
    decision?.digest ?? null,
    decision?.movedAt ?? null,
  ]);
}

/** The last answer again, said to be that. */
export function servedAgain(
  ask: Ask,
  kept: KeptResolution,
  away: { readonly receivedAt: number; readonly now: number; readonly url: string; readonly why: string },
): Resolution {
  const age = `answered ${ageInWords(away.now - away.receivedAt)} ago`;
  const notice = (stays: string): Notice => ({
    code: 'CONTROLLER_UNREACHABLE',
    what: `${ask.label} stays ${stays}, ${age}, because the controller at ${away.url} could not be asked: ${away.why}`,
    where: ask.where,
  });
  switch (kept.kind) {
    case 'decided':
    case 'stale':
    case 'held': {
      const { decision } = kept;
      const why = `${ask.repository.name}:${decision.tag} is the last answer of the controller`;
      return {
        kind: kept.kind === 'held' ? 'held' : 'stale',
        decision,
        why,
        notices: [notice(`at ${decision.tag}`)],
      };
    }
    case 'as-in-git':
      return { ...kept, notices: [notice('as in Git')] };
    default:
      return kept satisfies never;
  }
}
