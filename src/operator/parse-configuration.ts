import { parseCredentialName } from './credential-name.ts';
import { parsed, type Parsed, unparsed } from '../error/parsed.ts';
import type { ConfigurationFile, HostEntry } from './configuration-file.ts';
import { configurationSchema } from './configuration-schema.ts';
import { compilePathGlob } from './glob.ts';
import { compileHostPattern, parseHost } from './host-name.ts';
import { parsePrefixPath, parseRepositoryPrefix } from './repository-prefix.ts';
import { type KeyPath, parseValidatedYaml, type ValidatedYaml } from '../text/validated-yaml.ts';

/**
 * The operator's configuration file, parsed and checked in every part, so that nothing in it can fail later.
 *
 * @param path for messages.
 * @throws {UserError} `OPERATOR_CONFIG_INVALID` with file, line and column.
 */
export function parseConfiguration(text: string, path: string): ConfigurationFile {
  const yaml = parseValidatedYaml(text, {
    path,
    code: 'OPERATOR_CONFIG_INVALID',
    version: '1.2',
    schema: configurationSchema,
  });
  const { value } = yaml;
  yaml.take(['budget'], value.budget === undefined ? parsed('') : positive(value.budget));
  takeAll(yaml, ['registries', 'allow'], value.registries?.allow, (entry) =>
    entry === 'presets' ? parsed(entry) : compileHostPattern(entry),
  );
  for (const [index, host] of (value.registries?.hosts ?? []).entries())
    checkHost(yaml, ['registries', 'hosts', index], host);
  for (const [index, grant] of (value.grants ?? []).entries()) {
    takeAll(yaml, ['grants', index, 'projects'], grant.projects, compilePathGlob);
    takeAll(yaml, ['grants', index, 'credentials'], grant.credentials, grantable);
    const hasBareSecrets = grant.credentials.some((name) => !name.startsWith('pullsecret:'));
    takeAll(yaml, ['grants', index, 'hosts'], grant.hosts, (host) => grantedHost(host, hasBareSecrets));
  }
  for (const [index, rule] of (value.modes ?? []).entries()) {
    for (const key of ['project', 'application', 'repository'] as const) {
      const glob = rule[key];
      if (glob !== undefined) yaml.take(['modes', index, key], compilePathGlob(glob));
    }
  }
  for (const [index, entry] of (value.webhooks ?? []).entries()) checkWebhook(yaml, ['webhooks', index], entry);
  takeAll(yaml, ['refresh', 'fullSync', 'projects'], value.refresh?.fullSync?.projects, compilePathGlob);
  yaml.take(['rendering', 'kustomizeBuildOptions'], buildOptions(value.rendering?.kustomizeBuildOptions ?? ''));
  return value;
}

function checkHost(yaml: ValidatedYaml<unknown>, at: KeyPath, host: HostEntry): void {
  yaml.take([...at, 'host'], parseHost(host.host));
  if (host.prefix !== undefined) yaml.take([...at, 'prefix'], parsePrefixPath(host.prefix));
  if (host.credentials !== undefined) yaml.take([...at, 'credentials'], parseCredentialName(host.credentials));
  takeAll(yaml, [...at, 'projects'], host.projects, compilePathGlob);
  takeAll(yaml, [...at, 'tokenHosts'], host.tokenHosts, parseHost);
}

type WebhookEntry = NonNullable<ConfigurationFile['webhooks']>[number];

function checkWebhook(yaml: ValidatedYaml<unknown>, at: KeyPath, entry: WebhookEntry): void {
  if (entry.host !== undefined) yaml.take([...at, 'host'], parseHost(entry.host));
  if (entry.secret !== undefined) yaml.take([...at, 'secret'], webhookSecret(entry.secret));
  if ((entry.secret === undefined) === (entry.unauthenticated !== true)) {
    const problem = 'must have either a secret or unauthenticated: true';
    yaml.take(at, unparsed(problem, 'name the secret the sender shares: secret:<namespace>/<name>#<field>'));
  }
}

function webhookSecret(written: string): Parsed<unknown> {
  const source = parseCredentialName(written);
  if (!source.ok || source.value.kind === 'secret' || source.value.kind === 'env') return source;
  return unparsed('is no single value', 'write secret:<namespace>/<name>#<field> or env:<NAME>');
}

function takeAll(
  yaml: ValidatedYaml<unknown>,
  path: KeyPath,
  items: readonly string[] | undefined,
  parse: (item: string) => Parsed<unknown>,
): void {
  for (const [index, item] of (items ?? []).entries()) yaml.take([...path, index], parse(item));
}

function positive(duration: string): Parsed<string> {
  return /[1-9]/.test(duration) ? parsed(duration) : unparsed('must be longer than nothing', 'leave it out for 25s');
}

/** `env:` and `ext:` are the operator's own; a tenant never names them, so granting them would only mislead. */
function grantable(glob: string): Parsed<unknown> {
  if (!/^(?:pull)?secret:/.test(glob)) {
    return unparsed('is not a pattern for pullsecret: or secret: names', 'write pullsecret:<namespace>/<name glob>');
  }
  return compilePathGlob(glob);
}

/**
 * A pull secret says itself which registries it is for; `user:password` does not, and would go wherever the tenant's image
 * points. So its grant must say how much of a host it is for.
 */
function grantedHost(written: string, hasBareSecrets: boolean): Parsed<unknown> {
  if (hasBareSecrets && !written.includes('/')) {
    return unparsed(
      'names a host without a path, for a secret: credential',
      `write ${written}/<path>/, or ${written}/ for the whole host`,
    );
  }
  return parseRepositoryPrefix(written);
}

/** Options that run other programs, or send the manifests elsewhere than to us. */
const REFUSED_BUILD_OPTIONS = /^(?:--enable-alpha-plugins|--enable-exec|--output|-o)(?:=|$)/;

function buildOptions(options: string): Parsed<string> {
  const refused = options.split(/\s+/).find((option) => REFUSED_BUILD_OPTIONS.test(option));
  return refused === undefined
    ? parsed(options)
    : unparsed(`has ${refused}, which is not possible here`, `remove ${refused}`);
}
