import type { Notice } from '../error/user-error.ts';
import { DEFAULT_STATE_DIRECTORY } from './complete-configuration.ts';
import { type ConfigurationMemory, recallConfiguration, rememberConfiguration } from './configuration-memory.ts';
import {
  configurationPath,
  type Environment,
  type LoadedConfiguration,
  loadWithMemory,
  type OperatorPorts,
  stateDirectoryFrom,
} from './load-operator-configuration.ts';
import type { OperatorConfiguration } from './operator-configuration.ts';

/** The operator's configuration over the life of a process, and beyond it. */
export interface OperatorConfigurationSource {
  /**
   * The configuration in force. Files are looked at each time and read when they changed. A change that is not valid, or
   * a file that vanishes, leaves the one before in force, with a notice each time until it is mended; also for a process that
   * starts after the change, when the state directory could be written to before it.
   *
   * @throws {UserError} `OPERATOR_CONFIG_INVALID`, `REGISTRIES_CONF_INVALID` when there was no valid one yet.
   */
  current(): Promise<{ readonly configuration: OperatorConfiguration; readonly notices: readonly Notice[] }>;
}

/** Watches the operator's files; `environment` is read once. */
export function createOperatorConfigurationSource(
  environment: Environment,
  ports: OperatorPorts,
): OperatorConfigurationSource {
  const { files } = ports;
  let loaded: LoadedConfiguration | undefined;
  let loading: Promise<LoadedConfiguration> | undefined;

  const load = async (): Promise<LoadedConfiguration> => {
    const known = loaded?.memory ?? recallConfiguration(guessStateDirectory(environment, ports), files);
    const next = await loadWithMemory(environment, ports, known);
    if (!sameTexts(next.memory, known)) rememberConfiguration(next.configuration.stateDirectory, next.memory, files);
    return next;
  };
  return {
    async current() {
      const unchanged =
        loaded !== undefined && [...loaded.stamps].every(([path, stamp]) => files.stamp(path) === stamp);
      if (loaded !== undefined && unchanged) return loaded;
      // Callers that come meanwhile share the one reading.
      loading ??= load().finally(() => {
        loading = undefined;
      });
      loaded = await loading;
      return loaded;
    },
  };
}

function sameTexts(one: ConfigurationMemory, other: ConfigurationMemory): boolean {
  return one.size === other.size && [...one].every(([path, { text }]) => other.get(path)?.text === text);
}

/**
 * Where the last valid configuration may be kept, before the file that says so is parsed; it may even be broken. A wrong
 * guess finds nothing and costs one parsing.
 */
function guessStateDirectory(environment: Environment, { files }: OperatorPorts): string {
  const named = stateDirectoryFrom(environment);
  if (named !== undefined) return named;
  const found = files.read(configurationPath(environment).path);
  const line = found.kind === 'read' ? /(?:^|[{,\s]")state["']?:[ \t]*["']?(\/[^"'\s#]+)/m.exec(found.text) : undefined;
  return line?.[1] ?? DEFAULT_STATE_DIRECTORY;
}
