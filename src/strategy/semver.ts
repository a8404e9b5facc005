import { explainRejection, satisfies, type Constraint } from '../image/constraint.ts';
import { compareVersions, parseVersion, type Version } from '../image/version.ts';
import { compareBytes } from './byte-order.ts';
import type { Candidate, Rejected, Strategy } from './strategy.ts';

/**
 * The highest version that satisfies a constraint. Of equal versions (`1.0.0` and `v1.0.0`) the lexically last tag wins, as in
 * argocd-image-updater.
 *
 * @param options.rejections `false`: `rejected` stays empty.
 */
export function semverStrategy(constraint: Constraint, options: { readonly rejections: boolean }): Strategy {
  return {
    label: `semver ${constraint.text}`,
    needs: 'tags',
    rank(candidates) {
      const admitted: { readonly candidate: Candidate; readonly version: Version }[] = [];
      const rejected: Rejected[] = [];
      for (const candidate of candidates) {
        const version = parseVersion(candidate.tag);
        if (version !== undefined && satisfies(constraint, version)) admitted.push({ candidate, version });
        else if (options.rejections) rejected.push({ tag: candidate.tag, rule: ruleAgainst(constraint, version) });
      }
      admitted.sort((a, b) => compareVersions(b.version, a.version) || compareBytes(b.candidate.tag, a.candidate.tag));
      return { best: admitted[0]?.candidate, ranked: admitted.map(({ candidate }) => candidate), rejected };
    },
  };
}

function ruleAgainst(constraint: Constraint, version: Version | undefined): string {
  if (version === undefined) return 'not a version';
  return explainRejection(constraint, version) ?? `constraint ${constraint.text}`;
}
