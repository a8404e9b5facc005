import { UserError } from '../error/user-error.ts';
import type { ControllerClient } from '../remote/controller-client.ts';
import { sleepForReal } from '../registry/time.ts';
import { type ControllerAccess, operatorConfiguration } from './operator.ts';

/** How a person says where the controller is, and who they are. */
export interface PersonOptions {
  readonly controller?: string;
  readonly caFile?: string;
  readonly tokenFile?: string;
}

/** How long a person's question may take, in milliseconds. */
const BOUND_MS = 30_000;

/**
 * The controller as a person reaches it: by the address given, else that of the operator configuration, with the token of a file,
 * else that of the kubeconfig.
 *
 * @throws {UserError} `USAGE` when there is no address or no token.
 */
export async function controllerAccess(options: PersonOptions): Promise<ControllerAccess> {
  const controller = await addressFrom(options);
  const { tokenFrom } = await import('../remote/controller-client.ts');
  if (options.tokenFile !== undefined) return { controller, token: tokenFrom(options.tokenFile) };
  const token = await tokenOfKubeconfig();
  if (token === undefined) {
    throw new UserError('USAGE', {
      what: 'the kubeconfig in use holds no token for the Kubernetes API (it may hold a certificate)',
      where: process.env['KUBECONFIG'] ?? '~/.kube/config',
      fix: 'make a token with kubectl create token <service account> and give its file with --token-file',
    });
  }
  return { controller, token: () => token };
}

async function tokenOfKubeconfig(): Promise<string | undefined> {
  const [{ personToken }, { KubernetesError }] = await Promise.all([
    import('../kubernetes/person-token.ts'),
    import('../kubernetes/kubernetes.ts'),
  ]);
  try {
    return await personToken(process.env);
  } catch (error) {
    if (!(error instanceof KubernetesError)) throw error;
    const fix = 'name a kubeconfig with KUBECONFIG, or the file of a token with --token-file';
    throw new UserError('USAGE', { what: error.message, where: 'kubeconfig', fix }, error);
  }
}

/** Asks the controller one thing. */
export async function askController(
  options: PersonOptions,
  question: { readonly path: string; readonly body?: unknown },
): Promise<unknown> {
  const { controller, token } = await controllerAccess(options);
  const [{ createControllerClient }, { ControllerFault }, { cureForPerson }] = await Promise.all([
    import('../remote/controller-client.ts'),
    import('../remote/controller-fault.ts'),
    import('./person-cure.ts'),
  ]);
  const client: ControllerClient = createControllerClient({
    controller,
    token,
    time: { now: Date.now, sleep: sleepForReal },
  });
  try {
    return await client.ask(question, BOUND_MS, new AbortController().signal);
  } catch (error) {
    if (!(error instanceof ControllerFault)) throw error;
    const what = `the controller at ${client.url} gave no answer: ${error.message}`;
    const fix = cureForPerson(error);
    throw new UserError('CONTROLLER_UNREACHABLE', { what, where: client.url, fix }, error);
  } finally {
    await client.close();
  }
}

async function addressFrom({ controller, caFile }: PersonOptions): Promise<ControllerAccess['controller']> {
  const ca = caFile === undefined ? {} : { caFile };
  if (controller !== undefined) return { url: controller, ...ca };
  const { configuration } = await operatorConfiguration().current();
  if (configuration.controller !== undefined) return { ...configuration.controller, ...ca };
  throw new UserError('USAGE', {
    what: 'no controller is configured here',
    where: 'option --controller',
    fix: 'kubectl -n argocd port-forward service/image-resolver 8443, and --controller http://localhost:8443',
  });
}
