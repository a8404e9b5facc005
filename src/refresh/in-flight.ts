import type { Application, Applications } from '../applications/application.ts';

/** How many of these applications each source repository has. */
export function inFlightByRepository(
  names: Iterable<string>,
  applications: Pick<Applications, 'byInstanceName'>,
): Map<string, number> {
  const inFlight = new Map<string, number>();
  for (const name of names) {
    const application = applications.byInstanceName(name);
    for (const repository of application === undefined ? [] : repositoriesOf(application)) {
      inFlight.set(repository, (inFlight.get(repository) ?? 0) + 1);
    }
  }
  return inFlight;
}

/** Where the sources of an application are, each once. */
export function repositoriesOf({ sources }: Application): readonly string[] {
  return [...new Set(sources.map(({ repoURL }) => repoURL))];
}
