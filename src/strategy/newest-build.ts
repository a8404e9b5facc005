import { compareBytes } from './byte-order.ts';
import type { Candidate, Rejected, Strategy } from './strategy.ts';

/** The rule under which a tag without build date is rejected. Such a ranking may have the wrong winner; the caller decides. */
export const NO_BUILD_DATE = 'no build date known';

/** The tag that was built last; of tags built at the same moment the lexically last one, as in argocd-image-updater. */
export function newestBuildStrategy(): Strategy {
  return {
    label: 'newest-build',
    needs: 'created',
    rank(candidates) {
      const dated: { readonly candidate: Candidate; readonly createdMs: number }[] = [];
      const rejected: Rejected[] = [];
      for (const candidate of candidates) {
        const { tag, createdMs } = candidate;
        // A date that could not be read may come as NaN, and one NaN would spoil the order of all the others.
        if (createdMs === undefined || !Number.isFinite(createdMs)) rejected.push({ tag, rule: NO_BUILD_DATE });
        else dated.push({ candidate, createdMs });
      }
      dated.sort((a, b) => b.createdMs - a.createdMs || compareBytes(b.candidate.tag, a.candidate.tag));
      return { best: dated[0]?.candidate, ranked: dated.map(({ candidate }) => candidate), rejected };
    },
  };
}
