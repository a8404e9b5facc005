import { parsed, type Parsed, unparsed } from '../error/parsed.ts';
import { parseGlob } from '../strategy/glob.ts';

/** Names of one registry: Docker Hub's old index, its API, and what references say. */
const DOCKER_HUB_NAMES: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);

/** A registry host as references have it in normal form: lower case, one name for Docker Hub. */
export function normaliseHost(written: string): string {
  const host = written.toLowerCase();
  return DOCKER_HUB_NAMES.has(host) ? 'docker.io' : host;
}

const HOST = /^(?:[a-z0-9][a-z0-9._-]*|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/i;

/** A host with an optional port, in normal form. */
export function parseHost(written: string): Parsed<string> {
  if (!HOST.test(written) || written.length > 255) {
    return unparsed(
      'is not a host name',
      'write the host as images do, without https:// and path: registry.example.com:5000',
    );
  }
  return parsed(normaliseHost(written));
}

/**
 * A pattern for hosts. Each `*` stays within one label, as in a TLS certificate: `*.pkg.dev` is `europe-docker.pkg.dev`,
 * and `*.dkr.ecr.*.amazonaws.com` is not somebody's bucket called `a.dkr.ecr.b.s3.amazonaws.com`. A port is part of the
 * last label: `registry.example.com:*`. `*` alone is every host.
 */
export function compileHostPattern(written: string): Parsed<(host: string) => boolean> {
  if (written === '*') return parsed(() => true);
  const pattern = normaliseHost(written);
  if (!pattern.includes('*')) {
    const exact = parseHost(written);
    return exact.ok ? parsed((host) => host === exact.value) : exact;
  }
  const glob = parseGlob(labels(pattern));
  return glob.ok ? parsed((host) => glob.value.matches(labels(host))) : glob;
}

/** Globs keep `*` within a path segment; labels become segments. */
function labels(host: string): string {
  return host.replaceAll('.', '/');
}
