/** `git::https://…`: a prefix of go-getter that kustomize takes off and ignores. */
const GETTER_PREFIX = /^[a-z0-9]+::/i;

/** `https://`, `HTTP:/x`, `s3://`: something with a scheme. A lone `name:` is an ordinary file name. */
const SCHEME = /^(?:[a-z][a-z0-9+.-]*:\/|https?:|file:)/i;

/** `git@host:org/repo`, `user@host/org/repo`: what kustomize takes for a git remote without a scheme. */
const USER_AT_HOST = /^[a-z][a-z0-9-]*@[^/]/i;

/** `github.com/org/repo`, `github.com:org/repo`: kustomize's shorthand. */
const GITHUB = /^github\.com[/:]/i;

/**
 * What a source looks like before it is looked at closely. `url` and `getter` never name a local file; `shorthand` can,
 * and does where such a file is there.
 */
export function remoteForm(text: string): 'local' | 'url' | 'shorthand' {
  const trimmed = text.trim();
  if (GETTER_PREFIX.test(trimmed) || SCHEME.test(trimmed)) return 'url';
  return USER_AT_HOST.test(trimmed) || GITHUB.test(trimmed) ? 'shorthand' : 'local';
}
