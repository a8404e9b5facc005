import { parsed, type Parsed, unparsed } from '../error/parsed.ts';
import type { FilePorts } from '../operator/files.ts';
import type { RegistryHost } from '../operator/operator-configuration.ts';
import type { RegistryEndpoint } from '../registry/access.ts';

/** For registries that the operator did not configure: argocd-image-updater's default. */
const REQUESTS_PER_SECOND = 20;
/** Docker Hub counts by address, and everybody shares it. */
const DOCKER_HUB_REQUESTS_PER_SECOND = 10;
const CONCURRENCY = 10;
/** ECR refuses more than 1000 (google/go-containerregistry#1091). */
const PAGE_SIZE = 1000;
/** Quay failed above 100 (fluxcd/image-reflector-controller#585). */
const QUAY_PAGE_SIZE = 100;

/**
 * How a host is talked to.
 *
 * @param entry what the operator wrote for it, if anything.
 * @param isNamed the operator named the host in the registries configuration, in whichever entry.
 */
export function endpointFor(
  host: string,
  entry: RegistryHost | undefined,
  { isNamed, files }: { readonly isNamed: boolean; readonly files: FilePorts },
): Parsed<RegistryEndpoint> {
  const ca = certificatesOf(entry, files);
  if (!ca.ok) return ca;
  const isDockerHub = host === 'docker.io';
  const apiUrl = entry?.apiUrl ?? (isDockerHub ? 'https://registry-1.docker.io' : `https://${host}`);
  const insecure = (entry?.insecure ?? false) || apiUrl.startsWith('http:');
  return parsed({
    apiUrl,
    host,
    id: [apiUrl, ...(insecure ? ['insecure'] : []), ...identityOfCertificates(entry)].join(' '),
    insecure,
    ...(ca.value !== '' && { ca: ca.value }),
    privateAddressAllowed: isNamed,
    tokenHosts: entry?.tokenHosts ?? [],
    requestsPerSecond: entry?.requestsPerSecond ?? defaultRate(isDockerHub, isNamed),
    concurrency: entry?.concurrency ?? CONCURRENCY,
    pageSize: entry?.pageSize ?? (host === 'quay.io' ? QUAY_PAGE_SIZE : PAGE_SIZE),
    ...(entry?.intervalMs !== undefined && { intervalMs: entry.intervalMs }),
    ...(entry?.tagSortMode !== undefined && { tagSortMode: entry.tagSortMode }),
  });
}

/** A configured registry without a limit has none, as with argocd-image-updater; concurrency still bounds it. */
function defaultRate(isDockerHub: boolean, isNamed: boolean): number {
  if (isDockerHub) return DOCKER_HUB_REQUESTS_PER_SECOND;
  return isNamed ? Number.POSITIVE_INFINITY : REQUESTS_PER_SECOND;
}

/** A file counts by its path: renewed certificates are the same configuration, and decisions outlive them. */
function identityOfCertificates(entry: RegistryHost | undefined): readonly string[] {
  const file = entry?.caFile === undefined ? [] : [`ca=${entry.caFile}`];
  return entry?.caData === undefined ? file : [...file, `ca=sha256:${sha256(entry.caData)}`];
}

function sha256(text: string): string {
  // Not imported, because loading it costs every generation 10 ms and few configurations have certificates in them.
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(text).digest('hex');
}

/** PEM of both places; empty for none. */
function certificatesOf(entry: RegistryHost | undefined, files: FilePorts): Parsed<string> {
  const { caFile, caData } = entry ?? {};
  const parts: string[] = [];
  if (caFile !== undefined) {
    const found = files.read(caFile);
    if (found.kind !== 'read')
      return unparsed(
        `the certificates in ${caFile} cannot be read: the file ${found.kind === 'missing' ? 'is not there' : found.problem}`,
      );
    parts.push(found.text);
  }
  if (caData !== undefined) parts.push(caData);
  const invalid = parts.some((part) => !part.includes('-----BEGIN CERTIFICATE-----'));
  return invalid ? unparsed(`the certificates for ${entry?.host} are not PEM`) : parsed(parts.join('\n'));
}
