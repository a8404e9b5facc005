import type { DecisionKey, Store, StoredDecision } from './store.ts';

/** A decision that names another tag or digest than before. */
export interface DecisionMove {
  readonly key: DecisionKey;
  /** Absent: the first one of its key. */
  readonly from?: StoredDecision;
  readonly to: StoredDecision;
}

/** A store that tells when a decision has moved, after it was kept. */
export function observedStore(store: Store, moved: (move: DecisionMove) => void): Store {
  const { decisions } = store;
  return {
    ...store,
    decisions: {
      get: (key) => decisions.get(key),
      async put(key, to, ifVersion) {
        const from = ifVersion === null ? undefined : (await decisions.get(key))?.value;
        const version = await decisions.put(key, to, ifVersion);
        const same = from?.tag === to.tag && from.digest === to.digest;
        if (version !== undefined && !same) moved({ key, to, ...(from !== undefined && { from }) });
        return version;
      },
    },
  };
}
