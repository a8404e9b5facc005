/** One replacement in a text. Offsets are UTF-16 units. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  /** What stands there now. */
  readonly was: string;
  readonly text: string;
}

/**
 * Replaces parts of a text and keeps every other byte.
 *
 * @throws {Error} when edits overlap, are not in the order of the text, or were planned for another one: bugs.
 */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  const parts: string[] = [];
  let done = 0;
  for (const edit of edits) {
    if (edit.start < done || text.slice(edit.start, edit.end) !== edit.was) {
      throw new Error(`the edit at ${String(edit.start)} does not fit the text`);
    }
    parts.push(text.slice(done, edit.start), edit.text);
    done = edit.end;
  }
  return parts.length === 0 ? text : parts.join('') + text.slice(done);
}
