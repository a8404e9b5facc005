import { mountedSecrets } from '../credentials/secret-provider.ts';
import type { SecretSource } from '../credentials/provider.ts';
import { parseCredentialName } from '../operator/credential-name.ts';
import type { FilePorts } from '../operator/files.ts';
import type { Environment } from '../operator/load-operator-configuration.ts';
import type { CredentialName } from '../registry/access.ts';

/** Secrets that are mounted, and the Kubernetes API for the others: what an operator mounts needs no rights. */
export function mountedOrWatched(directory: () => string, files: FilePorts, watched: SecretSource): SecretSource {
  return {
    async read(namespace, name, keys) {
      const mounted = await mountedSecrets(directory(), files).read(namespace, name, keys);
      return mounted.kind === 'read' ? mounted : watched.read(namespace, name, keys);
    },
  };
}

/** A single value by its name (`secret:ns/name#field`, `env:NAME`); undefined when it is not there. */
export async function readSecretValue(
  written: CredentialName,
  secrets: SecretSource,
  environment: Environment,
): Promise<string | undefined> {
  const source = parseCredentialName(written);
  if (!source.ok) return undefined;
  switch (source.value.kind) {
    case 'env':
      return environment[source.value.variable];
    case 'secret': {
      const { namespace, name, field } = source.value;
      const found = await secrets.read(namespace, name, [field]);
      // Editors and `echo` end files with a line feed, which is no part of a secret.
      return found.kind === 'read' ? found.text.replace(/\r?\n$/, '') : undefined;
    }
    case 'pullsecret':
    case 'ext':
      return undefined;
    default:
      return source.value satisfies never;
  }
}
