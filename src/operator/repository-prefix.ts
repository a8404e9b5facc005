import { parsed, type Parsed, unparsed } from '../error/parsed.ts';
import type { Repository } from '../image/reference.ts';
import { parseHost } from './host-name.ts';

/** A registry host, or a part of one: everything at and below `path`. */
export interface RepositoryPrefix {
  /** In normal form. */
  readonly host: string;
  /** Without slashes at its ends; empty: the whole host. */
  readonly path: string;
}

const PATH = /^[a-z0-9._/-]*$/;

/** `ghcr.io`, `ghcr.io/`, `ghcr.io/team-b`, `ghcr.io/team-b/`. */
export function parseRepositoryPrefix(written: string): Parsed<RepositoryPrefix> {
  const slash = written.indexOf('/');
  const host = parseHost(slash === -1 ? written : written.slice(0, slash));
  if (!host.ok) return host;
  const path = slash === -1 ? parsed('') : parsePrefixPath(written.slice(slash));
  return path.ok ? parsed({ host: host.value, path: path.value }) : path;
}

/** A path prefix, its slashes at the ends removed. */
export function parsePrefixPath(written: string): Parsed<string> {
  const path = written.replace(/^\/|\/$/g, '');
  if (
    !PATH.test(path) ||
    path.split('/').some((part) => (part === '' && path !== '') || part === '.' || part === '..')
  ) {
    return unparsed('is not a repository path', 'write the path as images do: team-a/');
  }
  return parsed(path);
}

/**
 * Whether a repository stands at or below a prefix. Only at a `/`: `ghcr.io/org` is not `ghcr.io/organization/x`
 * (argocd-image-updater's string prefix takes it for that, and would send a credential to a stranger's repository).
 */
export function coversRepository(prefix: RepositoryPrefix, repository: Pick<Repository, 'host' | 'path'>): boolean {
  if (prefix.host !== repository.host) return false;
  return prefix.path === '' || repository.path === prefix.path || repository.path.startsWith(`${prefix.path}/`);
}
