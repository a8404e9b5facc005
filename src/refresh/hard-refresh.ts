import type { Application } from '../applications/application.ts';
import type { Kubernetes } from '../kubernetes/kubernetes.ts';
import { patchApplication, type Requested } from './application-request.ts';

const SET = { metadata: { annotations: { 'argocd.argoproj.io/refresh': 'hard' } } } as const;
const REMOVED = { metadata: { annotations: { 'argocd.argoproj.io/refresh': null } } } as const;

/** Sets the annotation that asks Argo CD for a hard refresh, and tells ours from those of people. */
export class HardRefresh {
  readonly #kubernetes: Pick<Kubernetes, 'patch'>;
  /** Whose annotation will appear because we ask for it. */
  readonly #expected = new Set<string>();
  /** Whose annotation is being taken away and set again. */
  readonly #settingAgain = new Set<string>();

  constructor(kubernetes: Pick<Kubernetes, 'patch'>) {
    this.#kubernetes = kubernetes;
  }

  async ask(application: Application, signal: AbortSignal): Promise<Requested> {
    const name = application.instanceName;
    this.#expected.add(name);
    const answer = await patchApplication(this.#kubernetes, application, SET, signal);
    if (answer.kind !== 'done' && answer.kind !== 'unavailable') this.#expected.delete(name);
    return answer;
  }

  /**
   * Takes one that stands away and sets it again.
   *
   * @param isWanted looked at in between: Argo CD may have taken it up meanwhile.
   * @returns undefined: it was not set again, because nobody wants it any more.
   */
  async askAgain(
    application: Application,
    isWanted: () => boolean,
    signal: AbortSignal,
  ): Promise<Requested | undefined> {
    const name = application.instanceName;
    this.#settingAgain.add(name);
    const removed = await patchApplication(this.#kubernetes, application, REMOVED, signal);
    const wanted = removed.kind !== 'done' || isWanted();
    const answer = removed.kind === 'done' && wanted ? await this.ask(application, signal) : removed;
    // One that was set is seen later.
    if (answer === removed || answer.kind !== 'done') this.#settingAgain.delete(name);
    return wanted ? answer : undefined;
  }

  forget(name: string): void {
    this.#expected.delete(name);
    this.#settingAgain.delete(name);
  }

  /**
   * Whose annotation appears on an Application that changed; undefined: there is none, or a person's that stood before.
   *
   * @param wasAsked we asked for one, perhaps before this process started.
   */
  seen(before: Application | undefined, after: Application, wasAsked: boolean): 'ours' | 'of a person' | undefined {
    const name = after.instanceName;
    const isSetAgain = this.#settingAgain.has(name);
    const stood = before?.refreshAsked === 'hard';
    if (after.refreshAsked !== 'hard') {
      if (stood && !isSetAgain) this.#expected.delete(name);
      return undefined;
    }
    if (!stood) this.#settingAgain.delete(name);
    if (isSetAgain || this.#expected.has(name) || (before === undefined && wasAsked)) return 'ours';
    return stood ? undefined : 'of a person';
  }
}
