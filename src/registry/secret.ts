const SHOWN = '[secret]';

/** A text that must not be printed. Every ordinary way of turning it into text gives `[secret]` or nothing (the field is private, so `util.inspect` cannot see it); only {@link reveal} gives the value. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself, for the one header or body it belongs in. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return SHOWN;
  }

  toJSON(): string {
    return SHOWN;
  }
}
