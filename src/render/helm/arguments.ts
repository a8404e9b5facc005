/** What one `helm template` is given. Every path is absolute and was resolved inside the tree, or is a URL that was admitted. */
export interface TemplateInput {
  readonly releaseName: string;
  /** Empty: helm's own default. */
  readonly namespace: string;
  /** As Argo CD hands it over or the user wrote it; empty: helm's own default. */
  readonly kubeVersion: string;
  readonly apiVersions: readonly string[];
  readonly parameters: Readonly<Record<string, string>>;
  readonly stringParameters: Readonly<Record<string, string>>;
  readonly fileParameters: Readonly<Record<string, string>>;
  /** Value files, URLs, inline and generated values, the strongest last. */
  readonly values: readonly string[];
  readonly skipCrds: boolean;
  readonly skipTests: boolean;
  readonly skipSchemaValidation: boolean;
}

/**
 * The arguments Argo CD runs helm with, in the chart's directory. Argo CD's own order of `--set` is random; here parameters
 * are sorted by name, so that equal input gives equal output where one name is the beginning of another.
 *
 * Nothing a user writes becomes a flag: each value follows a flag that takes one.
 *
 * @see https://github.com/argoproj/argo-cd/blob/v3.2.11/util/helm/cmd.go `template`
 */
export function templateArguments(input: TemplateInput): string[] {
  const kubeVersion = shortKubeVersion(input.kubeVersion);
  return [
    'template',
    '.',
    '--name-template',
    input.releaseName,
    ...(input.namespace === '' ? [] : ['--namespace', input.namespace]),
    ...(kubeVersion === '' ? [] : ['--kube-version', kubeVersion]),
    ...sorted(input.parameters).flatMap(([name, value]) => ['--set', `${name}=${escapeCommas(value)}`]),
    ...sorted(input.stringParameters).flatMap(([name, value]) => ['--set-string', `${name}=${escapeCommas(value)}`]),
    ...sorted(input.fileParameters).flatMap(([name, path]) => ['--set-file', `${name}=${escapePath(path)}`]),
    ...input.values.flatMap((path) => ['--values', csvField(path)]),
    ...input.apiVersions.flatMap((version) => ['--api-versions', version]),
    ...(input.skipCrds ? [] : ['--include-crds']),
    ...(input.skipSchemaValidation ? ['--skip-schema-validation'] : []),
    ...(input.skipTests ? ['--skip-tests'] : []),
  ];
}

/** Argo CD's instance name `<namespace>_<name>` without the namespace. */
export function releaseNameOf(appName: string): string {
  return appName.slice(appName.indexOf('_') + 1);
}

/**
 * `v1.30.2-gke.100` as `1.30.2`, because not every helm takes the rest. What is no version stays as it is: helm's
 * own error names it.
 *
 * @see https://github.com/helm/helm/pull/31091
 */
function shortKubeVersion(version: string): string {
  const numbers = /^\s*v?(?<numbers>[0-9]{1,9}(?:\.[0-9]{1,9}){1,9})/.exec(version)?.groups?.['numbers'];
  return numbers?.split('.').map(Number).join('.') ?? version;
}

function sorted(parameters: Readonly<Record<string, string>>): (readonly [name: string, value: string])[] {
  return Object.entries(parameters).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** To helm a comma begins the next parameter; Argo CD takes it as text unless it is escaped already or in a `{a,b}` list. */
function escapeCommas(value: string): string {
  if (value.startsWith('{') && value.endsWith('}')) return value;
  return value.replaceAll(/(?<!\\),/g, String.raw`\,`);
}

/** A path is text to the last character: a backslash in a file's name is none of helm's escapes. */
function escapePath(path: string): string {
  return path.replaceAll(/[\\,]/g, String.raw`\$&`);
}

/** `--values` reads a line of CSV: unquoted, `/tree/a,/etc/passwd` would be two files. */
function csvField(path: string): string {
  return /[",\r\n]/.test(path) ? `"${path.replaceAll('"', '""')}"` : path;
}
