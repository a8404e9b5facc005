import type { Credential, CredentialProvider } from '../registry/access.ts';
import { parseUserAndPassword } from './docker-config.ts';
import { credentialFrom, type ProviderContext } from './provider.ts';
import { processGeneration } from './process-generation.ts';
import { unreadable } from './unreadable.ts';

/** `env:NAME`: a variable of the resolver holding `user:password`. It cannot change while the process runs. */
export function createEnvironmentProvider(variable: string, { environment }: ProviderContext): CredentialProvider {
  const id = `env:${variable}`;
  const get = (): Credential => {
    const value = environment[variable];
    if (value === undefined || value === '')
      throw unreadable(id, 'is not set', 'set the variable in the resolver’s container');
    const auth = parseUserAndPassword(value);
    if (auth === undefined) throw unreadable(id, 'is not of the form user:password', 'correct the variable');
    return credentialFrom(auth, processGeneration(0));
  };
  return { id, get: async () => get() };
}
