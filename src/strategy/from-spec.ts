import { UserError } from '../error/user-error.ts';
import { parseConstraint } from '../image/constraint.ts';
import type { FilterSpec, Selection, StrategySpec } from './selection.ts';
import { alphabeticalStrategy } from './alphabetical.ts';
import { digestStrategy } from './digest.ts';
import { compileFilter, type Filter } from './filter.ts';
import { MAX_FILTERS } from './limits.ts';
import { newestBuildStrategy } from './newest-build.ts';
import { semverStrategy } from './semver.ts';
import type { Rejected, Selector, Strategy } from './strategy.ts';

/**
 * Tags that name no image: cosign's signatures, attestations and SBOMs, and the referrers index of registries without the
 * referrers API.
 *
 * @see https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md#tag-based-discovery
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema
 */
const SUPPLY_CHAIN_TAG = /^sha(?:256|512)-[a-f0-9]{64}(?:\.(?:sig|att|sbom))?$/;

/**
 * A selection made ready. A tag stays when every filter keeps it. `rank` expects what `preselect` kept, and does not filter
 * again.
 *
 * @param options.rejections `false` keeps `rejected` empty where nobody reads it, but for tags without build date: those say
 *   that the winner may be wrong.
 * @throws {UserError} `CONSTRAINT_INVALID` or `FILTER_INVALID` for a selection that was not checked where it was written.
 */
export async function selectorFor(
  selection: Selection,
  options: { readonly rejections: boolean } = { rejections: true },
): Promise<Selector> {
  const strategy = strategyFor(selection.strategy, options);
  const filters = await filtersFor(selection.filters);
  return {
    label: [strategy.label, ...filters.map((filter) => filter.label)].join(', '),
    needs: strategy.needs,
    preselect(tags) {
      const rejected: Rejected[] = [];
      const kept = tags.filter((tag) => {
        const rule = SUPPLY_CHAIN_TAG.test(tag)
          ? 'signature, attestation or SBOM, not an image'
          : filters.find((filter) => !filter.keeps(tag))?.label;
        if (rule !== undefined && options.rejections) rejected.push({ tag, rule });
        return rule === undefined;
      });
      return { kept, rejected };
    },
    rank: (candidates) => strategy.rank(candidates),
  };
}

function strategyFor(spec: StrategySpec, options: { readonly rejections: boolean }): Strategy {
  switch (spec.kind) {
    case 'semver': {
      const constraint = parseConstraint(spec.constraint);
      if (constraint.ok) return semverStrategy(constraint.value, options);
      throw new UserError('CONSTRAINT_INVALID', {
        what: `the constraint ${JSON.stringify(spec.constraint.slice(0, 300))} ${constraint.problem}`,
        where: 'image policy',
        fix: constraint.fix ?? 'correct the constraint',
      });
    }
    case 'newest-build':
      return newestBuildStrategy();
    case 'alphabetical':
      return alphabeticalStrategy();
    case 'digest':
      return digestStrategy(spec.tag, options);
    default:
      return spec satisfies never;
  }
}

async function filtersFor(specs: readonly FilterSpec[]): Promise<readonly Filter[]> {
  if (specs.length > MAX_FILTERS) {
    throw new UserError('FILTER_INVALID', {
      what: `there are ${specs.length} tag filters, and ${MAX_FILTERS} is the limit`,
      where: 'image policy',
      fix: 'join several filters into one regular expression',
    });
  }
  return Promise.all(
    specs.map(async (spec) => {
      const filter = await compileFilter(spec);
      if (filter.ok) return filter.value;
      throw new UserError('FILTER_INVALID', {
        what: `the tag filter ${JSON.stringify(spec.pattern.slice(0, 600))} ${filter.problem}`,
        where: 'image policy',
        fix: filter.fix ?? 'correct the pattern',
      });
    }),
  );
}
