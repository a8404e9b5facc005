import type { UserError } from '../../error/user-error.ts';
import type { ProcessResult } from '../run-process.ts';
import { type PathNames, renderFailed } from '../tool-messages.ts';

/** Behind its error kustomize prints how the command is used, which nobody typed who wrote a parameter. */
const USAGE = '\nUsage:\n';
/** What kustomize advises where a label or an annotation is there already. The parameter that does it is named instead. */
const ADVICE = / Use --force to override\.?/g;

/** The error for a failed `kustomize edit`, which a parameter asked for. */
export function editFailed(result: ProcessResult, args: readonly string[], paths: PathNames): UserError {
  const [words = ''] = result.stderr.split(USAGE, 1);
  const stderr = words.replaceAll(ADVICE, '');
  const exists = stderr !== words;
  const [, , subject = ''] = args;
  return renderFailed({ ...result, stderr }, `kustomize ${args.slice(0, 3).join(' ')}`, paths, fixFor(subject, exists));
}

function fixFor(subject: string, exists: boolean): string {
  if (!exists || (subject !== 'label' && subject !== 'annotation')) return 'correct the kustomize parameters';
  return `set the parameter kustomize-force-common-${subject}s to true, or remove the ${subject} from kustomize-common-${subject}s or from the kustomization`;
}
