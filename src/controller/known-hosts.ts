import { hostsIn, parseDockerConfig } from '../credentials/docker-config.ts';
import type { FilePorts } from '../operator/files.ts';
import { normaliseHost } from '../operator/host-name.ts';
import type { OperatorConfiguration } from '../operator/operator-configuration.ts';

/** Hosts that get metrics of their own: those an operator named, so that no tenant can make series. */
export function knownHosts(
  current: () => OperatorConfiguration,
  files: Pick<FilePorts, 'stamp' | 'read'>,
): () => ReadonlySet<string> {
  let of: OperatorConfiguration | undefined;
  let dockerStamp: string | undefined;
  let hosts: ReadonlySet<string> = new Set();
  return () => {
    const configuration = current();
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
