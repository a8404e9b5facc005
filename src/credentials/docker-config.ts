import { parsed, type Parsed, unparsed } from '../error/parsed.ts';
import type { Repository } from '../image/reference.ts';
import { compileHostPattern, normaliseHost } from '../operator/host-name.ts';
import { Secret } from '../registry/secret.ts';

/** What one entry of `auths` holds. */
export type DockerAuth =
  | { readonly kind: 'basic'; readonly username: string; readonly password: Secret }
  | { readonly kind: 'identity-token'; readonly token: Secret }
  | { readonly kind: 'registry-token'; readonly token: Secret }
  /** `{}`: docker writes it for a registry whose credential is in `credsStore`. */
  | { readonly kind: 'empty' };

/** A docker configuration, reduced to its credentials. Entries are looked into when they are needed, so that a broken one does not spoil the others. */
export interface DockerConfig {
  /** As written: `ghcr.io`, `https://index.docker.io/v1/`, `registry.example.com/team-a`. */
  readonly auths: ReadonlyMap<string, unknown>;
  /** Registry → helper name. */
  readonly helpers: ReadonlyMap<string, string>;
  readonly store?: string;
}

/**
 * Parses `config.json`, `.dockerconfigjson`, or the older `.dockercfg` (the entries without `auths` around them).
 * A problem never holds a part of the text: there are passwords in it.
 *
 * @see https://docs.docker.com/reference/cli/docker/login/
 */
export function parseDockerConfig(text: string): Parsed<DockerConfig> {
  const json = parseJson(text);
  if (!json.ok) return json;
  const root = json.value;
  if (!isObject(root)) return unparsed('is not a JSON object');
  const { auths, credHelpers = {}, credsStore = '' } = root;
  const isModern = auths !== undefined || 'credHelpers' in root || 'credsStore' in root;
  const entries = auths ?? (isModern ? {} : legacyEntries(root));
  if (!isObject(entries)) return unparsed('has auths that are not an object');
  if (!isObject(credHelpers) || !Object.values(credHelpers).every(isHelperName)) {
    return unparsed('has credHelpers that are not names of docker-credential programs');
  }
  if (credsStore !== '' && !isHelperName(credsStore)) {
    return unparsed('has a credsStore that is not the name of a docker-credential program');
  }
  return parsed({
    auths: new Map(Object.entries(entries)),
    helpers: new Map(Object.entries(credHelpers) as [string, string][]),
    ...(typeof credsStore === 'string' && credsStore !== '' && { store: credsStore }),
  });
}

function parseJson(text: string): Parsed<unknown> {
  try {
    return parsed(JSON.parse(text));
  } catch (error) {
    // Only the position is taken of the message: the rest of it quotes the text.
    const offset = /at position (\d+)/.exec(String(error))?.[1];
    if (offset === undefined) return unparsed('is not valid JSON');
    const before = text.slice(0, Number(offset)).split('\n');
    return unparsed(`is not valid JSON at line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`);
  }
}

/** In `.dockercfg` every key is a registry; a `config.json` without credentials has other settings there (`psFormat`). */
function legacyEntries(root: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(root).filter(([, value]) => isObject(value) && ('auth' in value || 'username' in value)),
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The program is `docker-credential-<name>`, found on PATH: no path, no option. */
function isHelperName(value: unknown): value is string {
  return typeof value === 'string' && /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$/.test(value);
}

/** The hosts it has an entry for, as written; some may be patterns. */
export function hostsIn({ auths, helpers }: DockerConfig): readonly string[] {
  return [...auths.keys(), ...helpers.keys()].map((key) => key.replace(/^https?:\/\//, '').split('/')[0] ?? '');
}

/**
 * The key that fits a repository best: hosts by name before patterns (`*.example.com`, as Kubernetes has them), then the
 * longest path. A path ends at a `/`. Docker Hub's names are all one.
 *
 * @see https://kubernetes.io/docs/concepts/containers/images/#config-json
 */
export function bestKey(keys: Iterable<string>, repository: Pick<Repository, 'host' | 'path'>): string | undefined {
  let best: { readonly key: string; readonly rank: number } | undefined;
  for (const key of keys) {
    const rank = rankOf(key, repository);
    if (rank !== undefined && (best === undefined || rank > best.rank)) best = { key, rank };
  }
  return best?.key;
}

/** Higher fits better; undefined does not fit. */
function rankOf(key: string, repository: Pick<Repository, 'host' | 'path'>): number | undefined {
  const [host = '', ...segments] = key
    .replace(/^https?:\/\//, '')
    .split('/')
    .filter((part) => part !== '');
  // `/v1/` and `/v2` are what registries' API addresses end with, not repositories.
  const path = /^v[12]$/.test(segments.at(0) ?? '') ? segments.slice(1).join('/') : segments.join('/');
  const isExact = normaliseHost(host) === repository.host;
  if (!isExact && !matchesHostPattern(host, repository.host)) return undefined;
  if (path !== '' && repository.path !== path && !repository.path.startsWith(`${path}/`)) return undefined;
  return (isExact ? 1_000_000 : 0) + path.length;
}

function matchesHostPattern(pattern: string, host: string): boolean {
  if (!pattern.includes('*') || pattern === '*') return false;
  const compiled = compileHostPattern(pattern);
  return compiled.ok && compiled.value(host);
}

/** What stands in an entry. A problem names the part, never its value. */
export function parseDockerAuth(entry: unknown): Parsed<DockerAuth> {
  if (!isObject(entry)) return unparsed('is not an object');
  const { auth, username, password, identitytoken: identityToken, registrytoken: registryToken } = entry;
  for (const [name, value] of Object.entries({
    auth,
    username,
    password,
    identitytoken: identityToken,
    registrytoken: registryToken,
  })) {
    if (value !== undefined && value !== null && typeof value !== 'string')
      return unparsed(`has a ${name} that is not a string`);
  }
  // The order in which docker looks at them.
  if (isFilled(registryToken)) return parseRegistryToken(registryToken);
  if (isFilled(identityToken)) return parsed({ kind: 'identity-token', token: new Secret(identityToken) });
  if (isFilled(auth)) return parseAuthField(auth);
  if (isFilled(username))
    return parsed({ kind: 'basic', username, password: new Secret(isFilled(password) ? password : '') });
  return parsed({ kind: 'empty' });
}

/** It becomes a header as it is. */
function parseRegistryToken(token: string): Parsed<DockerAuth> {
  if (!/^[\x21-\x7e]+$/.test(token)) return unparsed('has a registrytoken with characters that no token has');
  return parsed({ kind: 'registry-token', token: new Secret(token) });
}

function isFilled(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** Base64 of `username:password`, with or without padding and line breaks. */
function parseAuthField(auth: string): Parsed<DockerAuth> {
  const compact = auth.replace(/\s/g, '');
  // Some tools pad a shorter password with NUL.
  const pair = /^[a-zA-Z0-9+/_-]+={0,2}$/.test(compact)
    ? Buffer.from(compact, 'base64').toString('utf8').replace(/\0+$/, '')
    : '';
  const basic = parseUserAndPassword(pair);
  return basic === undefined ? unparsed('has an auth that is not base64 of username:password') : parsed(basic);
}

/** `username:password`, a line feed at its end ignored. */
export function parseUserAndPassword(text: string): Extract<DockerAuth, { kind: 'basic' }> | undefined {
  const pair = text.replace(/[\r\n]+$/, '');
  const colon = pair.indexOf(':');
  // A line feed inside would end a header.
  if (colon <= 0 || /[\r\n\0]/.test(pair)) return undefined;
  return { kind: 'basic', username: pair.slice(0, colon), password: new Secret(pair.slice(colon + 1)) };
}
