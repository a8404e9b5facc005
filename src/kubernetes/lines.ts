const LINE_FEED = 0x0a;

/** Splits bytes into lines, each at most `maxBytes` long: a longer one is left out and told as undefined. */
export class LineSplitter {
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that end in this chunk; empty ones are left out. */
  *push(chunk: Buffer): Generator<string | undefined> {
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, from)) {
      this.#keep(chunk.subarray(from, end));
      from = end + 1;
      const [parts, length] = [this.#parts, this.#length];
      this.#parts = [];
      this.#length = 0;
      if (length > this.#maxBytes) yield undefined;
      else if (length > 0) yield Buffer.concat(parts, length).toString();
    }
    this.#keep(chunk.subarray(from));
  }

  #keep(part: Buffer): void {
    this.#length += part.length;
    if (this.#length > this.#maxBytes) this.#parts = [];
    else if (part.length > 0) this.#parts.push(part);
  }
}
