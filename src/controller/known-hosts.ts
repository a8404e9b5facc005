import { hostsIn, parseDockerConfig } from '../credentials/docker-config.ts';
import type { FilePorts } from '../operator/files.ts';
import { normaliseHost } from '../operator/host-name.ts';
import type { OperatorConfiguration } from '../operator/operator-configuration.ts';

/** The file is looked at no oftener, in milliseconds; each request to a registry asks. */
const LOOK_EVERY_MS = 5_000;

/**
 * Hosts that get metrics of their own: those an operator named, so that no tenant can make series.
 *
 * @param now milliseconds since the epoch.
 */
export function knownHosts(
  current: () => OperatorConfiguration,
  files: Pick<FilePorts, 'stamp' | 'read'>,
  now: () => number,
): () => ReadonlySet<string> {
  let of: OperatorConfiguration | undefined;
  let dockerStamp: string | undefined;
  let lookedAt = -Infinity;
  let hosts: ReadonlySet<string> = new Set();
  return () => {
    const configuration = current();
    if (of === configuration && Math.abs(now() - lookedAt) < LOOK_EVERY_MS) return hosts;
    lookedAt = now();
    const { dockerConfig } = configuration;
    const stamp = dockerConfig === undefined ? undefined : files.stamp(dockerConfig);
    if (of === configuration && stamp === dockerStamp) return hosts;
    of = configuration;
    dockerStamp = stamp;
    const named = [...configuration.hosts.map(({ host }) => host), ...configuration.allowedHosts];
    hosts = new Set([...named, ...dockerHosts(dockerConfig, files)]);
    return hosts;
  };
}

/** None of a file that is broken: whoever needs a credential of it says so. */
function dockerHosts(path: string | undefined, files: Pick<FilePorts, 'read'>): readonly string[] {
  const found = path === undefined ? undefined : files.read(path);
  const config = found?.kind === 'read' ? parseDockerConfig(found.text) : undefined;
  return config?.ok === true ? hostsIn(config.value).map(normaliseHost) : [];
}
