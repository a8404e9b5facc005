import { UserError } from '../error/user-error.ts';

/** Largest rendering that is looked at, in bytes of UTF-8. */
export const MAX_RENDERING_BYTES: number = 50 * 1024 * 1024;
/** Most documents that a rendering may have. */
export const MAX_DOCUMENTS = 10_000;

/** One document of a rendering: `text.slice(start, end)`, with its directives and `---` line, without a byte order mark. */
export interface DocumentSpan {
  readonly index: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Where the documents of a rendering stand. A line that begins with `---` or `...` is a marker wherever it is, also
 * within a block scalar.
 *
 * @throws {UserError} `RENDER_TOO_LARGE` for more than 50 MiB or 10,000 documents.
 * @see https://yaml.org/spec/1.2.2/#92-streams
 */
export function splitDocuments(text: string): readonly DocumentSpan[] {
  refuseLargeText(text);
  const spans: DocumentSpan[] = [];
  let start = 0;
  const close = (end: number): void => {
    const from = text.startsWith('\uFEFF', start) ? start + 1 : start;
    if (from < end) spans.push({ index: spans.length, start: from, end });
    if (spans.length > MAX_DOCUMENTS) throw tooMany();
    start = end;
  };
  for (const marker of markers(text)) {
    // Only directives and comments can stand before the marker that begins their document.
    if (marker.begins) {
      if (!isPrologue(text, start, marker.at)) close(marker.at);
    } else {
      close(marker.end);
    }
  }
  close(text.length);
  return spans;
}

interface Marker {
  readonly at: number;
  /** After its line. */
  readonly end: number;
  /** `---`, not `...`. */
  readonly begins: boolean;
}

function* markers(text: string): Generator<Marker> {
  const next = (sign: string, from: number): number => {
    for (let at = text.indexOf(sign, from); at !== -1; at = text.indexOf(sign, at + 1)) {
      if (isBlankAt(text, at + 4)) return at + 1;
    }
    return Infinity;
  };
  const first = text.startsWith('\uFEFF') ? 1 : 0;
  const opening = text.slice(first, first + 3);
  if ((opening === '---' || opening === '...') && isBlankAt(text, first + 3)) {
    yield { at: first, end: lineEnd(text, first), begins: opening === '---' };
  }
  let begin = next('\n---', first);
  let stop = next('\n...', first);
  while (begin !== Infinity || stop !== Infinity) {
    const begins = begin < stop;
    const at = begins ? begin : stop;
    yield { at, end: lineEnd(text, at), begins };
    if (begins) begin = next('\n---', at);
    else stop = next('\n...', at);
  }
}

function isPrologue(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at = lineEnd(text, at)) {
    const line = text
      .slice(at, Math.min(lineEnd(text, at), end))
      .replace('\uFEFF', '')
      .trimStart();
    if (line !== '' && !line.startsWith('#') && !line.startsWith('%')) return false;
  }
  return true;
}

function isBlankAt(text: string, at: number): boolean {
  return at >= text.length || ' \t\r\n'.includes(text.charAt(at));
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end === -1 ? text.length : end + 1;
}

function refuseLargeText(text: string): void {
  // A UTF-16 unit is at most three bytes of UTF-8, so most texts need not be measured.
  if (text.length * 3 <= MAX_RENDERING_BYTES || Buffer.byteLength(text) <= MAX_RENDERING_BYTES) return;
  throw new UserError('RENDER_TOO_LARGE', {
    what: `the rendered manifests are larger than ${String(MAX_RENDERING_BYTES / 1024 / 1024)} MiB`,
    where: 'rendered manifests',
    fix: 'split the application into several',
  });
}

function tooMany(): UserError {
  return new UserError('RENDER_TOO_LARGE', {
    what: `the rendered manifests hold more than ${MAX_DOCUMENTS.toLocaleString('en')} documents`,
    where: 'rendered manifests',
    fix: 'split the application into several',
  });
}
