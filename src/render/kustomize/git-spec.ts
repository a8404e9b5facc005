/** What kustomize makes of a remote base: the repository git is given, and what is taken from it. */
export interface GitSpec {
  readonly repository: string;
  /** `HEAD` when none is written. */
  readonly ref: string;
  /** Directory of the kustomization within the repository. */
  readonly path: string;
  readonly submodules: boolean;
}

/** A ref as git takes it, and never an option: kustomize puts it behind the URL without a `--`. */
const REF = /^[A-Za-z0-9][A-Za-z0-9._/@-]*$/;

/** Queries that Go and this reader split alike. */
const QUERY = /^(?:[A-Za-z0-9._~/=&@-]|%2[Ff])*$/;

/**
 * Reads a remote base as kustomize 5.8 does: `https://host/org/repo//path?ref=v1`, `git@host:org/repo.git/path`,
 * `github.com/org/repo`. Only texts that `checkRemote` allowed come here.
 *
 * @returns undefined for what kustomize takes for no git repository; a text that says why for what is refused.
 * @see https://github.com/kubernetes-sigs/kustomize/blob/kustomize/v5.8.1/api/internal/git/repospec.go
 */
export function parseGitSpec(text: string): GitSpec | { readonly refused: string } | undefined {
  const [address = '', ...rest] = text.replace(/^git::/i, '').split('?');
  const query = rest.join('?');
  const parameters = new URLSearchParams(query);
  if ([...parameters.values()].some((value) => value.startsWith('-'))) {
    return { refused: 'its query holds a value that git would take for an option' };
  }
  // A file by its name: kustomize asks git for it only when the download failed.
  if (/^https:/i.test(address) && /\.(?:ya?ml|json)$/i.test(address)) return undefined;
  const ref = refOf(parameters);
  if (!QUERY.test(query) || !REF.test(ref)) return { refused: 'its query holds characters that git would not take' };
  const split = splitHost(address);
  if (split === undefined) return undefined;
  const parts = splitPath(split.path);
  if (parts === undefined || parts.repository === '') return undefined;
  if (/^(?:\.\.)(?:\/|$)/.test(cleaned(parts.path))) return { refused: 'its path leads out of the repository' };
  const submodules = parameters.get('submodules') ?? '';
  return {
    repository: split.host + parts.repository,
    ref,
    path: parts.path.replace(/^\//, ''),
    submodules: !/^(?:0|f|F|false|FALSE|False)$/.test(submodules),
  };
}

function refOf(parameters: URLSearchParams): string {
  return [parameters.get('ref'), parameters.get('version')].find((ref) => ref !== null && ref !== '') ?? 'HEAD';
}

/** The part git connects to, as kustomize spells it, and the path behind it. */
function splitHost(address: string): { readonly host: string; readonly path: string } | undefined {
  const scheme = /^(?:ssh|https):\/\//i.exec(address)?.[0] ?? '';
  const withUser = address.slice(scheme.length);
  const user = /^[a-zA-Z][a-zA-Z0-9-]*@/.exec(withUser)?.[0] ?? '';
  const rest = withUser.slice(user.length);
  const isGithub = /^github\.com[/:]/i.test(rest);
  const isScp = scheme === '' && (user !== '' || isGithub);
  if (scheme === '' && !isScp) return undefined;
  const slash = rest.indexOf('/');
  const colon = isScp ? rest.indexOf(':') : -1;
  const end = colon > 0 && (slash === -1 || colon < slash) ? colon : slash;
  if (end === -1) return undefined;
  const path = rest.slice(end + 1);
  if (!isGithub) return { host: scheme.toLowerCase() + user + rest.slice(0, end + 1), path };
  const overSsh = scheme.toLowerCase() === 'ssh://' || user !== '';
  return { host: overSsh ? `${user}github.com:` : 'https://github.com/', path };
}

/** Repository and path are told apart by `_git/`, `//` or `.git`; else the repository is the first two segments. */
function splitPath(path: string): { readonly repository: string; readonly path: string } | undefined {
  const azure = path.indexOf('_git/');
  if (azure !== -1) {
    const [name = '', ...rest] = path.slice(azure + 5).split('/');
    return { repository: path.slice(0, azure + 5) + name, path: rest.join('/') };
  }
  const double = path.indexOf('//');
  if (double !== -1) return { repository: path.slice(0, double), path: path.slice(double + 2) };
  const suffix = path.indexOf('.git');
  if (suffix !== -1) return { repository: path.slice(0, suffix + 4), path: path.slice(suffix + 4) };
  const segments = path.split('/');
  if (segments.length < 2) return undefined;
  return { repository: segments.slice(0, 2).join('/'), path: segments.slice(2).join('/') };
}

function cleaned(path: string): string {
  const kept: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && kept.length > 0 && kept.at(-1) !== '..') kept.pop();
    else kept.push(part);
  }
  return kept.join('/');
}
