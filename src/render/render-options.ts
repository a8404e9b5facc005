import type { AppRoot } from './app-root.ts';
import type { BuildEnvironment, RenderingPolicy, RenderSpec, ValueOverrides } from './render-spec.ts';
import type { Workspace } from './workspace.ts';

/** Programs that render: a name that is looked up on PATH, or an absolute path. */
export interface RenderTools {
  readonly kustomize: string;
  readonly helm: string;
  readonly jsonnet: string;
}

export const TOOLS_ON_PATH: RenderTools = { kustomize: 'kustomize', helm: 'helm', jsonnet: 'jsonnet' };

/** What every renderer is given. */
export interface RenderOptions {
  readonly root: AppRoot;
  readonly spec: RenderSpec;
  readonly environment: BuildEnvironment;
  readonly policy: RenderingPolicy;
  readonly overrides: ValueOverrides;
  readonly workspace: Workspace;
  /** For everything the renderer runs together, in milliseconds. */
  readonly budgetMs: number;
  readonly signal: AbortSignal;
  readonly tools: RenderTools;
  /** Called when a program of the renderer runs (each time): whoever has other work may do it now. */
  readonly onStart?: () => void;
  /** The environment that children's allow-list picks from. */
  readonly parentEnvironment: Readonly<NodeJS.ProcessEnv>;
}
