import { compareVersions, type Version } from './version.ts';

/** `~>` is `~`, `=>` is `>=`, `=<` is `<=`, none is `=`. */
export type Operator = '=' | '!=' | '>' | '<' | '>=' | '<=' | '~' | '^';

/** One comparison: `>=1.2`. */
export interface Term {
  readonly operator: Operator;
  /** What is compared with; zero where nothing or a wildcard was written. */
  readonly version: Version;
  /** The last number that was written: `none` for `*`, `major` for `1` and `1.x`, `minor` for `1.2`, `patch` for `1.2.3`. */
  readonly precision: 'none' | 'major' | 'minor' | 'patch';
  /** As written. */
  readonly text: string;
}

/**
 * Whether a term admits a version. Whether prereleases are admitted at all is its group's matter.
 *
 * Follows Masterminds v3.4.0 where its results surprise, too: `^*` is exactly 0.0.0, `~0.0.0` is everything, `<=*` is 0.0.x.
 *
 * @see https://github.com/Masterminds/semver/blob/v3.4.0/constraints.go
 */
export function termAdmits(term: Term, version: Version): boolean {
  const wanted = term.version;
  switch (term.operator) {
    case '=':
      return term.precision === 'patch' ? compareVersions(version, wanted) === 0 : admitsTilde(term, version);
    case '!=':
      return admitsNotEqual(term, version);
    case '>':
      // `>11` begins at 12.0.0, and `>11.1` at 11.2.0: what was not written is a range that must be left behind.
      if (term.precision === 'major') return version.major > wanted.major;
      if (term.precision === 'minor' && version.major === wanted.major) return version.minor > wanted.minor;
      return compareVersions(version, wanted) > 0;
    case '<':
      return compareVersions(version, wanted) < 0;
    case '>=':
      return compareVersions(version, wanted) >= 0;
    case '<=':
      // `<=11` includes 11.9.9.
      if (term.precision === 'patch') return compareVersions(version, wanted) <= 0;
      if (version.major !== wanted.major) return version.major < wanted.major;
      return term.precision === 'major' || version.minor <= wanted.minor;
    case '~':
      return admitsTilde(term, version);
    case '^':
      return admitsCaret(term, version);
    default:
      return term.operator satisfies never;
  }
}

function admitsNotEqual({ version: wanted, precision }: Term, version: Version): boolean {
  if (precision === 'none' || precision === 'patch') return compareVersions(version, wanted) !== 0;
  if (version.major !== wanted.major) return true;
  if (precision === 'major') return false;
  return version.minor !== wanted.minor || version.prerelease !== wanted.prerelease;
}

/** `~1.2.3` is `>=1.2.3 <1.3`, `~1` is `>=1 <2`. */
function admitsTilde({ version: wanted, precision }: Term, version: Version): boolean {
  if (compareVersions(version, wanted) < 0) return false;
  const isOpen = precision === 'none' || precision === 'patch';
  if (isOpen && wanted.major === 0 && wanted.minor === 0 && wanted.patch === 0) return true;
  return version.major === wanted.major && (precision === 'major' || version.minor === wanted.minor);
}

/** The leftmost number that is not zero stays: `^1.2.3` is `>=1.2.3 <2`, `^0.2.3` is `>=0.2.3 <0.3`, `^0.0.3` is that patch. */
function admitsCaret({ version: wanted, precision }: Term, version: Version): boolean {
  if (compareVersions(version, wanted) < 0 || version.major !== wanted.major) return false;
  if (wanted.major > 0 || precision === 'major') return true;
  if (version.minor !== wanted.minor) return false;
  return wanted.minor > 0 || precision === 'minor' || version.patch === wanted.patch;
}
