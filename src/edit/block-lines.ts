import { Pair, Scalar, YAMLMap, YAMLSeq, type Node } from 'yaml';
import { MAX_DEPTH } from './depth.ts';

// A plain word here begins with no indicator and does not end in a colon; quoted text has no escapes.
const WORD = String.raw`[\w./](?:[\w./:@+-]*[\w./@+-])?`;
const QUOTED = String.raw`"[ !#-\[\]-~]*"|'[ -&(-~]*'`;
const LINE_END = String.raw` *(?:\r?\n|$)`;
const MARKER = new RegExp(`---${LINE_END}`, 'y');
const ENTRY = new RegExp(String.raw`( *)(- +)?([\w/][\w./-]*):(?: +(${WORD}|${QUOTED}))?(${LINE_END})`, 'y');
const BARE_DASH = new RegExp(`( *)-${LINE_END}`, 'y');

/**
 * Reads a document that consists only of lines `key:`, `key: value`, `- key: value` and `-`, the values one plain word or one quoted
 * text without escapes: how renderers print nearly all that matters here. It answers the nodes that the yaml package
 * would, and `undefined` for any other document, valid or not, which then is the package's to read.
 *
 * Why it is there: in a process that has just started, the package takes 0.3 ms for what is left of a small Deployment
 * (Node 26, 2 cores), which for 100 of them is more than the rest of a generation. A property test holds the two together.
 */
export function readBlockLines(text: string): Node | undefined {
  const reader = new BlockReader();
  let at = 0;
  if (text.startsWith('---')) {
    MARKER.lastIndex = 0;
    if (!MARKER.test(text)) return undefined;
    at = MARKER.lastIndex;
  }
  while (at < text.length) {
    const next = readEntry(reader, text, at) ?? readBareDash(reader, text, at);
    if (next === undefined) return undefined;
    at = next;
  }
  return reader.root;
}

/**
 * Whether a line of a document that {@link readBlockLines} reads became one that it reads as the same entry with this value,
 * so that the document reads differently in nothing else: no line means something else because of another one's value.
 *
 * @param before with its end.
 */
export function isSameEntryWith(value: string, before: string, after: string): boolean {
  const [was, is] = [wholeEntry(before), wholeEntry(after)];
  if (was === undefined || is === undefined) return false;
  const [, indent, dash, key, old, end] = was;
  const written = is[4];
  // Below a key without a value there may be one.
  if (old === undefined || written === undefined) return false;
  if (is[1] !== indent || is[2] !== dash || is[3] !== key || is[5] !== end) return false;
  return scalar(written, written.length).value === value;
}

function wholeEntry(line: string): RegExpExecArray | undefined {
  ENTRY.lastIndex = 0;
  const match = ENTRY.exec(line);
  return match !== null && match[0].length === line.length ? match : undefined;
}

/** Answers where the next line begins. */
function readEntry(reader: BlockReader, text: string, at: number): number | undefined {
  ENTRY.lastIndex = at;
  const match = ENTRY.exec(text);
  if (match === null) return undefined;
  const [, indent = '', dash = '', key = '', value, end = ''] = match;
  const dashed = dash !== '';
  const column = indent.length + dash.length;
  const valueEnd = ENTRY.lastIndex - end.length;
  if (dashed && !reader.addItem(indent.length, at)) return undefined;
  const pair = new Pair<Scalar, Scalar>(plain(key, at + column), scalar(value ?? '', valueEnd));
  return reader.addPair(column, pair, value === undefined) ? ENTRY.lastIndex : undefined;
}

function readBareDash(reader: BlockReader, text: string, at: number): number | undefined {
  BARE_DASH.lastIndex = at;
  const match = BARE_DASH.exec(text);
  return match !== null && reader.addItem(match[1]?.length ?? 0, at) ? BARE_DASH.lastIndex : undefined;
}

function scalar(source: string, end: number): Scalar {
  const quote = source.charAt(0);
  if (quote !== '"' && quote !== "'") return plain(source, end - source.length);
  const node = new Scalar(source.slice(1, -1));
  node.type = quote === '"' ? 'QUOTE_DOUBLE' : 'QUOTE_SINGLE';
  node.range = [end - source.length, end, end];
  return node;
}

function plain(text: string, start: number): Scalar {
  const node = new Scalar(text);
  node.type = 'PLAIN';
  node.range = [start, start + text.length, start + text.length];
  return node;
}

/** A map or sequence whose lines all begin in one column. */
interface Open {
  readonly column: number;
  readonly node: YAMLMap | YAMLSeq;
  /** Puts a collection into the last entry or item; absent when that has a value of its own. */
  fill: ((child: YAMLMap | YAMLSeq) => void) | undefined;
}

/** Puts lines together by their columns. Every method answers whether the line may stand where it does. */
class BlockReader {
  root: Node | undefined;
  readonly #open: Open[] = [];

  /** A dash in this column. */
  addItem(column: number, offset: number): boolean {
    this.#closeDeeperThan(column);
    const top = this.#open.at(-1);
    // A sequence may stand in the column of the key that it belongs to.
    const begins = top === undefined || top.column < column || (top.node instanceof YAMLMap && top.fill !== undefined);
    const seq = begins ? this.#begin(column, new YAMLSeq()) : top;
    if (seq === undefined || !(seq.node instanceof YAMLSeq)) return false;
    const { items } = seq.node;
    const index = items.push(plain('', offset + column + 1)) - 1;
    seq.fill = (child) => {
      items[index] = child;
    };
    return true;
  }

  /** A key in this column; `open` when it has no value yet. */
  addPair(column: number, pair: Pair<Scalar, Node>, open: boolean): boolean {
    this.#closeDeeperThan(column);
    if (this.#open.at(-1)?.column === column && this.#open.at(-1)?.node instanceof YAMLSeq) this.#open.pop();
    const top = this.#open.at(-1);
    const map = top?.column === column ? top : this.#begin(column, new YAMLMap());
    if (map === undefined || !(map.node instanceof YAMLMap)) return false;
    map.node.items.push(pair);
    map.fill = open
      ? (child) => {
          pair.value = child;
        }
      : undefined;
    return true;
  }

  #begin(column: number, node: YAMLMap | YAMLSeq): Open | undefined {
    const parent = this.#open.at(-1);
    if (parent === undefined) {
      if (this.root !== undefined) return undefined;
      this.root = node;
    } else {
      if (parent.fill === undefined || this.#open.length === MAX_DEPTH) return undefined;
      parent.fill(node);
      parent.fill = undefined;
    }
    const begun = { column, node, fill: undefined };
    this.#open.push(begun);
    return begun;
  }

  #closeDeeperThan(column: number): void {
    while ((this.#open.at(-1)?.column ?? -1) > column) this.#open.pop();
  }
}
