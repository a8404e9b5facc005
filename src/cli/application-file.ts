import { readFile } from 'node:fs/promises';
import { parseAllDocuments } from 'yaml';
import { checkDepth } from '../edit/depth.ts';
import { UserError } from '../error/user-error.ts';
import { MAX_NESTING } from '../render/limits.ts';

/** An Application as a person has it in a file, seen as the plugin would be called for it. */
export interface ApplicationFile {
  /** What Argo CD would put into the plugin's environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** `path` of the source that uses the plugin. */
  readonly path: string;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads the Application in a YAML file; other documents of the file are passed over.
 *
 * @param directory tells several sources with the plugin apart: the one whose `path` it is.
 * @param controlPlaneNamespace where Argo CD runs: its Applications are known by their bare names.
 * @throws {UserError} `USAGE` when there is none, or none that can be told.
 */
export async function readApplicationFile(
  file: string,
  directory: string | undefined,
  controlPlaneNamespace: string = 'argocd',
): Promise<ApplicationFile> {
  const application = await applicationIn(file);
  const metadata = fieldsOf(application['metadata']);
  const spec = fieldsOf(application['spec']);
  const destination = fieldsOf(spec['destination']);
  const source = sourceOf(spec, directory, file);
  const namespace = textOf(metadata['namespace']);
  const name = textOf(metadata['name']);
  return {
    path: textOf(source['path']) || '.',
    environment: {
      // Argo CD's instance name; the control plane's own namespace is left out of it.
      ARGOCD_APP_NAME: namespace === '' || namespace === controlPlaneNamespace ? name : `${namespace}_${name}`,
      ARGOCD_APP_NAMESPACE: textOf(destination['namespace']),
      ARGOCD_APP_PROJECT_NAME: textOf(spec['project']),
      ARGOCD_APP_SOURCE_REPO_URL: textOf(source['repoURL']),
      ARGOCD_APP_SOURCE_PATH: textOf(source['path']),
      ARGOCD_APP_SOURCE_TARGET_REVISION: textOf(source['targetRevision']),
      ARGOCD_APP_PARAMETERS: JSON.stringify(fieldsOf(source['plugin'])['parameters'] ?? null),
    },
  };
}

async function applicationIn(file: string): Promise<Fields> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new UserError(
      'USAGE',
      { what: 'the file cannot be read', where: file, fix: 'give the path of an Application' },
      cause,
    );
  }
  const depth = checkDepth(text, MAX_NESTING);
  if (!depth.ok) throw unusable(`${file}:${depth.line}`, 'it is nested too deep');
  for (const document of parseAllDocuments(text)) {
    const [error] = document.errors;
    if (error) throw unusable(file, `it is not valid YAML: ${error.message}`);
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    if (fieldsOf(value)['kind'] === 'Application') return fieldsOf(value);
  }
  throw unusable(file, 'it holds no Application');
}

function sourceOf(spec: Fields, directory: string | undefined, file: string): Fields {
  const sources = [spec['source'], ...(Array.isArray(spec['sources']) ? (spec['sources'] as unknown[]) : [])].map(
    fieldsOf,
  );
  const withPlugin = sources.filter((source) => source['plugin'] !== undefined);
  const [only] = withPlugin;
  if (only === undefined) throw unusable(file, 'no source of the Application has a plugin section');
  if (withPlugin.length === 1) return only;
  const wanted = withPlugin.find((source) => textOf(source['path']) === directory?.replace(/\/+$/, ''));
  if (wanted === undefined)
    throw unusable(file, `${withPlugin.length} sources have a plugin section; give the path of one as directory`);
  return wanted;
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function unusable(where: string, what: string): UserError {
  return new UserError('USAGE', {
    what,
    where,
    fix: 'give a file with one Application whose source names the plugin image-resolver',
  });
}
