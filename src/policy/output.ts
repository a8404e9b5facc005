import type { Digest, Tag } from '../image/reference.ts';
import type { ImagePolicy, Output } from './image-policy.ts';

/** What was chosen for an image: a resolver's decision, or a pin. */
export type Chosen = { readonly tag: Tag; readonly digest?: Digest } | { readonly digest: Digest };

/** What is written into an image field, in place of its tag and digest. */
export interface WrittenParts {
  readonly tag?: Tag;
  readonly digest?: Digest;
}

/**
 * What a policy writes of what was chosen. Tags that are pushed again need the digest beside them, or nothing would roll out.
 *
 * @throws {Error} when the digest that is to be written was not looked up: writing the tag alone would be another image.
 */
export function writtenParts(policy: Pick<ImagePolicy, 'choice' | 'write' | 'alias'>, chosen: Chosen): WrittenParts {
  if (policy.choice.kind === 'pin') return pinnedParts(policy.choice);
  if (!('tag' in chosen)) return { digest: chosen.digest };
  const output = outputOf(policy);
  if (output === 'tag') return { tag: chosen.tag };
  if (chosen.digest === undefined) throw new Error(`the digest of ${policy.alias}:${chosen.tag} was not looked up`);
  return output === 'digest' ? { digest: chosen.digest } : { tag: chosen.tag, digest: chosen.digest };
}

/** What was asked for, else what suits the strategy. */
function outputOf({ choice, write }: Pick<ImagePolicy, 'choice' | 'write'>): Output {
  if (write.output !== undefined) return write.output;
  if (choice.kind !== 'select') return 'tag';
  const { kind } = choice.selection.strategy;
  switch (kind) {
    case 'semver':
    case 'alphabetical':
      return 'tag';
    case 'digest':
    case 'newest-build':
      return 'tag@digest';
    default:
      return kind satisfies never;
  }
}

function pinnedParts(pin: Extract<ImagePolicy['choice'], { readonly kind: 'pin' }>): WrittenParts {
  return 'tag' in pin ? { tag: pin.tag } : { digest: pin.digest };
}
