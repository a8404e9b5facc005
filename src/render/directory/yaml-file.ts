import { type Document, isAlias, isMap, isScalar, parseDocument, visit } from 'yaml';
import { checkDepth } from '../../edit/depth.ts';
import { UserError } from '../../error/user-error.ts';
import { MAX_NESTING } from '../limits.ts';
import { splitYamlDocuments, type YamlDocument } from './yaml-documents.ts';

/**
 * Characters of a YAML file up to which every document of it is parsed here, so that an error has its line. In larger ones a
 * document with `kind:` at its top is taken as an object; whether it is valid YAML is found by Argo CD, which parses all that
 * is printed. Parsing costs about 0.5 ms per kB.
 */
const PARSED_CHARACTERS = 64 * 1024;

/** What Argo CD looks for before it takes a file that cannot be decoded for a broken manifest and not for something else. */
const SIGNS_OF_A_MANIFEST: readonly string[] = ['apiVersion:', 'kind:', 'metadata:'];

/** Go's YAML reader takes `yes` for a boolean and the last of equal keys. What stands behind `...` it does not look at. */
const AS_GO_READS = { version: '1.1', uniqueKeys: false, prettyErrors: false, logLevel: 'silent' } as const;

const KIND_AT_TOP = /^kind:[ \t]*[^\s#]/m;

/**
 * Whether a YAML file holds Kubernetes objects. As in Argo CD, a file whose first document is none and that does not look
 * like one either is left out, whole; anything else that cannot be decoded is an error.
 *
 * @param name the file, for errors.
 * @throws {UserError} `MANIFEST_INVALID` with line and column, `MANIFEST_TOO_DEEP`.
 */
export function holdsObjects(text: string, name: string): boolean {
  const looksLikeManifest = SIGNS_OF_A_MANIFEST.every((sign) => text.includes(sign));
  const parseAll = text.length <= PARSED_CHARACTERS || !looksLikeManifest;
  // Argo CD also takes JSON objects that follow each other without ---; a file of them must not be left out in silence.
  const isJson = /^\s*\{(?!\{)/.test(text);
  let objects = 0;
  for (const document of splitYamlDocuments(text)) {
    const found = !parseAll && isPlainObject(document) ? { kind: 'object' as const } : examine(document, name);
    if (found.kind === 'object') objects++;
    if (found.kind !== 'broken') continue;
    if (objects === 0 && !looksLikeManifest && !isJson) return false;
    throw new UserError('MANIFEST_INVALID', {
      what: found.problem,
      where: `${name}:${position(text, found.offset)}`,
      fix: 'correct the file, or leave it out with directory-exclude or a comment # +argocd:skip-file-rendering',
    });
  }
  return objects > 0;
}

function isPlainObject(document: YamlDocument): boolean {
  return document.badSeparator === undefined && KIND_AT_TOP.test(document.text);
}

type Examined =
  | { readonly kind: 'object' | 'empty' }
  | { readonly kind: 'broken'; readonly problem: string; /** In the file. */ readonly offset: number };

function examine(document: YamlDocument, name: string): Examined {
  const { offset } = document;
  if (document.badSeparator !== undefined) {
    return {
      kind: 'broken',
      problem: 'something other than a comment stands behind --- on its line',
      offset: offset - 1,
    };
  }
  if (!checkDepth(document.text, MAX_NESTING).ok) {
    throw new UserError('MANIFEST_TOO_DEEP', {
      what: `a document nests deeper than ${MAX_NESTING} levels`,
      where: name,
      fix: 'leave the file out with directory-exclude',
    });
  }
  const parsed = parseDocument(document.text, AS_GO_READS);
  const error = parsed.errors.find(({ code }) => code !== 'MULTIPLE_DOCS');
  if (error !== undefined) {
    // Behind a colon the parser quotes the content, which may be a secret.
    const [problem] = error.message.split(':');
    return { kind: 'broken', problem: `the YAML cannot be read: ${problem}`, offset: offset + error.pos[0] };
  }
  const dangling = danglingAlias(parsed);
  if (dangling !== undefined)
    return { kind: 'broken', problem: 'an alias has no anchor before it', offset: offset + dangling };
  const { contents } = parsed;
  if (contents === null || (isScalar(contents) && contents.value === null)) return { kind: 'empty' };
  const start = offset + (contents.range?.[0] ?? 0);
  if (!isMap(contents)) return { kind: 'broken', problem: 'the document is no object', offset: start };
  const kind = contents.get('kind', true);
  // What is merged in or comes by an alias is left to Argo CD.
  const merges = contents.items.some(({ key }) => isScalar(key) && key.source === '<<');
  if (merges || isAlias(kind)) return { kind: 'object' };
  if (isScalar(kind) && typeof kind.value === 'string' && kind.value !== '') return { kind: 'object' };
  return { kind: 'broken', problem: 'the object has no kind', offset: start };
}

/** Where an alias stands whose anchor does not stand before it; the parser leaves that to whoever follows it. */
function danglingAlias(document: Document.Parsed): number | undefined {
  const anchors = new Set<string>();
  let found: number | undefined;
  visit(document, {
    Node: (_, node) => {
      if (isAlias(node)) {
        if (!anchors.has(node.source)) found ??= node.range?.[0] ?? 0;
      } else if (node.anchor !== undefined) anchors.add(node.anchor);
    },
  });
  return found;
}

/** `line:column`, both one-based. */
function position(text: string, offset: number): string {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  const line = before.split('\n').length;
  return `${line}:${offset - lineStart + 1}`;
}
