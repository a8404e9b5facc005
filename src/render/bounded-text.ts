/** Keeps the beginning and the end of a text that arrives in pieces: a tool says what it does first and what went wrong last. */
export class BoundedText {
  readonly #half: number;
  #head: Buffer = Buffer.alloc(0);
  #tail: Buffer = Buffer.alloc(0);
  #total = 0;

  /** @param maxBytes kept in all, half of it from the beginning. */
  constructor(maxBytes: number) {
    this.#half = Math.floor(maxBytes / 2);
  }

  add(piece: Buffer): void {
    this.#total += piece.length;
    const toHead = piece.subarray(0, Math.max(0, this.#half - this.#head.length));
    if (toHead.length > 0) this.#head = Buffer.concat([this.#head, toHead]);
    const rest = piece.subarray(toHead.length);
    if (rest.length > 0) this.#tail = Buffer.concat([this.#tail, rest.subarray(-this.#half)]).subarray(-this.#half);
  }

  /** What was kept, with a line between that says how much was not. */
  toString(): string {
    const dropped = this.#total - this.#head.length - this.#tail.length;
    if (dropped === 0) return Buffer.concat([this.#head, this.#tail]).toString('utf8');
    return `${this.#head.toString('utf8')}\n[${dropped} bytes left out]\n${this.#tail.toString('utf8')}`;
  }
}
