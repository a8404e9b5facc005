import type { Application, Applications } from '../applications/application.ts';
import { ERROR_CODES } from '../error/codes.ts';
import type { Notice } from '../error/user-error.ts';
import type { Failure, Freshness } from '../freshness/freshness.ts';
import type { EventRecorder } from '../kubernetes/kubernetes.ts';
import type { EventReason } from '../refresh/messages.ts';
import type { ApplicationCondition, Refresher } from '../refresh/refresher.ts';
import { nextTurn } from '../refresh/waker.ts';
import type { RegisteredAnswer, Registrations } from '../registrations/registration.ts';
import type { Sleep } from '../registry/time.ts';
import { rest } from '../resolve/deadline.ts';

export interface AttentionPorts {
  readonly registrations: Pick<Registrations, 'of' | 'all'>;
  readonly applications: Pick<Applications, 'byInstanceName'>;
  readonly freshness: Pick<Freshness, 'failures'>;
  readonly refresher: Pick<Refresher, 'conditionsOf' | 'conditionCounts'>;
  readonly events: EventRecorder;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly sleep: Sleep;
}

/** How often the images of all applications are looked at, in milliseconds: with 10,000 that takes a moment. */
const LOOK_EVERY_MS = 60_000;
/** And how many before others get their turn. */
const LOOKED_AT_IN_A_TURN = 100;
/** A registry, or an image, that fails for less long is nobody's business. */
const TELL_AFTER_MS = 5 * 60_000;
/** Notices of one generation that become Events. */
const MAX_WARNINGS = 10;

/** What people should know of applications: what keeps an image from them, and what their generations warned of. */
export class Attention {
  readonly #ports: AttentionPorts;
  /** By application and image: told when it began, not every time. */
  #told: ReadonlySet<string> = new Set();
  /** By application and image: when a look first found that its generation failed for it. */
  #erringSince: ReadonlyMap<string, number> = new Map();
  /** Applications whose images are stale or failing. */
  #troubled: Readonly<Pick<Record<ApplicationCondition, number>, 'stale' | 'failing'>> = { stale: 0, failing: 0 };

  constructor(ports: AttentionPorts) {
    this.#ports = ports;
  }

  /** How many applications are in each condition: stale and failing as of the last look, the others now. */
  counts(): Readonly<Record<ApplicationCondition, number>> {
    return { ...NONE, ...this.#ports.refresher.conditionCounts(), ...this.#troubled };
  }

  conditionsOf(application: string): ReadonlySet<ApplicationCondition> {
    const conditions = new Set(this.#ports.refresher.conditionsOf(application));
    for (const { answer } of this.#troubles(application)) conditions.add(conditionOf(answer));
    return conditions;
  }

  /** What a generation warned of, as Events. */
  warnOfRendering(instanceName: string, notices: readonly Notice[]): void {
    const application = this.#ports.applications.byInstanceName(instanceName);
    if (application === undefined) return;
    for (const { code, what, where } of notices.slice(0, MAX_WARNINGS)) {
      const place = where === undefined ? '' : ` (${where})`;
      this.#tell(application, 'RenderingWarning', `${code} ${what}${place}`);
    }
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await rest(LOOK_EVERY_MS, this.#ports, signal);
      if (!signal.aborted) await this.look();
    }
  }

  /** Looks at every application once. */
  async look(): Promise<void> {
    const troubled = { stale: 0, failing: 0 };
    const told = new Set<string>();
    this.#erringSince = this.#erring();
    const names = new Set<string>();
    for (const { application } of this.#ports.registrations.all()) names.add(application);
    let looked = 0;
    for (const name of names) {
      if (++looked % LOOKED_AT_IN_A_TURN === 0) await nextTurn();
      const troubles = this.#troubles(name);
      if (troubles.length === 0) continue;
      for (const condition of new Set(troubles.map(({ answer }) => conditionOf(answer)))) troubled[condition] += 1;
      const application = this.#ports.applications.byInstanceName(name);
      for (const trouble of troubles) {
        const { ask, given } = trouble.answer;
        const key = JSON.stringify([name, ask.image, given.kind === 'error' ? given.code : 'stale']);
        told.add(key);
        if (application !== undefined && !this.#told.has(key)) this.#tellOf(application, trouble);
      }
    }
    this.#told = told;
    this.#troubled = troubled;
  }

  #erring(): ReadonlyMap<string, number> {
    const since = new Map<string, number>();
    for (const { application, answers } of this.#ports.registrations.all()) {
      for (const { ask, given } of answers) {
        if (given.kind !== 'error') continue;
        const key = imageKey(application, ask.image);
        since.set(key, this.#erringSince.get(key) ?? this.#ports.now());
      }
    }
    return since;
  }

  /** Images whose registry has failed for a while, or that generations failed for so long. */
  #troubles(application: string): readonly Trouble[] {
    const failures = this.#ports.freshness.failures(application);
    const troubles: Trouble[] = [];
    for (const { answers } of this.#ports.registrations.of(application)) {
      for (const answer of answers) {
        const trouble = this.#troubleOf(application, answer, failures.get(answer.ask.image));
        if (trouble !== undefined) troubles.push(trouble);
      }
    }
    return troubles;
  }

  #troubleOf(application: string, answer: RegisteredAnswer, failing: Failure | undefined): Trouble | undefined {
    if (failing !== undefined && this.#isOld(failing.since))
      return { answer, since: failing.since, what: `${failing.fault.error.code} ${failing.fault.error.what}` };
    const { ask, given } = answer;
    if (given.kind !== 'error') return undefined;
    const since = this.#erringSince.get(imageKey(application, ask.image));
    if (since === undefined || !this.#isOld(since)) return undefined;
    return { answer, since, what: `${given.code} ${ERROR_CODES[given.code]}` };
  }

  #isOld(since: number): boolean {
    return this.#ports.now() - since >= TELL_AFTER_MS;
  }

  #tellOf(application: Application, { answer, since, what }: Trouble): void {
    const begun = new Date(since).toISOString();
    if (conditionOf(answer) === 'failing') {
      this.#tell(application, 'ImageFailing', `${answer.ask.label} cannot be resolved since ${begun}: ${what}`);
    } else {
      const kept = `${answer.ask.label} is the last known good image since ${begun}`;
      this.#tell(application, 'ImageStale', `${kept}: ${what}`);
    }
  }

  #tell({ namespace, name, uid }: Application, reason: EventReason, message: string): void {
    this.#ports.events.record({ namespace, name, uid }, { type: 'Warning', reason, message });
  }
}

interface Trouble {
  readonly answer: RegisteredAnswer;
  readonly since: number;
  readonly what: string;
}

function imageKey(application: string, image: string): string {
  return JSON.stringify([application, image]);
}

const NONE: Readonly<Record<ApplicationCondition, number>> = {
  'self-heal-off': 0,
  'last-sync-failed': 0,
  hooks: 0,
  stale: 0,
  failing: 0,
};

function conditionOf({ given }: RegisteredAnswer): 'stale' | 'failing' {
  return given.kind === 'error' ? 'failing' : 'stale';
}
