import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { argoCdSources } from '../support/argo-cd-module.ts';
import type { ApiObject } from '../support/real-kubernetes-api.ts';
import { buildTool } from '../tools/build.mjs';

/** The project's folder of manifests. */
export const MANIFESTS: string = resolve(import.meta.dirname, '../../manifests');

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly resources: { readonly requests: object; readonly limits: { readonly memory: string } };
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
  readonly [probe: `${string}Probe`]:
    | { readonly httpGet?: { readonly path: string; readonly port: string } }
    | undefined;
}

export interface Source {
  readonly secret?: {
    readonly name: string;
    readonly optional?: boolean;
    readonly items?: readonly { readonly key: string; readonly path: string }[];
  };
  readonly configMap?: { readonly name: string; readonly optional?: boolean };
  readonly serviceAccountToken?: {
    readonly audience: string;
    readonly expirationSeconds: number;
    readonly path: string;
  };
}

export interface Volume {
  readonly name: string;
  readonly secret?: object;
  readonly projected?: { readonly sources: readonly Source[] };
  readonly persistentVolumeClaim?: { readonly claimName: string };
}

export interface PodSpec {
  readonly automountServiceAccountToken: boolean;
  readonly serviceAccountName: string;
  readonly containers: readonly Container[];
  readonly volumes: readonly Volume[];
  readonly [field: string]: unknown;
}

export interface Deployment extends ApiObject {
  readonly spec: {
    readonly replicas?: number;
    readonly strategy?: { readonly type: string };
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: PodSpec;
    };
  };
}

/** A kustomization of Argo CD's own repo-server with components of this project, built as an operator would. */
export async function buildManifests(
  components: readonly string[],
  { namespace = 'argocd' }: { readonly namespace?: string } = {},
): Promise<readonly ApiObject[]> {
  const folder = mkdtempSync(join(tmpdir(), 'manifests-'));
  try {
    cpSync(join(argoCdSources(), 'manifests/base/repo-server'), join(folder, 'argo-cd'), { recursive: true });
    const paths = components.map((name) => relative(folder, join(MANIFESTS, name)));
    const kustomization = { namespace, resources: ['argo-cd'], components: paths };
    writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization));
    const kustomize = await buildTool('kustomize');
    const args = ['build', '--load-restrictor', 'LoadRestrictionsNone', folder];
    return readObjects(execFileSync(kustomize, args, { encoding: 'utf8' }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function readObjects(text: string): readonly ApiObject[] {
  return parseAllDocuments(text).map((document) => document.toJS() as ApiObject);
}

/** The one object of that kind and name. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- who asks knows what the kind looks like
export function objectOf<T = ApiObject>(objects: readonly ApiObject[], kind: string, name: string): T {
  const found = objects.filter((object) => object.kind === kind && object.metadata.name === name);
  if (found.length !== 1) throw new Error(`${found.length} ${kind} ${name}`);
  return found[0] as T;
}
