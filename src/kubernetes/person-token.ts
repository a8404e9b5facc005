import { systemFiles } from '../operator/files.ts';
import type { Environment } from '../operator/load-operator-configuration.ts';
import { findConnection } from './connection.ts';

/**
 * The token that a person's kubeconfig (or the pod they are in) proves them to the Kubernetes API with; undefined when it
 * does so by a certificate.
 *
 * @throws {KubernetesError} when there is no kubeconfig, or it cannot be used.
 */
export async function personToken(environment: Environment): Promise<string | undefined> {
  const connection = await findConnection({ environment, files: systemFiles });
  const { headers } = await connection.settings();
  const authorization = Object.entries(headers).find(([name]) => name.toLowerCase() === 'authorization')?.[1];
  return /^Bearer (?<token>[\x21-\x7e]+)$/.exec(authorization ?? '')?.groups?.['token'];
}
