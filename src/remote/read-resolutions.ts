import type { ErrorCode } from '../error/codes.ts';
import type { Parsed } from '../error/parsed.ts';
import type { Notice, UserErrorData } from '../error/user-error.ts';
import { parseDigest } from '../image/digest.ts';
import { parseTag } from '../image/tag.ts';
import type { Explanation, Resolution } from '../resolve/resolver.ts';
import type { Decision } from '../store/store.ts';
import { arrayAt, type JsonObject, numberAt, objectAt, ShapeError, textAt } from './json-shape.ts';

/**
 * The resolutions of an answer, every tag and digest checked again: they are written into manifests.
 *
 * @param count how many were asked for.
 * @throws {ShapeError} when anything is not as it must be; then nothing of the answer is used.
 */
export function readResolutions(body: unknown, count: number): readonly Resolution[] {
  const resolutions = arrayAt(objectAt(body, 'the answer')['resolutions'], 'resolutions');
  if (resolutions.length !== count) throw new ShapeError(`it has ${resolutions.length} resolutions for ${count} asks`);
  return resolutions.map(readResolution);
}

/** @throws {ShapeError} */
export function readResolution(value: unknown): Resolution {
  const from = objectAt(value, 'a resolution');
  const notices = arrayAt(from['notices'], 'notices').map(readNotice);
  const said = {
    why: textAt(from['why'], 'why'),
    notices,
    ...(from['explanation'] !== undefined && { explanation: readExplanation(from['explanation']) }),
  };
  // No complete switch: the kind is a text of another process.
  switch (from['kind']) {
    case 'decided':
    case 'stale':
    case 'held':
      return { kind: from['kind'], decision: readDecision(from['decision']), ...said };
    case 'pinned':
      return from['tag'] === undefined
        ? { kind: 'pinned', digest: checked(parseDigest, from['digest'], 'digest'), ...said }
        : { kind: 'pinned', tag: checked(parseTag, from['tag'], 'tag'), ...said };
    case 'as-in-git':
      return {
        kind: 'as-in-git',
        reason: readReason(from['reason']),
        ...(from['would'] !== undefined && { would: readDecision(from['would']) }),
        ...said,
      };
    case 'unsatisfied':
    case 'refused':
    case 'failed':
      return { kind: from['kind'], error: readError(from['error']), ...said };
    default:
      throw new ShapeError('a resolution has a kind that is not known');
  }
}

function readDecision(value: unknown): Decision {
  const from = objectAt(value, 'decision');
  return {
    tag: checked(parseTag, from['tag'], 'tag'),
    ...(from['digest'] !== undefined && { digest: checked(parseDigest, from['digest'], 'digest') }),
    movedAt: numberAt(from['movedAt'], 'movedAt'),
    confirmedAt: numberAt(from['confirmedAt'], 'confirmedAt'),
  };
}

function checked<T>(parse: (text: string) => Parsed<T>, value: unknown, place: string): T {
  const result = parse(textAt(value, place));
  if (result.ok) return result.value;
  throw new ShapeError(`a ${place} ${result.problem}`);
}

const REASONS = ['none', 'observe', 'paused', 'unsatisfied'] as const;

function readReason(value: unknown): (typeof REASONS)[number] {
  const reason = REASONS.find((one) => one === value);
  if (reason === undefined) throw new ShapeError('a reason is not known');
  return reason;
}

/** A newer controller may have codes that are not known here; they are only shown. */
const CODE = /^[A-Z][A-Z0-9_]{1,63}$/;

function readCode(value: unknown): ErrorCode {
  const code = textAt(value, 'code');
  if (!CODE.test(code)) throw new ShapeError('a code has other characters than A-Z, 0-9 and "_"');
  return code as ErrorCode;
}

function readError(value: unknown): UserErrorData {
  const from = objectAt(value, 'error');
  return {
    code: readCode(from['code']),
    what: textAt(from['what'], 'what'),
    where: textAt(from['where'], 'where'),
    fix: textAt(from['fix'], 'fix'),
  };
}

function readNotice(value: unknown): Notice {
  const from = objectAt(value, 'a notice');
  return {
    code: readCode(from['code']),
    what: textAt(from['what'], 'what'),
    ...(from['where'] !== undefined && { where: textAt(from['where'], 'where') }),
  };
}

function readExplanation(value: unknown): Explanation {
  const from = objectAt(value, 'explanation');
  const texts = (key: string): readonly string[] => arrayAt(from[key], key).map((one) => textAt(one, key));
  const rejection = (one: JsonObject): Explanation['rejected'][number] => ({
    tag: textAt(one['tag'], 'tag'),
    rule: textAt(one['rule'], 'rule'),
  });
  return {
    steps: texts('steps'),
    considered: numberAt(from['considered'], 'considered'),
    candidates: texts('candidates'),
    rejected: arrayAt(from['rejected'], 'rejected').map((one) => rejection(objectAt(one, 'rejected'))),
    rejectedTotal: numberAt(from['rejectedTotal'], 'rejectedTotal'),
  };
}
