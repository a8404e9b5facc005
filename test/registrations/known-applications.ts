import type { Application, ApplicationChange, Applications, Project } from '../../src/applications/application.ts';

/** An Application with one source that names the plugin, synced at revision `r1`. */
export function application(name: string, rest: Partial<Application> = {}): Application {
  return {
    namespace: 'argocd',
    name,
    uid: name,
    instanceName: name,
    project: 'default',
    sources: [{ ...SOURCE, plugin: 'image-resolver' }],
    specFingerprint: 'spec 1',
    revisions: ['r1'],
    syncStatus: 'Synced',
    operating: false,
    hasHooks: false,
    liveImages: [],
    destination: { server: 'https://kubernetes.default.svc', name: '', namespace: 'web' },
    deleting: false,
    refreshable: true,
    hasGeneratePaths: false,
    ...rest,
  };
}

export const SOURCE = { repoURL: 'https://example.com/deploy', path: 'overlays/production', targetRevision: 'main' };

/** Applications as a test says they are. */
export class KnownApplications implements Applications {
  complete = true;
  readonly #known = new Map<string, Application>();
  readonly #listeners = new Set<(change: ApplicationChange) => void>();

  byInstanceName(name: string): Application | undefined {
    return this.#known.get(name);
  }

  all(): Iterable<Application> {
    return this.#known.values();
  }

  project(_name: string): Project | undefined {
    return undefined;
  }

  onChange(listener: (change: ApplicationChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Makes or changes an Application. */
  set(name: string, rest: Partial<Application> = {}): void {
    const before = this.#known.get(name);
    const after = { ...(before ?? application(name)), ...rest };
    this.#known.set(name, after);
    this.#tell({ before, after });
  }

  remove(name: string): void {
    const before = this.#known.get(name);
    this.#known.delete(name);
    this.#tell({ before, after: undefined });
  }

  #tell(change: ApplicationChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
