import * as v from 'valibot';
import { ERROR_CODES, type ErrorCode } from '../error/codes.ts';
import type { Registration } from './registration.ts';

/** A registration as it is kept: with what only we need. */
export interface KeptRegistration extends Registration {
  /** Name of the plugin in the Application when it was last looked at; absent: it named none, and Git did. */
  readonly plugin?: string;
}

const text = v.string();
const optionalText = v.optional(text);
const isErrorCode = (value: unknown): boolean => typeof value === 'string' && Object.hasOwn(ERROR_CODES, value);

const platform = v.looseObject({ os: text, architecture: text, variant: optionalText });
const strategy = v.variant('kind', [
  v.looseObject({ kind: v.literal('semver'), constraint: text }),
  v.looseObject({ kind: v.literal('newest-build') }),
  v.looseObject({ kind: v.literal('alphabetical') }),
  v.looseObject({ kind: v.literal('digest'), tag: optionalText }),
]);
const filter = v.looseObject({
  effect: v.picklist(['allow', 'ignore']),
  kind: v.picklist(['regexp', 'glob']),
  pattern: text,
});
const choice = v.variant('kind', [
  v.looseObject({
    kind: v.literal('select'),
    selection: v.looseObject({ strategy, filters: v.array(filter), platforms: v.array(platform) }),
  }),
  v.looseObject({ kind: v.literal('pin'), tag: optionalText, digest: optionalText }),
  v.looseObject({ kind: v.literal('none') }),
  v.looseObject({ kind: v.literal('paused') }),
]);
const ask = v.looseObject({
  image: text,
  label: text,
  where: text,
  repository: v.looseObject({ host: text, path: text, name: text }),
  choice,
  output: v.optional(v.picklist(['tag', 'digest', 'tag@digest'])),
  onUnsatisfied: v.picklist(['git', 'error']),
  onRemoved: v.picklist(['keep', 'next-best']),
  pollIntervalMs: v.optional(v.number()),
  credential: optionalText,
  tagInGit: optionalText,
  untagged: optionalText,
});
const given = v.variant('kind', [
  v.looseObject({ kind: v.literal('image'), tag: optionalText, digest: optionalText }),
  v.looseObject({ kind: v.literal('as-in-git') }),
  v.looseObject({ kind: v.literal('error'), code: v.custom<ErrorCode>(isErrorCode) }),
]);
const registration = v.looseObject({
  application: text,
  project: optionalText,
  source: v.looseObject({ repoURL: text, path: text, targetRevision: text }),
  revision: text,
  parametersFingerprint: text,
  sync: v.optional(v.literal('full')),
  hooks: v.optional(v.literal(true)),
  generation: text,
  answeredAt: v.number(),
  specFingerprint: optionalText,
  answers: v.array(v.looseObject({ ask, given })),
  earlierRevisions: v.array(text),
  earlierSpecs: v.optional(v.array(text)),
  plugin: optionalText,
});

/** A registration that this or another version kept; undefined: not one that this version understands. */
export function readRegistration(value: unknown): KeptRegistration | undefined {
  const result = v.safeParse(registration, value, { abortEarly: true });
  // Written by us from what was checked at the door; the shape is what another version may have changed.
  return result.success ? (value as KeptRegistration) : undefined;
}
