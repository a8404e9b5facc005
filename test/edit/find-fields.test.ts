import { describe, expect, test } from 'vitest';
import { findImages } from '../../src/edit/find-fields.ts';
import type { FieldRule } from '../../src/edit/image-field.ts';
import { codeOf, DIGEST, edited, errorOf, fieldsOf, retagged, tag } from './editing.ts';

const POD_SPEC = {
  containers: [{ name: 'app', image: 'app:1' }],
  initContainers: [{ name: 'init', image: 'init:1' }],
  ephemeralContainers: [{ name: 'debug', image: 'debug:1' }],
  volumes: [
    { name: 'model', image: { reference: 'model:1', pullPolicy: 'Always' } },
    { name: 'tmp', emptyDir: {} },
  ],
};
const IN_POD = [
  'containers[0].image',
  'initContainers[0].image',
  'ephemeralContainers[0].image',
  'volumes[0].image.reference',
];

const json = (apiVersion: string, kind: string, rest: object): string =>
  JSON.stringify({ apiVersion, kind, metadata: { name: 'web', namespace: 'shop' }, ...rest });

describe('finds the images of', () => {
  const template = { spec: { template: { spec: POD_SPEC } } };
  test.for([
    { apiVersion: 'v1', kind: 'Pod', rest: { spec: POD_SPEC }, at: 'spec' },
    { apiVersion: 'apps/v1', kind: 'Deployment', rest: template, at: 'spec.template.spec' },
    { apiVersion: 'extensions/v1beta1', kind: 'Deployment', rest: template, at: 'spec.template.spec' },
    { apiVersion: 'apps/v1', kind: 'StatefulSet', rest: template, at: 'spec.template.spec' },
    { apiVersion: 'apps/v1', kind: 'DaemonSet', rest: template, at: 'spec.template.spec' },
    { apiVersion: 'apps/v1', kind: 'ReplicaSet', rest: template, at: 'spec.template.spec' },
    { apiVersion: 'batch/v1', kind: 'Job', rest: template, at: 'spec.template.spec' },
    {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      rest: { spec: { jobTemplate: template } },
      at: 'spec.jobTemplate.spec.template.spec',
    },
    { apiVersion: 'v1', kind: 'ReplicationController', rest: template, at: 'spec.template.spec' },
    { apiVersion: 'v1', kind: 'PodTemplate', rest: { template: { spec: POD_SPEC } }, at: 'template.spec' },
    { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', rest: template, at: 'spec.template.spec' },
    { apiVersion: 'serving.knative.dev/v1', kind: 'Service', rest: template, at: 'spec.template.spec' },
    { apiVersion: 'serving.knative.dev/v1', kind: 'Configuration', rest: template, at: 'spec.template.spec' },
    { apiVersion: 'serving.knative.dev/v1', kind: 'Revision', rest: { spec: POD_SPEC }, at: 'spec' },
  ])('$apiVersion $kind', ({ apiVersion, kind, rest, at }) => {
    const { fields } = findImages(json(apiVersion, kind, rest), { rules: [] }).findings;
    expect(fields.map(({ path }) => path)).toEqual(IN_POD.map((path) => `${at}.${path}`));
    expect(fields.map(({ container }) => container)).toEqual(['app', 'init', 'debug', undefined]);
    expect(
      fields.every(
        ({ resource }) => resource.kind === kind && resource.name === 'web' && resource.namespace === 'shop',
      ),
    ).toBe(true);
  });

  const templates = {
    templates: [
      { name: 'build', container: { image: 'a:1' }, sidecars: [{ name: 'docker', image: 'b:1' }] },
      {
        name: 'run',
        script: { image: 'c:1', source: 'echo image: x:1' },
        initContainers: [{ name: 'i', image: 'd:1' }],
      },
      { name: 'both', containerSet: { containers: [{ name: 'one', image: 'e:1' }] } },
    ],
  };
  test.for([
    { kind: 'Workflow', rest: { spec: templates } },
    { kind: 'WorkflowTemplate', rest: { spec: templates } },
    { kind: 'ClusterWorkflowTemplate', rest: { spec: templates } },
    { kind: 'CronWorkflow', rest: { spec: { workflowSpec: templates } } },
  ])('$kind, named by container or template', ({ kind, rest }) => {
    const { fields } = findImages(json('argoproj.io/v1alpha1', kind, rest), { rules: [] }).findings;
    expect(new Set(fields.map(({ container, written }) => `${container ?? ''}=${written}`))).toEqual(
      new Set(['build=a:1', 'docker=b:1', 'run=c:1', 'i=d:1', 'one=e:1']),
    );
  });

  test.for(['Prometheus', 'Alertmanager', 'ThanosRuler'])('%s', (kind) => {
    const spec = { image: 'p:1', tag: 'v9', containers: [{ name: 'x', image: 'x:1' }] };
    expect(fieldsOf(json('monitoring.coreos.com/v1', kind, { spec }))).toEqual([
      ['spec.image', 'p:1'],
      ['spec.containers[0].image', 'x:1'],
    ]);
  });

  test.for([
    { name: 'a List', kind: 'List', item: { apiVersion: 'v1', kind: 'Pod', spec: POD_SPEC } },
    { name: 'a typed list whose items do not say what they are', kind: 'PodList', item: { spec: POD_SPEC } },
    {
      name: 'a list in a list',
      kind: 'List',
      item: { apiVersion: 'v1', kind: 'PodList', items: [{ spec: POD_SPEC }] },
    },
  ])('$name', ({ kind, item }) => {
    const found = fieldsOf(JSON.stringify({ apiVersion: 'v1', kind, items: [{ kind: 'Secret' }, null, item] }));
    expect(found).toHaveLength(4);
    expect(found[0]?.[0]).toMatch(/^items\[2\](?:\.items\[0\])?\.spec\.containers\[0\]\.image$/);
  });
});

describe('passes over', () => {
  test.for([
    {
      name: 'a Deployment of another group',
      text: json('apps.example.com/v1', 'Deployment', { spec: { template: { spec: POD_SPEC } } }),
    },
    {
      name: 'a Knative kind of the core group',
      text: json('v1', 'Service', { spec: { template: { spec: POD_SPEC } } }),
    },
    { name: 'a custom resource without a rule', text: json('example.com/v1', 'Worker', { spec: { image: 'a:1' } }) },
    { name: 'containers that are no list', text: json('v1', 'Pod', { spec: { containers: { image: 'a:1' } } }) },
    { name: 'a document that is a list', text: '[{"kind":"Pod","image":"a:1"}]' },
    { name: 'a document that is a text', text: 'image' },
    {
      name: 'keys of the prototype',
      text: json('v1', 'Pod', { spec: JSON.parse('{"__proto__":{"containers":[{"image":"a:1"}]}}') as object }),
    },
  ])('$name', ({ text }) => {
    expect(fieldsOf(text)).toEqual([]);
  });
});

test('a field tells its line, its place and its reference', () => {
  const text = `# a\n---\napiVersion: v1\nkind: Pod\nmetadata:\n  generateName: web-\nspec:\n  containers:\n  - env:\n    - name: image\n    image: nginx:1@${DIGEST}\n`;
  const [field] = findImages(text, { rules: [] }).findings.fields;
  expect(field).toMatchObject({
    id: '0:spec.containers[0].image',
    resource: { apiVersion: 'v1', kind: 'Pod', name: 'web-' },
    line: 11,
    reference: { repository: { name: 'docker.io/library/nginx' }, slot: { kind: 'tag', tag: '1' }, digest: DIGEST },
  });
  expect(field).not.toHaveProperty('container');
});

test('a JSON List of many workloads is searched although most of it is no image', () => {
  const env = Array.from({ length: 100 }, (_, index) => ({ name: `E${String(index)}`, value: 'x' }));
  const item = { apiVersion: 'v1', kind: 'Pod', spec: { containers: [{ env, image: 'nginx:1', name: 'app' }] } };
  const list = (image: string): string =>
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items: Array.from({ length: 1_500 }, () => item) }).replaceAll(
      'nginx:1',
      image,
    );
  const text = list('nginx:1');
  expect(retagged(text, '2')).toBe(list('nginx:2'));
});

describe('rules of the user', () => {
  const worker =
    'apiVersion: example.com/v1\nkind: Worker\nspec:\n  runners:\n  - name: r1\n    image: a:1\n  - name: r2\n    image: b:1\n';
  const whole: FieldRule = { apiVersion: 'example.com/*', kind: 'Work*', path: 'spec.runners[*].image' };
  const chart = 'apiVersion: example.com/v1\nkind: Chart\nspec:\n  pic:\n    repo: quay.io/a/b\n    ver: "1.0" # c\n';
  const split: FieldRule = {
    apiVersion: 'example.com/v1',
    kind: 'Chart',
    repository: 'spec.pic.repo',
    tag: 'spec.pic.ver',
  };

  test('find images in custom resources', () => {
    expect(fieldsOf(worker, [whole])).toEqual([
      ['spec.runners[0].image', 'a:1'],
      ['spec.runners[1].image', 'b:1'],
    ]);
    expect(edited(worker, ({ container }) => (container === 'r2' ? { tag: tag('2') } : undefined), [whole])).toBe(
      worker.replace('b:1', 'b:2'),
    );
  });
  test('that name a field twice find it once', () => {
    expect(fieldsOf(worker, [whole, whole])).toHaveLength(2);
  });
  test('give an item without a name no other name', () => {
    const text =
      'apiVersion: example.com/v1\nkind: Worker\nspec:\n  groups:\n  - name: g\n    runners:\n    - image: a:1\n    - name: r\n      image: b:1\n';
    const { fields } = findImages(text, { rules: [{ ...whole, path: 'spec.groups[*].runners[*].image' }] }).findings;
    expect(fields.map(({ container }) => container)).toEqual([undefined, 'r']);
  });
  test('are for their kinds and versions only', () => {
    expect(fieldsOf(worker, [{ ...whole, apiVersion: 'example.com/v2' }])).toEqual([]);
    expect(fieldsOf(worker, [{ ...whole, kind: 'Wor' }])).toEqual([]);
  });
  test('join a repository with the tag beside it, and change the tag', () => {
    expect(fieldsOf(chart, [split])).toEqual([['spec.pic.ver', 'quay.io/a/b:1.0']]);
    expect(retagged(chart, '1.1', [split])).toBe(chart.replace('1.0', '1.1'));
  });
  test('quote a tag that would not be a text otherwise', () => {
    const plain = chart.replace('"1.0"', 'v1');
    for (const text of ['1.10', '2024-01-15', '0x10', '1e3', 'on', 'null', '5']) {
      expect(retagged(plain, text, [split])).toBe(plain.replace('v1 ', `"${text}" `));
    }
    expect(retagged(plain, 'v1.1', [split])).toBe(plain.replace('v1 ', 'v1.1 '));
  });
  test('never write a digest into a tag', () => {
    expect(codeOf(() => edited(chart, () => ({ tag: tag('2'), digest: DIGEST }), [split]))).toBe('SETTING_INVALID');
  });
  test('pair repositories and tags of one list', () => {
    const text =
      'apiVersion: example.com/v1\nkind: Chart\nspec:\n  all:\n  - {repo: a, ver: "1"}\n  - {ver: "1"}\n  - {repo: c, ver: "3"}\n  - {repo: d}\n';
    const rule = { ...split, repository: 'spec.all[*].repo', tag: 'spec.all[*].ver' };
    expect(fieldsOf(text, [rule])).toEqual([
      ['spec.all[0].ver', 'a:1'],
      ['spec.all[2].ver', 'c:3'],
    ]);
  });
  test.for([
    { name: 'a path', rule: { ...whole, path: 'spec..image' }, problem: 'path has an empty key' },
    { name: 'a glob', rule: { ...whole, kind: '[' }, problem: 'kind ' },
    { name: 'a pair of paths', rule: { ...split, tag: 'spec.all[*].ver' }, problem: 'different numbers of [*]' },
  ])('with $name that is wrong are an error', ({ rule, problem }) => {
    const error = errorOf(() => fieldsOf('', [rule]));
    expect(error?.code).toBe('POLICY_FILE_INVALID');
    expect(error?.message).toContain(problem);
  });
});

describe('annotations', () => {
  const deployment = (own: object, template: object): string =>
    json('apps/v1', 'Deployment', {
      metadata: { name: 'web', annotations: own },
      spec: { template: { metadata: { annotations: template }, spec: POD_SPEC } },
    });

  test('of the workload and its Pod template count together', () => {
    const text = deployment(
      { 'image-resolver.io/app': '~1.0', other: 'x' },
      { 'image-resolver.io/app.strategy': 'semver', 'image-resolver.io/app': '~1.0' },
    );
    const { annotated, fields } = findImages(text, { rules: [] }).findings;
    expect(annotated).toEqual([
      {
        resource: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
        annotations: [
          { key: 'app', value: '~1.0' },
          { key: 'app.strategy', value: 'semver' },
        ],
        fields: fields.map(({ id }) => id),
      },
    ]);
  });
  test('that disagree are an error naming both', () => {
    const error = errorOf(() =>
      fieldsOf(deployment({ 'image-resolver.io/app': '~1.0' }, { 'image-resolver.io/app': '~1.1' })),
    );
    expect(error?.toData()).toMatchObject({ code: 'POLICY_AMBIGUOUS', where: 'Deployment/web' });
    expect(error?.message).toContain('"~1.0" on the workload and "~1.1" on its Pod template');
  });
  test('stand on a resource without images too', () => {
    const text =
      'kind: Service\napiVersion: v1\nmetadata:\n  name: web\n  annotations:\n    image-resolver.io/app: "~1"\n';
    expect(findImages(text, { rules: [] }).findings.annotated).toMatchObject([
      { annotations: [{ key: 'app', value: '~1' }], fields: [] },
    ]);
  });
  test('name each field once, also when two rules find it', () => {
    const text =
      'apiVersion: x/v1\nkind: W\nmetadata: {name: w, annotations: {image-resolver.io/a: "1"}}\nspec: {image: a:1}\n';
    const rule = { apiVersion: 'x/v1', kind: 'W', path: 'spec.image' };
    expect(findImages(text, { rules: [rule, rule] }).findings.annotated[0]?.fields).toEqual(['0:spec.image']);
  });
  test('of a CronJob stand on its Pod template, not on its Job template', () => {
    const annotations = (value: string): object => ({ annotations: { 'image-resolver.io/app': value } });
    const text = json('batch/v1', 'CronJob', {
      spec: {
        jobTemplate: {
          metadata: annotations('job'),
          spec: { template: { metadata: annotations('pod'), spec: POD_SPEC } },
        },
      },
    });
    expect(findImages(text, { rules: [] }).findings.annotated).toMatchObject([
      { annotations: [{ key: 'app', value: 'pod' }] },
    ]);
  });
});
