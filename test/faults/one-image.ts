import { dirname } from 'node:path';
import { type FakeRegistry, startFakeRegistry } from '../support/fake-registry.ts';
import {
  type PluginContainer,
  type PluginParameter,
  startPluginContainer,
  type TestApplication,
} from '../support/run-resolver.ts';

/** A registry with `acme/api` (1.0.5 and 1.0.6) and a container that may ask it. */
export async function startWithOneRepository(): Promise<{
  readonly registry: FakeRegistry;
  readonly container: PluginContainer;
  /** Ends both. */
  readonly stop: () => Promise<void>;
}> {
  const registry = await startFakeRegistry();
  registry.content.putTags('acme/api', ['1.0.5', '1.0.6']);
  const container = await startPluginContainer();
  await container.configure({ registries: { hosts: [hostEntry(registry)] } });
  return {
    registry,
    container,
    stop: async () => {
      await container[Symbol.asyncDispose]();
      await registry.close();
    },
  };
}

/** A Deployment with one container, `app`. */
export function deployment(image: string, name = 'api'): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
  template:
    spec:
      containers:
        - name: app
          image: ${image.startsWith('[') ? JSON.stringify(image) : image}
`;
}

/** The operator's entry for a fake registry: a private address, plain http. */
export function hostEntry(registry: FakeRegistry, more: Readonly<Record<string, unknown>> = {}): object {
  return { host: registry.host, apiUrl: registry.url, insecure: true, ...more };
}

/** An application of one image for kustomize, and a script that stands in for kustomize: its folder is to be looked in first. */
export async function standInForKustomize(
  container: PluginContainer,
  registry: Pick<FakeRegistry, 'host'>,
  script: string,
): Promise<{ readonly application: TestApplication; readonly toolsFirst: readonly string[] }> {
  const tool = await container.write('stand-in/kustomize', script, 0o755);
  const application = await container.application(
    {
      'app/kustomization.yaml': 'resources: [api.yaml]\n',
      'app/api.yaml': deployment(`${registry.host}/acme/api:1.0.0`),
    },
    { parameters: [images(`api=${registry.host}/acme/api:~1.0`)] },
  );
  return { application, toolsFirst: [dirname(tool)] };
}

/** The first parameter of every application here. */
export function images(...policies: readonly string[]): PluginParameter {
  return { name: 'images', array: policies };
}

/** A directory with one Deployment whose image has the policy given; defaults: `acme/api:1.0.0` and `~1.0`. */
export async function oneImage(
  container: PluginContainer,
  registry: Pick<FakeRegistry, 'host'>,
  options: {
    readonly repository?: string;
    /** Empty: none. */
    readonly constraint?: string;
    readonly settings?: Readonly<Record<string, string>>;
    readonly name?: string;
    readonly project?: string;
  } = {},
): Promise<TestApplication> {
  const { repository = 'acme/api', constraint = '~1.0', settings, name = 'shop', project = 'default' } = options;
  return container.application(
    { 'app/api.yaml': deployment(`${registry.host}/${repository}:1.0.0`) },
    {
      name,
      project,
      parameters: [
        images(`api=${registry.host}/${repository}${constraint === '' ? '' : `:${constraint}`}`),
        ...(settings === undefined ? [] : [{ name: 'image-settings', map: settings }]),
      ],
    },
  );
}

/** The tag a rendering of {@link oneImage} carries. */
export function tagIn(stdout: string): string | undefined {
  return /image: \S*\/[^\s:]+:(\S+)/.exec(stdout)?.[1];
}
