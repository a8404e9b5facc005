import { lstatSync, readFileSync, statSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { sanitiseText } from '../../error/sanitise.ts';
import { UserError } from '../../error/user-error.ts';
import { type AppRoot, isInside, nameInTree, resolveInTree, scanLinks } from '../app-root.ts';
import { KUSTOMIZATION_NAMES } from '../detect.ts';
import { MAX_FILE_BYTES, MAX_KUSTOMIZATION_BYTES, MAX_KUSTOMIZATIONS, MAX_KUSTOMIZE_PATHS } from '../limits.ts';
import { remoteForm } from '../remote-form.ts';
import type { RenderingPolicy } from '../render-spec.ts';
import { runsFunction, type Source, sourcesOfKustomization, sourcesOfPlugin } from './sources.ts';
import { viewYaml, type YamlView } from './yaml-view.ts';

export interface ScanOptions {
  readonly root: AppRoot;
  readonly policy: RenderingPolicy;
  /** Whether the operator's build options let kustomize run helm. */
  readonly helmEnabled: boolean;
  /**
   * Brings a remote base here, so that what it names is looked at too; the clone's root. Undefined when it is no git
   * repository but a single file, which names nothing.
   */
  readonly fetchBase: (text: string, where: string) => Promise<AppRoot | undefined>;
}

/** One scan's state: what was seen, and how much is left. */
interface Scan extends ScanOptions {
  readonly seen: Set<string>;
  paths: number;
}

/** Keys of a kustomization that only lists plugin configurations. Any other could change them after they were looked at. */
const LISTING_KEYS: ReadonlySet<string> = new Set(['apiversion', 'kind', 'metadata', 'resources']);

/**
 * Looks at everything the build of `root.app` would read, before anything runs: each path of each reachable kustomization
 * stays in the tree, each remote source is one the operator allows.
 *
 * @throws {UserError} `PATH_OUTSIDE_TREE`, `SOURCE_REFUSED`, `FILE_MISSING`, `FILE_TOO_LARGE`, `FILE_NOT_UTF8`,
 *   `MANIFEST_INVALID`, `MANIFEST_TOO_DEEP`.
 */
export async function scanKustomization(options: ScanOptions): Promise<void> {
  await scanDirectory(options.root, options.root.app, 'base', { ...options, seen: new Set(), paths: 0 });
}

/** The same for a component that a parameter names, before `kustomize edit add component` looks at it. */
export async function scanComponent(text: string, what: string, options: ScanOptions): Promise<void> {
  const scan: Scan = { ...options, seen: new Set(), paths: 0 };
  await scanSource({ kind: 'component', text, field: '' }, options.root, options.root.app, what, scan);
}

async function scanDirectory(root: AppRoot, directory: string, as: 'base' | 'plugin', scan: Scan): Promise<void> {
  const key = `${as} ${directory}`;
  if (scan.seen.has(key)) return;
  scan.seen.add(key);
  if (scan.seen.size > MAX_KUSTOMIZATIONS) throw tooMany(`${MAX_KUSTOMIZATIONS} kustomizations`, root, directory);
  // kustomize refuses two of them, but passes over one that it cannot read: all that are there count.
  for (const name of KUSTOMIZATION_NAMES) {
    if (!exists(join(directory, name))) continue;
    const file = await resolveInTree(root, name, { from: { directory }, what: nameInTree(root.tree, directory) });
    const where = nameInTree(root.tree, join(directory, name));
    if (statSync(file).isDirectory()) continue;
    for (const view of viewYaml(readText(file, where), where)) {
      const { sources, usesHelm } = sourcesOfKustomization(view);
      if (as === 'plugin' && !view.keys.every((one) => LISTING_KEYS.has(one))) throw notAListing(where);
      if (usesHelm) refuseHelmUnless(scan.helmEnabled, where);
      for (const source of sources) {
        const meant: Source = as === 'plugin' ? { ...source, kind: 'plugin' } : source;
        await scanSource(meant, root, directory, `${where} ${source.field}`, scan);
      }
    }
  }
}

async function scanSource(source: Source, root: AppRoot, directory: string, what: string, scan: Scan): Promise<void> {
  if (++scan.paths > MAX_KUSTOMIZE_PATHS) throw tooMany(`${MAX_KUSTOMIZE_PATHS} paths`, root, directory);
  const { kind, text } = source;
  if (text === '') return;
  if (kind === 'helm-word') {
    if (text.startsWith('-')) throw refused(what, text, 'a value that helm would take for an option');
    return;
  }
  if ((kind === 'patch' || kind === 'plugin') && isInlineObject(text, what)) {
    // kustomize tries it as an object first and as a path after that.
    if (!isInside(root.tree, resolve(directory, text)))
      throw refused(what, text, 'a path that leads out of the repository');
    if (kind === 'plugin') await scanPluginText(text, root, directory, what, scan);
    return;
  }
  if (isRemote(source, directory)) return scanRemote(source, what, scan);
  if (kind === 'chart-repository') throw refused(what, text, 'not an https or oci repository');
  if (isAbsolute(text)) throw outside(what, text);
  await scanLocal(source, root, directory, what, scan);
}

async function scanLocal(source: Source, root: AppRoot, directory: string, what: string, scan: Scan): Promise<void> {
  const { kind, text } = source;
  if (kind === 'chart-home') return scanChartHome(text, root, directory, what);
  const path = await resolveInTree(root, text, { from: { directory }, what });
  const found = statSync(path);
  if (found.isDirectory()) {
    if (kind === 'base' || kind === 'component') await scanDirectory(root, path, 'base', scan);
    if (kind === 'plugin') await scanDirectory(root, path, 'plugin', scan);
    return;
  }
  if (!found.isFile()) throw refused(what, text, 'neither a file nor a directory');
  if (found.size > MAX_FILE_BYTES) throw tooLarge(what, MAX_FILE_BYTES);
  if (kind !== 'plugin') return;
  const key = `plugin ${directory} ${path}`;
  if (scan.seen.has(key)) return;
  scan.seen.add(key);
  await scanPluginText(readText(path, nameInTree(root.tree, path)), root, directory, nameInTree(root.tree, path), scan);
}

/** A chart may be pulled into a directory that is not there yet. */
async function scanChartHome(text: string, root: AppRoot, directory: string, what: string): Promise<void> {
  try {
    const path = await resolveInTree(root, text, { from: { directory }, what });
    if (statSync(path).isDirectory()) await scanLinks(path, root.tree);
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== 'FILE_MISSING') throw error;
  }
}

/** Plugin configurations; what they name is relative to the kustomization that names them. */
async function scanPluginText(
  text: string,
  root: AppRoot,
  directory: string,
  where: string,
  scan: Scan,
): Promise<void> {
  for (const view of viewYaml(text, where).flatMap(withItems)) {
    if (runsFunction(view)) throw refused(where, '', 'a plugin that runs a container or a program');
    const { sources, usesHelm } = sourcesOfPlugin(view);
    if (usesHelm) refuseHelmUnless(scan.helmEnabled, where);
    for (const source of sources) await scanSource(source, root, directory, `${where} ${source.field}`, scan);
  }
}

/** kustomize takes a `List` apart. */
function withItems(view: YamlView): readonly YamlView[] {
  return [view, ...view.at('items').flatMap((items) => items.items().flatMap(withItems))];
}

function isRemote(source: Source, directory: string): boolean {
  const form = remoteForm(source.text);
  if (form !== 'shorthand') return form === 'url';
  if (source.kind === 'component') return true;
  // Where such a file is there, kustomize reads it before it thinks of git.
  return !isFile(join(directory, source.text));
}

async function scanRemote(source: Source, what: string, scan: Scan): Promise<void> {
  const { checkRemote } = await import('../remote-source.ts');
  const check = checkRemote(source.text, scan.policy);
  switch (check.kind) {
    case 'local':
      return;
    case 'refused':
      throw refused(what, source.text, `a source that may not be loaded: ${check.why}`);
    case 'remote-allowed':
      break;
    default:
      check satisfies never;
  }
  if (source.kind === 'plugin') throw refused(what, source.text, 'a plugin configuration from outside the repository');
  // A redirect can lead the download anywhere, and these bytes go into the manifests unread.
  if (source.kind === 'verbatim' && !check.named) {
    throw new UserError('SOURCE_REFUSED', {
      what: `${shown(source.text)} would go into the manifests as it is, from a host that the operator does not name`,
      where: what,
      fix: `keep the file in the repository, or have the operator list ${check.host} in rendering.remoteSources.hosts`,
    });
  }
  if (source.kind !== 'base' && source.kind !== 'component') return;
  if (scan.seen.has(`remote ${source.text}`)) return;
  scan.seen.add(`remote ${source.text}`);
  const base = await scan.fetchBase(source.text, what);
  if (base !== undefined) await scanDirectory(base, base.app, 'base', scan);
}

/** An object written where a path may stand. Told by parsing, as kustomize does. */
function isInlineObject(text: string, where: string): boolean {
  if (!text.includes('\n') && !text.trimStart().startsWith('{')) return false;
  return viewYaml(text, where).some((view) => view.isMapping);
}

function readText(path: string, where: string): string {
  const found = statSync(path);
  if (!found.isFile()) throw refused(where, '', 'not a regular file');
  if (found.size > MAX_KUSTOMIZATION_BYTES) throw tooLarge(where, MAX_KUSTOMIZATION_BYTES);
  const bytes = readFileSync(path);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new UserError('FILE_NOT_UTF8', { what: 'the file is not UTF-8 text', where, fix: 'save it as UTF-8' }, error);
  }
}

function exists(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  } catch {
    return false;
  }
}

function refuseHelmUnless(enabled: boolean, where: string): void {
  if (enabled) return;
  throw new UserError('SOURCE_REFUSED', {
    what: 'the kustomization inflates Helm charts, which the operator has not enabled',
    where,
    fix: 'have the operator add --enable-helm to rendering.kustomizeBuildOptions',
  });
}

function shown(text: string): string {
  return text === '' ? 'it' : JSON.stringify(sanitiseText(text, { secrets: [], paths: [], maxBytes: 200 }));
}

function refused(where: string, text: string, why: string): UserError {
  return new UserError('SOURCE_REFUSED', {
    what: `${shown(text)} is ${why}`,
    where,
    fix: 'keep what the application needs in its repository, or ask the operator about rendering.remoteSources',
  });
}

function outside(where: string, text: string): UserError {
  return new UserError('PATH_OUTSIDE_TREE', {
    what: `the path ${shown(text)} is absolute`,
    where,
    fix: 'write a path relative to the kustomization',
  });
}

function notAListing(where: string): UserError {
  return new UserError('SOURCE_REFUSED', {
    what: 'a kustomization of plugin configurations changes them, so they cannot be checked before they run',
    where,
    fix: 'list the configuration files directly, or keep only resources in that kustomization',
  });
}

function tooLarge(where: string, maxBytes: number): UserError {
  return new UserError('FILE_TOO_LARGE', {
    what: `the file is larger than ${maxBytes} bytes`,
    where,
    fix: 'split the file',
  });
}

function tooMany(what: string, root: AppRoot, directory: string): UserError {
  return new UserError('FILE_TOO_LARGE', {
    what: `the application reaches more than ${what}`,
    where: nameInTree(root.tree, directory),
    fix: 'split the application',
  });
}
