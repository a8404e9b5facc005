import type { ResourceId } from '../edit/image-field.ts';
import type { ImagePolicy, Origin } from '../policy/image-policy.ts';
import type { Resolution } from '../resolve/resolver.ts';

/** What happened to one image: a field of the rendering, or a policy that met none. For `explain` and the demo. */
export interface ImageReport {
  /** Absent for a policy that matches no field. */
  readonly field?: {
    readonly resource: ResourceId;
    readonly container?: string;
    readonly path: string;
    /** One-based, in the rendering. */
    readonly line: number;
    /** As Git (through the renderer) had it. */
    readonly written: string;
    /** What came out. */
    readonly becomes: string;
  };
  /** Absent for an image without a policy: it passes as written. */
  readonly policy?: ImagePolicy;
  /** Policies of lower places for the same image, not used. */
  readonly shadowed: readonly Origin[];
  readonly resolution?: Resolution;
}
