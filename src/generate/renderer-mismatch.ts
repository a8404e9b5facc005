import { type Notice, UserError } from '../error/user-error.ts';
import type { PluginParameters } from '../parameters/plugin-parameters.ts';
import type { ImagePolicy, Target } from '../policy/image-policy.ts';
import type { RendererKind } from '../render/render-spec.ts';
import { throwAll } from './failures.ts';
import type { WrittenPolicies } from './written-policies.ts';

/**
 * Policies and parameters that are for another renderer than the one in use. A target that nothing would set is an error: the
 * image would look managed and not be. Parameters are a notice, because one ApplicationSet may give them to applications of
 * several kinds.
 *
 * @returns the policies, with what is to be said.
 * @throws {UserError} `SETTING_INVALID`; `AggregateError` of several.
 */
export function forRenderer(
  renderer: RendererKind,
  parameters: PluginParameters,
  policies: WrittenPolicies,
): WrittenPolicies {
  throwAll([...policies.parameters, ...policies.file].flatMap((policy) => targetMismatch(renderer, policy) ?? []));
  return { ...policies, notices: [...policies.notices, ...parameterMismatches(renderer, parameters)] };
}

function targetMismatch(renderer: RendererKind, { alias, write, origin }: ImagePolicy): UserError | undefined {
  if (write.target === undefined) return undefined;
  const { setting, wanted } = describe(write.target);
  if (wanted === renderer) return undefined;
  return new UserError('SETTING_INVALID', {
    what: `${alias} has ${setting}, and the application is rendered by ${renderer}`,
    where: origin.where,
    fix: `remove ${setting}, so that the rendered image fields are edited, or set the parameter renderer to ${wanted}`,
  });
}

function describe(target: Target): { readonly setting: string; readonly wanted: RendererKind } {
  switch (target.kind) {
    case 'helm':
      return {
        setting: target.name === undefined ? 'helm.image-tag' : 'helm.image-name and helm.image-tag',
        wanted: 'helm',
      };
    case 'helm-spec':
      return { setting: 'helm.image-spec', wanted: 'helm' };
    case 'kustomize':
      return { setting: 'kustomize.image-name', wanted: 'kustomize' };
    default:
      return target satisfies never;
  }
}

const RENDERERS: readonly RendererKind[] = ['helm', 'kustomize', 'directory'];

function parameterMismatches(renderer: RendererKind, parameters: PluginParameters): readonly Notice[] {
  return RENDERERS.filter((other) => other !== renderer).flatMap((other) => {
    const names = [...parameters.keys()].filter((name) => name.startsWith(`${other}-`) && hasValue(parameters, name));
    const [first] = names;
    if (first === undefined) return [];
    return [
      {
        code: 'PARAMETER_IGNORED',
        what: `${names.join(', ')}: for ${other}, and the application is rendered by ${renderer}`,
        where: `parameter ${first}`,
      },
    ];
  });
}

/** Templates write parameters without value for what an application does not have. */
function hasValue(parameters: PluginParameters, name: Parameters<PluginParameters['get']>[0]): boolean {
  const value = parameters.get(name);
  switch (value?.kind) {
    case undefined:
      return false;
    case 'string':
      return value.text !== '' && value.text !== 'false';
    case 'array':
      return value.items.length > 0;
    case 'map':
      return value.entries.size > 0;
    default:
      return value satisfies never;
  }
}
