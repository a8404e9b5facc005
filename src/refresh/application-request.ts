import type { Application } from '../applications/application.ts';
import { KubernetesError, type Kubernetes, type KubernetesObject } from '../kubernetes/kubernetes.ts';

/** What became of a request for one Application. */
export type Requested =
  | { readonly kind: 'done'; readonly object: KubernetesObject }
  | { readonly kind: 'gone' }
  /** RBAC. */
  | { readonly kind: 'forbidden' }
  /** Somebody else changed it first. */
  | { readonly kind: 'conflict' }
  /** The API is overloaded or away; the request may have arrived. */
  | { readonly kind: 'unavailable'; readonly problem: string }
  /** The API will not have it. */
  | { readonly kind: 'refused'; readonly problem: string };

export function patchApplication(
  kubernetes: Pick<Kubernetes, 'patch'>,
  application: Pick<Application, 'namespace' | 'name'>,
  body: unknown,
  signal: AbortSignal,
): Promise<Requested> {
  return requested(kubernetes.patch(pathOf(application), body, signal), signal);
}

export function getApplication(
  kubernetes: Pick<Kubernetes, 'get'>,
  application: Pick<Application, 'namespace' | 'name'>,
  signal: AbortSignal,
): Promise<Requested> {
  return requested(kubernetes.get(pathOf(application), signal), signal);
}

function pathOf({ namespace, name }: Pick<Application, 'namespace' | 'name'>): string {
  return `/apis/argoproj.io/v1alpha1/namespaces/${encodeURIComponent(namespace)}/applications/${encodeURIComponent(name)}`;
}

async function requested(request: Promise<KubernetesObject>, signal: AbortSignal): Promise<Requested> {
  try {
    return { kind: 'done', object: await request };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof KubernetesError)) throw error;
    return outcomeOf(error);
  }
}

function outcomeOf(error: KubernetesError): Requested {
  const { status, message } = error;
  switch (status) {
    case 404:
      return { kind: 'gone' };
    case 403:
      return { kind: 'forbidden' };
    case 409:
      return { kind: 'conflict' };
    // Its own token is read again by the client.
    case 401:
    case 429:
    case undefined:
      return { kind: 'unavailable', problem: message };
    default:
      return { kind: status >= 500 ? 'unavailable' : 'refused', problem: message };
  }
}
