import { existsSync } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../error/user-error.ts';
import { type AppRoot, nameInTree, resolveInTree } from '../app-root.ts';
import { MAX_FILE_BYTES } from '../limits.ts';
import type { RenderingPolicy } from '../render-spec.ts';
import { dependencySources, type DependencySource } from './chart-dependencies.ts';
import { scanChartLinks } from './chart-links.ts';
import { readRepositories, type RepositoryEntry, repositoriesText, sameRepository } from './repositories.ts';
import { helmOutput, type HelmRuns, runHelm } from './run-helm.ts';

export interface BuildOptions {
  /** A tree that may be changed. */
  readonly root: AppRoot;
  readonly runs: HelmRuns;
  readonly policy: RenderingPolicy;
  readonly passCredentials: boolean;
  /** A private folder. */
  readonly temporary: string;
}

const CHART_FILES: readonly string[] = ['Chart.yaml', 'requirements.yaml', 'Chart.lock', 'requirements.lock'];

/** What helm prints when a chart's dependencies are not there. */
export function isMissingDependency(stderr: string): boolean {
  return (
    stderr.includes('found in requirements.yaml, but missing in charts') ||
    stderr.includes('found in Chart.yaml, but missing in charts/ directory')
  );
}

/**
 * Runs `helm dependency build` in the chart, as Argo CD does when dependencies are missing, after every place a dependency
 * would come from was admitted.
 *
 * @throws {UserError} `SOURCE_REFUSED`, `PATH_OUTSIDE_TREE`, `FILE_MISSING`, `MANIFEST_INVALID`, `OPERATOR_CONFIG_INVALID`,
 *   `RENDER_FAILED`
 */
export async function buildDependencies(options: BuildOptions): Promise<void> {
  const { root, policy, temporary } = options;
  const entries = await readRepositories(policy.helmRepositories);
  const needed = new Set<RepositoryEntry>();
  const urls: string[] = [];
  for (const { source, where } of await sourcesOf(root)) {
    const entry = await admit(source, where, { root, policy, entries });
    if (entry !== undefined) needed.add(entry);
    if (source.kind === 'repository') urls.push(source.url);
  }
  await mkdir(temporary, { recursive: true });
  const repositories = join(temporary, 'repositories.yaml');
  const text = repositoriesText([...needed], urls, { passCredentials: options.passCredentials });
  await writeFile(repositories, text, { mode: 0o600 });
  const registry = policy.helmRegistryConfig === undefined ? [] : ['--registry-config', policy.helmRegistryConfig];
  const call = {
    args: ['dependency', 'build', '--repository-config', repositories, ...registry],
    cwd: root.app,
    where: `helm dependency build ${nameInTree(root.tree, root.app)}`,
    fix: 'check where the dependencies come from; credentials are those of rendering.helmRepositories and rendering.helmRegistryConfig',
  };
  helmOutput(options.runs, call, await runHelm(options.runs, call));
  const charts = join(root.app, 'charts');
  if (existsSync(charts)) await scanChartLinks(root, charts);
}

async function sourcesOf(
  root: AppRoot,
): Promise<readonly { readonly source: DependencySource; readonly where: string }[]> {
  const found: { source: DependencySource; where: string }[] = [];
  for (const name of CHART_FILES) {
    if (!existsSync(join(root.app, name))) continue;
    const path = await resolveInTree(root, name, { from: 'app', what: name });
    const where = nameInTree(root.tree, path);
    if ((await stat(path)).size > MAX_FILE_BYTES) {
      throw new UserError('FILE_TOO_LARGE', {
        what: `the file is larger than ${MAX_FILE_BYTES} bytes`,
        where,
        fix: 'shorten it',
      });
    }
    const sources = dependencySources(await readFile(path, 'utf8'));
    if (!sources.ok) {
      throw new UserError('MANIFEST_INVALID', {
        what: `the file ${sources.problem}, so where its dependencies come from cannot be told`,
        where,
        fix: 'write it in plain YAML, without anchors, tags and several documents',
      });
    }
    found.push(...sources.value.map((source) => ({ source, where })));
  }
  return found;
}

interface Rules {
  readonly root: AppRoot;
  readonly policy: RenderingPolicy;
  readonly entries: readonly RepositoryEntry[];
}

/** Throws unless the source may be used; answers the operator's entry for it. */
async function admit(source: DependencySource, where: string, rules: Rules): Promise<RepositoryEntry | undefined> {
  switch (source.kind) {
    case 'vendored':
      return undefined;
    case 'local': {
      const path = await resolveInTree(rules.root, source.path, { from: 'app', what: where });
      await scanChartLinks(rules.root, path);
      return undefined;
    }
    case 'named': {
      const entry = rules.entries.find(({ name }) => name === source.name);
      if (entry === undefined) throw refused(`there is no Helm repository named ${JSON.stringify(source.name)}`, where);
      return entry;
    }
    case 'repository':
    case 'registry': {
      const entry = rules.entries.find(({ url }) => sameRepository(url, source.url));
      if (entry === undefined) await admitAddress(source.url, where, rules.policy);
      return entry;
    }
    case 'refused':
      throw refused(`a dependency may not come from ${JSON.stringify(source.written)}: ${source.why}`, where);
    default:
      return source satisfies never;
  }
}

async function admitAddress(url: string, where: string, policy: RenderingPolicy): Promise<void> {
  const { checkRemote } = await import('../remote-source.ts');
  const checked = checkRemote(url, policy);
  if (checked.kind === 'remote-allowed') return;
  const why = checked.kind === 'refused' ? checked.why : 'it is no address';
  throw refused(`a dependency may not come from there: ${why}`, where);
}

function refused(what: string, where: string): UserError {
  return new UserError('SOURCE_REFUSED', {
    what,
    where,
    fix: 'vendor the dependency into charts/, or ask the operator to add its repository to rendering.helmRepositories or rendering.remoteSources',
  });
}
