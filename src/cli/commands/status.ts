import { UserError } from '../../error/user-error.ts';
import { arrayAt, objectAt, ShapeError } from '../../remote/json-shape.ts';
import { PATHS } from '../../remote/protocol.ts';
import type { ApplicationStatus } from '../../remote/status.ts';
import { askController, type PersonOptions } from '../person.ts';
import { statusText } from '../status-text.ts';

export interface StatusOptions extends PersonOptions {
  readonly json?: true;
}

/** `status`: what the controller knows of one application, or of all that one may see. */
export async function runStatus(application: string | undefined, options: StatusOptions): Promise<void> {
  const query = application === undefined ? '' : `?application=${encodeURIComponent(application)}`;
  const answer = await askController(options, { path: `${PATHS.status}${query}` });
  try {
    const applications = arrayAt(objectAt(answer, 'the answer')['applications'], 'applications');
    if (options.json) process.stdout.write(`${JSON.stringify({ applications }, undefined, 2)}\n`);
    else process.stdout.write(statusText(applications as readonly ApplicationStatus[], Date.now()));
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    const what = `the controller's answer is not understood: ${error.message}`;
    const fix = 'use the command of the same version as the controller';
    throw new UserError('CONTROLLER_UNREACHABLE', { what, where: 'status', fix }, error);
  }
}
