import * as v from 'valibot';
import { parseCredentialName } from './credential-name.ts';
import { parsed, type Parsed, unparsed } from '../error/parsed.ts';
import { parseDuration } from '../text/duration.ts';
import { normaliseHost } from './host-name.ts';
import type { RegistryHost } from './operator-configuration.ts';
import { parseRepositoryPrefix, type RepositoryPrefix } from './repository-prefix.ts';
import { type KeyPath, parseValidatedYaml, type ValidatedYaml } from '../text/validated-yaml.ts';

/** As text: Go's yaml.v2 takes `012` for a name and `yes` for a boolean, by the field's type. */
type Entry = Readonly<Record<'name' | 'api_url', string>> & Readonly<Partial<Record<OptionalKey, string>>>;
type OptionalKey =
  | 'prefix'
  | 'ping'
  | 'credentials'
  | 'credsexpire'
  | 'insecure'
  | 'defaultns'
  | 'default'
  | 'limit'
  | 'tagsortmode'
  | 'ca_file'
  | 'ca_data';

const text = v.exactOptional(v.string());
const boolean = v.exactOptional(
  v.pipe(v.string(), v.regex(/^(?:y|yes|on|true|n|no|off|false|)$/i, 'must be true or false')),
);
const schema: v.GenericSchema<{ readonly registries: readonly Entry[] }> = v.strictObject({
  registries: v.array(
    v.strictObject({
      name: v.pipe(v.string(), v.nonEmpty('must not be empty')),
      api_url: v.pipe(
        v.string(),
        v.url('must be a URL'),
        v.regex(/^https?:\/\/[^\s/?#@]+[^\s?#@]*$/, 'must be an http or https URL'),
      ),
      prefix: text,
      ping: boolean,
      credentials: text,
      credsexpire: text,
      insecure: boolean,
      defaultns: text,
      default: boolean,
      limit: v.exactOptional(v.pipe(v.string(), v.regex(/^(?:-?[0-9]{1,9})?$/, 'must be a whole number'))),
      tagsortmode: text,
      ca_file: text,
      ca_data: text,
    }),
  ),
});

/**
 * argocd-image-updater's registries.conf. Its `ping` has no meaning here (no ping is sent), and a `limit` of nothing is
 * our default instead of no limit. A `prefix` ends at a `/`, where argocd-image-updater compares strings.
 *
 * @param path for messages.
 * @throws {UserError} `REGISTRIES_CONF_INVALID` with file, line and column.
 * @see https://argocd-image-updater.readthedocs.io/en/stable/configuration/registries/
 */
export function parseRegistriesConf(content: string, path: string): readonly RegistryHost[] {
  const yaml = parseValidatedYaml(content, { path, code: 'REGISTRIES_CONF_INVALID', version: 'failsafe', schema });
  const hosts = yaml.value.registries.map((entry, index) => hostFrom(yaml, ['registries', index], entry));
  refuseTwice(yaml, hosts);
  return hosts;
}

function hostFrom(yaml: ValidatedYaml<unknown>, at: KeyPath, entry: Entry): RegistryHost {
  const take = <T>(key: keyof Entry, parse: (written: string) => Parsed<T>): T | undefined => {
    const written = entry[key];
    return written === undefined || written === '' ? undefined : yaml.take([...at, key], parse(written));
  };
  const prefix = take('prefix', parseRepositoryPrefix) ?? hostOfUrl(entry.api_url);
  const credentialsExpireMs = take('credsexpire', parseDuration);
  const tagSortMode = take('tagsortmode', parseSortMode);
  take('credentials', parseCredentialName);
  const limit = Number(entry.limit);
  return {
    host: prefix.host,
    ...(prefix.path !== '' && { prefix: `${prefix.path}/` }),
    apiUrl: entry.api_url.replace(/\/+$/, ''),
    ...(entry.credentials && { credentials: entry.credentials }),
    ...(credentialsExpireMs !== undefined && { credentialsExpireMs }),
    tokenHosts: [],
    ...(entry.ca_file && { caFile: entry.ca_file }),
    ...(entry.ca_data && { caData: entry.ca_data }),
    insecure: isTrue(entry.insecure),
    ...(entry.defaultns && { defaultNamespace: entry.defaultns }),
    isDefault: isTrue(entry.default),
    ...(limit > 0 && { requestsPerSecond: limit }),
    ...(tagSortMode && tagSortMode !== 'none' && { tagSortMode }),
  };
}

function isTrue(written: string | undefined): boolean {
  return /^(?:y|yes|on|true)$/i.test(written ?? '');
}

/** An entry without prefix is argocd-image-updater's default registry; its API's host is the best name for it. */
function hostOfUrl(apiUrl: string): RepositoryPrefix {
  return { host: normaliseHost(new URL(apiUrl).host), path: '' };
}

function parseSortMode(written: string): Parsed<'latest-first' | 'latest-last' | 'none'> {
  const mode = written.toLowerCase();
  if (mode === 'latest-first' || mode === 'latest-last' || mode === 'none') return parsed(mode);
  return unparsed('is not a sort mode', 'write latest-first, latest-last or none');
}

function refuseTwice(yaml: ValidatedYaml<unknown>, hosts: readonly RegistryHost[]): void {
  const seen = new Set<string>();
  let hasDefault = false;
  for (const [index, host] of hosts.entries()) {
    const name = `${host.host}/${host.prefix ?? ''}`;
    if (seen.has(name))
      throw yaml.errorAt(['registries', index], `is for ${name}, which has an entry already`, 'keep one of them');
    seen.add(name);
    if (host.isDefault && hasDefault) {
      throw yaml.errorAt(['registries', index, 'default'], 'is set for a second registry', 'keep one default');
    }
    hasDefault ||= host.isDefault;
  }
}
