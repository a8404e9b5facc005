import { isAbsolute, join } from 'node:path';
import type { ErrorCode } from '../error/codes.ts';
import { type Notice, UserError } from '../error/user-error.ts';
import { completeConfiguration, type EnvironmentOverrides } from './complete-configuration.ts';
import type { ConfigurationFile } from './configuration-file.ts';
import type { ConfigurationMemory, RememberedFile } from './configuration-memory.ts';
import { parseDuration } from '../text/duration.ts';
import type { FilePorts } from './files.ts';
import type { OperatorConfiguration, RegistryHost } from './operator-configuration.ts';

export interface OperatorPorts {
  readonly files: FilePorts;
  /** The controller looks less often than a sidecar alone, whether or not the file says where it is. */
  readonly isController?: boolean;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_CONFIGURATION = '/etc/image-resolver/config.yaml';
const DEFAULT_REGISTRIES = '/etc/image-resolver/registries.conf';

/**
 * The operator's configuration as its files and the environment say it now. A file at its default path may be absent.
 * Without files nothing heavy is loaded.
 *
 * @throws {UserError} `OPERATOR_CONFIG_INVALID`, `REGISTRIES_CONF_INVALID`.
 */
export async function loadOperatorConfiguration(
  environment: Environment,
  ports: OperatorPorts,
): Promise<OperatorConfiguration> {
  return (await loadWithMemory(environment, ports, new Map())).configuration;
}

/** A configuration, and what to remember of the files behind it. */
export interface LoadedConfiguration {
  readonly configuration: OperatorConfiguration;
  /** `OPERATOR_CONFIG_KEPT` for each file that is not valid or not there any more. */
  readonly notices: readonly Notice[];
  readonly memory: ConfigurationMemory;
  /** The files this came from, and their stamps before they were read. */
  readonly stamps: ReadonlyMap<string, string | undefined>;
}

/**
 * As {@link loadOperatorConfiguration}, with the last valid files at hand: an unchanged one is not parsed again, and a
 * broken or vanished one is replaced by what it was.
 */
export async function loadWithMemory(
  environment: Environment,
  { files, isController = false }: OperatorPorts,
  memory: ConfigurationMemory,
): Promise<LoadedConfiguration> {
  const notices: Notice[] = [];
  const remembered = new Map<string, RememberedFile>();
  const stamps = new Map<string, string | undefined>();
  const load = async <T>(kind: FileKind<T>, path: string, named: string | undefined): Promise<T | undefined> => {
    stamps.set(path, files.stamp(path));
    const last = memory.get(path);
    const loaded = await loadFile({ kind, path, named, files, last });
    if (loaded.remember !== undefined) remembered.set(path, loaded.remember);
    if (loaded.kept !== undefined) notices.push(loaded.kept);
    return loaded.value;
  };

  const overrides = overridesFrom(environment);
  const source = configurationPath(environment);
  const file = await load(CONFIGURATION, source.path, source.named);
  const fromEnvironment = given(environment, 'IMAGE_RESOLVER_REGISTRIES');
  const namedBy = fromEnvironment ? 'IMAGE_RESOLVER_REGISTRIES' : file?.registriesFile && 'registriesFile';
  const hosts = await load(REGISTRIES, fromEnvironment ?? file?.registriesFile ?? DEFAULT_REGISTRIES, namedBy);
  return {
    configuration: completeConfiguration(file ?? {}, hosts ?? [], { ...overrides, isController }),
    notices,
    memory: remembered,
    stamps,
  };
}

/** One of the operator's two files. */
interface FileKind<T> {
  readonly code: ErrorCode;
  /** All that a file holds which changes no default. */
  readonly nothing: string;
  parse(text: string, path: string): Promise<T>;
}

const CONFIGURATION: FileKind<ConfigurationFile> = {
  code: 'OPERATOR_CONFIG_INVALID',
  nothing: 'apiVersion and kind',
  parse: async (text, path) => (await import('./parse-configuration.ts')).parseConfiguration(text, path),
};
const REGISTRIES: FileKind<readonly RegistryHost[]> = {
  code: 'REGISTRIES_CONF_INVALID',
  nothing: 'registries: []',
  parse: async (text, path) => (await import('./registries-conf.ts')).parseRegistriesConf(text, path),
};

interface LoadedFile<T> {
  readonly value: T | undefined;
  readonly remember?: RememberedFile;
  /** Why the file is not taken as it is now. */
  readonly kept?: Notice;
}

async function loadFile<T>(options: {
  readonly kind: FileKind<T>;
  readonly path: string;
  /** What named the path; absent for the default path, where the file may be missing. */
  readonly named: string | undefined;
  readonly files: FilePorts;
  readonly last: RememberedFile | undefined;
}): Promise<LoadedFile<T>> {
  const { kind, path, last, files } = options;
  const found = files.read(path);
  if (found.kind === 'missing' && options.named === undefined) {
    // It may be replaced at this moment, or its ConfigMap deleted by mistake: a freeze must not end by that.
    return last === undefined
      ? { value: undefined }
      : { value: last.value as T, remember: last, kept: vanishedNotice(path, kind.nothing) };
  }
  if (found.kind === 'read' && found.text === last?.text) return { value: last.value as T, remember: last };
  try {
    if (found.kind !== 'read') {
      const problem = found.kind === 'missing' ? 'is not there' : found.problem;
      const by = options.named === undefined ? '' : `, named by ${options.named},`;
      throw new UserError(kind.code, {
        what: `the file${by} ${problem}`,
        where: path,
        fix: 'mount the file, or name another',
      });
    }
    const value = await kind.parse(found.text, path);
    return { value, remember: { text: found.text, value } };
  } catch (error) {
    if (!(error instanceof UserError) || last === undefined) throw error;
    return { value: last.value as T, remember: last, kept: refusedNotice(error) };
  }
}

function vanishedNotice(path: string, nothing: string): Notice {
  return {
    code: 'OPERATOR_CONFIG_KEPT',
    what: `the file is not there any more and what it said stays in force; to go back to the defaults, write one that holds ${nothing} alone`,
    where: path,
  };
}

function refusedNotice(fault: UserError): Notice {
  return {
    code: 'OPERATOR_CONFIG_KEPT',
    what: `the change is not valid and the configuration before it stays in force: ${fault.message}`,
    where: fault.where,
  };
}

/** A variable that is set to nothing is as one that is not set: manifests often carry empty values. */
function given(environment: Environment, name: string): string | undefined {
  const value = environment[name];
  return value === '' ? undefined : value;
}

/** Where the configuration file is, and what named it, if not the default. */
export function configurationPath(environment: Environment): { readonly path: string; readonly named?: string } {
  const path = given(environment, 'IMAGE_RESOLVER_CONFIG');
  return path === undefined ? { path: DEFAULT_CONFIGURATION } : { path, named: 'IMAGE_RESOLVER_CONFIG' };
}

/** The state directory when the environment names one. */
export function stateDirectoryFrom(environment: Environment): string | undefined {
  return given(environment, 'IMAGE_RESOLVER_STATE');
}

function overridesFrom(environment: Environment): EnvironmentOverrides {
  const interval = given(environment, 'IMAGE_RESOLVER_INTERVAL');
  const stateDirectory = stateDirectoryFrom(environment);
  if (stateDirectory !== undefined && !isAbsolute(stateDirectory)) {
    throw new UserError('OPERATOR_CONFIG_INVALID', {
      what: `IMAGE_RESOLVER_STATE is the relative path ${JSON.stringify(stateDirectory)}, which would be in the application's directory`,
      where: 'environment variable IMAGE_RESOLVER_STATE',
      fix: 'write an absolute path',
    });
  }
  const dockerDirectory = given(environment, 'DOCKER_CONFIG');
  const duration = interval === undefined ? undefined : parseDuration(interval);
  const controllerUrl = given(environment, 'IMAGE_RESOLVER_CONTROLLER');
  if (controllerUrl !== undefined && !/^https?:\/\/[^\s/?#@]+[^\s?#@]*$/.test(controllerUrl)) {
    throw new UserError('OPERATOR_CONFIG_INVALID', {
      what: `IMAGE_RESOLVER_CONTROLLER is ${JSON.stringify(controllerUrl)}, which is no http or https URL without user, query and fragment`,
      where: 'environment variable IMAGE_RESOLVER_CONTROLLER',
      fix: 'write it as http://image-resolver:8443',
    });
  }
  if (duration?.ok === false) {
    throw new UserError('OPERATOR_CONFIG_INVALID', {
      what: `IMAGE_RESOLVER_INTERVAL ${duration.problem}`,
      where: 'environment variable IMAGE_RESOLVER_INTERVAL',
      fix: duration.fix ?? 'correct the value',
    });
  }
  return {
    ...(duration?.ok && { intervalMs: duration.value }),
    ...(stateDirectory !== undefined && { stateDirectory }),
    ...(controllerUrl !== undefined && { controllerUrl }),
    // As docker has it, DOCKER_CONFIG is the folder that holds config.json.
    ...(dockerDirectory !== undefined && { dockerConfig: join(dockerDirectory, 'config.json') }),
  };
}
