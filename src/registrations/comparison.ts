import type { Registration } from './registration.ts';

/** Why what an application renders with is not what it would get now. */
export type Outdated =
  /** An image moved, or can be had at last. */
  | {
      readonly kind: 'image';
      readonly images: readonly OutdatedImage[];
    }
  /** Its revision or spec changed, and Argo CD took the manifests from its cache. */
  | { readonly kind: 'cached-manifest' }
  /** What it uses now is not known: nothing ever asked for a source that names the plugin, or what asked last did not get through. */
  | { readonly kind: 'unknown' };

/** An image that would be another one now. All texts are for people. */
export interface OutdatedImage {
  readonly label: string;
  readonly from: string;
  readonly to: string;
  /** What its policy says: `semver ~1.0`. */
  readonly policy: string;
}

/** Compares what was given with what would be given now. Asks no registry. */
export interface Comparison {
  /** Undefined: the application has what it would get. */
  outdated(application: string): Promise<Outdated | undefined>;
  /** The registration alone, without what Argo CD did. */
  outdatedImages(registration: Registration): Promise<Extract<Outdated, { kind: 'image' }> | undefined>;
  /**
   * Told of the instance name of an application when too much time has passed without the generation that had to follow a
   * change: {@link outdated} may now answer `cached-manifest` or `unknown`. Answers how to stop.
   */
  onOverdue(listener: (application: string) => void): () => void;
  /** Keeps the time for {@link onOverdue}, until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}
