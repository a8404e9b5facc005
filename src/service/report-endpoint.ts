import type { Applications } from '../applications/application.ts';
import type { Notice } from '../error/user-error.ts';
import type { RegisteringQuery } from '../registrations/registration.ts';
import { MAX_REQUEST_BYTES, PATHS } from '../remote/protocol.ts';
import { isOfUploadedFiles } from '../resolve/preview.ts';
import type { GenerationReport, Resolution } from '../resolve/resolver.ts';
import { callerOf, type CallerPorts, isAnswer } from './caller.ts';
import { json, Refusal, type Route } from './exchange.ts';
import { claimsOtherProject } from './project-claim.ts';
import { readReport } from './read-query.ts';

export interface ReportPorts extends CallerPorts {
  readonly applications: Pick<Applications, 'byInstanceName'>;
  readonly record: (query: RegisteringQuery, resolutions: readonly Resolution[]) => Promise<void>;
  /** What people should know of an application's rendering. Texts of tenants. */
  readonly notices: (report: GenerationReport, notices: readonly Notice[]) => void;
}

/** `POST /v1/report`: a generation is over. One that asked nothing is registered by this. */
export function reportEndpoint(ports: ReportPorts): Route {
  return {
    methods: ['POST'],
    path: PATHS.report,
    maxBodyBytes: MAX_REQUEST_BYTES,
    async open(head, signal) {
      const caller = await callerOf(head, ports, signal);
      if (isAnswer(caller)) return caller;
      if (caller.kind === 'person') throw new Refusal(403, 'generations report with the token of the sidecar');
      return async (body) => {
        const { asked, ...report } = readReport(body);
        if (claimsOtherProject(report.who, ports.applications))
          throw new Refusal(403, 'the Application belongs to another AppProject');
        if (isOfUploadedFiles(report.generation)) return json({}, 202);
        // What a generation with questions uses is known from them, even if somebody else answered: it must not seem to use nothing.
        if (!asked) await ports.record({ ...report, budgetMs: 0, asks: [] }, []);
        if (report.notices.length > 0) ports.notices(report, report.notices);
        return json({}, 202);
      };
    },
  };
}
