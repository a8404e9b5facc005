// What the tests need of the Kubernetes API, as cluster administrator.

import { Agent, request } from 'undici';
import type { KubernetesObject } from '../../../src/kubernetes/kubernetes.ts';

/** Where an API is and who speaks to it. */
export interface ApiAccess {
  /** `https://127.0.0.1:43211`. */
  readonly url: string;
  /** PEM of the certificate it is known by. */
  readonly ca: string;
  readonly token: string;
}

/** An object of the API, of which a test reads what it expects. */
export type ApiObject = KubernetesObject;

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: ApiObject;
}

export interface KubernetesApi extends AsyncDisposable {
  get(path: string): Promise<ApiObject>;
  /** Undefined when there is no such object. */
  find(path: string): Promise<ApiObject | undefined>;
  list(path: string): Promise<{ readonly resourceVersion: string; readonly items: readonly ApiObject[] }>;
  create(path: string, object: unknown): Promise<ApiObject>;
  replace(path: string, object: unknown): Promise<ApiObject>;
  /** JSON merge patch. */
  patch(path: string, patch: unknown): Promise<ApiObject>;
  remove(path: string): Promise<void>;
  /** Every event after this version, until the signal or the end of the connection. */
  watch(path: string, resourceVersion: string, told: (event: WatchEvent) => void, signal: AbortSignal): Promise<void>;
}

/** The API refused. */
export class ApiRefusal extends Error {
  override readonly name = 'ApiRefusal';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export function connectKubernetes(access: ApiAccess): KubernetesApi {
  const agent = new Agent({ connect: { ca: access.ca }, bodyTimeout: 0, connections: 32 });
  const authorization = `Bearer ${access.token}`;

  async function call(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<unknown> {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const answer = await request(access.url + path, {
      method,
      dispatcher: agent,
      headers: { authorization, 'content-type': type },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new ApiRefusal(answer.statusCode, `${method} ${path}: ${answer.statusCode} ${text}`);
    return JSON.parse(text);
  }
  const get = async (path: string): Promise<ApiObject> => (await call('GET', path)) as ApiObject;

  return {
    get,
    async find(path) {
      try {
        return await get(path);
      } catch (error) {
        if (error instanceof ApiRefusal && error.status === 404) return undefined;
        throw error;
      }
    },
    async list(path) {
      const list = (await call('GET', path)) as {
        readonly metadata: { readonly resourceVersion: string };
        readonly items: readonly ApiObject[];
      };
      return { resourceVersion: list.metadata.resourceVersion, items: list.items };
    },
    create: async (path, object) => (await call('POST', path, object)) as ApiObject,
    replace: async (path, object) => (await call('PUT', path, object)) as ApiObject,
    patch: async (path, patch) => (await call('PATCH', path, patch)) as ApiObject,
    async remove(path) {
      await call('DELETE', path);
    },
    async watch(path, resourceVersion, told, signal) {
      const query = new URLSearchParams({ watch: 'true', resourceVersion });
      const answer = await request(`${access.url}${path}?${query.toString()}`, {
        dispatcher: agent,
        headers: { authorization },
        signal,
      });
      let rest = '';
      for await (const chunk of answer.body.setEncoding('utf8') as AsyncIterable<string>) {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) told(JSON.parse(line) as WatchEvent);
      }
    },
    async [Symbol.asyncDispose]() {
      await agent.destroy();
    },
  };
}
