import type { Notice, UserErrorData } from '../error/user-error.ts';
import type { Digest, Repository, Tag } from '../image/reference.ts';
import type { Choice, Output } from '../policy/image-policy.ts';
import type { CredentialName } from '../registry/access.ts';
import type { CallerClaim } from '../registry/access.ts';
import type { Decision } from '../store/store.ts';

/** One question: which image for this policy? Plain JSON, so it goes over the wire unchanged. */
export interface Ask {
  /** Names the image within the application, stable over renderings: `<repository name>|<alias>`. Answers are kept under it. */
  readonly image: string;
  /** For messages: the alias and where the policy was written. */
  readonly label: string;
  readonly where: string;
  readonly repository: Repository;
  readonly choice: Choice;
  /** What will be written; a digest is fetched only when it is needed. Absent: per strategy. */
  readonly output?: Output;
  readonly onUnsatisfied: 'git' | 'error';
  readonly onRemoved: 'keep' | 'next-best';
  readonly pollIntervalMs?: number;
  readonly credential?: CredentialName;
  /** The field's tag in Git, where there is a field; a digest policy without a tag of its own follows it. */
  readonly tagInGit?: Tag;
  /** For messages: the field such a policy finds no tag in (a digest alone), `Deployment/web, container api`. */
  readonly untagged?: string;
}

/** One tag that was considered and rejected, and by which rule; for `explain`. */
export interface Rejection {
  readonly tag: string;
  readonly rule: string;
}

/** What `explain` tells of a decision; filled only when the query asks for it. */
export interface Explanation {
  /** Sentences, in the order things happened. */
  readonly steps: readonly string[];
  readonly considered: number;
  /** Best first; a bounded number. */
  readonly candidates: readonly string[];
  /** A bounded number; `rejectedTotal` says how many there were. */
  readonly rejected: readonly Rejection[];
  readonly rejectedTotal: number;
}

/** The answer to one ask. */
export type Resolution = (
  | { readonly kind: 'decided' | 'stale' | 'held'; readonly decision: Decision }
  | { readonly kind: 'pinned'; readonly tag: Tag }
  | { readonly kind: 'pinned'; readonly digest: Digest }
  /** none, observe, paused, or unsatisfied for the first time. `would` is what observe would have written. */
  | {
      readonly kind: 'as-in-git';
      readonly reason: 'none' | 'observe' | 'paused' | 'unsatisfied';
      readonly would?: Decision;
    }
  | { readonly kind: 'unsatisfied' | 'refused' | 'failed'; readonly error: UserErrorData }
) & {
  /** One sentence for a person: why this came out. */
  readonly why: string;
  readonly notices: readonly Notice[];
  readonly explanation?: Explanation;
};

/**
 * Which generation asks: what Argo CD told the plugin of it. A claim, as {@link CallerClaim} is. A resolver that refreshes
 * applications learns from it what each of them uses, and what it was answered.
 */
export interface GenerationClaim {
  /** Random; the queries of one generation share it. */
  readonly id: string;
  readonly source: SourceClaim;
  /** Commit, chart version or digest of an OCI artifact. */
  readonly revision: string;
  /** Of the plugin parameters as they arrived, with what `.argocd-source.yaml` put into them. */
  readonly parametersFingerprint: string;
  /** `sync: full`: image changes are wanted as a whole sync operation, with hooks. */
  readonly sync?: 'full';
  /** What was rendered has hooks; absent also before that is known. */
  readonly hooks?: true;
}

/** The source as the Application writes it; tells the sources of an application apart. */
export interface SourceClaim {
  readonly repoURL: string;
  /** Empty for a chart. */
  readonly path: string;
  readonly targetRevision: string;
}

/** What a generation has to say when it is over, whether or not it asked anything. */
export interface GenerationReport {
  readonly v: 1;
  readonly who: CallerClaim;
  readonly generation: GenerationClaim;
  /** What people should know of the rendering; notices of resolutions are not repeated. */
  readonly notices: readonly Notice[];
}

export interface ResolveQuery {
  readonly v: 1;
  readonly who: CallerClaim;
  /** Absent: a person asks (`explain`), and nothing is registered. */
  readonly generation?: GenerationClaim;
  /** Which source of the application asks, where no generation says it. */
  readonly source?: SourceClaim;
  /** Time for the whole query in milliseconds; a duration, because clocks of two machines differ. */
  readonly budgetMs: number;
  readonly asks: readonly Ask[];
  /** Fill `explanation`. */
  readonly explain?: boolean;
  /** What would it be? Of files that no Application refers to. */
  readonly preview?: boolean;
}

/** Answers asks; in this process (`in-process.ts`) or in another (`src/remote`). */
export interface Resolver {
  /** One resolution per ask, in the same order. Rejects only for bugs; faults are resolutions. */
  resolve(query: ResolveQuery, signal: AbortSignal): Promise<readonly Resolution[]>;
  /** Takes note of a generation that is over. Absent where nobody listens. Never fails a generation. */
  report?(report: GenerationReport, signal: AbortSignal): Promise<void>;
  /** Lets go of files and connections. */
  close(): Promise<void>;
}
