import { dirname, join } from 'node:path';
import { buildTool } from '../../tools/build.mjs';
import { CONTROL_PLANE } from './argo-cd-objects.ts';
import { freePort, type Program, type Sandbox } from './sandbox.ts';

export interface ApplicationControllerOptions {
  readonly kubeconfig: string;
  readonly redis: string;
  readonly repoServer: string;
  /** Namespaces besides Argo CD's own in which Applications are taken; globs. */
  readonly applicationNamespaces: readonly string[];
}

/** Argo CD's controller. */
export interface ApplicationController {
  kill(): Promise<void>;
  start(): Promise<void>;
}

export async function startApplicationController(
  sandbox: Sandbox,
  options: ApplicationControllerOptions,
): Promise<ApplicationController> {
  const argoCd = await buildTool('argocd');
  const home = await sandbox.directory('application-controller', 'home');
  const temporary = await sandbox.directory('application-controller', 'tmp');
  const start = async (): Promise<Program> => {
    const metrics = await freePort();
    return sandbox.start({
      name: 'application-controller',
      program: join(dirname(argoCd), 'argocd-application-controller'),
      args: [
        `--redis=${options.redis}`,
        `--repo-server=${options.repoServer}`,
        '--repo-server-plaintext',
        `--namespace=${CONTROL_PLANE}`,
        `--application-namespaces=${options.applicationNamespaces.join(',')}`,
        `--metrics-port=${metrics}`,
      ],
      environment: {
        PATH: '/usr/bin:/bin',
        HOME: home,
        TMPDIR: temporary,
        KUBECONFIG: options.kubeconfig,
        // The tests' cluster is the one Applications call https://kubernetes.default.svc.
        ARGOCD_FAKE_IN_CLUSTER: 'true',
      },
      ready: async () => {
        try {
          return (await fetch(`http://127.0.0.1:${metrics}/healthz`)).ok;
        } catch {
          return false;
        }
      },
    });
  };
  let program = await start();
  return {
    kill: async () => program.end(),
    async start() {
      program = await start();
    },
  };
}
