import type { SecretRead, SecretSource } from '../credentials/provider.ts';
import type { Sleep } from '../registry/time.ts';
import type { Follower, Kubernetes, KubernetesObject } from './kubernetes.ts';
import { isRecord } from './objects.ts';

export interface ApiSecretsOptions {
  readonly kubernetes: Pick<Kubernetes, 'follow'>;
  /** Milliseconds; any clock that only goes forward. */
  readonly now: () => number;
  readonly sleep: Sleep;
  /** Ends all following. */
  readonly signal: AbortSignal;
  /** Told when another read of a followed secret may end otherwise than before. */
  readonly changed?: (namespace: string, name: string) => void;
  /** Secrets followed at once; who was asked for longest ago gives way. */
  readonly maxFollowed?: number;
}

const MAX_FOLLOWED = 500;
/** A secret nobody asked for so long is not followed any more. */
const IDLE_MS = 3_600_000;
const SWEEP_EVERY_MS = 600_000;
/** How long the first who asks for a secret waits for it. */
const FIRST_READ_MS = 5_000;

/** A name or namespace of Kubernetes. */
const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;

/**
 * Secrets from the Kubernetes API, each watched by its name alone, so that RBAC can grant exactly those (`resourceNames`
 * with list and watch). The watch begins when a secret is asked for first; from then on it is answered from memory,
 * and a renewed one as soon as the API tells. Only the keys that were asked for are kept.
 */
export function createApiSecrets(options: ApiSecretsOptions): SecretSource {
  const { kubernetes, now, sleep, signal, changed, maxFollowed = MAX_FOLLOWED } = options;
  /** By `<namespace>/<name>`, who was asked for longest ago first. */
  const followed = new Map<string, FollowedSecret>();

  const drop = (id: string): void => {
    followed.get(id)?.stop();
    followed.delete(id);
  };
  const secretOf = (namespace: string, name: string, keys: readonly string[]): FollowedSecret => {
    const id = `${namespace}/${name}`;
    const there = followed.get(id);
    if (there !== undefined && keys.every((key) => there.keys.has(key))) {
      followed.delete(id);
      followed.set(id, there);
      return there;
    }
    drop(id);
    const secret = new FollowedSecret(namespace, name, new Set([...(there?.keys ?? []), ...keys]), () =>
      changed?.(namespace, name),
    );
    followed.set(id, secret);
    for (const oldest of followed.keys()) {
      if (followed.size <= maxFollowed) break;
      drop(oldest);
    }
    secret.follow(kubernetes, signal);
    return secret;
  };
  const sweep = async (): Promise<void> => {
    for (;;) {
      await sleep(SWEEP_EVERY_MS, signal);
      for (const [id, secret] of followed) if (now() - secret.askedAt > IDLE_MS) drop(id);
    }
  };
  // Ends by the signal.
  sweep().catch(() => undefined);

  return {
    async read(namespace, name, keys) {
      if (!NAME.test(namespace) || !NAME.test(name))
        return { kind: 'unreadable', problem: 'is not there', fix: 'correct the name of the secret' };
      const secret = secretOf(namespace, name, keys);
      secret.askedAt = now();
      if (!secret.isKnown) await secret.known(sleep, signal);
      return secret.value(keys);
    },
  };
}

type State =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'there'; readonly stamp: string; readonly values: ReadonlyMap<string, string> };

class FollowedSecret implements Follower<State> {
  readonly keys: ReadonlySet<string>;
  askedAt = 0;
  readonly #namespace: string;
  readonly #name: string;
  readonly #over = new AbortController();
  readonly #firstTold = Promise.withResolvers<void>();
  #firstWait: Promise<void> | undefined;
  #state: State = { kind: 'unknown' };
  #isForbidden = false;
  readonly #told: () => void;

  constructor(namespace: string, name: string, keys: ReadonlySet<string>, told: () => void) {
    this.#namespace = namespace;
    this.#name = name;
    this.keys = keys;
    this.#told = told;
  }

  follow(kubernetes: Pick<Kubernetes, 'follow'>, signal: AbortSignal): void {
    const path = `/api/v1/namespaces/${this.#namespace}/secrets`;
    const collection = { path, fieldSelector: `metadata.name=${this.#name}` };
    const reduce = (object: KubernetesObject): { readonly key: string; readonly value: State } => ({
      key: object.metadata.name,
      value: reduceSecret(object, this.keys),
    });
    void kubernetes.follow(collection, reduce, this, AbortSignal.any([signal, this.#over.signal]));
  }

  stop(): void {
    this.#over.abort();
  }

  get isKnown(): boolean {
    return this.#state.kind !== 'unknown' || this.#isForbidden;
  }

  /** Waits for the first list, or until it is clear that there will be none. Only once: who comes later does not wait again. */
  known(sleep: Sleep, signal: AbortSignal): Promise<void> {
    this.#firstWait ??= this.#wait(sleep, signal);
    return this.#firstWait;
  }

  async #wait(sleep: Sleep, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const late = sleep(FIRST_READ_MS, AbortSignal.any([signal, over.signal])).catch(() => undefined);
    await Promise.race([this.#firstTold.promise, late]);
    over.abort();
  }

  value(keys: readonly string[]): SecretRead {
    const secret = `the secret ${this.#namespace}/${this.#name}`;
    if (this.#isForbidden) {
      const rule = `apiGroups [""], resources [secrets], resourceNames [${this.#name}], verbs [list, watch]`;
      const fix = `grant the controller's service account a Role in namespace ${this.#namespace} with ${rule}`;
      return { kind: 'unreadable', problem: 'may not be read by the controller', fix };
    }
    const state = this.#state;
    switch (state.kind) {
      case 'unknown':
        return {
          kind: 'unreadable',
          problem: 'could not be read yet: the Kubernetes API does not answer',
          fix: 'see that the controller reaches the Kubernetes API',
        };
      case 'absent':
        return { kind: 'unreadable', problem: 'is not there', fix: `make ${secret}` };
      case 'there': {
        const key = keys.find((candidate) => state.values.has(candidate));
        if (key === undefined) {
          const problem = `is not there (looked for ${keys.join(', ')})`;
          return { kind: 'unreadable', problem, fix: `put one of these keys into ${secret}` };
        }
        const text = Buffer.from(state.values.get(key) ?? '', 'base64').toString();
        return { kind: 'read', text, stamp: `${state.stamp}.${key}` };
      }
      default:
        return state satisfies never;
    }
  }

  changed(value: State): void {
    this.#set(value);
  }

  removed(): void {
    this.#set({ kind: 'absent' });
  }

  listed(): void {
    if (this.#state.kind === 'unknown') this.#set({ kind: 'absent' });
  }

  trouble(problem: string | undefined, status?: number): void {
    // Who took the right away does not want the secret to be used from memory. Any other fault is an outage.
    const wasForbidden = this.#isForbidden;
    this.#isForbidden = problem !== undefined && status === 403;
    if (wasForbidden && !this.#isForbidden) this.#told();
    if (this.#isForbidden) this.#firstTold.resolve();
  }

  #set(state: State): void {
    const before = this.#state;
    this.#state = state;
    this.#firstTold.resolve();
    const isSame = before.kind === 'there' && state.kind === 'there' && before.stamp === state.stamp;
    if (!isSame) this.#told();
  }
}

function reduceSecret({ metadata, data }: KubernetesObject, keys: ReadonlySet<string>): State {
  const entries = Object.entries(isRecord(data) ? data : {});
  const values = new Map(
    entries.flatMap(([key, value]) => (keys.has(key) && typeof value === 'string' ? [[key, value] as const] : [])),
  );
  return { kind: 'there', stamp: `${metadata.uid ?? ''}.${metadata.resourceVersion ?? ''}`, values };
}
