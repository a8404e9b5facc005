import { existsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { startController } from '../../controller/controller.ts';
import { UserError } from '../../error/user-error.ts';
import { createKubernetes } from '../../kubernetes/client.ts';
import { findConnection } from '../../kubernetes/connection.ts';
import { KubernetesError } from '../../kubernetes/kubernetes.ts';
import { systemFiles } from '../../operator/files.ts';
import { sleepForReal } from '../../registry/time.ts';
import { monotonicMs } from '../../render/monotonic-clock.ts';
import type { LogLevel } from '../../telemetry/log.ts';
import { createLog } from '../../telemetry/logtape-log.ts';
import { fail } from '../exit.ts';

export interface ControllerCommandOptions {
  readonly resolvePort: number;
  readonly webhookPort: number;
  readonly metricsPort: number;
  readonly healthPort: number;
  readonly address?: string;
  readonly tlsDirectory: string;
  readonly sidecarAccount: readonly string[];
  readonly namespace: readonly string[];
  readonly logFormat: 'json' | 'text';
  readonly logLevel: LogLevel;
}

/** `controller`: until it is told to stop. */
export async function runController(options: ControllerCommandOptions): Promise<void> {
  try {
    await run(options);
  } catch (error) {
    // Here, because this is a bundle of its own: the others do not know its errors as theirs.
    fail(error);
    process.exit();
  }
}

async function run(options: ControllerCommandOptions): Promise<void> {
  // At the start much of what is made stays. V8 takes that for the nature of the places that make it, and puts all that they
  // make for requests later where only the long collections find it.
  setFlagsFromString('--no-allocation-site-pretenuring');
  const stop = Promise.withResolvers<void>();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.resolve());

  const log = createLog({
    format: options.logFormat,
    level: options.logLevel,
    // Whole lines, also when the process is killed right after.
    write: (line) => void writeSync(process.stderr.fd, line),
    now: Date.now,
  });
  const certFile = join(options.tlsDirectory, 'tls.crt');
  const keyFile = join(options.tlsDirectory, 'tls.key');
  const connection = await connectionToKubernetes();
  const controller = await startController({
    environment: process.env,
    files: systemFiles,
    kubernetes: createKubernetes({ connection, sleep: sleepForReal, random: Math.random }),
    servers: {
      ...(options.address !== undefined && { address: options.address }),
      resolvePort: options.resolvePort,
      webhookPort: options.webhookPort,
      metricsPort: options.metricsPort,
      healthPort: options.healthPort,
      ...(existsSync(certFile) && { tls: { certFile, keyFile } }),
    },
    sidecarAccounts: options.sidecarAccount,
    namespaces: options.namespace,
    log,
    version: process.env['IMAGE_RESOLVER_VERSION'] ?? '0.0.0',
    now: Date.now,
    monotonicNow: monotonicMs,
    sleep: sleepForReal,
    random: Math.random,
  });
  await stop.promise;
  await controller.stop();
  // What could not be ended in time must not keep the pod.
  process.exit(0);
}

async function connectionToKubernetes(): ReturnType<typeof findConnection> {
  try {
    return await findConnection({ environment: process.env, files: systemFiles });
  } catch (error) {
    if (!(error instanceof KubernetesError)) throw error;
    const fix = 'run it in a cluster with a service account, or name a kubeconfig with KUBECONFIG';
    throw new UserError('USAGE', { what: error.message, where: 'Kubernetes API', fix }, error);
  }
}
