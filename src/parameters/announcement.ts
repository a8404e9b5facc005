import { PARAMETERS } from './catalog.ts';
import type { PluginParameters } from './plugin-parameters.ts';

/**
 * One announced parameter, as Argo CD's UI shows it. `string`, `array` and `map` hold what is set now.
 *
 * @see https://argo-cd.readthedocs.io/en/stable/operator-manual/config-management-plugins/#adding-parameter-announcements-to-your-plugin
 */
export interface Announcement {
  readonly name: string;
  readonly title: string;
  readonly tooltip: string;
  readonly collectionType: 'string' | 'array' | 'map';
  readonly string?: string;
  readonly array?: readonly string[];
  readonly map?: Readonly<Record<string, string>>;
}

/**
 * All parameters with what is set now. Never what a registry answered: Argo CD keeps announcements for all applications of a
 * repository and tells no project when it asks.
 *
 * @param announcedElsewhere names in plugin.yaml's static list, which Argo CD adds itself.
 */
export function announceParameters(
  current: PluginParameters,
  announcedElsewhere: readonly string[],
): readonly Announcement[] {
  return PARAMETERS.filter(({ name }) => !announcedElsewhere.includes(name)).map(({ name, types, title, help }) => {
    const string = current.strings.get(name);
    const array = current.arrays.get(name);
    const map = current.maps.get(name);
    return {
      name,
      title,
      tooltip: help,
      collectionType: types[0],
      ...(string !== undefined && { string }),
      ...(array !== undefined && { array }),
      ...(map !== undefined && { map: Object.fromEntries(map) }),
    };
  });
}
