/** One API object with what every object has; the rest is checked by who reads it. */
export interface KubernetesObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

/** A collection to follow: `/apis/argoproj.io/v1alpha1/applications`, or one object of it by `fieldSelector`. */
export interface Collection {
  /** Path of the list, cluster-wide or in a namespace. */
  readonly path: string;
  /** `metadata.name=team-a`: what RBAC can grant by `resourceNames`. */
  readonly fieldSelector?: string;
}

/** Told of a followed collection, in order. After a gap everything is told again, what is gone as removed, `listed` last. */
export interface Follower<T> {
  /** Added or changed. */
  changed(value: T): void;
  removed(key: string): void;
  /** Everything there is has been told, and nothing else is there. */
  listed(): void;
  /** The API cannot be followed now (it is tried again with back-off), or can again. `status`: the HTTP status, where there was an answer. */
  trouble(problem: string | undefined, status?: number): void;
}

/** A user of the Kubernetes API. */
export interface User {
  readonly username: string;
  readonly groups: readonly string[];
  readonly uid: string;
  /** What some authorizers restrict a token by, such as OpenShift's scopes. */
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** What people need the right to: `get` to see an Application, `update` to decide what it uses. */
export type ApplicationVerb = 'get' | 'update';

/** What a bearer token proves. */
export type TokenReview = (User & { readonly kind: 'authenticated' }) | { readonly kind: 'rejected' };

/** The Kubernetes API as the controller uses it. Every call is bounded in time; faults reject with {@link KubernetesError}. */
export interface Kubernetes {
  /** One list and then a watch, for as long as the signal lets it. `reduce` keeps what is needed, so that memory is bounded. */
  follow<T>(
    collection: Collection,
    reduce: (object: KubernetesObject) => { readonly key: string; readonly value: T },
    follower: Follower<T>,
    signal: AbortSignal,
  ): Promise<void>;
  get(path: string, signal: AbortSignal): Promise<KubernetesObject>;
  /** JSON merge patch (RFC 7386). */
  patch(path: string, body: unknown, signal: AbortSignal): Promise<KubernetesObject>;
  create(path: string, body: unknown, signal: AbortSignal): Promise<KubernetesObject>;
  /** TokenReview for these audiences. */
  reviewToken(token: string, audiences: readonly string[], signal: AbortSignal): Promise<TokenReview>;
  /** SubjectAccessReview: may this user do that with the Application? */
  mayAccessApplication(
    user: User,
    verb: ApplicationVerb,
    application: { readonly namespace: string; readonly name: string },
    signal: AbortSignal,
  ): Promise<boolean>;
}

/** The API answered no, or not at all. Holds no body and no token. */
export class KubernetesError extends Error {
  override readonly name = 'KubernetesError';
  /** HTTP status; undefined: no answer. */
  readonly status: number | undefined;

  constructor(message: string, status?: number, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.status = status;
  }
}

/** What is said on an Application, for people: `kubectl describe` and Argo CD's Events tab show it. */
export interface EventRecorder {
  /** Never fails and never waits: de-duplicated, rate bounded, cut and escaped. */
  record(
    application: { readonly namespace: string; readonly name: string; readonly uid: string },
    event: {
      readonly type: 'Normal' | 'Warning';
      /** CamelCase, of a closed set: `ImageMoved`. */
      readonly reason: string;
      readonly message: string;
    },
  ): void;
}
