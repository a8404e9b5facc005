// Repositories as people write them, for each way of rendering.

import { deployment, type Parameter } from '../e2e/argo-cd.ts';
import type { Files } from './harness/git.ts';

/** `registry/acme/web:1.0.0` of a workload, by the name that it and its container have. */
export type Images = Readonly<Record<string, string>>;

/** A base with one Deployment for each image. */
export function kustomization(images: Images): Files {
  return {
    'kustomization.yaml': `resources: [${Object.keys(images)
      .map((name) => `${name}.yaml`)
      .join(', ')}]\n`,
    ...directory(images),
  };
}

/** Plain files. */
export function directory(images: Images): Files {
  return Object.fromEntries(
    Object.entries(images).map(([name, image]) => [`${name}.yaml`, deployment(name, { [name]: image })]),
  );
}

/** A chart with `image.repository` and `image.tag`; the tag is a label, too. */
export function chart(name: string, image: { readonly repository: string; readonly tag: string }): Files {
  return {
    'Chart.yaml': `apiVersion: v2\nname: ${name}\nversion: 0.1.0\n`,
    'values.yaml': `image:\n  repository: ${image.repository}\n  tag: ${image.tag}\n`,
    'templates/deployment.yaml': deployment(name, {
      [name]: '"{{ .Values.image.repository }}:{{ .Values.image.tag }}"',
    }).replace('  labels: {', '  labels: {version: "{{ .Values.image.tag }}", '),
  };
}

/** The files below a folder. */
export function below(folder: string, files: Files): Files {
  return Object.fromEntries(Object.entries(files).map(([path, content]) => [`${folder}/${path}`, content]));
}

/** One repository of several. */
export function together(parts: readonly Files[]): Files {
  return Object.fromEntries(parts.flatMap((files) => Object.entries(files)));
}

/** A PreSync hook that is made anew each time hooks run: its uid tells. */
export const HOOK: Files = {
  'migration.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: migration
  annotations:
    argocd.argoproj.io/hook: PreSync
    argocd.argoproj.io/hook-delete-policy: BeforeHookCreation
data: {step: migrate}
`,
};

/** The API refuses it when it is applied, after Deployments. */
export const BROKEN: Files = {
  'broken.yaml': `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: broken, namespace: not-there}
spec: {defaultBackend: {service: {name: none, port: {number: 80}}}}
`,
};

/** The `images` parameter and, if there are any, `image-settings`. */
export function policies(images: readonly string[], settings?: Readonly<Record<string, string>>): readonly Parameter[] {
  return [
    { name: 'images', array: images },
    ...(settings === undefined ? [] : [{ name: 'image-settings', map: settings }]),
  ];
}
