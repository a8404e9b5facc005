import type { ImageField } from '../edit/image-field.ts';
import { type Candidate, matchParts, tagInGit } from './candidate.ts';
import type { ImagePolicy } from './image-policy.ts';
import { listed } from './listed.ts';
import { quoted } from './written.ts';

/** The selector that keeps a field from a policy, in the order in which {@link chooseCandidate} asks them. */
type Reason = 'match' | 'match of another' | 'container' | 'target' | 'tag';

/** Fields that are looked at: a message names a few, and there may be a thousand policies that match nothing. */
const MAX_EXAMINED = 20;

/**
 * Which selectors leave the images of its repository to nobody or to other policies, for a policy that is about none of them.
 *
 * @param rivals the other policies of its place on the repository.
 * @param fields those of the repository, at least one.
 */
export function leftOut(
  candidate: Candidate,
  rivals: readonly Candidate[],
  fields: readonly ImageField[],
): { readonly what: string; readonly fix: string } {
  const byReason = Map.groupBy(fields.slice(0, MAX_EXAMINED), (field) => reasonFor(candidate, rivals, field));
  const cures = [...byReason].map(([reason, theirs]) => cureFor(reason, candidate.policy, theirs));
  return {
    what: [...byReason]
      .map(([reason, theirs]) => `${said(reason, candidate.policy)} ${listed(theirs.map(briefly))}`)
      .join('; '),
    fix: [...new Set(cures)].join('; '),
  };
}

function reasonFor(candidate: Candidate, rivals: readonly Candidate[], field: ImageField): Reason {
  const fits = candidate.fitsMatch(field);
  if (fits === false) return 'match';
  if (fits === undefined && rivals.some((rival) => rival.fitsMatch(field) === true)) return 'match of another';
  if (rivals.some(({ policy }) => policy.alias === field.container)) return 'container';
  return rivals.some(({ applied }) => applied !== undefined && applied === tagOf(field)) ? 'target' : 'tag';
}

function said(reason: Reason, policy: ImagePolicy): string {
  switch (reason) {
    case 'match':
      return `its match (${policy.match.map(matchText).join(' or ')}) does not fit`;
    case 'match of another':
      return 'it has no match, and the match of another policy takes';
    case 'container':
      return 'another policy is called like the container of';
    case 'target':
      return 'the target of another policy has set the tag of';
    case 'tag':
      return 'by the tag in Git it is not about';
    default:
      return reason satisfies never;
  }
}

function cureFor(reason: Reason, policy: ImagePolicy, fields: readonly ImageField[]): string {
  switch (reason) {
    case 'match':
      return letterCase(policy, fields) ?? 'correct match';
    case 'match of another':
      return 'write match for this policy, too';
    case 'container':
      return 'call this policy like the container that it is for';
    case 'target':
      return 'check which image each target is for';
    case 'tag':
      return 'widen the constraint, or call the policy like its container';
    default:
      return reason satisfies never;
  }
}

function matchText(match: ImagePolicy['match'][number]): string {
  return Object.entries(match)
    .map(([key, glob]) => `${key} ${quoted(String(glob))}`)
    .join(', ');
}

/** `Deployment/web app 1.0.5`. */
function briefly(field: ImageField): string {
  const { resource, container, reference } = field;
  const behind = tagOf(field) ?? reference?.digest?.slice(0, 19) ?? '';
  return [`${resource.kind}/${resource.name}`, container, behind].filter((part) => part).join(' ');
}

function tagOf({ reference }: ImageField): string | undefined {
  return reference === undefined ? undefined : tagInGit(reference).tag;
}

/** A cure for globs that would fit a field if capital letters were small ones: kinds are often written so. */
function letterCase(policy: ImagePolicy, fields: readonly ImageField[]): string | undefined {
  for (const match of policy.match) {
    for (const field of fields) {
      const parts = matchParts(match, field);
      const wrong = parts.filter(({ fits }) => !fits('as written'));
      if (!wrong.every(({ fits }) => fits('in small letters'))) continue;
      const differences = wrong.map(({ key, glob, text }) => `${key} ${quoted(glob)} is ${quoted(text)} there`);
      return `only the letter case differs: ${differences.join(', ')}`;
    }
  }
  return undefined;
}
