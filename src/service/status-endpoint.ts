import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Applications } from '../applications/application.ts';
import type { Registrations } from '../registrations/registration.ts';
import { MAX_ANSWER_BYTES, PATHS, type StatusAnswer } from '../remote/protocol.ts';
import type { ApplicationStatus } from '../remote/status.ts';
import { applicationNameOf, instanceNameOf, parseApplicationName } from './application-name.ts';
import { type StatusSources, statusOf } from './application-status.ts';
import { callerOf, type CallerPorts, isAnswer } from './caller.ts';
import { json, Refusal, type Route, type ServiceAnswer } from './exchange.ts';
import { checkMayGet, type PeoplePorts } from './people.ts';

export interface StatusPorts extends CallerPorts, PeoplePorts, StatusSources {
  readonly applications: Pick<Applications, 'byInstanceName'>;
  readonly registrations: Pick<Registrations, 'of' | 'all'>;
}

/** `GET /v1/status?application=<namespace>/<name>`, or of all applications. For people. */
export function statusEndpoint(ports: StatusPorts): Route {
  return {
    methods: ['GET'],
    path: PATHS.status,
    maxBodyBytes: 0,
    async open(head, signal) {
      const caller = await callerOf(head, ports, signal);
      if (isAnswer(caller)) return caller;
      if (caller.kind === 'sidecar') throw new Refusal(403, 'status is for people: ask with your own Kubernetes token');
      const { user } = caller;
      const asked = head.query.get('application');
      return async (_body, during) => {
        const controlPlane = ports.controlPlaneNamespace();
        if (asked === null) {
          await checkMayGet(user, { namespace: '', name: '' }, ports, during);
          return everything(ports, controlPlane, during);
        }
        const name = parseApplicationName(asked, controlPlane);
        if (name === undefined) throw new Refusal(400, 'application must be <namespace>/<name>');
        await checkMayGet(user, name, ports, during);
        const instanceName = instanceNameOf(name, controlPlane);
        const known =
          ports.applications.byInstanceName(instanceName) !== undefined ||
          ports.registrations.of(instanceName).length > 0;
        if (!known) throw new Refusal(404, 'the controller knows no such Application');
        return answerOf([await statusOf(instanceName, `${name.namespace}/${name.name}`, ports)]);
      };
    },
  };
}

/** Applications described in one turn of the event loop. */
const AT_ONCE = 10;

async function everything(ports: StatusPorts, controlPlane: string, signal: AbortSignal): Promise<ServiceAnswer> {
  const names = new Set<string>();
  for (const { application } of ports.registrations.all()) names.add(application);
  const applications: ApplicationStatus[] = [];
  let characters = 0;
  for (const [index, instanceName] of [...names].sort().entries()) {
    // Others are answered meanwhile.
    if (index % AT_ONCE === 0) await nextTurn();
    signal.throwIfAborted();
    const name = applicationNameOf(instanceName, controlPlane);
    if (name === undefined) continue;
    const status = await statusOf(instanceName, `${name.namespace}/${name.name}`, ports);
    characters += JSON.stringify(status).length;
    // Clients read no more. Thousands of applications are asked for one by one, or looked at in the metrics.
    if (characters > MAX_ANSWER_BYTES / 2)
      throw new Refusal(413, 'there are too many applications for one answer; name one');
    applications.push(status);
  }
  return answerOf(applications);
}

function answerOf(applications: readonly ApplicationStatus[]): ServiceAnswer {
  return json({ applications } satisfies StatusAnswer);
}
