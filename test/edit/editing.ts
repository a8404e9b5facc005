import { applyEdits } from '../../src/edit/apply-edits.ts';
import { findImages } from '../../src/edit/find-fields.ts';
import type { FieldId, FieldRule, ImageField } from '../../src/edit/image-field.ts';
import { planEdits, type FieldWrite } from '../../src/edit/plan-edits.ts';
import { UserError } from '../../src/error/user-error.ts';
import { parseDigest, parseTag, type Digest, type Tag } from '../../src/image/reference.ts';

export const DIGEST: Digest = digest(`sha256:${'ab'.repeat(32)}`);

export function tag(text: string): Tag {
  const parsed = parseTag(text);
  if (!parsed.ok) throw new Error(`${text} ${parsed.problem}`);
  return parsed.value;
}

export function digest(text: string): Digest {
  const parsed = parseDigest(text);
  if (!parsed.ok) throw new Error(`${text} ${parsed.problem}`);
  return parsed.value;
}

/** Edits every field that `choose` answers a write for. */
export function edited(
  text: string,
  choose: (field: ImageField) => FieldWrite | undefined,
  rules: readonly FieldRule[] = [],
): string {
  const rendering = findImages(text, { rules });
  const writes = new Map<FieldId, FieldWrite>();
  for (const field of rendering.findings.fields) {
    const write = choose(field);
    if (write) writes.set(field.id, write);
  }
  return applyEdits(text, planEdits(rendering, writes));
}

/** Gives every image the tag. */
export function retagged(text: string, to: string, rules: readonly FieldRule[] = []): string {
  return edited(text, () => ({ tag: tag(to) }), rules);
}

/** Paths and texts of the fields, in order. */
export function fieldsOf(text: string, rules: readonly FieldRule[] = []): readonly (readonly [string, string])[] {
  return findImages(text, { rules }).findings.fields.map(({ path, written }) => [path, written]);
}

/** The UserError that a function throws; anything else travels on. */
export function errorOf(action: () => unknown): UserError | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  return undefined;
}

export function codeOf(action: () => unknown): string | undefined {
  return errorOf(action)?.code;
}

/** A Pod whose container has this text behind `image:`, on its first line as it is. */
export function pod(image: string): string {
  return `apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - name: app\n    image: ${image}\n    args: [--flag]\n`;
}
