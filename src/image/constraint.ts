import { parsed, unparsed, type Parsed } from '../error/parsed.ts';
import { termAdmits, type Operator, type Term } from './constraint-term.ts';
import { parseVersion, type Version } from './version.ts';

/** Terms that must all hold. */
interface Group {
  readonly terms: readonly Term[];
  /** One prerelease in a group admits prereleases for the whole of it. */
  readonly admitsPrereleases: boolean;
}

/** A version constraint in Masterminds/semver's dialect: it holds when one of its groups does. */
export interface Constraint {
  /** As written, trimmed; `*` when nothing was written. */
  readonly text: string;
  readonly groups: readonly Group[];
}

/** Characters of a constraint. */
const MAX_CONSTRAINT_CHARACTERS = 256;

// Go's \s, which is ASCII; JavaScript's is wider.
const SPACE = '[\\t\\n\\f\\r ]';
// Masterminds' class for a number or wildcard has `|` in it, so that is a letter of the grammar, and `1|2` fails later.
const NUMBER = '[0-9|xX*]+';
const SUFFIX = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*';
const VERSION = `v?${NUMBER}(?:\\.${NUMBER})?(?:\\.${NUMBER})?(?:-${SUFFIX})?(?:\\+${SUFFIX})?`;

/** Quadratic at worst (a search from each of at most {@link MAX_CONSTRAINT_CHARACTERS} places, each of them linear). */
const HYPHEN_RANGE = new RegExp(`${SPACE}*(${VERSION})${SPACE}+-${SPACE}+(${VERSION})${SPACE}*`, 'g');
// The rest is sticky, so that each character is looked at a bounded number of times. The one expression that Masterminds uses
// for a whole group can split a run of spaces in many ways, which a backtracking engine would try one after the other.
const TERM = new RegExp(`${SPACE}*(?:(=[<>]?|!=|>=?|<=?|~>?|\\^)${SPACE}*)?(${VERSION})`, 'y');
const BETWEEN_TERMS = new RegExp(`${SPACE}*,|${SPACE}+`, 'y');
const REST = new RegExp(`${SPACE}*$`, 'y');
const VERSION_PARTS = new RegExp(`^v?(${NUMBER})(?:\\.(${NUMBER}))?(?:\\.(${NUMBER}))?(-${SUFFIX})?`);

const OPERATORS: ReadonlyMap<string, Operator> = new Map([
  ['', '='],
  ['=', '='],
  ['!=', '!='],
  ['>', '>'],
  ['<', '<'],
  ['>=', '>='],
  ['=>', '>='],
  ['<=', '<='],
  ['=<', '<='],
  ['~', '~'],
  ['~>', '~'],
  ['^', '^'],
]);

/**
 * A version constraint, as Helm and argocd-image-updater understand it: comma or space is AND, `||` is OR, ` - ` a range.
 * Nothing written means `*`.
 *
 * @see https://github.com/Masterminds/semver/blob/v3.4.0/constraints.go
 */
export function parseConstraint(text: string): Parsed<Constraint> {
  if (text.length > MAX_CONSTRAINT_CHARACTERS) {
    return unparsed(`is longer than ${MAX_CONSTRAINT_CHARACTERS} characters`);
  }
  const written = text.replace(/^[\t\n\f\r ]+|[\t\n\f\r ]+$/g, '') || '*';
  const groups: Group[] = [];
  for (const part of rewriteHyphenRanges(written).split('||')) {
    const terms = parseTerms(part);
    if (!terms.ok) return terms;
    groups.push({
      terms: terms.value,
      admitsPrereleases: terms.value.some((term) => term.version.prerelease !== ''),
    });
  }
  return parsed({ text: written, groups });
}

/** Whether a version is in a constraint. */
export function satisfies(constraint: Constraint, version: Version): boolean {
  return constraint.groups.some(
    (group) =>
      (group.admitsPrereleases || version.prerelease === '') && group.terms.every((term) => termAdmits(term, version)),
  );
}

/** Why a version is not in a constraint, as a rule for people to read; `undefined` when it is. */
export function explainRejection(constraint: Constraint, version: Version): string | undefined {
  if (satisfies(constraint, version)) return undefined;
  if (constraint.groups.some((group) => group.terms.every((term) => termAdmits(term, version)))) {
    return `constraint ${constraint.text} (it names no prerelease, and this is one)`;
  }
  const [group, ...others] = constraint.groups;
  const failed = group?.terms.find((term) => !termAdmits(term, version));
  if (group === undefined || group.terms.length === 1 || failed === undefined || others.length > 0) {
    return `constraint ${constraint.text}`;
  }
  return `constraint ${constraint.text} (not ${failed.text})`;
}

/** `1 - 2` becomes `>= 1, <= 2 `. Like Masterminds, this replaces the first place where the found text stands. */
function rewriteHyphenRanges(text: string): string {
  let rewritten = text;
  for (const [found, low, high] of text.matchAll(HYPHEN_RANGE)) {
    rewritten = rewritten.replace(found, () => `>= ${low}, <= ${high} `);
  }
  return rewritten;
}

function parseTerms(text: string): Parsed<readonly Term[]> {
  const terms: Term[] = [];
  for (let at = 0; ;) {
    const [all, operatorText = '', versionText = ''] = matchAt(TERM, text, at) ?? [];
    if (all === undefined) return unparsed(complaint(text.slice(at)), FIX);
    const term = parseTerm(operatorText, versionText);
    if (term === undefined) return unparsed(`has ${JSON.stringify(versionText)}, which is no version`, FIX);
    terms.push(term);
    at += all.length;
    if (matchAt(REST, text, at) !== null) return parsed(terms);
    const [between] = matchAt(BETWEEN_TERMS, text, at) ?? [];
    if (between === undefined) return unparsed(complaint(text.slice(at)), FIX);
    at += between.length;
  }
}

const FIX = 'write for example ~1.2, ^1, ">=1.0 <2" or "1.x || 3.x"';

/** @param rest where a term should begin and none does. Only its printable ASCII is shown. */
function complaint(rest: string): string {
  if (rest.trim() === '') return 'has an operator, comma or "||" with nothing beside it';
  const [start = ''] = /^[\t\n\f\r -~]{0,40}/.exec(rest) ?? [];
  if (start.trim() === '') return 'has a character that cannot stand in a constraint';
  return `has ${JSON.stringify(start)} where a version is expected`;
}

function parseTerm(operatorText: string, versionText: string): Term | undefined {
  const operator = OPERATORS.get(operatorText);
  const [, major = '', minor, patch, prerelease = ''] = VERSION_PARTS.exec(versionText) ?? [];
  if (operator === undefined) return undefined;
  const found = (version: Version | undefined, precision: Term['precision']): Term | undefined =>
    version && { operator, version, precision, text: `${operatorText}${versionText}` };
  if (isWildcard(major)) return found(parseVersion(`0.0.0${prerelease}`), 'none');
  if (isWildcard(minor)) return found(parseVersion(`${major}.0.0${prerelease}`), 'major');
  if (isWildcard(patch)) return found(parseVersion(`${major}.${minor}.0${prerelease}`), 'minor');
  return found(parseVersion(versionText), 'patch');
}

function isWildcard(number: string | undefined): boolean {
  return number === undefined || number === 'x' || number === 'X' || number === '*';
}

function matchAt(expression: RegExp, text: string, at: number): RegExpExecArray | null {
  expression.lastIndex = at;
  return expression.exec(text);
}
