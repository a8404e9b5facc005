import type { RegistryEndpoint } from './access.ts';

/**
 * Registries whose token server has another registrable domain than some name of theirs: host of the API to hosts of the
 * token server. Docker Hub answers under docker.com names too and sends everybody to auth.docker.io; GitLab.com's registry
 * has its tokens from gitlab.com.
 */
const BUILT_IN_TOKEN_HOSTS: Readonly<Record<string, readonly string[]>> = {
  'registry-1.docker.io': ['auth.docker.io'],
  'index.docker.io': ['auth.docker.io'],
  'registry.hub.docker.com': ['auth.docker.io'],
  'registry.gitlab.com': ['gitlab.com'],
};

/**
 * Whether a URL that a registry named belongs to that registry, so that it may be given the registry's credential (a token
 * realm) and may have a private address where the registry may: the registry's own host and port, its registrable domain
 * by the public suffix list, the built-in table, or the operator's `tokenHosts`. Plain http only with `insecure`.
 * The one place that decides where a credential may go.
 */
export async function belongsToRegistry(endpoint: RegistryEndpoint, url: URL): Promise<boolean> {
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && endpoint.insecure)) return false;
  const api = new URL(endpoint.apiUrl);
  if (url.host === api.host && url.protocol === api.protocol) return true;
  if (endpoint.tokenHosts.some((host) => host.toLowerCase() === url.host)) return true;
  if (BUILT_IN_TOKEN_HOSTS[api.hostname]?.includes(url.host) === true) return true;
  const own = await registrableDomain(api.hostname);
  return own !== undefined && own === (await registrableDomain(url.hostname));
}

/**
 * The domain somebody registered: `example.co.uk` of `a.b.example.co.uk`. Names under no listed suffix (`cluster.local`,
 * `corp`) have none: there, neighbours are strangers. Addresses have none either.
 */
async function registrableDomain(hostname: string): Promise<string | undefined> {
  const { parse } = await import('tldts');
  const { domain, isIcann, isPrivate } = parse(hostname, { allowPrivateDomains: true, extractHostname: false });
  return domain !== null && (isIcann === true || isPrivate === true) ? domain : undefined;
}
