import { getPublicSuffix, parse } from 'tldts';
import { remoteForm } from './remote-form.ts';
import type { RenderingPolicy } from './render-spec.ts';

/** Whether a source (base, chart, values file) may be loaded from where it says. `why` is a clause for people. */
export type RemoteCheck =
  | { readonly kind: 'local' }
  | {
      readonly kind: 'remote-allowed';
      readonly host: string;
      /** True when the operator named the host by more than `*`. */
      readonly named: boolean;
      readonly why: string;
    }
  | { readonly kind: 'refused'; readonly why: string };

/** What a URL or git spec may consist of. Anything else (backslash, space, `#`, non-ASCII) is read differently by different tools. */
const PLAIN = /^[A-Za-z0-9._~:/?@!$&'()*+,;=%-]+$/;

/** Authority of a URL: one optional userinfo, a DNS name, a port. No brackets: an IPv6 literal is refused anyway. */
const AUTHORITY = /^(?:[^@]*@)?([A-Za-z0-9.-]+)(?::[0-9]{1,5})?$/;

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

const ALLOWED_SCHEMES: readonly string[] = ['https', 'ssh', 'oci'];

/** Names that are never public, whatever the operator allows: special use (RFC 6761, 6762, 8375) and clouds' metadata. */
const LOCAL_NAMES: readonly string[] = [
  'localhost',
  'local',
  'localdomain',
  'internal',
  'home.arpa',
  'test',
  'invalid',
];

/**
 * Checks a written source against the operator's rules, without any network access. `file:`, `http:` and other schemes,
 * addresses in every spelling, and names that only resolve inside a network are refused always.
 */
export function checkRemote(text: string, policy: Pick<RenderingPolicy, 'remoteHosts'>): RemoteCheck {
  const form = remoteForm(text);
  if (form === 'local') return { kind: 'local' };
  if (!PLAIN.test(text)) return refused('it holds characters that have no place in an address');
  const authority = form === 'url' ? authorityOfUrl(text) : authorityOfShorthand(text);
  if (typeof authority !== 'string') return authority;
  const host = AUTHORITY.exec(authority)?.[1]?.toLowerCase().replace(/\.$/, '');
  if (host === undefined) return refused('its host is no DNS name');
  const problem = problemOfHost(host);
  if (problem !== undefined) return refused(problem);
  const rule = policy.remoteHosts.find((glob) => matchesHost(glob.toLowerCase(), host));
  const named = policy.remoteHosts.some((glob) => glob !== '*' && matchesHost(glob.toLowerCase(), host));
  if (rule === undefined) return refused(`the operator does not allow the host ${host}`);
  // `*` is any public name. `redis.argocd` has a dot, yet only a cluster's own DNS knows it.
  if (!named && getPublicSuffixOf(host) === undefined) return refused(`${host} is not a public host name`);
  return { kind: 'remote-allowed', host, named, why: `the operator allows ${rule}` };
}

function authorityOfUrl(text: string): string | RemoteCheck {
  const url = text.replace(/^git::/i, '');
  const [, scheme, authority] = /^([a-z][a-z0-9+.-]*):\/\/([^/?]*)/i.exec(url) ?? [];
  if (scheme === undefined || authority === undefined) return refused('it is not a URL of a form that is allowed');
  if (ALLOWED_SCHEMES.includes(scheme.toLowerCase())) return authority;
  return refused(`only ${ALLOWED_SCHEMES.join(', ')} and git@host: sources are allowed, not ${scheme.toLowerCase()}:`);
}

function authorityOfShorthand(text: string): string {
  return /^[^/:]*/.exec(text)?.[0] ?? '';
}

function problemOfHost(host: string): string | undefined {
  const labels = host.split('.');
  const last = labels.at(-1) ?? '';
  // inet_aton reads 127.1, 0x7f.1, 017700000001 and 2130706433 as addresses; a name's last label is never numeric.
  if (/^[0-9]+$/.test(last) || /^0x[0-9a-f]*$/.test(last)) return 'it names an address instead of a host';
  if (labels.length < 2 || LOCAL_NAMES.some((name) => host === name || host.endsWith(`.${name}`))) {
    return `${host} is a name of a local network`;
  }
  if (host.length > 253 || !labels.every((label) => LABEL.test(label))) return 'its host is no DNS name';
  return undefined;
}

function getPublicSuffixOf(host: string): string | undefined {
  const found = parse(host);
  return found.isIcann === true || found.isPrivate === true ? (getPublicSuffix(host) ?? undefined) : undefined;
}

/** `*` stands for any characters, dots included: `*.example.com`, `git-*.example.com`. */
function matchesHost(glob: string, host: string): boolean {
  const [first = '', ...rest] = glob.split('*');
  if (rest.length === 0) return glob === host;
  const last = rest.pop() ?? '';
  if (!host.startsWith(first) || !host.endsWith(last) || host.length < first.length + last.length) return false;
  let at = first.length;
  const end = host.length - last.length;
  for (const part of rest) {
    const found = host.indexOf(part, at);
    if (found === -1 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

function refused(why: string): RemoteCheck {
  return { kind: 'refused', why };
}
