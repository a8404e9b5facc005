import { UserError } from '../error/user-error.ts';
import { closestName } from '../operator/closest-name.ts';
import { PARAMETERS, type ParameterEntry, type ParameterType, UNAVAILABLE } from './catalog.ts';
import type { ImagesParameter, PluginParameters } from './plugin-parameters.ts';

const VARIABLE = 'ARGOCD_APP_PARAMETERS';
/** Characters of a foreign name that a message repeats. */
const SHOWN_CHARACTERS = 80;

const BY_NAME: ReadonlyMap<string, ParameterEntry> = new Map(PARAMETERS.map((entry) => [entry.name, entry]));

/**
 * The plugin parameters in `ARGOCD_APP_PARAMETERS`: a JSON array of `{name, string | array | map}`. Absent, empty and `null`
 * mean none: Argo CD writes `null` for a plugin section without parameters.
 *
 * @throws {UserError} `PARAMETERS_UNREADABLE`, `PARAMETER_UNKNOWN`, `PARAMETER_INVALID`, `NATIVE_FEATURE_UNAVAILABLE`.
 * @see https://argo-cd.readthedocs.io/en/stable/operator-manual/config-management-plugins/#using-environment-variables-in-your-plugin
 */
export function readParameters(json: string | undefined): PluginParameters {
  const strings = new Map<string, string>();
  const arrays = new Map<string, readonly string[]>();
  const maps = new Map<string, ReadonlyMap<string, string>>();
  const seen = new Set<string>();
  for (const [index, item] of itemsIn(json).entries()) {
    const entry = entryOf(item, index);
    if (seen.has(entry.name)) throw invalid(entry.name, 'it is given twice', 'give each parameter once');
    seen.add(entry.name);
    const type = typeOf(item, entry);
    const value = item[type];
    if (type === 'string') strings.set(entry.name, textIn(value, entry.name));
    else if (type === 'array') arrays.set(entry.name, textsIn(value, entry.name));
    else maps.set(entry.name, mapIn(value, entry.name));
  }
  const images = imagesFrom(strings.get('images'), arrays.get('images'));
  return { ...(images && { images }), imageSettings: maps.get('image-settings') ?? new Map(), strings, arrays, maps };
}

type Item = Readonly<Record<string, unknown>>;

function itemsIn(json: string | undefined): readonly Item[] {
  if (json === undefined || json.trim() === '') return [];
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw unreadable('is not JSON');
  }
  if (value === null) return [];
  if (!Array.isArray(value)) throw unreadable('is not a JSON array');
  return value.map((item: unknown, index) => {
    if (!isRecord(item)) throw unreadable(`has an element that is not an object, at index ${index}`);
    return item;
  });
}

function entryOf(item: Item, index: number): ParameterEntry {
  const { name } = item;
  if (typeof name !== 'string' || name === '') {
    throw new UserError('PARAMETER_INVALID', {
      what: 'a plugin parameter has no name',
      where: `parameter ${index + 1} of spec.source.plugin.parameters`,
      fix: 'give it a name',
    });
  }
  const entry = BY_NAME.get(name);
  if (entry !== undefined) return entry;
  const shown = name.slice(0, SHOWN_CHARACTERS);
  const unavailable = UNAVAILABLE.get(name);
  if (unavailable !== undefined) {
    throw new UserError('NATIVE_FEATURE_UNAVAILABLE', {
      what: `${shown} is not available in a plugin source: ${unavailable.why}`,
      where: `parameter ${shown}`,
      fix: unavailable.fix,
    });
  }
  const close = closestName(name, [...BY_NAME.keys()]);
  throw new UserError('PARAMETER_UNKNOWN', {
    what: `there is no parameter ${JSON.stringify(shown)}`,
    where: 'spec.source.plugin.parameters',
    fix:
      close === undefined ? 'see docs/policies.md and docs/rendering.md for all parameters' : `did you mean ${close}?`,
  });
}

function typeOf(item: Item, entry: ParameterEntry): ParameterType {
  // Argo CD sends an empty map or array for one that was written empty, beside the string that was meant.
  const given = (['string', 'array', 'map'] as const).filter((type) => item[type] !== undefined && item[type] !== null);
  const accepted = entry.types.find((type) => given.includes(type));
  const others = given.filter((type) => type !== accepted && !isEmpty(item[type]));
  if (accepted === undefined || others.length > 0) {
    const wrong = given.length === 0 ? 'nothing' : given.map((type) => `${type}:`).join(' and ');
    throw invalid(
      entry.name,
      `it is written with ${wrong}`,
      `write it with ${entry.types.map((type) => `${type}:`).join(' or ')}`,
    );
  }
  return accepted;
}

function imagesFrom(text: string | undefined, values: readonly string[] | undefined): ImagesParameter | undefined {
  if (values !== undefined) return { kind: 'array', values };
  return text === undefined ? undefined : { kind: 'string', value: text };
}

function textIn(value: unknown, name: string): string {
  if (typeof value !== 'string') throw invalid(name, `it holds a ${kindOf(value)} where a string belongs`, QUOTE);
  return value;
}

function textsIn(value: unknown, name: string): readonly string[] {
  if (!Array.isArray(value)) throw invalid(name, `its array is a ${kindOf(value)}`, 'write a list of strings');
  return value.map((element) => textIn(element, name));
}

function mapIn(value: unknown, name: string): ReadonlyMap<string, string> {
  if (!isRecord(value)) throw invalid(name, `its map is a ${kindOf(value)}`, 'write keys and string values');
  const entries = Object.entries(value).map(([key, text]) => [key, textIn(text, name)] as const);
  if (entries.some(([key]) => key === '__proto__')) throw invalid(name, 'it has a key __proto__', 'remove the key');
  return new Map(entries);
}

const QUOTE = 'put the value in quotes';

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'list' : typeof value;
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) ? value.length === 0 : isRecord(value) && Object.keys(value).length === 0;
}

function isRecord(value: unknown): value is Item {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unreadable(what: string): UserError {
  return new UserError('PARAMETERS_UNREADABLE', {
    what: `${VARIABLE} ${what}`,
    where: `environment variable ${VARIABLE}`,
    fix: 'Argo CD writes it from spec.source.plugin.parameters; by hand, write [{"name": "images", "array": ["web=nginx:^1"]}]',
  });
}

function invalid(name: string, what: string, fix: string): UserError {
  return new UserError('PARAMETER_INVALID', {
    what: `parameter ${name} cannot be used: ${what}`,
    where: `parameter ${name}`,
    fix,
  });
}
