import { announceParameters } from '../../parameters/announcement.ts';
import { readParameters } from '../../parameters/read-parameters.ts';

/** In plugin.yaml already, so that they are announced even where this command fails. Argo CD shows both lists. */
const ANNOUNCED_BY_PLUGIN_YAML: ReadonlySet<string> = new Set(['images', 'image-settings']);

/** `parameters`: what the plugin can be told besides, with what the Application tells it now. */
export function runParameters(): void {
  const current = readParameters(process.env['ARGOCD_APP_PARAMETERS']);
  const announced = announceParameters(current).filter(({ name }) => !ANNOUNCED_BY_PLUGIN_YAML.has(name));
  process.stdout.write(`${JSON.stringify(announced, undefined, 2)}\n`);
}
