import { type Notice, UserError } from '../../error/user-error.ts';
import type { HelmSpec } from '../render-spec.ts';
import { comparePaths, parseValuePath, type ValuePath } from './value-path.ts';

/** The three kinds of parameters that helm sets after all value files. */
export type Parameters = Pick<HelmSpec, 'parameters' | 'stringParameters' | 'fileParameters'>;

const NAMES: Readonly<Record<keyof Parameters, string>> = {
  parameters: 'helm-parameters',
  stringParameters: 'helm-string-parameters',
  fileParameters: 'helm-file-parameters',
};

/**
 * The parameters without those that set a value an image policy sets: `--set` beats every values file, so they would undo
 * the policy. Whoever comes from argocd-image-updater has such parameters, because it writes them itself.
 *
 * @throws {UserError} `PARAMETER_INVALID` when a parameter sets what holds a policy's value or lies below it: dropping it would
 *   lose something else that it says.
 */
export function withoutPolicyValues(
  spec: Parameters,
  targets: readonly ValuePath[],
): { readonly parameters: Parameters; readonly notices: readonly Notice[] } {
  const notices: Notice[] = [];
  const keep = (kind: keyof Parameters): Record<string, string> =>
    Object.fromEntries(
      Object.entries(spec[kind]).filter(([name]) => {
        const where = `parameter ${NAMES[kind]}.${name}`;
        const relation = closest(name, targets);
        if (relation === 'overlapping') throw overlaps(where);
        if (relation === 'apart') return true;
        notices.push({ code: 'PARAMETER_OVERRIDDEN', what: 'the value comes from an image policy', where });
        return false;
      }),
    );
  const parameters = {
    parameters: keep('parameters'),
    stringParameters: keep('stringParameters'),
    fileParameters: keep('fileParameters'),
  };
  return { parameters, notices };
}

function closest(name: string, targets: readonly ValuePath[]): 'equal' | 'overlapping' | 'apart' {
  const path = parseValuePath(name);
  if (!path.ok) return 'apart';
  const relations = targets.map((target) => comparePaths(path.value, target));
  return (
    relations.find((relation) => relation === 'equal') ?? relations.find((one) => one === 'overlapping') ?? 'apart'
  );
}

function overlaps(where: string): UserError {
  return new UserError('PARAMETER_INVALID', {
    what: 'the parameter and an image policy set the same part of the values, and helm would let the parameter win',
    where,
    fix: 'set the value in helm-values or a value file instead, or remove the helm target of the policy',
  });
}
