import { parsed, type Parsed, unparsed } from '../error/parsed.ts';
import type { Environment } from '../operator/load-operator-configuration.ts';
import type { Credential, CredentialProvider } from '../registry/access.ts';
import { Secret } from '../registry/secret.ts';

import { type DockerAuth, parseUserAndPassword } from './docker-config.ts';
import { processGeneration } from './process-generation.ts';
import { credentialFrom, type ProviderContext } from './provider.ts';
import { type ProgramResult, type ProgramRun, runProgram } from './run-program.ts';
import { type SharedRun, shareRun } from './shared-run.ts';
import { unreadable } from './unreadable.ts';

/** What a program is, and how what it printed is read. */
interface ProgramKind {
  readonly id: string;
  readonly run: Pick<ProgramRun, 'program' | 'arguments' | 'input'>;
  /** How long an answer is used; absent: {@link DEFAULT_EXPIRY_MS}. */
  readonly expireMs: number | undefined;
  parse(result: Extract<ProgramResult, { kind: 'ended' }>): Parsed<DockerAuth>;
}

/** A refused credential is fetched anew at once, so this only bounds how long an old one that still works is used. */
const DEFAULT_EXPIRY_MS = 10 * 60_000;

/** `ext:/path`: a program that prints `user:password`, as argocd-image-updater runs it: without arguments. */
export function createScriptProvider(
  path: string,
  expireMs: number | undefined,
  context: ProviderContext,
): CredentialProvider {
  return createProgramProvider(
    {
      id: `ext:${path}`,
      run: { program: path, arguments: [], input: '' },
      expireMs,
      parse({ exitCode, output }) {
        if (exitCode !== 0) return unparsed(`needs a program that ended with exit code ${exitCode}`);
        const auth = parseUserAndPassword(output.trim());
        return auth === undefined ? unparsed('needs a program that prints user:password on one line') : parsed(auth);
      },
    },
    context,
  );
}

/**
 * `docker-credential-<name>`, asked for one server.
 *
 * @see https://github.com/docker/docker-credential-helpers#development
 */
export function createHelperProvider(
  helper: { readonly name: string; readonly server: string; readonly expireMs: number | undefined },
  context: ProviderContext,
): CredentialProvider {
  return createProgramProvider(
    {
      id: `helper:${helper.name}#${helper.server}`,
      run: { program: `docker-credential-${helper.name}`, arguments: ['get'], input: helper.server },
      expireMs: helper.expireMs,
      parse: parseHelperAnswer,
    },
    context,
  );
}

function parseHelperAnswer({
  exitCode,
  output,
}: {
  readonly exitCode: number;
  readonly output: string;
}): Parsed<DockerAuth> {
  // Helpers print this to stdout and fail; docker then asks without a credential.
  if (exitCode !== 0 && output.trim() === 'credentials not found in native keychain') return parsed({ kind: 'empty' });
  if (exitCode !== 0) return unparsed(`needs a helper that ended with exit code ${exitCode}`);
  const answer = parseAnswer(output);
  if (answer === undefined) return unparsed('needs a helper that prints JSON with Username and Secret');
  if (answer.Secret === '') return parsed({ kind: 'empty' });
  // By this name docker says that the secret is an identity token.
  if (answer.Username === '<token>') return parsed({ kind: 'identity-token', token: new Secret(answer.Secret) });
  return parsed({ kind: 'basic', username: answer.Username, password: new Secret(answer.Secret) });
}

function parseAnswer(output: string): { readonly Username: string; readonly Secret: string } | undefined {
  try {
    const answer = JSON.parse(output) as { readonly Username?: unknown; readonly Secret?: unknown } | null;
    const { Username: username, Secret: secret } = answer ?? {};
    return typeof username === 'string' && typeof secret === 'string'
      ? { Username: username, Secret: secret }
      : undefined;
  } catch {
    return undefined;
  }
}

function createProgramProvider(
  kind: ProgramKind,
  { configuration, environment, ports }: ProviderContext,
): CredentialProvider {
  const { timeoutMs } = configuration.credentialHelpers;
  let last: { readonly credential: Credential; readonly output: string; readonly usedUntil: number } | undefined;
  let running: SharedRun<Credential> | undefined;
  let changes = 0;

  const run = async (signal: AbortSignal): Promise<Credential> => {
    const result = await runProgram({
      ...kind.run,
      environment: selectEnvironment(environment, configuration.credentialHelpers.environment),
      timeoutMs,
      signal,
    });
    if (result.kind === 'failed') throw unreadable(kind.id, result.problem, FIX);
    const auth = kind.parse(result);
    if (!auth.ok) throw unreadable(kind.id, auth.problem, FIX);
    if (last?.output !== result.output) changes += 1;
    const credential = credentialFrom(auth.value, processGeneration(changes));
    last = { credential, output: result.output, usedUntil: ports.now() + (kind.expireMs ?? DEFAULT_EXPIRY_MS) };
    return credential;
  };

  return {
    id: kind.id,
    async get({ fresh, signal }) {
      if (!fresh && last !== undefined && ports.now() < last.usedUntil) return last.credential;
      // One run for all who ask meanwhile; one that is under way is younger than the answer that was refused.
      if (running === undefined) {
        const started = shareRun(run);
        running = started;
        const forget = (): void => {
          if (running === started) running = undefined;
        };
        started.ended.then(forget, forget);
      }
      return running.join(signal, () => unreadable(kind.id, 'was not read because the time for it had passed', FIX));
    },
  };
}

const FIX = 'run the program by hand in the resolver’s container; see credentialHelpers in the operator configuration';

/** Only the operator's list reaches the program. */
function selectEnvironment(environment: Environment, names: readonly string[]): Readonly<Record<string, string>> {
  const given = names.map((name) => [name, environment[name]] as const);
  return Object.fromEntries(given.filter((entry): entry is readonly [string, string] => entry[1] !== undefined));
}
