import { readFile } from 'node:fs/promises';
import { Agent, request } from 'undici';
import type { ApiObject } from '../../support/real-kubernetes-api.ts';
import type { RealKubernetes } from '../../support/real-kubernetes.ts';

/** A copy of collections of the API that follows every change, so that a test sees it at once. */
export interface Mirror extends AsyncDisposable {
  /** Follows a collection, cluster-wide; resolves when what is there now is known. */
  follow(collection: string): Promise<void>;
  get(collection: string, namespace: string, name: string): ApiObject | undefined;
  all(collection: string): readonly ApiObject[];
  /** Called after each change, until what it answers is called. `removed`: the object is gone. */
  onChange(listener: (object: ApiObject, removed: boolean) => void): () => void;
}

interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: ApiObject;
}

interface ObjectList {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly ApiObject[];
}

export async function openMirror(kubernetes: RealKubernetes): Promise<Mirror> {
  const agent = new Agent({ connect: { ca: await readFile(kubernetes.caFile, 'utf8') }, bodyTimeout: 0 });
  const collections = new Map<string, Map<string, ApiObject>>();
  const listeners = new Set<(object: ApiObject, removed: boolean) => void>();
  const stopped = new AbortController();
  const loops: Promise<void>[] = [];
  const tell = (object: ApiObject, removed: boolean): void => {
    for (const listener of listeners) listener(object, removed);
  };

  async function list(path: string, objects: Map<string, ApiObject>): Promise<string> {
    const { metadata, items } = await kubernetes.admin.must<ObjectList>('GET', path);
    objects.clear();
    for (const item of items) objects.set(keyOf(item), item);
    for (const item of items) tell(item, false);
    return metadata.resourceVersion;
  }

  /** One connection's worth of changes; answers where to go on, or undefined when it must be listed again. */
  async function watch(path: string, objects: Map<string, ApiObject>, since: string): Promise<string | undefined> {
    const query = new URLSearchParams({ watch: 'true', resourceVersion: since });
    const answer = await request(`${kubernetes.server}${path}?${query.toString()}`, {
      dispatcher: agent,
      headers: { authorization: `Bearer ${kubernetes.adminToken}` },
      signal: stopped.signal,
    });
    let version = since;
    let rest = '';
    for await (const chunk of answer.body.setEncoding('utf8') as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const { type, object } of lines.map((line) => JSON.parse(line) as WatchEvent)) {
        if (type === 'ERROR') return undefined;
        version = String(object.metadata['resourceVersion']);
        if (type === 'DELETED') objects.delete(keyOf(object));
        else objects.set(keyOf(object), object);
        tell(object, type === 'DELETED');
      }
    }
    return version;
  }

  async function keepUp(path: string, objects: Map<string, ApiObject>, since: string): Promise<void> {
    let version: string | undefined = since;
    while (!stopped.signal.aborted) {
      try {
        version = await watch(path, objects, version ?? (await list(path, objects)));
      } catch {
        version = undefined; // the API server is gone, or the test is over
        await new Promise((done) => setTimeout(done, AGAIN_AFTER_MS));
      }
    }
  }

  return {
    async follow(path) {
      const objects = new Map<string, ApiObject>();
      collections.set(path, objects);
      loops.push(keepUp(path, objects, await list(path, objects)));
    },
    get: (path, namespace, name) => collections.get(path)?.get(`${namespace}/${name}`),
    all: (path) => [...(collections.get(path)?.values() ?? [])],
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async [Symbol.asyncDispose]() {
      stopped.abort();
      await Promise.all(loops);
      await agent.destroy();
    },
  };
}

const AGAIN_AFTER_MS = 50;

function keyOf({ metadata }: ApiObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}
