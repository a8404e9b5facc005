import { isAlias, isMap, isPair, isScalar, isSeq, type Node } from 'yaml';
import { applyEdits } from './apply-edits.ts';
import { isSameEntryWith } from './block-lines.ts';
import { freshBudget, parseTree, withoutFinalNewlines } from './document-tree.ts';
import type { FoundDocument } from './rendering.ts';
import type { Replacement } from './scalar-text.ts';

/** A scalar or alias that is to become another value. */
export interface ScalarChange {
  readonly node: Node;
  readonly value: string;
  readonly replacement: Replacement;
}

/**
 * Reads the part of a document that was searched once more, with its changes, and compares: the changed scalars have
 * their new values and nothing else differs. The rest of the document keeps its bytes, and its place under the same keys.
 * Where each line stands for itself, the changed lines are enough; of a hundred images the whole would cost as much again
 * as finding them.
 *
 * @returns what is wrong, if anything is.
 */
export function verifyEdits(document: FoundDocument, changes: readonly ScalarChange[]): string | undefined {
  const { text } = document.skeleton;
  if (document.tree.isBlockLines && changes.every((change) => isLineOfItsOwn(text, change))) return undefined;
  const edits = changes
    .map(({ replacement: { start, end, text: value } }) => ({ start, end, was: text.slice(start, end), text: value }))
    .sort((a, b) => a.start - b.start);
  const after = parseTree(applyEdits(text, edits), freshBudget());
  if ('kind' in after) return 'the changed document is no longer valid';
  const values = new Map(changes.map(({ node, value }) => [node, value]));
  return isSame(document.tree.root, after.root, values) ? undefined : 'the changed document reads differently';
}

/** Whether a change is one of the value in its line. */
function isLineOfItsOwn(text: string, { value, replacement }: ScalarChange): boolean {
  const { start, end, text: written } = replacement;
  const lineStart = text.lastIndexOf('\n', start - 1) + 1;
  const newline = text.indexOf('\n', start);
  const lineEnd = newline === -1 ? text.length : newline + 1;
  if (end > lineEnd) return false;
  const after = text.slice(lineStart, start) + written + text.slice(end, lineEnd);
  return isSameEntryWith(value, text.slice(lineStart, lineEnd), after);
}

function isSame(before: unknown, after: unknown, changes: ReadonlyMap<Node, string>): boolean {
  if (isScalar(before) || isAlias(before)) {
    const value = changes.get(before);
    if (value !== undefined) return isChanged(before, after, value);
  }
  if (isScalar(before))
    return (
      isScalar(after) && before.value === after.value && before.type === after.type && sameProperties(before, after)
    );
  if (isAlias(before)) return isAlias(after) && before.source === after.source;
  if (isPair(before))
    return isPair(after) && isSame(before.key, after.key, changes) && isSame(before.value, after.value, changes);
  if (isMap(before))
    return isMap(after) && sameProperties(before, after) && sameItems(before.items, after.items, changes);
  if (isSeq(before))
    return isSeq(after) && sameProperties(before, after) && sameItems(before.items, after.items, changes);
  return before === after;
}

function isChanged(before: Node, after: unknown, value: string): boolean {
  if (!isScalar(after)) return false;
  if (!isScalar(before)) return after.value === value && after.anchor === undefined && after.tag === undefined;
  const newlines =
    typeof before.value === 'string' ? before.value.slice(withoutFinalNewlines(before.value).length) : '';
  return after.value === value + newlines && sameProperties(before, after);
}

function sameItems(before: readonly unknown[], after: readonly unknown[], changes: ReadonlyMap<Node, string>): boolean {
  return before.length === after.length && before.every((item, index) => isSame(item, after[index], changes));
}

interface Properties {
  readonly anchor?: string | undefined;
  readonly tag?: string | undefined;
  readonly comment?: string | null | undefined;
  readonly commentBefore?: string | null | undefined;
}

function sameProperties(before: Properties, after: Properties): boolean {
  return (
    before.anchor === after.anchor &&
    before.tag === after.tag &&
    before.comment === after.comment &&
    before.commentBefore === after.commentBefore
  );
}
