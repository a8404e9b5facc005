// Argo CD's side of a set-up, on real parts: the real plugin server with our plugin.yaml, the pinned renderers, and the
// command as it is built. What a test writes is what people write: manifests, parameters, operator files.

import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { type AnnouncedParameter, startCmpServer } from '../support/cmp-server.ts';
import { COMPILE_CACHE } from '../support/run-resolver.ts';
import { buildTool } from '../tools/build.mjs';

/** Files of a repository: path and text. */
export type Files = Readonly<Record<string, string>>;

/** A plugin parameter as an Application has it. */
export type Parameter =
  | { readonly name: string; readonly string: string }
  | { readonly name: string; readonly array: readonly string[] }
  | { readonly name: string; readonly map: Readonly<Record<string, string>> };

/** An Application, as far as repo-server tells the plugin of it. */
export interface Application {
  readonly files: Files;
  /** `spec.source.path`; the root of the repository when absent. */
  readonly path?: string;
  readonly parameters?: readonly Parameter[];
  /** Default `shop`. */
  readonly name?: string;
  /** Default `default`. */
  readonly project?: string;
}

/** A manifest, as far as these tests look at it. */
export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
}

export interface ArgoCd extends AsyncDisposable {
  /** The manifests of an application; rejects with what Argo CD would show. */
  generate(application: Application): Promise<readonly Manifest[]>;
  /** `Deployment/web/app` → image, for every container. */
  images(application: Application): Promise<Readonly<Record<string, string>>>;
  /** What Argo CD would show of a generation that fails. */
  failure(application: Application): Promise<string>;
  /** What the plugin wrote to stderr since the last call: the server logs it. */
  warnings(): string;
  /** What the plugin announces for the Parameters tab. */
  parameters(application: Application): Promise<readonly AnnouncedParameter[]>;
  /** The directory of an application, in a checkout of its own. */
  checkOut(application: Application): Promise<string>;
  /** Runs a command as somebody in the sidecar would, if asked so in a directory and as an application. */
  run(
    args: readonly string[],
    options?: { readonly directory?: string; readonly application?: Application },
  ): Promise<CommandResult>;
  /** An operator's file; its path. Changed files are seen by the next generation. */
  write(path: string, content: string, mode?: number): Promise<string>;
  /** The same environment and files, and a store that has seen nothing: a new pod. */
  forgetEverything(): Promise<void>;
}

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ArgoCdOptions {
  /** The operator configuration, without `apiVersion` and `kind`. */
  readonly configuration?: Readonly<Record<string, unknown>>;
  /** Default Helm 4. */
  readonly helm?: 'helm3' | 'helm4';
  /** Default plugin/plugin.yaml. */
  readonly pluginYaml?: string;
  /** Written below the operator's folder before the server starts; see `{{operator}}`. */
  readonly files?: Files;
  /** Added to the sidecar's environment; `{{operator}}` in values is the operator's folder. */
  readonly environment?: Readonly<Record<string, string>>;
}

const repository = resolve(import.meta.dirname, '../..');

/** Starts Argo CD's plugin server with the plugin in it. Listings are never fresh (`interval: 0s`), so no test waits. */
export async function startArgoCd(options: ArgoCdOptions = {}): Promise<ArgoCd> {
  const tools = await Promise.all(
    ['kustomize', options.helm ?? 'helm4', 'argocd', 'client'].map(async (tool) => buildTool(tool)),
  );
  const [kustomize = '', helm = '', , client = ''] = tools;
  const base = await mkdtemp(join(tmpdir(), 'argo-cd-'));
  const folder = (name: string): string => join(base, name);
  for (const name of ['operator', 'state', 'home', 'tmp', 'repositories']) await mkdir(folder(name));
  const operator = folder('operator');
  const fill = (value: string): string => value.replaceAll('{{operator}}', operator);

  const write: ArgoCd['write'] = async (path, content, mode = 0o600) => {
    const file = join(operator, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, fill(content), { mode });
    return file;
  };
  await write(
    'config.yaml',
    JSON.stringify({
      apiVersion: 'image-resolver.io/v1alpha1',
      kind: 'ResolverConfiguration',
      interval: '0s',
      secretsDirectory: '{{operator}}/secrets',
      ...options.configuration,
    }),
  );
  for (const [path, content] of Object.entries(options.files ?? {})) await write(path, content, 0o700);

  const environment = {
    PATH: [
      join(repository, 'dist'),
      dirname(process.execPath),
      dirname(kustomize),
      dirname(helm),
      dirname(client),
      '/usr/bin',
      '/bin',
    ].join(delimiter),
    HOME: folder('home'),
    TMPDIR: folder('tmp'),
    NODE_COMPILE_CACHE: COMPILE_CACHE, // the image has it, too
    IMAGE_RESOLVER_CONFIG: join(operator, 'config.yaml'),
    IMAGE_RESOLVER_STATE: folder('state'),
    DOCKER_CONFIG: join(operator, 'docker'),
    ...Object.fromEntries(Object.entries(options.environment ?? {}).map(([name, value]) => [name, fill(value)])),
  };
  const pluginYaml = options.pluginYaml ?? (await readFile(join(repository, 'plugin/plugin.yaml'), 'utf8'));
  const server = await startCmpServer({ pluginYaml, environment });
  let logged = server.log().length;
  let checkouts = 0;

  async function checkOut({ files }: Application): Promise<string> {
    const root = join(folder('repositories'), String(checkouts++));
    await writeTree(root, files);
    return root;
  }

  async function generate(application: Application): Promise<readonly Manifest[]> {
    const root = await checkOut(application);
    const manifests = await server.generate({
      root,
      ...(application.path !== undefined && { path: application.path }),
      environment: applicationEnvironment(application),
    });
    return manifests.map((manifest) => JSON.parse(manifest) as Manifest);
  }

  return {
    generate,
    images: async (application) => imagesOf(await generate(application)),
    failure: async (application) => {
      const outcome: unknown = await generate(application).then(
        (manifests) => new Error(`it succeeded: ${JSON.stringify(imagesOf(manifests))}`),
        (error: unknown) => (error as { readonly details?: string }).details ?? error,
      );
      if (typeof outcome !== 'string') throw outcome;
      return outcome;
    },
    warnings: () => {
      const log = server.log().slice(logged);
      logged = server.log().length;
      return log;
    },
    parameters: async (application) =>
      server.parameters({ root: await checkOut(application), environment: applicationEnvironment(application) }),
    checkOut: async (application) => join(await checkOut(application), application.path ?? ''),
    run: async (args, { directory = folder('home'), application } = {}) => {
      const env = { ...environment, ...(application && applicationEnvironment(application)) };
      const child = spawn('image-resolver', args, { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'] });
      const ended = new Promise<number | null>((done, failed) => void child.on('close', done).on('error', failed));
      const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
      return { code, stdout, stderr };
    },
    write,
    forgetEverything: async () => {
      await rm(folder('state'), { recursive: true });
      await mkdir(folder('state'));
    },
    async [Symbol.asyncDispose]() {
      await server.stop();
      await rm(base, { recursive: true, force: true });
    },
  };
}

async function writeTree(root: string, files: Files): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const file = join(root, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
}

/** As repo-server fills it. */
function applicationEnvironment(application: Application): Readonly<Record<string, string>> {
  return {
    ARGOCD_APP_NAME: application.name ?? 'shop',
    ARGOCD_APP_NAMESPACE: 'shop',
    ARGOCD_APP_PROJECT_NAME: application.project ?? 'default',
    ARGOCD_APP_REVISION: '0123456789012345678901234567890123456789',
    ARGOCD_APP_SOURCE_REPO_URL: 'https://git.example.com/acme/deploy',
    ARGOCD_APP_SOURCE_PATH: application.path ?? '.',
    ARGOCD_APP_SOURCE_TARGET_REVISION: 'main',
    KUBE_VERSION: '1.34.0',
    KUBE_API_VERSIONS: 'v1,apps/v1',
    ARGOCD_APP_PARAMETERS: JSON.stringify(application.parameters ?? []),
  };
}

interface Workload extends Manifest {
  readonly spec?: {
    readonly template?: {
      readonly spec?: { readonly containers?: readonly { readonly name: string; readonly image: string }[] };
    };
  };
}

function imagesOf(manifests: readonly Manifest[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    manifests.flatMap((manifest) =>
      ((manifest as Workload).spec?.template?.spec?.containers ?? []).map(({ name, image }) => [
        `${manifest.kind}/${manifest.metadata.name}/${name}`,
        image,
      ]),
    ),
  );
}

/** A Deployment with these containers, as people write one. */
export function deployment(name: string, containers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(containers).flatMap(([container, image]) => [
    `        - name: ${container}`,
    `          image: ${image}`,
  ]);
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
  replicas: 1
  selector:
    matchLabels: {app: ${name}}
  template:
    metadata:
      labels: {app: ${name}}
    spec:
      containers:
${lines.join('\n')}
`;
}

/** `registries.hosts` for a registry that speaks plain http on this machine. */
export function plainHttp(registry: {
  readonly host: string;
  readonly url: string;
}): Readonly<Record<string, unknown>> {
  return { host: registry.host, apiUrl: registry.url, insecure: true };
}
