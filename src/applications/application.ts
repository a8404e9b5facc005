/** Where Argo CD says an application's manifests come from; one of several in a multi-source application. */
export interface ApplicationSource {
  readonly repoURL: string;
  /** Empty for a chart. */
  readonly path: string;
  readonly targetRevision: string;
  /** Name of the plugin, where the Application names one. */
  readonly plugin?: string;
}

/** Automated sync as the Application asks for it. */
export interface AutomatedSync {
  readonly selfHeal: boolean;
  readonly prune: boolean;
}

/**
 * What the controller keeps of an Application: enough to know what it renders, whether it was reconciled, and what Argo CD
 * will do with a changed image. Texts are bounded.
 */
export interface Application {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** As generations are told it: `<name>`, or `<namespace>_<name>` outside of the control plane's namespace. */
  readonly instanceName: string;
  readonly project: string;
  readonly sources: readonly ApplicationSource[];
  /** Changes with everything of `spec` that may change what is rendered. */
  readonly specFingerprint: string;
  /** `status.sync.revision`, or `revisions` in the order of the sources; empty before the first comparison. */
  readonly revisions: readonly string[];
  readonly syncStatus: 'Synced' | 'OutOfSync' | 'Unknown';
  /** `status.reconciledAt` as it is written; compare for equality only, clocks differ. */
  readonly reconciledAt?: string;
  /** `argocd.argoproj.io/refresh`, as long as it stands there. */
  readonly refreshAsked?: 'normal' | 'hard';
  /** First ComparisonError or InvalidSpecError of `status.conditions`. */
  readonly comparisonError?: string;
  /** A sync operation is asked for or runs. */
  readonly operating: boolean;
  /** The last finished operation. */
  readonly lastSync?: {
    readonly phase: string;
    readonly revisions: readonly string[];
    readonly finishedAt?: string;
    /** Named resources only: Argo CD's self-heal. */
    readonly selective: boolean;
  };
  readonly automated?: AutomatedSync;
  /** `status.resources` holds hooks. */
  readonly hasHooks: boolean;
  /** `status.summary.images`. */
  readonly liveImages: readonly string[];
  readonly destination: { readonly server: string; readonly name: string; readonly namespace: string };
  readonly deleting: boolean;
  /**
   * Whether a hard refresh renders it. Not while `argocd.argoproj.io/skip-reconcile` is set, not before Argo CD looked at it for
   * the first time (it may be in a namespace that Argo CD ignores), and not when the source hydrator renders it.
   */
  readonly refreshable: boolean;
  /** `argocd.argoproj.io/manifest-generate-paths` is set: cached manifests may be taken over for a new revision. */
  readonly hasGeneratePaths: boolean;
}

/** What the controller keeps of an AppProject. */
export interface Project {
  readonly name: string;
  readonly syncWindows: readonly SyncWindow[];
}

/** `spec.syncWindows[]` of an AppProject, defaults filled in. */
export interface SyncWindow {
  /** `other`: neither of both, which only counts when it cannot be read. */
  readonly kind: 'allow' | 'deny' | 'other';
  /** Five-field cron. */
  readonly schedule: string;
  /** Go duration: `1h30m`. */
  readonly duration: string;
  readonly applications: readonly string[];
  readonly namespaces: readonly string[];
  readonly clusters: readonly string[];
  readonly manualSync: boolean;
  readonly timeZone: string;
  /** `andOperator`: all of applications, namespaces and clusters must match, not one. */
  readonly useAnd: boolean;
}

/** A change of one Application. Either side is undefined when it came or went. */
export interface ApplicationChange {
  readonly before: Application | undefined;
  readonly after: Application | undefined;
}

/** Every Application that is watched, in memory. */
export interface Applications {
  /** Everything was listed at least once. */
  readonly complete: boolean;
  byInstanceName(instanceName: string): Application | undefined;
  all(): Iterable<Application>;
  project(name: string): Project | undefined;
  /** Told of every change, after it is visible here. Answers how to stop. */
  onChange(listener: (change: ApplicationChange) => void): () => void;
}
