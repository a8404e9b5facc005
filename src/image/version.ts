import parseStrict from 'semver/functions/parse.js';
import type SemVer from 'semver/classes/semver.js';

/** A number up to 2^64-1: a `bigint` when, and only when, a `number` could not hold it exactly. `<`, `>` and `===` are right for both. */
export type Segment = number | bigint;

/** A version as Masterminds/semver reads it. Build metadata orders nothing and is not kept. */
export interface Version {
  readonly major: Segment;
  readonly minor: Segment;
  readonly patch: Segment;
  /** Without the hyphen; empty for a release. */
  readonly prerelease: string;
  /** The same version for npm's `semver`, where all its numbers are small enough for that. */
  readonly npm: SemVer | undefined;
}

/** Linear: each part begins with a character that the part before it cannot take. */
const LOOSE =
  /^v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;
const LEADING_ZERO = /(?:^|\.)0[0-9]+(?:\.|$)/;
const LONG_NUMBER = /(?:^|\.)[0-9]{16,}(?:\.|$)/;
const MAX_UINT64 = 2n ** 64n - 1n;

/**
 * A version in Masterminds' loose grammar: optional `v`, one to three numbers up to 2^64-1 (leading zeros are fine), then a
 * prerelease (no leading zeros in its numbers). `undefined` for everything else.
 *
 * @see https://github.com/Masterminds/semver/blob/v3.4.0/version.go
 */
export function parseVersion(text: string): Version | undefined {
  const match = LOOSE.exec(text);
  if (match === null) return undefined;
  const [, majorText = '', minorText = '0', patchText = '0', prerelease = ''] = match;
  if (LEADING_ZERO.test(prerelease)) return undefined;
  const major = parseSegment(majorText);
  const minor = parseSegment(minorText);
  const patch = parseSegment(patchText);
  if (major === undefined || minor === undefined || patch === undefined) return undefined;
  return { major, minor, patch, prerelease, npm: forNpm(major, minor, patch, prerelease) };
}

/** Negative when `a` is the lower one, 0 when both are of equal precedence. */
export function compareVersions(a: Version, b: Version): number {
  if (a.npm !== undefined && b.npm !== undefined) return a.npm.compare(b.npm);
  return (
    compareSegments(a.major, b.major) ||
    compareSegments(a.minor, b.minor) ||
    compareSegments(a.patch, b.patch) ||
    comparePrereleases(a.prerelease, b.prerelease)
  );
}

function parseSegment(digits: string): Segment | undefined {
  if (digits.length <= 15) return Number(digits);
  const value = BigInt(digits);
  if (value > MAX_UINT64) return undefined;
  return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

function forNpm(major: Segment, minor: Segment, patch: Segment, prerelease: string): SemVer | undefined {
  if (typeof major === 'bigint' || typeof minor === 'bigint' || typeof patch === 'bigint') return undefined;
  if (LONG_NUMBER.test(prerelease)) return undefined;
  // Null where npm has a limit that Masterminds has not, as for its 256 characters.
  return parseStrict(`${major}.${minor}.${patch}${prerelease && `-${prerelease}`}`) ?? undefined;
}

function compareSegments(a: Segment, b: Segment): number {
  return a < b ? -1 : Number(a > b);
}

function comparePrereleases(a: string, b: string): number {
  if (a === b) return 0;
  if (a === '' || b === '') return a === '' ? 1 : -1;
  const left = a.split('.');
  const right = b.split('.');
  const at = left.findIndex((identifier, index) => identifier !== right[index]);
  const [ours, theirs] = [left[at], right[at]];
  if (ours === undefined || theirs === undefined) return ours === undefined ? -1 : 1;
  const [ourNumber, theirNumber] = [parseIdentifier(ours), parseIdentifier(theirs)];
  if (ourNumber !== undefined && theirNumber !== undefined) return compareSegments(ourNumber, theirNumber);
  if (ourNumber !== undefined || theirNumber !== undefined) return ourNumber === undefined ? 1 : -1;
  return ours < theirs ? -1 : 1;
}

/** Masterminds compares a number above 2^64-1 as text. */
function parseIdentifier(identifier: string): Segment | undefined {
  return /^[0-9]+$/.test(identifier) ? parseSegment(identifier) : undefined;
}
