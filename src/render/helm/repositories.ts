import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { UserError } from '../../error/user-error.ts';

/** An entry of helm's repositories.yaml; whatever else the operator wrote into it (credentials, certificates) is kept. */
export type RepositoryEntry = Readonly<Record<string, unknown>> & { readonly name: string; readonly url: string };

/**
 * The entries of the operator's repositories.yaml.
 *
 * @throws {UserError} `OPERATOR_CONFIG_INVALID`
 */
export async function readRepositories(file: string | undefined): Promise<readonly RepositoryEntry[]> {
  if (file === undefined) return [];
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw invalid('cannot be read', file, error);
  });
  const entries = entriesOf(text, file);
  if (!entries.every(isEntry)) throw invalid('has an entry without name or url', file);
  return entries;
}

function entriesOf(text: string, file: string): readonly unknown[] {
  const content = parseText(text, file);
  const found =
    typeof content === 'object' && content !== null && 'repositories' in content ? content.repositories : [];
  if (!Array.isArray(found)) throw invalid('has no list of repositories', file);
  return found as readonly unknown[];
}

function parseText(text: string, file: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw invalid('is not valid YAML', file, error);
  }
}

function isEntry(value: unknown): value is RepositoryEntry {
  return (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    typeof value.name === 'string' &&
    'url' in value &&
    typeof value.url === 'string'
  );
}

/** What helm compares of two repository addresses. */
export function sameRepository(a: string, b: string): boolean {
  return a.replace(/\/+$/, '') === b.replace(/\/+$/, '');
}

/**
 * The text of a repositories.yaml for one dependency build: the operator's entries that it needs, and one without credentials
 * for every other address, which `helm dependency build` wants to be registered.
 *
 * @param options.passCredentials send an entry's credentials to other hosts its index names, too.
 */
export function repositoriesText(
  entries: readonly RepositoryEntry[],
  urls: readonly string[],
  options: { readonly passCredentials: boolean },
): string {
  const known = entries.map((entry) => (options.passCredentials ? { ...entry, pass_credentials_all: true } : entry));
  const others = [...new Set(urls.filter((url) => !entries.some((entry) => sameRepository(entry.url, url))))];
  const added = others.map((url, index) => ({ name: `chart-dependency-${index + 1}`, url }));
  return JSON.stringify({ apiVersion: 'v1', generated: '2000-01-01T00:00:00Z', repositories: [...known, ...added] });
}

function invalid(problem: string, file: string, cause?: unknown): UserError {
  return new UserError(
    'OPERATOR_CONFIG_INVALID',
    {
      what: `the Helm repositories file ${problem}`,
      where: file,
      fix: 'write it with helm repo add, and name it in rendering.helmRepositories',
    },
    cause,
  );
}
