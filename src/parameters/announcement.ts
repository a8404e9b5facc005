import { describeParameter, PARAMETER_NAMES, type ParameterType } from './catalog.ts';
import type { ParameterValue, PluginParameters } from './plugin-parameters.ts';

/**
 * One parameter as Argo CD's "Parameters" tab takes it. `collectionType` chooses the editor.
 *
 * @see https://github.com/argoproj/argo-cd/blob/v3.2.11/reposerver/repository/repository.proto `ParameterAnnouncement`
 */
export interface Announcement {
  readonly name: string;
  readonly title: string;
  readonly tooltip: string;
  readonly required: false;
  readonly itemType: 'string' | 'boolean';
  readonly collectionType: ParameterType;
  readonly string?: string;
  readonly array?: readonly string[];
  readonly map?: Readonly<Record<string, string>>;
}

/**
 * Every parameter with its help, for the `parameters` command of the plugin.
 *
 * @param current what the Application sets: Argo CD's UI shows it as the value of sources whose parameters it does not read
 *   itself. Resolved images are never told here, because Argo CD keeps the answer and gives it to other applications too.
 */
export function announceParameters(current: PluginParameters = new Map()): Announcement[] {
  return PARAMETER_NAMES.map((name) => {
    const { types = ['string'], title = '', tooltip = '', flag } = describeParameter(name) ?? {};
    const value = current.get(name);
    return {
      name,
      title,
      tooltip,
      required: false,
      itemType: flag === true ? 'boolean' : 'string',
      collectionType: value?.kind ?? types[0] ?? 'string',
      ...(value !== undefined && settingOf(value)),
    };
  });
}

function settingOf(value: ParameterValue): Pick<Announcement, 'string' | 'array' | 'map'> {
  switch (value.kind) {
    case 'string':
      return { string: value.text };
    case 'array':
      return { array: value.items };
    case 'map':
      return { map: Object.fromEntries(value.entries) };
    default:
      return value satisfies never;
  }
}
