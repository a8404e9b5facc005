/** Tells lines of a text; quick when asked in the order of the text. */
export class LineNumbers {
  readonly #text: string;
  #offset = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  /** One-based line of an offset. */
  lineAt(offset: number): number {
    if (offset < this.#offset) {
      this.#offset = 0;
      this.#line = 1;
    }
    for (;;) {
      const newline = this.#text.indexOf('\n', this.#offset);
      if (newline === -1 || newline >= offset) return this.#line;
      this.#offset = newline + 1;
      this.#line += 1;
    }
  }

  /** `line:column`, both one-based. */
  position(offset: number): string {
    const lineStart = this.#text.lastIndexOf('\n', offset - 1) + 1;
    return `${String(this.lineAt(offset))}:${String(offset - (offset === 0 ? 0 : lineStart) + 1)}`;
  }
}
