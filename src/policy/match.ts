import type { FieldId, ImageField } from '../edit/image-field.ts';
import type { Notice, UserErrorData } from '../error/user-error.ts';
import type { Tag } from '../image/reference.ts';
import type { OnUnmatched } from '../operator/operator-configuration.ts';
import { type Candidate, candidateFor } from './candidate.ts';
import { chooseCandidate } from './choose-candidate.ts';
import { fieldNotices } from './field-notices.ts';
import type { AnnotatedPolicy } from './from-annotations.ts';
import type { ImagePolicy, Origin } from './image-policy.ts';
import { ambiguous, shadowed, unmatched } from './match-messages.ts';

/** The policies of an application and the images of its rendering. */
export interface MatchInput {
  readonly fields: readonly ImageField[];
  readonly parameters: readonly ImagePolicy[];
  readonly file: readonly ImagePolicy[];
  readonly annotations: readonly AnnotatedPolicy[];
  /** What targets have set before rendering. Such a policy is about the images that have exactly this tag. */
  readonly applied?: ReadonlyMap<ImagePolicy, Tag>;
  /** What a policy without an image is, by place. Annotations are about containers that are there. */
  readonly onUnmatched: { readonly parameters: OnUnmatched; readonly file: OnUnmatched };
}

/** Which policy is about which image. */
export interface MatchResult {
  /** A field that is not here passes as written. */
  readonly assigned: ReadonlyMap<FieldId, ImagePolicy>;
  /** Policies of lower places that would have been about a field, for `explain`. */
  readonly shadowed: ReadonlyMap<FieldId, readonly Origin[]>;
  readonly notices: readonly Notice[];
  /** `POLICY_AMBIGUOUS` and `POLICY_UNMATCHED`. */
  readonly errors: readonly UserErrorData[];
}

/** Parameters come before the file, and the file before annotations: for one image the highest place gives the whole policy. */
export function matchPolicies(input: MatchInput): MatchResult {
  const offersFor = offers(input);
  const assigned = new Map<FieldId, ImagePolicy>();
  const losers = new Map<FieldId, readonly ImagePolicy[]>();
  const seen = new Set<ImagePolicy>();
  const ambiguities = new Map<string, UserErrorData>();
  for (const field of input.fields) {
    const [winner, ...others] = offersFor(field);
    if (winner === undefined) continue;
    for (const policy of [winner, ...others].flatMap((offer) => [...offer.policies, ...offer.same])) seen.add(policy);
    if (others.length > 0)
      losers.set(
        field.id,
        others.flatMap(({ policies }) => policies),
      );
    const [policy, ...rivals] = winner.policies;
    if (policy === undefined) continue;
    if (rivals.length === 0) {
      assigned.set(field.id, policy);
      continue;
    }
    const key = winner.policies.map(({ origin }) => origin.where).join('\n');
    if (!ambiguities.has(key)) ambiguities.set(key, ambiguous(field, winner.policies));
  }
  const idle = [
    ...input.parameters.map((policy) => ({
      policy,
      place: input.parameters,
      onUnmatched: input.onUnmatched.parameters,
    })),
    ...input.file.map((policy) => ({ policy, place: input.file, onUnmatched: input.onUnmatched.file })),
  ].filter(({ policy }) => !policy.optional && !seen.has(policy));
  const candidates = new Map<ImagePolicy, Candidate>();
  const candidate = (policy: ImagePolicy): Candidate => {
    const known = candidates.get(policy) ?? candidateFor(policy, input.applied?.get(policy));
    candidates.set(policy, known);
    return known;
  };
  const about = ({ policy, place }: (typeof idle)[number]): UserErrorData => {
    const rivals = place.filter((one) => one !== policy && one.repository.name === policy.repository.name);
    return unmatched(candidate(policy), rivals.map(candidate), input.fields);
  };
  return {
    assigned,
    shadowed: new Map([...losers].map(([id, policies]) => [id, policies.map(({ origin }) => origin)])),
    notices: [
      ...idle.filter(({ onUnmatched }) => onUnmatched === 'warn').map((one) => asNotice(about(one))),
      ...shadowed(assigned, losers),
      ...fieldNotices(input.fields.filter(({ id }) => !assigned.has(id))),
    ],
    errors: [
      ...ambiguities.values(),
      ...idle.filter(({ onUnmatched }) => onUnmatched === 'error').map((one) => about(one)),
    ],
  };
}

/** What one place has for a field: one policy, or several that nothing tells apart. */
interface Offer {
  readonly policies: readonly ImagePolicy[];
  /** Targets that have set the same tag. */
  readonly same: readonly ImagePolicy[];
}

/** The offers for a field, the highest place first. */
function offers({ parameters, file, annotations, applied }: MatchInput): (field: ImageField) => readonly Offer[] {
  const places = [byRepository(parameters, applied), byRepository(file, applied)];
  const annotated = new Map(annotations.flatMap(({ policy, fields }) => fields.map((id) => [id, policy] as const)));
  return (field) => {
    const { id, reference } = field;
    if (reference === undefined) return [];
    const found: Offer[] = [];
    for (const place of places) {
      const choice = chooseCandidate(place.get(reference.repository.name) ?? [], field, reference);
      switch (choice.kind) {
        case 'none':
          break;
        case 'one':
          found.push({ policies: [choice.candidate.policy], same: policiesOf(choice.same) });
          break;
        case 'several':
          found.push({ policies: policiesOf(choice.candidates), same: [] });
          break;
        default:
          choice satisfies never;
      }
    }
    const own = annotated.get(id);
    return own === undefined ? found : [...found, { policies: [own], same: [] }];
  };
}

function byRepository(
  policies: readonly ImagePolicy[],
  applied: MatchInput['applied'],
): ReadonlyMap<string, readonly Candidate[]> {
  return Map.groupBy(
    policies.map((policy) => candidateFor(policy, applied?.get(policy))),
    ({ policy }) => policy.repository.name,
  );
}

function policiesOf(candidates: readonly Candidate[]): readonly ImagePolicy[] {
  return candidates.map(({ policy }) => policy);
}

function asNotice({ code, what, where, fix }: UserErrorData): Notice {
  return { code, what: `${what}; ${fix}`, where };
}
