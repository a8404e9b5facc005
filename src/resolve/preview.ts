import type { GenerationClaim, ResolveQuery } from './resolver.ts';

/**
 * Whether files are rendered that somebody uploaded to see what would come of them (`argocd app diff --local
 * --server-side-generate`). Argo CD runs the plugin for them as for the Application itself, and says this as their revision.
 */
export function isOfUploadedFiles({ revision }: Pick<GenerationClaim, 'revision'>): boolean {
  return revision === 'streamed';
}

/** Whether an application is given what is answered; else somebody only wants to see it, and nothing is kept of it. */
export function isGiven({ explain, preview }: Pick<ResolveQuery, 'explain' | 'preview'>): boolean {
  return explain !== true && preview !== true;
}
