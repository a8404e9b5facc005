import { spawn } from 'node:child_process';
import { delimiter, dirname, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import type { CommandResult } from '../../e2e/argo-cd.ts';
import type { ServiceAccountName } from '../../support/real-kubernetes.ts';
import { COMPILE_CACHE } from '../../support/run-resolver.ts';
import type { ArgoCd } from './argo-cd.ts';

/** Somebody with a kubeconfig and our command. */
export interface Person {
  readonly account: ServiceAccountName;
  /** `image-resolver …`, with the kubeconfig of this account and the address of the controller. */
  run(...args: readonly string[]): Promise<CommandResult>;
}

const repository = resolve(import.meta.dirname, '../../..');

/** The account is made if it is not there; what it may do, roles say. */
export async function personOf(argoCd: ArgoCd, account: ServiceAccountName): Promise<Person> {
  const { kubernetes, sandbox, controller } = argoCd;
  const env = {
    PATH: [join(repository, 'dist'), dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter),
    HOME: await sandbox.directory('person', account.namespace, account.name),
    KUBECONFIG: await kubernetes.kubeconfig(account),
    NODE_COMPILE_CACHE: COMPILE_CACHE,
  };
  return {
    account,
    async run(...args) {
      const child = spawn('image-resolver', [...args, '--controller', controller.url], {
        cwd: env.HOME,
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const ended = new Promise<number | null>((done, failed) => void child.on('close', done).on('error', failed));
      const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
      return { code, stdout, stderr };
    },
  };
}
