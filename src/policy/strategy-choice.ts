import type { Notice, UserError } from '../error/user-error.ts';
import { parseConstraint } from '../image/constraint.ts';
import { parseTag } from '../image/reference.ts';
import { closestName } from '../text/closest-name.ts';
import type { FilterSpec, StrategySpec } from '../strategy/selection.ts';
import type { TagSelector } from './image-policy.ts';
import { taken, type Written, wrongValue } from './written.ts';

/** What the setting `update-strategy` can say, with argocd-image-updater's older names. */
type StrategyName = 'semver' | 'newest-build' | 'alphabetical' | 'digest' | 'regexp' | 'none';

/** All names that can be written, with what they mean. */
export const STRATEGY_NAMES: ReadonlyMap<string, StrategyName> = new Map([
  ['semver', 'semver'],
  ['newest-build', 'newest-build'],
  ['latest', 'newest-build'],
  ['alphabetical', 'alphabetical'],
  ['name', 'alphabetical'],
  ['digest', 'digest'],
  ['regexp', 'regexp'],
  ['none', 'none'],
]);

/** What strategy and constraint of an image mean together. */
export interface StrategyChoice {
  /** `none`: the field stays as in Git. */
  readonly strategy: StrategySpec | 'none';
  readonly selector?: TagSelector;
  readonly notices: readonly Notice[];
}

/**
 * @throws {UserError} `STRATEGY_UNKNOWN`, `CONSTRAINT_INVALID`, `CONSTRAINT_MISSING`.
 */
export function chooseStrategy(input: {
  readonly strategy: Written | undefined;
  readonly constraint: Written | undefined;
  readonly filters: readonly FilterSpec[];
  /** Where the policy stands. */
  readonly where: string;
}): StrategyChoice {
  const { constraint } = input;
  if (constraint?.text.trim() === '') throw emptyConstraint(constraint);
  const name = input.strategy === undefined ? 'semver' : strategyNamed(input.strategy);
  switch (name) {
    case 'semver':
      return semver(constraint);
    case 'digest':
      return digest(constraint);
    case 'none':
      return { strategy: 'none', ...guessedSelector(constraint), notices: [] };
    case 'regexp': {
      const hasExpression = input.filters.some(({ effect }) => effect === 'allow');
      const written = input.strategy ?? { text: name, where: input.where };
      if (hasExpression) return { strategy: { kind: 'newest-build' }, notices: unusedConstraint(name, constraint) };
      throw wrongValue(
        'update-strategy',
        written,
        'takes the newest of the tags that an expression allows, and there is none',
        {
          code: 'CONSTRAINT_MISSING',
          fix: 'add allow-tags: regexp:<expression in RE2 syntax>',
        },
      );
    }
    case 'newest-build':
    case 'alphabetical':
      return { strategy: { kind: name }, notices: unusedConstraint(name, constraint) };
    default:
      return name satisfies never;
  }
}

function strategyNamed(written: Written): StrategyName {
  const text = written.text.trim().toLowerCase();
  const name = STRATEGY_NAMES.get(text);
  if (name !== undefined) return name;
  throw unknownStrategy(written, [...STRATEGY_NAMES.keys()]);
}

/** The error that no strategy has the name, with those that can be used. */
export function unknownStrategy(written: Written, usable: readonly string[]): UserError {
  const meant = closestName(written.text.trim(), usable);
  const known = usable.join(', ');
  return wrongValue('update-strategy', written, 'is not known', {
    code: 'STRATEGY_UNKNOWN',
    fix: meant === undefined ? `write one of ${known}` : `did you mean ${meant}? known are ${known}`,
  });
}

/** A template whose variable is empty writes this, and "any release" would then be chosen unasked. */
function emptyConstraint(written: Written): UserError {
  return wrongValue('constraint', written, 'is empty', {
    fix: 'write * for any release, or remove it where the strategy needs none',
  });
}

function semver(constraint: Written | undefined): StrategyChoice {
  const answer = parseConstraint(constraint?.text ?? '');
  if (constraint !== undefined && !answer.ok && parseTag(constraint.text.trim()).ok) {
    throw wrongValue('constraint', constraint, answer.problem, {
      code: 'CONSTRAINT_INVALID',
      fix: 'write a version constraint such as ~1.2; to follow one tag, set update-strategy to digest',
    });
  }
  const written = constraint ?? { text: '', where: '' };
  const { text } = taken('constraint', written, answer, 'CONSTRAINT_INVALID');
  return {
    strategy: { kind: 'semver', constraint: text },
    selector: { kind: 'constraint', constraint: text },
    notices: [],
  };
}

function digest(constraint: Written | undefined): StrategyChoice {
  if (constraint === undefined) return { strategy: { kind: 'digest' }, notices: [] };
  const tag = parseTag(constraint.text.trim());
  if (tag.ok) {
    return { strategy: { kind: 'digest', tag: tag.value }, selector: { kind: 'tag', tag: tag.value }, notices: [] };
  }
  throw wrongValue('constraint', constraint, 'is no tag, and the digest strategy follows one', {
    code: 'CONSTRAINT_INVALID',
    fix: 'write the tag to follow, such as main; for version constraints leave update-strategy out',
  });
}

/** What a policy that is switched off was about: the constraint is a version constraint or a tag, whatever it can be read as. */
function guessedSelector(constraint: Written | undefined): { readonly selector?: TagSelector } {
  if (constraint === undefined) return {};
  const versions = parseConstraint(constraint.text);
  if (versions.ok) return { selector: { kind: 'constraint', constraint: versions.value.text } };
  const tag = parseTag(constraint.text.trim());
  return tag.ok ? { selector: { kind: 'tag', tag: tag.value } } : {};
}

function unusedConstraint(name: string, constraint: Written | undefined): readonly Notice[] {
  if (constraint === undefined) return [];
  return [
    {
      code: 'SETTING_WITHOUT_MEANING',
      what: `the constraint ${JSON.stringify(constraint.text)} is not used by ${name}; allow-tags and ignore-tags choose among tags`,
      where: constraint.where,
    },
  ];
}
