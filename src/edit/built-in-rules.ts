import { parseFieldPath, type FieldPath } from './field-path.ts';
import type { ImagePlace, KindRule } from './field-rules.ts';

/** A row: the group (empty: core) and kinds it is about. */
interface Row extends Omit<KindRule, 'matches'> {
  readonly groups: readonly string[];
  readonly kinds: readonly string[];
}

/** Kinds that hold a Pod template at `at`, which may be the resource itself. */
function podTemplateRow(groups: readonly string[], kinds: readonly string[], at: string): Row {
  const before = at === '' ? '' : `${at}.`;
  return {
    groups,
    kinds,
    places: [
      ...['containers', 'initContainers', 'ephemeralContainers'].map((list) => whole(`${before}spec.${list}[*].image`)),
      // Image volumes: https://kubernetes.io/docs/tasks/configure-pod-container/image-volumes/
      { kind: 'whole', path: path(`${before}spec.volumes[*].image.reference`), unnamed: true },
    ],
    ...(at !== '' && { podTemplate: path(at) }),
  };
}

/** https://argo-workflows.readthedocs.io/en/latest/fields/ */
function workflowRow(kinds: readonly string[], spec: string): Row {
  const inTemplate = ['container', 'script', 'initContainers[*]', 'sidecars[*]', 'containerSet.containers[*]'];
  return {
    groups: ['argoproj.io'],
    kinds,
    places: inTemplate.map((holder) => whole(`${spec}.templates[*].${holder}.image`)),
    podMetadata: path(`${spec}.podMetadata`),
  };
}

const ROWS: readonly Row[] = [
  podTemplateRow([''], ['Pod'], ''),
  podTemplateRow([''], ['ReplicationController'], 'spec.template'),
  podTemplateRow([''], ['PodTemplate'], 'template'),
  podTemplateRow(['apps', 'extensions'], ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet'], 'spec.template'),
  podTemplateRow(['batch'], ['Job'], 'spec.template'),
  podTemplateRow(['batch'], ['CronJob'], 'spec.jobTemplate.spec.template'),
  podTemplateRow(['argoproj.io'], ['Rollout'], 'spec.template'),
  podTemplateRow(['serving.knative.dev'], ['Service', 'Configuration'], 'spec.template'),
  podTemplateRow(['serving.knative.dev'], ['Revision'], ''),
  workflowRow(['Workflow', 'WorkflowTemplate', 'ClusterWorkflowTemplate'], 'spec'),
  workflowRow(['CronWorkflow'], 'spec.workflowSpec'),
  {
    // `spec.tag`, `spec.sha` and `spec.baseImage` are deprecated, and ignored where `spec.image` is set.
    // https://prometheus-operator.dev/docs/api-reference/api/
    groups: ['monitoring.coreos.com'],
    kinds: ['Prometheus', 'PrometheusAgent', 'Alertmanager', 'ThanosRuler'],
    places: ['spec.image', 'spec.thanos.image', 'spec.containers[*].image', 'spec.initContainers[*].image'].map(whole),
    podMetadata: path('spec.podMetadata'),
  },
];

/** The kinds whose image fields are known without a rule of the user's. */
export const BUILT_IN_RULES: readonly KindRule[] = ROWS.map(ruleOf);

function ruleOf({ groups, kinds, ...rest }: Row): KindRule {
  return { ...rest, matches: (apiVersion, kind) => kinds.includes(kind) && groups.includes(groupOf(apiVersion)) };
}

function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash === -1 ? '' : apiVersion.slice(0, slash);
}

function whole(text: string): ImagePlace {
  return { kind: 'whole', path: path(text) };
}

function path(text: string): FieldPath {
  const answer = parseFieldPath(text);
  if (!answer.ok) throw new Error(`built-in path ${text} ${answer.problem}`);
  return answer.value;
}
