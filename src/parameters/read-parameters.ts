import { UserError } from '../error/user-error.ts';
import { closestName } from '../text/closest-name.ts';
import { describeParameter, isParameterName, PARAMETER_NAMES, type ParameterName } from './catalog.ts';
import { unavailableFeature } from './native-features.ts';
import type { ParameterValue, PluginParameters } from './plugin-parameters.ts';

/** The kernel hands a program no longer text: MAX_ARG_STRLEN, of which the variable's name takes a part. */
export const MAX_PARAMETERS_BYTES = 131_072;

/**
 * The plugin parameters from `ARGOCD_APP_PARAMETERS`, a JSON array of `{"name", "string" | "array" | "map"}`. Absent, empty
 * and `null` (Argo CD's text for a plugin section without parameters) are none.
 *
 * @throws {UserError} `PARAMETERS_UNREADABLE`, `PARAMETER_UNKNOWN`, `PARAMETER_INVALID`, `NATIVE_FEATURE_UNAVAILABLE`.
 * @see https://github.com/argoproj/argo-cd/blob/v3.2.11/pkg/apis/application/v1alpha1/types.go `ApplicationSourcePluginParameter`
 */
export function readParameters(json: string | undefined): PluginParameters {
  const parameters = new Map<ParameterName, ParameterValue>();
  if (json === undefined || json.trim() === '') return parameters;
  const entries = parseJson(json);
  if (entries === null) return parameters;
  if (!Array.isArray(entries)) throw unreadable('is not a list');
  for (const [index, entry] of entries.entries()) {
    const place = `spec.source.plugin.parameters[${index}]`;
    const name = checkedName(entry, place);
    if (parameters.has(name)) {
      throw invalid(`parameter ${name} is there twice`, place, 'leave one of the two');
    }
    parameters.set(name, valueOf(entry as Readonly<Record<string, unknown>>, name));
  }
  return parameters;
}

function parseJson(json: string): unknown {
  const bytes = Buffer.byteLength(json);
  if (bytes > MAX_PARAMETERS_BYTES) {
    throw unreadable(
      `has ${bytes} bytes, and ${MAX_PARAMETERS_BYTES} is the limit of the operating system`,
      'move policies into .image-resolver.yaml and values into value files',
    );
  }
  try {
    return JSON.parse(json);
  } catch {
    // The engine's own message quotes the text, which may be long and not fit to print.
    throw unreadable('is not JSON');
  }
}

function checkedName(entry: unknown, place: string): ParameterName {
  const name = isRecord(entry) ? entry['name'] : undefined;
  if (typeof name !== 'string' || name === '') {
    throw invalid('a plugin parameter has no name', place, 'write name: and one of string:, array: and map:');
  }
  if (isParameterName(name)) return name;
  const unavailable = unavailableFeature(name);
  if (unavailable !== undefined) {
    throw new UserError('NATIVE_FEATURE_UNAVAILABLE', {
      what: `${shown(name)} is not possible with a plugin source: ${unavailable.why}`,
      where: place,
      fix: unavailable.instead,
    });
  }
  const close = closestParameter(name);
  throw new UserError('PARAMETER_UNKNOWN', {
    what: `there is no parameter ${shown(name)}`,
    where: place,
    fix: close === undefined ? `remove it; known are ${PARAMETER_NAMES.join(', ')}` : `did you mean ${close}?`,
  });
}

/** Also finds `helm.valueFiles` and `HELM_VALUE_FILES`: native sources and environment variables are spelled like that. */
function closestParameter(name: string): string | undefined {
  const letters = (text: string): string => text.replaceAll(/[^a-zA-Z]/g, '').toLowerCase();
  const same = PARAMETER_NAMES.find((known) => letters(known) === letters(name.slice(0, 100)));
  return same ?? closestName(name, PARAMETER_NAMES);
}

function valueOf(entry: Readonly<Record<string, unknown>>, name: ParameterName): ParameterValue {
  const where = `parameter ${name}`;
  const types = describeParameter(name)?.types ?? [];
  const given = (['string', 'array', 'map'] as const).filter((type) => (entry[type] ?? null) !== null);
  const [type] = given;
  const fix = `write ${types.map((one) => `${one}:`).join(' or ')}`;
  if (type === undefined) throw invalid('the parameter has no value', where, fix);
  if (given.length > 1) throw invalid(`the parameter has ${given.join(' and ')}`, where, fix);
  if (!types.includes(type)) throw invalid(`the parameter cannot be ${a(type)}`, where, fix);
  const value = checkedValue(entry[type], type, where);
  if (value !== undefined) return value;
  throw invalid(
    `the parameter is no ${type} of text`,
    where,
    type === 'string' ? 'write text' : `write ${a(type)} of text`,
  );
}

function a(type: 'string' | 'array' | 'map'): string {
  return type === 'array' ? 'an array' : `a ${type}`;
}

function checkedValue(value: unknown, type: 'string' | 'array' | 'map', where: string): ParameterValue | undefined {
  switch (type) {
    case 'string':
      return typeof value === 'string' ? { kind: 'string', text: value } : undefined;
    case 'array':
      return Array.isArray(value) && value.every((item) => typeof item === 'string')
        ? { kind: 'array', items: value }
        : undefined;
    case 'map':
      return isRecord(value) ? checkedMap(value, where) : undefined;
    default:
      return type satisfies never;
  }
}

function checkedMap(record: Readonly<Record<string, unknown>>, where: string): ParameterValue | undefined {
  const entries = new Map<string, string>();
  for (const [key, value] of Object.entries(record)) {
    if (typeof value !== 'string') return undefined;
    // Maps become plain objects on their way to the renderer.
    if (key === '__proto__') throw invalid('the parameter has a key __proto__', where, 'use another name');
    entries.set(key, value);
  }
  return { kind: 'map', entries };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
}

function unreadable(problem: string, fix = 'let Argo CD set it from spec.source.plugin.parameters'): UserError {
  return new UserError('PARAMETERS_UNREADABLE', {
    what: `ARGOCD_APP_PARAMETERS ${problem}`,
    where: 'environment variable ARGOCD_APP_PARAMETERS',
    fix,
  });
}

function invalid(what: string, where: string, fix: string): UserError {
  return new UserError('PARAMETER_INVALID', { what, where, fix });
}
