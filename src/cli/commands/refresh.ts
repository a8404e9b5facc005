import { PATHS, type RefreshAnswer, type RefreshBody } from '../../remote/protocol.ts';
import { askController, type PersonOptions } from '../person.ts';

/** `refresh`: the controller looks at the registries of one application again, and refreshes it if something moved. */
export async function runRefresh(application: string, options: PersonOptions): Promise<void> {
  const body: RefreshBody = { application };
  const { repositories } = (await askController(options, { path: PATHS.refresh, body })) as RefreshAnswer;
  const what = repositories === 1 ? '1 repository is' : `${repositories} repositories are`;
  process.stdout.write(`${what} looked at again; image-resolver status ${application} shows what comes of it\n`);
}
