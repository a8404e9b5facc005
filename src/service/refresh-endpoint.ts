import type { Applications } from '../applications/application.ts';
import { PATHS, type RefreshAnswer } from '../remote/protocol.ts';
import { instanceNameOf, parseApplicationName } from './application-name.ts';
import { callerOf, type CallerPorts, isAnswer } from './caller.ts';
import { json, Refusal, type Route } from './exchange.ts';
import { checkMayGet, type PeoplePorts } from './people.ts';
import { readRefresh } from './read-query.ts';

const MAX_BODY_BYTES = 4_096;

export interface RefreshPorts extends CallerPorts, PeoplePorts {
  readonly applications: Pick<Applications, 'byInstanceName'>;
  /** Looks at the registries again for this application, as a hard refresh by hand does. Answers how many repositories that are. */
  readonly lookAgain: (instanceName: string) => number;
}

/** `POST /v1/refresh`: look at the registries again for one application. For people who may get it: a look changes nothing by itself. */
export function refreshEndpoint(ports: RefreshPorts): Route {
  return {
    methods: ['POST'],
    path: PATHS.refresh,
    maxBodyBytes: MAX_BODY_BYTES,
    async open(head, signal) {
      const caller = await callerOf(head, ports, signal);
      if (isAnswer(caller)) return caller;
      if (caller.kind === 'sidecar')
        throw new Refusal(403, 'refresh is for people: ask with your own Kubernetes token');
      const { user } = caller;
      return async (body, during) => {
        const controlPlane = ports.controlPlaneNamespace();
        const name = parseApplicationName(readRefresh(body).application, controlPlane);
        if (name === undefined) throw new Refusal(400, 'application must be <namespace>/<name>');
        await checkMayGet(user, name, ports, during);
        const instanceName = instanceNameOf(name, controlPlane);
        if (ports.applications.byInstanceName(instanceName) === undefined)
          throw new Refusal(404, 'the controller knows no such Application');
        return json({ repositories: ports.lookAgain(instanceName) } satisfies RefreshAnswer, 202);
      };
    },
  };
}
