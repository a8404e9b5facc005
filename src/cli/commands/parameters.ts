import { announceParameters } from '../../parameters/announcement.ts';
import { readParameters } from '../../parameters/read-parameters.ts';

/** `parameters`: what the plugin can be told, with what the Application tells it now. */
export function runParameters(): void {
  const current = readParameters(process.env['ARGOCD_APP_PARAMETERS']);
  process.stdout.write(`${JSON.stringify(announceParameters(current), undefined, 2)}\n`);
}
