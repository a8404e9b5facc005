/** What the drift-workflow set-up takes with argocd-image-updater, from the push to the changed Deployment. */
const DRIFT_WORKFLOW_S = 165;

/** Times from a push to the changed Deployment, for people who read the output. Never compared with anything. */
export class PushToLive {
  readonly #times = new Map<string, number>();

  /** @param push resolves when the registry has the image. @param live resolves when the cluster has it. */
  async measure(what: string, push: () => Promise<unknown>, live: () => Promise<void>): Promise<void> {
    await push();
    const pushed = performance.now();
    await live();
    this.#times.set(what, performance.now() - pushed);
  }

  toString(): string {
    const rows = [...this.#times].map(([what, ms]): [string, string] => [what, (ms / 1000).toFixed(2)]);
    rows.push(['drift-workflow with argocd-image-updater', DRIFT_WORKFLOW_S.toFixed(2)]);
    const width = Math.max(...rows.map(([what]) => what.length));
    return `push to live, in seconds\n${rows.map(([what, s]) => `  ${what.padEnd(width)}  ${s.padStart(6)}`).join('\n')}`;
  }
}
