/** An application of the demo: what Git holds, and what its Argo CD Application says. */
export interface DemoApplication {
  readonly title: string;
  readonly files: Readonly<Record<string, string>>;
  readonly parameters: readonly object[];
}

/** An image to push, built on that day of 2026. */
export interface DemoImage {
  readonly repository: string;
  readonly tag: string;
  readonly built: string;
}

/** What the registry of the demo is called in manifests. */
export const REGISTRY = 'registry.example.com';

const workload = (name: string, image: string): string => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
  selector:
    matchLabels: {app: ${name}}
  template:
    metadata:
      labels: {app: ${name}}
    spec:
      containers:
        - name: ${name}
          image: ${image}
`;

/** Three applications, one for each renderer. */
export const APPLICATIONS: readonly DemoApplication[] = [
  {
    title: 'kustomize: production takes compatible releases',
    files: {
      'kustomization.yaml': `resources: [backend.yaml, cache.yaml]
images:
  - name: backend
    newName: ${REGISTRY}/shop/backend
    newTag: v1.0.5
`,
      'backend.yaml': workload('backend', 'backend'),
      'cache.yaml': workload('cache', 'docker.io/library/redis:8.2'),
    },
    parameters: [{ name: 'images', array: [`backend=${REGISTRY}/shop/backend:~1.0`] }],
  },
  {
    title: 'Helm: dev takes release candidates, through the values of the chart',
    files: {
      'Chart.yaml': 'apiVersion: v2\nname: api\nversion: 1.0.0\n',
      'values.yaml': `image:\n  repository: ${REGISTRY}/shop/api\n  tag: 0.0.9\n`,
      'templates/api.yaml': workload('api', '"{{ .Values.image.repository }}:{{ .Values.image.tag }}"'),
    },
    parameters: [
      { name: 'images', array: [`api=${REGISTRY}/shop/api:~0-0`] },
      {
        name: 'image-settings',
        map: { 'api.helm.image-name': 'image.repository', 'api.helm.image-tag': 'image.tag' },
      },
    ],
  },
  {
    title: 'plain directory: one follows the tag production, one is pinned',
    files: {
      'web.yaml': workload('web', `${REGISTRY}/shop/web:production`),
      'mail.yaml': workload('mail', `${REGISTRY}/shop/mail:2.0.0`),
      '.image-resolver.yaml': `apiVersion: image-resolver.io/v1alpha1
kind: ImagePolicies
images:
  - name: web
    image: ${REGISTRY}/shop/web
    strategy: digest
    constraint: production
  - name: mail
    image: ${REGISTRY}/shop/mail
    pin: 1.9.4
`,
    },
    parameters: [],
  },
];

/** What is in the registry when the demo begins. */
export const PUSHED_FIRST: readonly DemoImage[] = [
  ...['v1.0.5', 'v1.0.6', 'v1.1.0', 'v2.0.0'].map((tag) => ({ repository: 'shop/backend', tag, built: '01-10' })),
  ...['0.0.9', '0.1.0-rc.1'].map((tag) => ({ repository: 'shop/api', tag, built: '01-11' })),
  { repository: 'shop/web', tag: 'production', built: '01-12' },
  { repository: 'shop/web', tag: 'staging', built: '01-13' },
];

/** What a day's work pushes on top. The last one is a tag that was there already. */
export const PUSHED_LATER: readonly DemoImage[] = [
  { repository: 'shop/backend', tag: 'v1.0.7', built: '02-01' },
  { repository: 'shop/backend', tag: 'v2.1.0', built: '02-01' },
  { repository: 'shop/api', tag: '0.1.0', built: '02-01' },
  { repository: 'shop/web', tag: 'production', built: '02-01' },
];
