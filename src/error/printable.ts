/**
 * Characters that must not reach a terminal, a log or Argo CD's UI as they are: controls of both ranges (ESC begins ANSI
 * sequences), marks that turn the reading direction (CVE-2021-42574), invisible ones, and U+2028/9, which JavaScript
 * and some log readers take for the end of a line.
 */
// oxlint-disable-next-line no-control-regex -- controls are what is looked for
const UNPRINTABLE = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g;

/**
 * The text with every character shown that would otherwise act or hide: `\x1b`, `\u202e`. A tab becomes a space, CRLF a
 * line feed, half a surrogate pair U+FFFD.
 *
 * @param lines `keep` leaves line feeds; `escape` gives one line with `\n` in it.
 */
export function escapeControls(text: string, lines: 'keep' | 'escape'): string {
  const escaped = text
    .toWellFormed()
    .replaceAll('\r\n', '\n')
    .replaceAll('\t', ' ')
    .replace(UNPRINTABLE, (character) => {
      const code = character.charCodeAt(0);
      return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
    });
  return lines === 'keep' ? escaped : escaped.replaceAll('\n', '\\n');
}

/** Ends a text that was cut. */
const CUT_MARK = ' … [cut]';
const CUT_MARK_BYTES = Buffer.byteLength(CUT_MARK);

/** The text when its UTF-8 form fits into `maxBytes`, else as many whole characters of it as fit together with {@link CUT_MARK}. */
export function cutToBytes(text: string, maxBytes: number): string {
  // A UTF-16 unit is at most three bytes of UTF-8, so most texts need no counting.
  if (text.length * 3 <= maxBytes || Buffer.byteLength(text) <= maxBytes) return text;
  const room = maxBytes - CUT_MARK_BYTES;
  if (room < 0) return '';
  const bytes = Buffer.from(text.slice(0, room));
  let end = Math.min(room, bytes.length);
  // 10xxxxxx continues a character: step back to where one begins.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end) + CUT_MARK;
}
