import type { Applications } from '../applications/application.ts';
import type { Notice } from '../error/user-error.ts';
import type { Given, RegisteringQuery } from '../registrations/registration.ts';
import { MAX_REQUEST_BYTES, PATHS, type ReportAnswer, type Unheard } from '../remote/protocol.ts';
import type { Time } from '../resolve/deadline.ts';
import { isOfUploadedFiles } from '../resolve/preview.ts';
import type { GenerationReport, Resolution } from '../resolve/resolver.ts';
import { callerOf, type CallerPorts, isAnswer } from './caller.ts';
import { json, Refusal, type Route } from './exchange.ts';
import { claimOf } from './project-claim.ts';
import { readReport } from './read-query.ts';
import { TokenBucket } from './token-bucket.ts';

/**
 * Renderings without us that are taken note of, by all sidecars together. Each may lead to a refresh, and after a while away
 * there is one for every rendering of that time.
 */
const UNHEARD = { perSecond: 20, size: 1_000 } as const;

export interface ReportPorts extends CallerPorts {
  readonly applications: Pick<Applications, 'byInstanceName'>;
  readonly record: (query: RegisteringQuery, resolutions: readonly Resolution[]) => Promise<void>;
  /** Registers what a generation was given without us. */
  readonly recordUnheard: (query: RegisteringQuery, given: readonly Given[], agoMs: number) => Promise<void>;
  /** What people should know of an application's rendering. Texts of tenants. */
  readonly notices: (report: GenerationReport, notices: readonly Notice[]) => void;
  readonly time: Pick<Time, 'now'>;
}

/** `POST /v1/report`: a generation is over. One that asked nothing is registered by this, and earlier ones that did not hear us. */
export function reportEndpoint(ports: ReportPorts): Route {
  const bucket = new TokenBucket({ ...UNHEARD, now: ports.time.now });
  /** Answers how many were taken: what is too much now is told again. */
  const take = async (unheard: readonly (Unheard | undefined)[]): Promise<number> => {
    for (const [index, one] of unheard.entries()) {
      if (one === undefined || claimOf(one.who, one.generation.source, ports.applications) !== 'possible') continue;
      if (!bucket.take()) return index;
      const { agoMs, given, ...query } = one;
      await ports.recordUnheard({ v: 1, budgetMs: 0, ...query }, given, agoMs);
    }
    return unheard.length;
  };
  return {
    methods: ['POST'],
    path: PATHS.report,
    maxBodyBytes: MAX_REQUEST_BYTES,
    async open(head, signal) {
      const caller = await callerOf(head, ports, signal);
      if (isAnswer(caller)) return caller;
      if (caller.kind === 'person') throw new Refusal(403, 'generations report with the token of the sidecar');
      return async (body) => {
        const { asked, unheard = [], ...report } = readReport(body);
        const claim = claimOf(report.who, report.generation.source, ports.applications);
        if (claim === 'other-project') throw new Refusal(403, 'the Application belongs to another AppProject');
        if (claim === 'other-application' || isOfUploadedFiles(report.generation)) return json({}, 202);
        // What a generation with questions uses is known from them, even if somebody else answered: it must not seem to use nothing.
        if (!asked) await ports.record({ ...report, budgetMs: 0, asks: [] }, []);
        if (report.notices.length > 0) ports.notices(report, report.notices);
        return json({ taken: await take(unheard) } satisfies ReportAnswer, 202);
      };
    },
  };
}
