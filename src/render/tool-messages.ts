import { sanitiseText } from '../error/sanitise.ts';
import { type Notice, UserError } from '../error/user-error.ts';
import type { ProcessResult } from './run-process.ts';

/** Paths that are private or random, and what stands for them. */
export type PathNames = readonly (readonly [path: string, replacement: string])[];

/** Bytes of a failed tool's own words that are passed on; Argo CD shows 4 KiB in all. */
const MAX_MESSAGE_BYTES = 3000;
/** Bytes of one warning, and how many warnings. */
const MAX_WARNING_BYTES = 500;
const MAX_WARNINGS = 10;

/** Folders that tools make up in TMPDIR: `kustomize-3141592653`. Equal faults must give equal text. */
const RANDOM_NAME = /\b((?:kustomize|helm)(?:-[a-z]+)*-)[0-9]{5,20}\b/g;

/** The error for a tool that ended badly, in its own words. */
export function renderFailed(result: ProcessResult, where: string, paths: PathNames, fix: string): UserError {
  const words = clean(result.stderr, paths, MAX_MESSAGE_BYTES).replace(/^Error: /, '');
  const end = result.signal === null ? `ended with exit code ${result.exitCode}` : `was killed by ${result.signal}`;
  return new UserError('RENDER_FAILED', { what: words === '' ? `it ${end} and said nothing` : words, where, fix });
}

/** What a tool wrote to stderr although it succeeded: a notice for each distinct line, of a bounded number. */
export function warnings(stderr: string, where: string, paths: PathNames): readonly Notice[] {
  // Most tools say nothing, and the first text to clean compiles a dozen regular expressions.
  if (stderr.trim() === '') return [];
  const lines = new Set(stderr.split('\n').map((line) => clean(line, paths, MAX_WARNING_BYTES).replace(/^# ?/, '')));
  lines.delete('');
  return [...lines].slice(0, MAX_WARNINGS).map((what) => ({ code: 'RENDER_WARNING', what, where }));
}

function clean(text: string, paths: PathNames, maxBytes: number): string {
  return sanitiseText(text, { secrets: [], paths, maxBytes }).replace(RANDOM_NAME, '$1…').trim();
}
