import type { Notice } from '../error/user-error.ts';
import type { OperatorConfigurationSource } from '../operator/operator-configuration-source.ts';
import type { OperatorConfiguration } from '../operator/operator-configuration.ts';
import type { AccessBroker } from '../registry/access.ts';
import type { Sleep } from '../registry/time.ts';
import { rest } from '../resolve/deadline.ts';
import type { Log } from '../telemetry/log.ts';

/** The operator's configuration and what follows from it, as one: nobody ever sees the half of a change. */
export interface Operator {
  readonly configuration: OperatorConfiguration;
  readonly broker: AccessBroker;
}

export interface OperatorPorts {
  readonly source: OperatorConfigurationSource;
  readonly brokerFor: (configuration: OperatorConfiguration) => AccessBroker;
  readonly sleep: Sleep;
  readonly log: Log;
}

/** How often the operator's files are looked at, in milliseconds; a mounted ConfigMap takes up to a minute to change anyway. */
const LOOK_EVERY_MS = 5_000;

/** The operator's configuration in force. Whoever holds on to what it led to is told when it changes. */
export class OperatorInForce {
  readonly #ports: OperatorPorts;
  readonly #listeners = new Set<() => void>();
  #operator: Operator;
  #told = '';

  private constructor(ports: OperatorPorts, operator: Operator) {
    this.#ports = ports;
    this.#operator = operator;
  }

  /** @throws {UserError} when there is no valid configuration and never was. */
  static async load(ports: OperatorPorts): Promise<OperatorInForce> {
    const { configuration, notices } = await ports.source.current();
    const inForce = new OperatorInForce(ports, { configuration, broker: ports.brokerFor(configuration) });
    inForce.#tell(notices);
    return inForce;
  }

  get current(): Operator {
    return this.#operator;
  }

  /** Whether a changed configuration was refused, and the one before is in force. */
  get isOutdated(): boolean {
    return this.#told !== '';
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Looks at the files now and then, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await rest(LOOK_EVERY_MS, this.#ports, signal);
      if (!signal.aborted) await this.#look();
    }
  }

  async #look(): Promise<void> {
    const { configuration, notices } = await this.#ports.source.current();
    this.#tell(notices);
    if (configuration === this.#operator.configuration) return;
    this.#operator = { configuration, broker: this.#ports.brokerFor(configuration) };
    this.#ports.log.info('configuration-changed');
    for (const listener of this.#listeners) listener();
  }

  /** Once, and again when they change. */
  #tell(notices: readonly Notice[]): void {
    const text = JSON.stringify(notices);
    if (text === this.#told || (notices.length === 0 && this.#told === '')) return;
    this.#told = notices.length === 0 ? '' : text;
    for (const { code, what, where } of notices) this.#ports.log.warning('configuration-kept', { code, what, where });
  }
}
