import { LRUCache } from 'lru-cache';
import * as v from 'valibot';
import { ERROR_CODES, type ErrorCode } from '../error/codes.ts';
import type { Parsed } from '../error/parsed.ts';
import { parseConstraint } from '../image/constraint.ts';
import { parsePlatform, type Platform } from '../image/platform.ts';
import { parseDigest, parseRepository, parseTag, type Digest, type Repository, type Tag } from '../image/reference.ts';
import { credentialId, parseCredentialName } from '../operator/credential-name.ts';
import type { Choice } from '../policy/image-policy.ts';
import type { Given } from '../registrations/registration.ts';
import {
  MAX_ASKS,
  MAX_NOTICES,
  MAX_UNHEARD,
  type RefreshBody,
  type ReportBody,
  type Unheard,
} from '../remote/protocol.ts';
import { isOfUploadedFiles } from '../resolve/preview.ts';
import type { Ask, ResolveQuery } from '../resolve/resolver.ts';
import { parseGlob } from '../strategy/glob.ts';
import { MAX_FILTERS, MAX_PATTERN_CHARACTERS } from '../strategy/limits.ts';
import type { FilterSpec } from '../strategy/selection.ts';
import { readJson } from './read-json.ts';
import { RepeatedAsks } from './repeated-asks.ts';

// Everything that a sidecar sends comes from a process that runs tenants' content. What the sidecar checked is checked again,
// by the same parsers, so that nothing is evaluated here that a policy could not have said.

/** Argo CD's instance name: namespace, `_`, name. */
const MAX_APPLICATION_CHARACTERS = 320;
const MAX_NAME_CHARACTERS = 253;
/** A repository is at most 4096 characters as it is written, an alias may be one; a tag stands behind them. */
const MAX_IMAGE_CHARACTERS = 8_704;
/** Words for messages. */
const MAX_WORDS_CHARACTERS = 4_608;
const MAX_URL_CHARACTERS = 4_096;
const MAX_PLATFORMS = 64;
/** A year; more is a slip, and less than what a number can hold exactly. */
const MAX_DURATION_MS = 366 * 24 * 60 * 60 * 1000;

const text = (maxCharacters: number) => v.pipe(v.string(), v.maxLength(maxCharacters));
const name = text(MAX_NAME_CHARACTERS);
const words = text(MAX_WORDS_CHARACTERS);
const duration = v.pipe(v.number(), v.finite(), v.minValue(0));

/** Text that a parser of ours takes, as it is. */
function parsedBy<T extends string>(what: string, parse: (text: string) => Parsed<T>): v.GenericSchema<unknown, T> {
  return v.pipe(
    v.string(),
    v.check((value) => parse(value).ok, `is no ${what}`),
    v.transform((value) => value as T),
  );
}
const tag = parsedBy<Tag>('tag', parseTag);
const digest = parsedBy<Digest>('digest', parseDigest);

const repository = v.pipe(
  v.object({ host: text(4_096), path: text(255), name: text(4_352) }),
  v.check((value) => isNormal(value), 'is no repository in normal form'),
);

function isNormal(value: Repository): boolean {
  const { host, path, name: whole } = value;
  const found = parseRepository(whole);
  return found.ok && found.value.host === host && found.value.path === path && found.value.name === whole;
}

/** Thousands of applications write the same few. */
const constraints = new LRUCache<string, true>({ max: 1_000 });

function isConstraint(value: string): boolean {
  if (constraints.has(value)) return true;
  const { ok } = parseConstraint(value);
  // What is none may be as long as the body.
  if (ok) constraints.set(value, true);
  return ok;
}

const pattern = v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_PATTERN_CHARACTERS));
const effect = v.picklist(['allow', 'ignore']);
// Regular expressions are compiled by who evaluates them: apart, and for a bounded time.
const filter: v.GenericSchema<unknown, FilterSpec> = v.variant('kind', [
  v.object({ effect, kind: v.literal('regexp'), pattern }),
  v.object({
    effect,
    kind: v.literal('glob'),
    pattern: v.pipe(
      pattern,
      v.check((value) => parseGlob(value).ok, 'is no glob'),
    ),
  }),
]);

const platform = v.pipe(
  v.object({ os: text(64), architecture: text(64), variant: v.exactOptional(text(64)) }),
  v.check((value) => isNormalPlatform(value), 'is no platform in normal form'),
);

function isNormalPlatform({ os, architecture, variant }: Platform): boolean {
  const found = parsePlatform([os, architecture, ...(variant === undefined ? [] : [variant])].join('/'));
  return (
    found.ok && found.value.os === os && found.value.architecture === architecture && found.value.variant === variant
  );
}

const strategy = v.variant('kind', [
  v.object({
    kind: v.literal('semver'),
    constraint: v.pipe(v.string(), v.check(isConstraint, 'is no constraint')),
  }),
  v.object({ kind: v.literal('newest-build') }),
  v.object({ kind: v.literal('alphabetical') }),
  v.object({ kind: v.literal('digest'), tag: v.exactOptional(tag) }),
]);

const pin = v.pipe(
  v.object({ kind: v.literal('pin'), tag: v.exactOptional(tag), digest: v.exactOptional(digest) }),
  v.check((value) => (value.tag === undefined) !== (value.digest === undefined), 'must be a tag or a digest'),
  v.transform((value) => value as Extract<Choice, { kind: 'pin' }>),
);

const selection = v.object({
  strategy,
  filters: v.pipe(v.array(filter), v.maxLength(MAX_FILTERS)),
  platforms: v.pipe(v.array(platform), v.minLength(1), v.maxLength(MAX_PLATFORMS)),
});

const choice = v.union([
  v.object({ kind: v.literal('select'), selection }),
  pin,
  v.object({ kind: v.picklist(['none', 'paused']) }),
]);

/** What a tenant may name; `env:` and `ext:` are the operator's. */
const credential = v.pipe(
  text(1_024),
  v.check((value) => {
    const found = parseCredentialName(value);
    return (
      found.ok &&
      (found.value.kind === 'pullsecret' || found.value.kind === 'secret') &&
      credentialId(found.value) === value
    );
  }, 'is no name of a secret'),
);

const anyAsk = v.object({
  image: text(MAX_IMAGE_CHARACTERS),
  label: words,
  where: words,
  repository,
  choice,
  output: v.exactOptional(v.picklist(['tag', 'digest', 'tag@digest'])),
  onUnsatisfied: v.picklist(['git', 'error']),
  onRemoved: v.picklist(['keep', 'next-best']),
  pollIntervalMs: v.exactOptional(duration),
  credential: v.exactOptional(credential),
  tagInGit: v.exactOptional(tag),
  untagged: v.exactOptional(words),
});

/** The ask that was read last for an image, as it was written. Not by its whole text: to look up a long one takes longest. */
const known = new LRUCache<string, { readonly written: string; readonly read: Ask }>({ max: 5_000 });
/** Longer ones would fill memory. */
const MAX_KNOWN_CHARACTERS = 2_048;

/** An ask. Applications ask the same at each generation, and many of them ask the same: what was checked once is not checked again. */
const ask: v.GenericSchema<unknown, Ask> = {
  ...(anyAsk as v.GenericSchema<unknown, Ask>),
  '~run'(dataset, config) {
    const { value } = dataset;
    const written = JSON.stringify(value);
    const found = known.get(imageIn(value));
    if (found?.written === written) return { typed: true, value: found.read };
    const read = (anyAsk as v.GenericSchema<unknown, Ask>)['~run'](dataset, config);
    if (read.typed && read.issues === undefined && written.length <= MAX_KNOWN_CHARACTERS)
      known.set(read.value.image, { written, read: read.value });
    return read;
  },
};

function imageIn(value: unknown): string {
  const isAsk = typeof value === 'object' && value !== null && 'image' in value;
  return isAsk && typeof value.image === 'string' ? value.image : '';
}

const who = v.object({ application: text(MAX_APPLICATION_CHARACTERS), project: v.exactOptional(name) });

const source = v.object({
  repoURL: text(MAX_URL_CHARACTERS),
  path: text(MAX_URL_CHARACTERS),
  targetRevision: text(1_024),
});

const generation = v.object({
  id: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
  source,
  revision: text(1_024),
  parametersFingerprint: text(256),
  sync: v.exactOptional(v.literal('full')),
  hooks: v.exactOptional(v.literal(true)),
});

const query: v.GenericSchema<unknown, ResolveQuery> = v.pipe(
  v.object({
    v: v.literal(1),
    who,
    generation: v.exactOptional(generation),
    source: v.exactOptional(source),
    budgetMs: v.pipe(duration, v.maxValue(MAX_DURATION_MS)),
    asks: v.pipe(v.array(ask), v.maxLength(MAX_ASKS)),
    explain: v.exactOptional(v.boolean()),
    preview: v.exactOptional(v.boolean()),
  }),
  v.transform(({ generation: claimed, ...rest }) => {
    if (claimed === undefined) return rest;
    // A sidecar of an older version claims a generation for these too.
    return isOfUploadedFiles(claimed) ? { ...rest, preview: true } : { ...rest, generation: claimed };
  }),
);

const repeatedAsks = new RepeatedAsks();

const notice = v.object({ code: v.string(), what: v.string(), where: v.exactOptional(v.string()) });

const given: v.GenericSchema<unknown, Given> = v.variant('kind', [
  v.object({ kind: v.literal('image'), tag: v.exactOptional(tag), digest: v.exactOptional(digest) }),
  v.object({ kind: v.literal('as-in-git') }),
  v.object({
    kind: v.literal('error'),
    code: v.custom<ErrorCode>((value) => typeof value === 'string' && isCode(value)),
  }),
]);

const unheard: v.GenericSchema<unknown, Unheard> = v.pipe(
  v.object({
    who,
    generation,
    asks: v.pipe(v.array(ask), v.maxLength(MAX_ASKS)),
    given: v.array(given),
    agoMs: v.pipe(duration, v.maxValue(MAX_DURATION_MS)),
  }),
  v.check(({ asks, given: all }) => asks.length === all.length, 'must have one given for each ask'),
);

/** Of one that cannot be read nothing is known; the rest of the report counts. */
function readUnheard(value: unknown): Unheard | undefined {
  const result = v.safeParse(unheard, value, { abortEarly: true });
  return result.success ? result.output : undefined;
}

/** A report with as many places in `unheard` as were sent. */
export type ReadReport = Omit<ReportBody, 'unheard'> & { readonly unheard?: readonly (Unheard | undefined)[] };

const report: v.GenericSchema<unknown, ReadReport> = v.object({
  v: v.literal(1),
  who,
  generation,
  notices: v.pipe(
    v.array(notice),
    v.maxLength(MAX_NOTICES),
    // A newer sidecar may have codes that are not known here; the rest of its report counts.
    v.transform((notices) => notices.flatMap((one) => (isCode(one.code) ? [{ ...one, code: one.code }] : []))),
  ),
  asked: v.boolean(),
  unheard: v.exactOptional(
    v.pipe(
      v.array(v.unknown()),
      v.maxLength(MAX_UNHEARD),
      v.transform((all) => all.map(readUnheard)),
    ),
  ),
});

function isCode(value: string): value is ErrorCode {
  return Object.hasOwn(ERROR_CODES, value);
}

const refresh: v.GenericSchema<unknown, RefreshBody> = v.object({ application: text(MAX_APPLICATION_CHARACTERS) });

/** @throws {Refusal} 400. */
export function readQuery(body: Buffer): ResolveQuery {
  return repeatedAsks.read(body, (whole) => readJson(query, whole));
}

/** @throws {Refusal} 400. */
export function readReport(body: Buffer): ReadReport {
  return readJson(report, body);
}

/** @throws {Refusal} 400. */
export function readRefresh(body: Buffer): RefreshBody {
  return readJson(refresh, body);
}
