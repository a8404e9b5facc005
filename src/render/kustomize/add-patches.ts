import { readFileSync, writeFileSync } from 'node:fs';
import { isMap, isSeq, parseDocument } from 'yaml';
import { checkDepth } from '../../edit/depth.ts';
import { UserError } from '../../error/user-error.ts';
import { MAX_NESTING } from '../limits.ts';

const WHERE = 'parameter kustomize-patches';

/**
 * Appends the parameter's patches to a kustomization's own, as Argo CD does before a build.
 *
 * @throws {UserError} `PARAMETER_INVALID` when the parameter is no YAML list of mappings, `MANIFEST_INVALID` when the
 *   kustomization's `patches` is no list.
 */
export function addPatches(file: string, patches: string, where: string): void {
  writeFileSync(file, withPatches(readFileSync(file, 'utf8'), patches, where));
}

/** {@link addPatches} on the text. Everything but the list keeps its spelling. */
function withPatches(kustomization: string, patches: string, where: string): string {
  const added = parseList(patches);
  const document = parseDocument(kustomization, { uniqueKeys: false, merge: true, logLevel: 'silent' });
  const { contents } = document;
  if (document.errors.length > 0 || (contents !== null && !isMap(contents)))
    throw invalid(where, 'the kustomization is no YAML mapping');
  const own = document.get('patches', true);
  if (own === undefined) document.set('patches', document.createNode(added));
  else if (isSeq(own)) for (const patch of added) own.add(document.createNode(patch));
  else throw invalid(where, 'patches is no list');
  return document.toString({ lineWidth: 0 });
}

function parseList(text: string): readonly unknown[] {
  const depth = checkDepth(text, MAX_NESTING);
  if (!depth.ok) throw unusable(`it is nested more than ${MAX_NESTING} deep, in line ${depth.line}`);
  const document = parseDocument(text, { merge: true, logLevel: 'silent', prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) throw unusable(`it is no valid YAML (${error.message})`);
  if (!isSeq(document.contents) || !document.contents.items.every((item) => isMap(item))) {
    throw unusable('it is no list of patches');
  }
  return document.toJS({ maxAliasCount: 100 }) as readonly unknown[];
}

function unusable(problem: string): UserError {
  return new UserError('PARAMETER_INVALID', {
    what: `the patches cannot be used: ${problem}`,
    where: WHERE,
    fix: 'write a YAML list with path or patch, and target, as in spec.source.kustomize.patches',
  });
}

function invalid(where: string, problem: string): UserError {
  return new UserError('MANIFEST_INVALID', {
    what: `patches cannot be added: ${problem}`,
    where,
    fix: 'correct the kustomization',
  });
}
