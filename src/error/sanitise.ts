import { cutToBytes, escapeControls } from './printable.ts';
import type { Notice, UserErrorData } from './user-error.ts';

/** What must not be in a text that people see. */
export interface Redactions {
  /** Values to hide. Shorter ones than {@link MIN_SECRET_LENGTH} are left: hiding them would only spell them out. */
  readonly secrets: readonly string[];
  /** Random or private paths and what stands for them: `['/tmp/ir-x7', '.']`. The longest that fits wins. */
  readonly paths: readonly (readonly [path: string, replacement: string])[];
}

const SHOWN_SECRET = '[secret]';
const MIN_SECRET_LENGTH = 4;
const NOTHING: Redactions = { secrets: [], paths: [] };

/**
 * Argo CD stores the stderr of a failed generation in the Application's conditions and shows it to people. One byte less
 * than 4 KiB, for the line feed at the end.
 */
export const MAX_FAILURE_BYTES = 4095;

/**
 * A text of unknown origin (a tool's stderr, a registry's answer, a message of a library) made fit to be printed: no
 * secret, no userinfo or query in a URL, no private path, nothing that acts on a terminal, no more than `maxBytes` of
 * UTF-8. Time is linear in the text.
 */
export function sanitiseText(text: string, options: Redactions & { readonly maxBytes: number }): string {
  return cutToBytes(escapeControls(redact(text, options), 'keep'), options.maxBytes);
}

function redact(text: string, { secrets, paths }: Redactions): string {
  return replacePaths(stripUrls(hideSecrets(text, secrets)), paths);
}

/** Overlapping finds become one, so that no end of a secret is left beside another. */
function hideSecrets(text: string, secrets: readonly string[]): string {
  const found: [start: number, end: number][] = [];
  for (const secret of new Set(secrets.flatMap(spellings))) {
    for (let at = text.indexOf(secret); at !== -1; at = text.indexOf(secret, at + 1)) {
      found.push([at, at + secret.length]);
    }
  }
  if (found.length === 0) return text;
  found.sort((a, b) => a[0] - b[0]);
  const parts: string[] = [];
  let copied = 0;
  for (const [start, end] of found) {
    if (start >= copied) parts.push(text.slice(copied, start), SHOWN_SECRET);
    copied = Math.max(copied, end);
  }
  parts.push(text.slice(copied));
  return parts.join('');
}

/** How a secret may stand in a text: as it is, in a URL, in a JSON or Go string, in a Basic header. */
function spellings(secret: string): readonly string[] {
  if (secret.length < MIN_SECRET_LENGTH) return [];
  return [
    secret,
    encodeURIComponent(secret.toWellFormed()),
    JSON.stringify(secret).slice(1, -1),
    Buffer.from(secret).toString('base64'),
  ];
}

/** The scheme's length is bounded because each letter of a long word starts a try. */
const URL_TEXT = /[a-z][a-z0-9+.-]{0,30}:\/\/[^\s"'`<>]+/gi;

function stripUrls(text: string): string {
  return text.replace(URL_TEXT, (url) => {
    const authorityStart = url.indexOf('://') + 3;
    // `GET https://host/path?n=1000: it failed`: the colon belongs to the sentence.
    const end = url.search(/[:;,.)]{1,3}$/);
    const rest = url.slice(authorityStart, end === -1 ? undefined : end);
    const authorityLength = rest.search(/[/?#]/);
    const authority = authorityLength === -1 ? rest : rest.slice(0, authorityLength);
    const path = authorityLength === -1 ? '' : rest.slice(authorityLength);
    const host = authority.slice(authority.lastIndexOf('@') + 1);
    const behind = end === -1 ? '' : url.slice(end);
    return url.slice(0, authorityStart) + host + path.replace(/\?[^#]*/, '') + behind;
  });
}

function replacePaths(text: string, paths: Redactions['paths']): string {
  const replacements = new Map(paths.filter(([path]) => path.length > 1));
  if (replacements.size === 0) return text;
  const longestFirst = [...replacements.keys()].sort((a, b) => b.length - a.length);
  const anyPath = new RegExp(longestFirst.map(literally).join('|'), 'g');
  return text.replace(anyPath, (path) => replacements.get(path) ?? path);
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
}

/**
 * An error as people read it:
 * ```
 * TAG_NOT_FOUND  none of the 41 tags of ghcr.io/acme/api satisfies semver ^3.0
 *   at   apps/api/kustomization.yaml:14:12
 *   fix  widen the range, or publish a matching tag
 * ```
 * Further lines of the first sentence (a tool's own words) are indented below it.
 */
export function formatUserError(error: UserErrorData): string {
  const what = escapeControls(error.what, 'keep').trimEnd().replaceAll('\n', '\n       ');
  const lines = [`${error.code}  ${what}`];
  if (error.where !== '') lines.push(`  at   ${escapeControls(error.where, 'escape')}`);
  if (error.fix !== '') lines.push(`  fix  ${escapeControls(error.fix, 'escape')}`);
  return lines.join('\n');
}

/** A notice as one line: `warning: IMAGE_PAUSED backend stays at 1.0.5 (parameter image-settings)`. */
export function formatNotice(notice: Notice): string {
  const where = notice.where === undefined || notice.where === '' ? '' : ` (${notice.where})`;
  return escapeControls(`warning: ${notice.code} ${notice.what}${where}`, 'escape');
}

/**
 * Everything a failed generation says: the errors in their order, each once, redacted, together at most `maxBytes`. When
 * there is no room for all, the first is there (cut, if it must be), and the last line counts the rest by code.
 */
export function formatFailure(
  errors: readonly UserErrorData[],
  options: Partial<Redactions> & { readonly maxBytes?: number } = {},
): string {
  const { maxBytes = MAX_FAILURE_BYTES, ...redactions } = options;
  const clean = (text: string): string => redact(text, { ...NOTHING, ...redactions });
  const texts = new Map<string, UserErrorData>();
  for (const { code, what, where, fix } of errors) {
    const error: UserErrorData = { code, what: clean(what), where: clean(where), fix: clean(fix) };
    texts.set(formatUserError(error), error);
  }
  const whole = [...texts.keys()].join('\n');
  return Buffer.byteLength(whole) <= maxBytes ? whole : shorten([...texts], maxBytes);
}

/** Room kept for the line that counts what was left out. */
const SUMMARY_BYTES = 240;

function shorten(texts: readonly (readonly [text: string, error: UserErrorData])[], maxBytes: number): string {
  const room = maxBytes - (texts.length > 1 ? SUMMARY_BYTES : 0);
  const shown: string[] = [];
  let used = 0;
  for (const [text] of texts) {
    used += Buffer.byteLength(text) + 1;
    if (used > room) break;
    shown.push(text);
  }
  const [first] = texts;
  if (shown.length === 0 && first !== undefined) shown.push(cutFirstSentence(first[1], room));
  const left = texts.slice(shown.length);
  if (left.length > 0) {
    const codes = [...Map.groupBy(left, ([, error]) => error.code)].map(([code, group]) => `${group.length} ${code}`);
    shown.push(cutToBytes(`and ${left.length} more: ${codes.join(', ')}`, SUMMARY_BYTES - 1));
  }
  return cutToBytes(shown.join('\n'), maxBytes);
}

/** A tool's long words are in the first sentence, while place and cure are short and needed. */
function cutFirstSentence(error: UserErrorData, maxBytes: number): string {
  const text = formatUserError(error);
  const head = formatUserError({ ...error, where: '', fix: '' });
  const tail = text.slice(head.length);
  const tailBytes = Buffer.byteLength(tail);
  return tailBytes < maxBytes / 2 ? cutToBytes(head, maxBytes - tailBytes) + tail : cutToBytes(text, maxBytes);
}
