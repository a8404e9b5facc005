import { isAlias, isScalar, type Node } from 'yaml';
import { UserError } from '../error/user-error.ts';
import { parsePolicyReference, parseReference, type ImageReference } from '../image/reference.ts';
import { ANNOTATION_PREFIX, mergeAnnotations, policyAnnotations } from './annotations.ts';
import { BUILT_IN_RULES } from './built-in-rules.ts';
import {
  freshBudget,
  lookUp,
  parseTree,
  resolved,
  textOf,
  withoutFinalNewlines,
  type DocumentTree,
  type TreeProblem,
} from './document-tree.ts';
import { splitDocuments, type DocumentSpan } from './documents.ts';
import { formatPath, type FieldPath } from './field-path.ts';
import { compileFieldRule, type ImagePlace, type KindRule } from './field-rules.ts';
import type { AnnotatedResource, FieldId, FieldRule, ImageField, ResourceId } from './image-field.ts';
import { LineNumbers } from './line-numbers.ts';
import { keysOf, type RelevantKeys } from './relevant-keys.ts';
import type { FoundDocument, FoundField, Rendering } from './rendering.ts';
import { resourcesOf, type Resource } from './resources.ts';
import { pathTree, selectNodes, type Hit, type PathTree } from './select-nodes.ts';
import { skeletonOf, type Skeleton } from './skeleton.ts';

export interface FindOptions {
  /** Rules of the user's for custom resources, besides the built-in ones. */
  readonly rules: readonly FieldRule[];
  /** What messages call the text. */
  readonly fileName?: string;
}

/**
 * Finds the images of rendered manifests, and the policy annotations of their workloads. A document without a chance of
 * either is not parsed, and of the others only the entries that may matter.
 *
 * @throws {UserError} `RENDER_TOO_LARGE`; `MANIFEST_INVALID` or `MANIFEST_TOO_DEEP` for a document with images that is no YAML
 *   or nests too deep; `POLICY_AMBIGUOUS` when a workload and its Pod template disagree in an annotation; `POLICY_FILE_INVALID`
 *   for a rule that does not compile.
 */
export function findImages(text: string, options: FindOptions): Rendering {
  const rules = [...BUILT_IN_RULES, ...options.rules.map(compiled)];
  const keys = keysOf(rules);
  const fileName = options.fileName ?? 'rendered manifests';
  const lines = new LineNumbers(text);
  const budget = freshBudget();
  const documents: FoundDocument[] = [];
  const fields: ImageField[] = [];
  const annotated: AnnotatedResource[] = [];
  for (const span of splitDocuments(text)) {
    const skeleton = promisingPart(text.slice(span.start, span.end), keys);
    if (skeleton === undefined) continue;
    const tree = parseTree(skeleton.text, budget);
    if ('kind' in tree) throw invalid(tree, { span, skeleton, fileName, lines });
    const search = new DocumentSearch({ span, skeleton, tree, rules, lines });
    for (const resource of resourcesOf(tree)) {
      const found = search.visit(resource);
      if (found) annotated.push(found);
    }
    if (search.fields.size === 0) continue;
    documents.push({ start: span.start, skeleton, tree, fields: search.fields, hidden: search.hidden });
    for (const { field } of search.fields.values()) fields.push(field);
  }
  return { findings: { fields, annotated }, text, fileName, documents };
}

function promisingPart(text: string, keys: RelevantKeys): Skeleton | undefined {
  if (!keys.mayBeIn(text)) return undefined;
  const skeleton = skeletonOf(text, (key) => keys.has(key));
  return keys.mayBeIn(skeleton.text) ? skeleton : undefined;
}

/** Collects what one document holds. */
class DocumentSearch {
  readonly fields = new Map<FieldId, FoundField>();
  readonly hidden = new Map<Node, number>();
  readonly #at: Context;

  constructor(at: Context) {
    this.#at = at;
  }

  /** Adds the fields of a resource; answers its policy annotations, if it has any. */
  visit(resource: Resource): AnnotatedResource | undefined {
    const { tree, rules } = this.#at;
    const matching = rules.filter((rule) => rule.matches(resource.id.apiVersion, resource.id.kind));
    const ids: FieldId[] = [];
    const metadata: unknown[] = [lookUp(tree, resource.map, 'metadata')?.value];
    for (const rule of matching) {
      const hits = selectNodes(tree, resource.map, pathsOf(rule));
      for (const [index, place] of rule.places.entries())
        ids.push(...this.#addFields(resource, place, hits[index] ?? []));
      for (const found of hits.slice(rule.places.length)) metadata.push(...found.map(({ value }) => value));
    }
    const answer = mergeAnnotations(metadata.map((map) => policyAnnotations(tree, map)));
    if ('conflict' in answer)
      throw conflicting(
        resource.id,
        answer.conflict[0].key,
        answer.conflict.map(({ value }) => value),
      );
    if (answer.merged.length === 0) return undefined;
    return { resource: resource.id, annotations: answer.merged, fields: ids };
  }

  #addFields(resource: Resource, place: ImagePlace, hits: readonly Hit[]): readonly FieldId[] {
    const { tree } = this.#at;
    const ids: (FieldId | undefined)[] = [];
    for (const hit of hits) {
      for (const node of hit.hidden) this.hidden.set(node, (this.hidden.get(node) ?? 0) + 1);
      const text = imageText(tree, hit.value);
      if (text === undefined) continue;
      if (place.kind === 'whole') {
        if (text !== '')
          ids.push(this.#add(resource, hit, { written: text, holds: 'reference', unnamed: place.unnamed ?? false }));
      } else {
        const repository = repositoryFor(tree, resource, place.repository, hit.indexes);
        if (repository === undefined) continue;
        const written = text === '' ? repository : `${repository}:${text}`;
        ids.push(this.#add(resource, hit, { written, holds: 'tag', unnamed: false }));
      }
    }
    return ids.filter((id) => id !== undefined);
  }

  /** Answers nothing when another rule found the field before. */
  #add(
    resource: Resource,
    hit: Hit,
    about: { written: string; holds: FoundField['holds']; unnamed: boolean },
  ): FieldId | undefined {
    const { span, skeleton, lines } = this.#at;
    const path = formatPath([...resource.path, ...hit.path]);
    const id = `${String(span.index)}:${path}` as FieldId;
    if (this.fields.has(id)) return undefined;
    const reference = referenceIn(about.written);
    const line = lines.lineAt(span.start + skeleton.toDocument(rangeStart(hit.value)));
    const field: ImageField = {
      id,
      resource: resource.id,
      ...(hit.owner !== undefined && !about.unnamed && { container: hit.owner }),
      path,
      line,
      written: about.written,
      ...(reference && { reference }),
    };
    this.fields.set(id, { field, slot: hit.value, holds: about.holds, duplicate: hit.duplicate });
    return id;
  }
}

interface Context {
  readonly span: DocumentSpan;
  readonly skeleton: Skeleton;
  readonly tree: DocumentTree;
  readonly rules: readonly KindRule[];
  readonly lines: LineNumbers;
}

/** Of rules that were used: of most kinds there is nothing in a rendering. */
const pathsByRule = new WeakMap<KindRule, PathTree>();

/** The places of a rule, and behind them where the metadata of its Pods is. */
function pathsOf(rule: KindRule): PathTree {
  const known = pathsByRule.get(rule);
  if (known !== undefined) return known;
  const paths = rule.places.map((place) => (place.kind === 'whole' ? place.path : place.tag));
  if (rule.podTemplate) paths.push([...rule.podTemplate, { kind: 'key', key: 'metadata' }]);
  if (rule.podMetadata) paths.push(rule.podMetadata);
  const tree = pathTree(paths);
  pathsByRule.set(rule, tree);
  return tree;
}

/** The text of an image scalar without the newlines that end a block scalar; `undefined` where no image can be. */
function imageText(tree: DocumentTree, node: Node): string | undefined {
  const scalar = resolved(tree, node);
  if (!isScalar(scalar) || !(scalar.tag === undefined || STRING_TAGS.has(scalar.tag))) return undefined;
  const text = textOf(tree, scalar);
  return text === undefined ? undefined : withoutFinalNewlines(text);
}

const STRING_TAGS: ReadonlySet<string> = new Set(['!', 'tag:yaml.org,2002:str']);

/** The repository beside a tag: the same items of the same lists. */
function repositoryFor(
  tree: DocumentTree,
  resource: Resource,
  path: FieldPath,
  indexes: readonly number[],
): string | undefined {
  const left = [...indexes];
  const exact: FieldPath = path.map((step) =>
    step.kind === 'each' ? { kind: 'index', index: left.shift() ?? 0 } : step,
  );
  const hit = selectNodes(tree, resource.map, pathTree([exact]))[0]?.[0];
  const text = hit && imageText(tree, hit.value);
  return text === '' ? undefined : text;
}

function referenceIn(written: string): ImageReference | undefined {
  const plain = parseReference(written);
  if (plain.ok) return plain.value;
  const withConstraint = parsePolicyReference(written);
  return withConstraint.ok ? withConstraint.value : undefined;
}

function rangeStart(node: Node): number {
  if (!isScalar(node) && !isAlias(node)) return 0;
  return node.range?.[0] ?? 0;
}

function compiled(rule: FieldRule): KindRule {
  const answer = compileFieldRule(rule);
  if (answer.ok) return answer.value;
  throw new UserError('POLICY_FILE_INVALID', {
    what: `a field rule for ${rule.kind} ${answer.problem}`,
    where: '.image-resolver.yaml, fields',
    fix: answer.fix ?? 'correct the rule',
  });
}

function conflicting(resource: ResourceId, key: string, values: readonly string[]): UserError {
  return new UserError('POLICY_AMBIGUOUS', {
    what: `annotation ${ANNOTATION_PREFIX}${key} has the value ${values.map((value) => JSON.stringify(value)).join(' on the workload and ')} on its Pod template`,
    where: `${resource.kind}/${resource.name}`,
    fix: 'write it in one of the two places only',
  });
}

function invalid(
  problem: TreeProblem,
  at: {
    readonly span: DocumentSpan;
    readonly skeleton: Skeleton;
    readonly fileName: string;
    readonly lines: LineNumbers;
  },
): UserError {
  const { span, skeleton, fileName, lines } = at;
  const position = (offset: number): string =>
    `${fileName}:${lines.position(span.start + skeleton.toDocument(offset))}`;
  switch (problem.kind) {
    case 'invalid':
      return new UserError('MANIFEST_INVALID', {
        what: `document ${String(span.index + 1)} of the rendered manifests is not valid YAML: ${problem.what}`,
        where: position(problem.offset),
        fix: 'correct the manifest or template that this document comes from',
      });
    case 'deep':
      return new UserError('MANIFEST_TOO_DEEP', {
        what: `document ${String(span.index + 1)} of the rendered manifests is nested deeper than 100 levels`,
        where: position(problem.offset),
        fix: 'nest lists and maps less deep',
      });
    case 'long':
      return new UserError('RENDER_TOO_LARGE', {
        what: 'the rendered documents with images are too large to be parsed in one go',
        where: position(0),
        fix: 'split the application, or write fewer flow collections, anchors and JSON documents',
      });
    default:
      return problem satisfies never;
  }
}
