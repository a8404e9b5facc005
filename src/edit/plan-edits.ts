import type { Alias, Node } from 'yaml';
import { UserError } from '../error/user-error.ts';
import { formatReference, parseDigest, parseTag, type Digest, type Tag } from '../image/reference.ts';
import { placeCounter } from './anchors.ts';
import type { Edit } from './apply-edits.ts';
import { resolved, textOf, withoutFinalNewlines } from './document-tree.ts';
import type { FieldId, ImageField } from './image-field.ts';
import type { FoundDocument, FoundField, Rendering } from './rendering.ts';
import { replacementFor, type Replacement } from './scalar-text.ts';
import { verifyEdits, type ScalarChange } from './verify-edits.ts';

/** What a field gets: it replaces tag and digest; the repository stays as written. */
export interface FieldWrite {
  readonly tag?: Tag;
  readonly digest?: Digest;
}

/**
 * The edits that give fields of a rendering their new tags and digests, in the order of the text. A field that already has
 * them needs none. Every edited document was parsed again with its edits: only the values meant to change do.
 *
 * @throws {UserError} `ANCHOR_SHARED` when the value would change elsewhere too; `SETTING_INVALID` for a digest where the
 *   tag stands alone; `MANIFEST_INVALID` when a key on the way to the field is written twice; `EDIT_UNSAFE`.
 */
export function planEdits(rendering: Rendering, writes: ReadonlyMap<FieldId, FieldWrite>): readonly Edit[] {
  const known = new Set<FieldId>();
  const edits: Edit[] = [];
  for (const document of rendering.documents) {
    let touched = false;
    for (const id of document.fields.keys()) {
      known.add(id);
      touched ||= writes.has(id);
    }
    if (touched) edits.push(...editsOf(rendering, document, writes));
  }
  for (const id of writes.keys()) if (!known.has(id)) throw new Error(`no field ${id} in the rendering`);
  return edits.sort((a, b) => a.start - b.start);
}

/** What one scalar (or alias) is to hold. */
interface SlotPlan {
  readonly node: Node;
  readonly fields: readonly FoundField[];
  readonly value: string;
  readonly current: string;
  /** In how many more places the scalar counts, besides those of `fields`. */
  readonly elsewhere: number;
}

function editsOf(
  rendering: Rendering,
  document: FoundDocument,
  writes: ReadonlyMap<FieldId, FieldWrite>,
): readonly Edit[] {
  const plans = changing(rendering, document, slotPlans(rendering, document, writes));
  if (plans.length === 0) return [];
  const { skeleton, start } = document;
  const changes: ScalarChange[] = [];
  const edits = plans.map((plan): Edit => {
    const place = whereIs(rendering, plan.fields[0]);
    const replacement = replacementFor(skeleton.text, plan.node, plan.value);
    if (replacement === undefined) throw unsafe(place, 'its block scalar is not of one line');
    changes.push({ node: plan.node, value: plan.value, replacement });
    return movedBy(start + skeleton.toDocument(replacement.start) - replacement.start, replacement, skeleton.text);
  });
  const problem = verifyEdits(document, changes);
  if (problem !== undefined) throw unsafe(whereIs(rendering, plans[0]?.fields[0]), problem);
  return edits;
}

function movedBy(distance: number, { start, end, text }: Replacement, source: string): Edit {
  return { start: start + distance, end: end + distance, was: source.slice(start, end), text };
}

/** Groups the fields by the scalar they are written in, and checks that what is written suits all of them. */
function slotPlans(
  rendering: Rendering,
  document: FoundDocument,
  writes: ReadonlyMap<FieldId, FieldWrite>,
): readonly SlotPlan[] {
  const bySlot = new Map<Node, FoundField[]>();
  for (const found of document.fields.values()) {
    const same = bySlot.get(found.slot);
    if (same) same.push(found);
    else bySlot.set(found.slot, [found]);
  }
  const placesOf = placeCounter(document.tree.anchors);
  const plans: SlotPlan[] = [];
  for (const [node, fields] of bySlot) {
    const written = fields.filter(({ field }) => writes.has(field.id));
    const [first] = written;
    if (first === undefined) continue;
    const values = new Set(written.map((found) => newValue(rendering, found, writes.get(found.field.id) ?? {})));
    const elsewhere = placesOf(node) - (document.hidden.get(node) ?? 0) - written.length;
    if (values.size > 1) throw shared(rendering, first);
    const [value = ''] = values;
    plans.push({ node, fields: written, value, current: currentText(document, node), elsewhere });
  }
  return plans;
}

/** The plans that need an edit. An alias is replaced by the value; a scalar that aliases stand for may change only with all of them. */
function changing(rendering: Rendering, document: FoundDocument, plans: readonly SlotPlan[]): readonly SlotPlan[] {
  const changed = new Set(plans.filter(({ value, current }) => value !== current));
  const byNode = new Map(plans.map((plan) => [plan.node, plan]));
  for (const plan of changed) {
    for (const alias of document.tree.anchors.aliases.get(plan.node) ?? []) {
      const own = byNode.get(alias);
      if (own === undefined) throw shared(rendering, plan.fields[0], alias);
      changed.add(own);
    }
  }
  for (const plan of changed) if (plan.elsewhere > 0) throw shared(rendering, plan.fields[0]);
  return plans.filter((plan) => changed.has(plan));
}

function currentText(document: FoundDocument, node: Node): string {
  return withoutFinalNewlines(textOf(document.tree, resolved(document.tree, node)) ?? '');
}

function newValue(rendering: Rendering, found: FoundField, write: FieldWrite): string {
  const { field } = found;
  checkWrite(field, write);
  if (found.duplicate) {
    throw new UserError('MANIFEST_INVALID', {
      what: `a key on the path ${field.path} is written twice`,
      where: whereIs(rendering, found),
      fix: 'remove one of the two, so that it is clear which image counts',
    });
  }
  if (found.holds === 'reference') {
    if (!field.reference) throw new Error(`field ${field.id} holds no reference`);
    return formatReference({ writtenRepository: field.reference.writtenRepository, ...write });
  }
  if (write.digest !== undefined || write.tag === undefined) {
    throw new UserError('SETTING_INVALID', {
      what: `${field.path} holds a tag alone, so no digest can be written there`,
      where: whereIs(rendering, found),
      fix: 'set output: tag for this image',
    });
  }
  return write.tag;
}

/** The last door before the manifest: a tag with a newline would be a line of it. */
function checkWrite(field: ImageField, { tag, digest }: FieldWrite): void {
  const legal = (tag === undefined || parseTag(tag).ok) && (digest === undefined || parseDigest(digest).ok);
  if (!legal || (tag === undefined && digest === undefined))
    throw new Error(`no legal tag or digest to write to ${field.id}`);
}

function shared(rendering: Rendering, found: FoundField | undefined, alias?: Alias): UserError {
  const anchor = alias === undefined ? 'through an anchor or merge key' : `through the anchor &${alias.source}`;
  return new UserError('ANCHOR_SHARED', {
    what: `the image of ${found?.field.path ?? 'a field'} is shared ${anchor} with a place that does not get the same image`,
    where: whereIs(rendering, found),
    fix: 'write the image out where it is used, without an anchor',
  });
}

function unsafe(where: string, problem: string): UserError {
  return new UserError('EDIT_UNSAFE', {
    what: `an image cannot be changed without changing more: ${problem}`,
    where,
    fix: 'write the image as a plain or quoted value on the line of its key',
  });
}

function whereIs({ fileName }: Rendering, found: FoundField | undefined): string {
  if (found === undefined) return fileName;
  const { resource, path, line } = found.field;
  return `${fileName}:${String(line)} (${resource.kind}/${resource.name} ${path})`;
}
