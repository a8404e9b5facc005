import { UserError } from '../../error/user-error.ts';
import type { KustomizeSpec, ValueOverrides } from '../render-spec.ts';
import { substituteVariables } from '../substitute-variables.ts';

/** One change to the kustomization before it is built. */
export type EditStep =
  /** Arguments of `kustomize`. Values stand after `--`, so none can become an option. */
  | { readonly kind: 'command'; readonly args: readonly string[] }
  /** There is no command that adds patches. `patches` is the parameter's YAML list. */
  | { readonly kind: 'patches'; readonly patches: string }
  | { readonly kind: 'components'; readonly paths: readonly string[]; readonly ignoreMissing: boolean };

/**
 * What Argo CD does to a kustomization, in its order; image targets of policies follow the images they may override.
 *
 * @throws {UserError} `PARAMETER_INVALID` for a replica count that is no number.
 * @see https://github.com/argoproj/argo-cd/blob/v3.2.11/util/kustomize/kustomize.go
 */
export function editSteps(
  spec: KustomizeSpec,
  overrides: Pick<ValueOverrides, 'kustomizeImages'>,
  variables: Readonly<Record<string, string>>,
): readonly EditStep[] {
  const substituted = (text: string): string => substituteVariables(text, variables);
  const steps: EditStep[] = [];
  const add = (verb: readonly string[], values: readonly string[]): void => {
    if (values.length > 0) steps.push({ kind: 'command', args: ['edit', ...verb, '--', ...values] });
  };
  add(['set', 'nameprefix'], present(spec.namePrefix));
  add(['set', 'namesuffix'], present(spec.nameSuffix));
  add(['set', 'image'], spec.images.map(substituted));
  add(['set', 'image'], overrides.kustomizeImages);
  add(['set', 'replicas'], entries(spec.replicas, replicaCount, '='));
  add(
    [
      'add',
      'label',
      ...(spec.forceCommonLabels ? ['--force'] : []),
      ...(spec.labelWithoutSelector ? ['--without-selector'] : []),
      ...(spec.labelIncludeTemplates ? ['--include-templates'] : []),
    ],
    entries(spec.commonLabels, substituted, ':'),
  );
  add(
    ['add', 'annotation', ...(spec.forceCommonAnnotations ? ['--force'] : [])],
    entries(spec.commonAnnotations, spec.commonAnnotationsEnvsubst ? substituted : (text) => text, ':'),
  );
  add(['set', 'namespace'], present(spec.namespace));
  if (spec.patches !== undefined && spec.patches.trim() !== '') steps.push({ kind: 'patches', patches: spec.patches });
  if (spec.components.length > 0) {
    steps.push({ kind: 'components', paths: spec.components, ignoreMissing: spec.ignoreMissingComponents });
  }
  return steps;
}

function present(text: string | undefined): readonly string[] {
  return text === undefined || text === '' ? [] : [text];
}

/** In the order of their names: Argo CD's own is that of a Go map, so random. */
function entries(
  map: Readonly<Record<string, string>>,
  value: (text: string, name: string) => string,
  separator: string,
): readonly string[] {
  const names = Object.keys(map).sort();
  return names.map((name) => `${name}${separator}${value(map[name] ?? '', name)}`);
}

function replicaCount(text: string, name: string): string {
  if (/^[+-]?[0-9]{1,15}$/.test(text)) return String(Number(text));
  throw new UserError('PARAMETER_INVALID', {
    what: `the replica count ${JSON.stringify(text)} is not a whole number`,
    where: `parameter kustomize-replicas, ${name}`,
    fix: 'write a number, such as "3"',
  });
}
