import type { ImageField } from '../edit/image-field.ts';
import { parseConstraint, satisfies } from '../image/constraint.ts';
import type { ImageReference, Tag } from '../image/reference.ts';
import { parseVersion, type Version } from '../image/version.ts';
import { parseGlob } from '../strategy/glob.ts';
import type { ImageMatch, ImagePolicy, TagSelector } from './image-policy.ts';

/** What a tag in Git says about a policy: this one's, not this one's, or nothing. */
export type TagVerdict = 'yes' | 'no' | 'unknown';

/** A policy made ready to be compared with fields of its repository. */
export interface Candidate {
  readonly policy: ImagePolicy;
  /** Whether one of `match` fits; `undefined` when there is none. */
  fitsMatch(field: ImageField): boolean | undefined;
  tagVerdict(git: GitTag): TagVerdict;
  /** The tag that its target put into the rendering; the policy is then about images with exactly this tag. */
  readonly applied?: Tag;
}

/** @param applied what the policy's target has set before rendering, if anything. */
export function candidateFor(policy: ImagePolicy, applied: Tag | undefined): Candidate {
  const matches = policy.match.map(compileMatch);
  return {
    policy,
    fitsMatch: (field) => (matches.length === 0 ? undefined : matches.some((match) => match(field))),
    tagVerdict: compileSelector(policy.tagSelector),
    ...(applied !== undefined && { applied }),
  };
}

/** The tag of an image in Git, and the version that it is. */
export interface GitTag {
  /** Absent for a digest alone, or a constraint. */
  readonly tag: Tag | undefined;
  readonly version: Version | undefined;
}

const LATEST = 'latest' as Tag;

/** The tag of an image as it runs: without tag and digest it is `latest`. */
export function tagInGit({ slot, digest }: ImageReference): GitTag {
  if (slot.kind === 'tag') return { tag: slot.tag, version: parseVersion(slot.tag) };
  return { tag: slot.kind === 'none' && digest === undefined ? LATEST : undefined, version: undefined };
}

function compileMatch(match: ImageMatch): (field: ImageField) => boolean {
  const kind = glob(match.kind);
  const name = glob(match.name);
  const namespace = glob(match.namespace);
  const container = glob(match.container);
  return ({ resource, container: theirs }) =>
    kind(resource.kind) && name(resource.name) && namespace(resource.namespace) && container(theirs);
}

/** One glob of a match beside what a field has there. */
export interface MatchPart {
  readonly key: string;
  readonly glob: string;
  readonly text: string;
  readonly fits: (letters: 'as written' | 'in small letters') => boolean;
}

/** The globs of a match one by one, for messages. */
export function matchParts(match: ImageMatch, { resource, container }: ImageField): readonly MatchPart[] {
  const there = { kind: resource.kind, name: resource.name, namespace: resource.namespace, container };
  return (Object.keys(there) as (keyof typeof there)[]).flatMap((key) => {
    const written = match[key];
    if (written === undefined) return [];
    const text = there[key] ?? '';
    const small = (of: string): string => of.toLowerCase();
    const fits: MatchPart['fits'] = (letters) =>
      letters === 'as written' ? glob(written)(text) : glob(small(written))(small(text));
    return [{ key, glob: written, text, fits }];
  });
}

/** What is absent matches `*` only, as the empty text does. Globs were checked where they are written. */
function glob(pattern: string | undefined): (text: string | undefined) => boolean {
  if (pattern === undefined) return () => true;
  const compiled = parseGlob(pattern);
  return compiled.ok ? (text = '') => compiled.value.matches(text) : () => false;
}

function compileSelector(selector: TagSelector | undefined): (git: GitTag) => TagVerdict {
  if (selector === undefined) return () => 'unknown';
  if (selector.kind === 'tag') return ({ tag }) => (tag === selector.tag ? 'yes' : 'no');
  const constraint = parseConstraint(selector.constraint);
  return ({ version }) =>
    constraint.ok && version !== undefined && satisfies(constraint.value, version) ? 'yes' : 'no';
}
