import type { PluginParameter } from '../support/run-resolver.ts';

/** What an application is made of; its own files are below `app/`. */
export interface Files {
  readonly [path: string]: string;
}

/** One policy for each repository. */
export function policyFor(...repositories: readonly string[]): readonly PluginParameter[] {
  const images = repositories.map((repository, index) => `web${index === 0 ? '' : index}=${repository}:~1.0`);
  return [{ name: 'images', array: images }];
}

/** A kustomization of Deployments with one image each. */
export function kustomizeApplication(repository: string, deployments: number): Files {
  return kustomizeOf(numbers(deployments).map(() => repository));
}

/** A kustomization with a Deployment for each repository. */
export function kustomizeOf(repositories: readonly string[]): Files {
  const workloads = repositories.map((repository, index) => deployment(`web-${index}`, `${repository}:1.0.0`));
  return { 'app/kustomization.yaml': 'resources:\n  - web.yaml\n', 'app/web.yaml': workloads.join('---\n') };
}

/** A chart with a Deployment for each repository. */
export function helmOf(repositories: readonly string[]): Files {
  const named = deployment('web-{{ $index }}', '{{ $repository }}:1.0.0');
  return {
    'app/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\n',
    'app/values.yaml': `repositories:\n${repositories.map((repository) => `  - ${repository}\n`).join('')}`,
    'app/templates/deployment.yaml': `{{- range $index, $repository := .Values.repositories }}\n---\n${named}{{- end }}\n`,
  };
}

/** A chart with one Deployment. */
export function helmApplication(repository: string): Files {
  return {
    'app/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\n',
    'app/values.yaml': `image:\n  repository: ${repository}\n  tag: 1.0.0\n`,
    'app/templates/deployment.yaml': deployment(
      '{{ .Release.Name }}',
      '{{ .Values.image.repository }}:{{ .Values.image.tag }}',
    ),
  };
}

/** Workloads as large as those of real charts: `bytes` in all, most of it environment, arguments and annotations. */
export function largeManifests(repository: string, workloads: number, bytes: number): string {
  const bare = deployment('web-000', `${repository}:1.0.0`).length;
  const line = (name: string, index: number): string =>
    `            - name: SETTING_${String(index).padStart(3, '0')}\n              value: "${name} reads this at its start, as item ${index} of many"\n`;
  const lines = Math.max(0, Math.floor((bytes / workloads - bare - 17) / line('web-000', 0).length));
  return numbers(workloads)
    .map((index) => {
      const name = `web-${String(index).padStart(3, '0')}`;
      const environment = numbers(lines).map((each) => line(name, each));
      return `${deployment(name, `${repository}:1.0.0`)}          env:\n${environment.join('')}`;
    })
    .join('---\n');
}

function deployment(name: string, image: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
  replicas: 2
  selector:
    matchLabels:
      app: ${name}
  template:
    metadata:
      labels:
        app: ${name}
    spec:
      containers:
        - name: web
          image: ${image}
          ports:
            - containerPort: 8080
`;
}

function numbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}
