import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createAccessBroker } from '../../src/credentials/broker.ts';
import type { CredentialPorts } from '../../src/credentials/provider.ts';
import { completeConfiguration } from '../../src/operator/complete-configuration.ts';
import type { ConfigurationFile } from '../../src/operator/configuration-file.ts';
import { systemFiles } from '../../src/operator/files.ts';
import type { RegistryHost } from '../../src/operator/operator-configuration.ts';
import type { Repository } from '../../src/image/reference.ts';
import type { Access, AccessAnswer, AccessBroker, Credential } from '../../src/registry/access.ts';

/** Waits as long as a test does. */
export const patient: AbortSignal = new AbortController().signal;

export const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** A docker configuration with `user:password` for each registry. */
export function dockerConfig(auths: Readonly<Record<string, string>>): string {
  return JSON.stringify({
    auths: Object.fromEntries(Object.entries(auths).map(([key, pair]) => [key, { auth: base64(pair) }])),
  });
}

/** `ghcr.io/acme/api` */
export function repository(name: string): Repository {
  const [host = '', ...path] = name.split('/');
  return { host, path: path.join('/'), name };
}

/** An operator's folder: docker configuration, secrets, programs. */
export interface OperatorsWorld {
  readonly path: string;
  readonly clock: { now: number };
  write(name: string, text: string, mode?: number): string;
  /** A shell script on the PATH of credential programs. */
  program(name: string, lines: string): string;
  broker(
    file?: Partial<ConfigurationFile>,
    options?: {
      readonly registriesConf?: readonly RegistryHost[];
      readonly environment?: Readonly<Record<string, string>>;
    },
  ): AccessBroker;
}

export function operatorsWorld(): OperatorsWorld {
  const path = mkdtempSync(join(tmpdir(), 'credentials-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  const clock = { now: 0 };
  const ports: CredentialPorts = { files: systemFiles, now: () => clock.now };
  const write: OperatorsWorld['write'] = (name, text, mode = 0o600) => {
    const file = join(path, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    chmodSync(file, mode);
    return file;
  };
  return {
    path,
    clock,
    write,
    program: (name, lines) => write(`bin/${name}`, `#!/bin/sh\n${lines}\n`, 0o755),
    broker(file = {}, { registriesConf = [], environment = {} } = {}) {
      const configuration = completeConfiguration(
        { dockerConfig: join(path, 'docker.json'), secretsDirectory: join(path, 'secrets'), ...file },
        registriesConf,
        {},
      );
      return createAccessBroker(configuration, { PATH: `${join(path, 'bin')}:/usr/bin:/bin`, ...environment }, ports);
    },
  };
}

export function granted(answer: AccessAnswer): Access {
  if (answer.kind === 'granted') return answer.access;
  throw new Error(`refused: ${answer.error.code} ${answer.error.what}`);
}

/** `user:password` of a credential, `token <value>`, or `anonymous`. */
export function shown(credential: Credential): string {
  switch (credential.kind) {
    case 'anonymous':
      return 'anonymous';
    case 'basic':
      return `${credential.username}:${credential.password.reveal()}`;
    case 'identity-token':
    case 'registry-token':
      return `${credential.kind} ${credential.token.reveal()}`;
    default:
      return credential satisfies never;
  }
}

/** What would be sent for a repository now. */
export async function sentFor(
  broker: AccessBroker,
  name: string,
  options: { readonly project?: string; readonly wish?: string; readonly fresh?: boolean } = {},
): Promise<string> {
  const who = { application: 'app', ...(options.project !== undefined && { project: options.project }) };
  const access = granted(broker.accessFor(repository(name), who, options.wish));
  return shown(await access.credential.get({ fresh: options.fresh ?? false, signal: patient }));
}
