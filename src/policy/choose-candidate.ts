import type { ImageField } from '../edit/image-field.ts';
import type { ImageReference } from '../image/reference.ts';
import { type Candidate, type GitTag, tagInGit } from './candidate.ts';

/** Which policy of one place is about a field. */
export type Choosing =
  | { readonly kind: 'none' }
  /** `same` are further targets that have set the very tag that is there: their image is this field, too. */
  | { readonly kind: 'one'; readonly candidate: Candidate; readonly same: readonly Candidate[] }
  | { readonly kind: 'several'; readonly candidates: readonly Candidate[] };

/**
 * Selectors tell several policies of a repository apart, in this order: `match`, the container (an alias that is its name), a
 * target that has put the field's tag there, the tag in Git. A policy that is the only one possible needs none of them.
 *
 * @param candidates the policies of one place on the field's repository.
 */
export function chooseCandidate(
  candidates: readonly Candidate[],
  field: ImageField,
  reference: ImageReference,
): Choosing {
  const git = tagInGit(reference);
  const possible = candidates.filter(
    (candidate) =>
      candidate.fitsMatch(field) !== false && (candidate.applied === undefined || candidate.applied === git.tag),
  );
  const matched = narrowed(possible, (candidate) => candidate.fitsMatch(field) === true);
  const named = narrowed(matched, ({ policy }) => policy.alias === field.container);
  const [setter, ...same] = named.filter(({ applied }) => applied !== undefined);
  if (setter !== undefined) return { kind: 'one', candidate: setter, same };
  return choosing(named.length === 1 ? named : byTagInGit(named, git));
}

function choosing(candidates: readonly Candidate[]): Choosing {
  const [candidate, ...others] = candidates;
  if (candidate === undefined) return { kind: 'none' };
  return others.length === 0 ? { kind: 'one', candidate, same: [] } : { kind: 'several', candidates };
}

/** Those that a selector names, or all of them when it names none. */
function narrowed(candidates: readonly Candidate[], isNamed: (candidate: Candidate) => boolean): readonly Candidate[] {
  const named = candidates.filter(isNamed);
  return named.length === 0 ? candidates : named;
}

/** Those that the tag speaks for; when it speaks for none, those about which it says nothing. */
function byTagInGit(candidates: readonly Candidate[], git: GitTag): readonly Candidate[] {
  const verdicts = candidates.map((candidate) => ({ candidate, verdict: candidate.tagVerdict(git) }));
  const wanted = verdicts.some(({ verdict }) => verdict === 'yes') ? 'yes' : 'unknown';
  return verdicts.filter(({ verdict }) => verdict === wanted).map(({ candidate }) => candidate);
}
