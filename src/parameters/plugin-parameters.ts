import { UserError } from '../error/user-error.ts';
import type { ParameterName } from './catalog.ts';

/** One value, checked to be of a type that its parameter can have. */
export type ParameterValue =
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'array'; readonly items: readonly string[] }
  | { readonly kind: 'map'; readonly entries: ReadonlyMap<string, string> };

/** The parameters that an Application sets. Every name is known, every type is right. */
export type PluginParameters = ReadonlyMap<ParameterName, ParameterValue>;

/** A string parameter; one that is empty counts as absent, as the fields of native sources do. */
export function textOf(parameters: PluginParameters, name: ParameterName): string | undefined {
  const value = parameters.get(name);
  return value?.kind === 'string' && value.text !== '' ? value.text : undefined;
}

/** The items of an array parameter, none when it is absent. */
export function itemsOf(parameters: PluginParameters, name: ParameterName): readonly string[] {
  const value = parameters.get(name);
  return value?.kind === 'array' ? value.items : [];
}

/** The entries of a map parameter, none when it is absent. */
export function entriesOf(parameters: PluginParameters, name: ParameterName): ReadonlyMap<string, string> {
  const value = parameters.get(name);
  return value?.kind === 'map' ? value.entries : new Map();
}

/**
 * A parameter that is `true` or `false`; absent is false.
 *
 * @throws {UserError} `PARAMETER_INVALID` for anything else.
 */
export function flagOf(parameters: PluginParameters, name: ParameterName): boolean {
  const text = textOf(parameters, name);
  if (text === undefined || text === 'false') return false;
  if (text === 'true') return true;
  throw new UserError('PARAMETER_INVALID', {
    what: `${name} is ${JSON.stringify(text.slice(0, 80))}, and can be "true" or "false"`,
    where: `parameter ${name}`,
    fix: 'write string: "true" or string: "false"',
  });
}
