import { parsed, unparsed, type Parsed } from '../error/parsed.ts';

/** A repository in normal form. Two spellings of one repository have equal `name`s. */
export interface Repository {
  /** Registry host with port if written; Docker Hub's three names are all `docker.io`. */
  readonly host: string;
  /** Path below the host, `library/` filled in for Docker Hub. */
  readonly path: string;
  /** `host/path`, the normal form used for comparing and in keys: `docker.io/library/nginx`. */
  readonly name: string;
}

const DOCKER_HUB = 'docker.io';
/** What people and tools also call Docker Hub: its old index, and the host that serves the registry API. */
const DOCKER_HUB_ALIASES: ReadonlySet<string> = new Set(['index.docker.io', 'registry-1.docker.io']);

// Each expression is linear: at no point can two of its parts take the same character.
const LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const HOST = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const PATH = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);

/** Characters of a repository path. */
const MAX_PATH_CHARACTERS = 255;

/**
 * A repository name (`nginx`, `ghcr.io/acme/web`, `[::1]:5000/x`) in normal form.
 *
 * What stands before the first slash is a host when it is `localhost`, has a dot or colon, or has an upper-case letter, as
 * for Docker and the kubelet.
 *
 * @see https://github.com/distribution/reference/blob/v0.6.0/normalize.go
 */
export function parseRepository(text: string): Parsed<Repository> {
  const { host, path } = splitHost(text);
  const hostIsSound = HOST.test(host);
  // `a_b.example/c` has no host by the grammar but is one path of three legal components; Docker takes it all the same.
  const checkedPath = hostIsSound ? path : `${host}/${path}`;
  if (checkedPath.length > MAX_PATH_CHARACTERS) {
    return unparsed(`has a repository path of more than ${MAX_PATH_CHARACTERS} characters`);
  }
  if (PATH.test(checkedPath)) return parsed({ host, path, name: `${host}/${path}` });
  if (path === '' || path === 'library/') return unparsed('names no repository');
  if (path.toLowerCase() !== path) {
    return unparsed('has an upper-case letter in the repository', 'write the repository in lower case');
  }
  if (!hostIsSound) return unparsed('has something before the first "/" that is no registry host');
  return unparsed(
    'has a repository with other characters than lower-case letters and digits, with ".", "_", "__" or "-" between them',
  );
}

function splitHost(text: string): { readonly host: string; readonly path: string } {
  const slash = text.indexOf('/');
  const first = text.slice(0, Math.max(slash, 0));
  const isHost = first === 'localhost' || /[.:]/.test(first) || first.toLowerCase() !== first;
  if (isHost && first !== DOCKER_HUB && !DOCKER_HUB_ALIASES.has(first))
    return { host: first, path: text.slice(slash + 1) };
  const path = isHost ? text.slice(slash + 1) : text;
  return { host: DOCKER_HUB, path: path.includes('/') ? path : `library/${path}` };
}
