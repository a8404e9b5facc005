import type { ApiObject, KubernetesApi } from './kubernetes-api.ts';

/** A copy of collections of the API that follows every change, so that a test sees it at once. */
export interface Mirror extends AsyncDisposable {
  /** Follows a collection, cluster-wide; resolves when what is there now is known. */
  follow(collection: string): Promise<void>;
  get(collection: string, namespace: string, name: string): ApiObject | undefined;
  all(collection: string): readonly ApiObject[];
  /** Called after each change, until what it answers is called. */
  onChange(listener: (object: ApiObject) => void): () => void;
}

export function openMirror(api: KubernetesApi): Mirror {
  const collections = new Map<string, Map<string, ApiObject>>();
  const listeners = new Set<(object: ApiObject) => void>();
  const stopped = new AbortController();
  const loops: Promise<void>[] = [];

  async function list(path: string, objects: Map<string, ApiObject>): Promise<string> {
    const { resourceVersion, items } = await api.list(path);
    objects.clear();
    for (const item of items) objects.set(keyOf(item), item);
    for (const item of items) for (const listener of listeners) listener(item);
    return resourceVersion;
  }

  async function watch(path: string, objects: Map<string, ApiObject>, since: string): Promise<void> {
    let version = since;
    while (!stopped.signal.aborted) {
      let lost = false;
      try {
        await api.watch(
          path,
          version,
          ({ type, object }) => {
            if (type === 'ERROR') {
              lost = true;
              return;
            }
            version = object.metadata.resourceVersion ?? version;
            if (type === 'DELETED') objects.delete(keyOf(object));
            else objects.set(keyOf(object), object);
            for (const listener of listeners) listener(object);
          },
          stopped.signal,
        );
      } catch (error) {
        if (stopped.signal.aborted) return;
        if (!(error instanceof Error)) throw error;
        lost = true;
      }
      if (lost && !stopped.signal.aborted) version = await list(path, objects);
    }
  }

  return {
    async follow(path) {
      const objects = new Map<string, ApiObject>();
      collections.set(path, objects);
      const version = await list(path, objects);
      loops.push(watch(path, objects, version).catch(() => undefined));
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
    },
  };
}

function keyOf({ metadata }: ApiObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}
