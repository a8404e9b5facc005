import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { anchorOf, blocksOf, codesIn, headingsOf, tableOf } from '../docs/markdown.ts';
import type { ApiObject } from '../support/real-kubernetes-api.ts';
import { buildManifests, type Deployment, MANIFESTS, objectOf, readObjects } from './build-manifests.ts';
import { type KnownMetric, knownMetrics, problemsOf } from './known-metrics.ts';

const PAGE = 'docs/metrics.md';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook_url: string };
}
interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string }[];
}
interface Dashboard {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

const rulesFile = readFileSync(join(MANIFESTS, 'monitoring/rules.yaml'), 'utf8');
const { spec } = objectOf<{ spec: { groups: readonly { name: string; rules: readonly Rule[] }[] } }>(
  readObjects(rulesFile),
  'PrometheusRule',
  'image-resolver',
);
const rules = spec.groups.flatMap((group) => group.rules);
const dashboard = JSON.parse(readFileSync(join(MANIFESTS, 'monitoring/dashboard.json'), 'utf8')) as Dashboard;
const panels = dashboard.panels.filter(({ type }) => type !== 'row');

let known: ReadonlyMap<string, KnownMetric>;
let objects: readonly ApiObject[];
beforeAll(async () => {
  known = await knownMetrics();
  objects = await buildManifests(['controller', 'monitoring']);
});

describe('an alert', () => {
  test.for(rules)('$alert asks for what there is, says what happens, and leads to its section', (rule) => {
    expect(problemsOf(rule.expr, known)).toEqual([]);
    expect(rule.for).toMatch(/^\d+[mh]$/);
    expect(['critical', 'warning', 'info']).toContain(rule.labels.severity);
    expect(rule.annotations.summary).toMatch(/^[^\n]{20,120}\.$/);
    expect(rule.annotations.description.trim()).toMatch(/^[^\n]{20,250}\.$/);
    const anchor = rule.annotations.runbook_url.split(`/blob/main/${PAGE}#`)[1];
    expect(anchor).toBe(anchorOf(rule.alert));
    const wanted = [...rule.annotations.summary.matchAll(/\$labels\.(\w+)/g)].map(([, label = '']) => label);
    for (const label of wanted) expect(rule.expr).toMatch(new RegExp(`by \\([^)]*\\b${label}\\b`));
  });

  test('has a name of its own and its severity on the page, and the page has no other', () => {
    const headings = headingsOf(PAGE).filter((heading) => heading.startsWith('ImageResolver'));
    expect(headings).toEqual(rules.map(({ alert }) => alert));
    expect(new Set(headings).size).toBe(headings.length);
    const text = readFileSync(join(MANIFESTS, '..', PAGE), 'utf8');
    const sections = new Map(text.split('\n### ').map((section) => [section.split('\n')[0] ?? '', section]));
    for (const { alert, labels } of rules) {
      const section = sections.get(alert) ?? '';
      expect(section.split('\n\n')[1]).toMatch(new RegExp(`^\`${labels.severity}\``));
      expect(section).toContain('**It means**');
      expect(section).toContain('**At 3 a.m.**');
    }
  });
});

describe('the dashboard', () => {
  test.for(panels)('$title asks for what there is', ({ targets = [] }) => {
    expect(targets.length).toBeGreaterThan(0);
    for (const { expr } of targets) expect(problemsOf(expr, known)).toEqual([]);
  });

  test('has variables of what there is, and uses no others', () => {
    const { list } = dashboard.templating;
    for (const { definition = 'process_cpu_seconds_total' } of list) expect(problemsOf(definition, known)).toEqual([]);
    const used = [...JSON.stringify(dashboard).matchAll(/\$\{?(\w+)/g)].map(([, name = '']) => name);
    const names = new Set([...list.map(({ name }) => name), '__rate_interval', '__all']);
    expect(used.filter((name) => !names.has(name))).toEqual([]);
  });

  test('shows each metric of ours', () => {
    const shown = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)).join('\n');
    const missing = [...known.keys()].filter((name) => name.startsWith('image_resolver_') && !shown.includes(name));
    expect(missing).toEqual([]);
  });

  test('has panels beside and below each other, each with an id of its own', () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(dashboard.panels.filter(({ gridPos: { x, w } }) => x + w > 24)).toEqual([]);
  });
});

describe('the page of metrics', () => {
  test('lists each metric of ours with its type and its labels', () => {
    const rows = tableOf(PAGE, 'metrics').map(([name = '', type = '', labels = '']) => ({
      name: codesIn(name)[0] ?? '',
      type,
      labels: codesIn(labels).toSorted(),
    }));
    const wanted = [...known]
      .filter(([name]) => name.startsWith('image_resolver_'))
      .map(([name, { type, labels }]) => ({ name, type, labels: [...labels.keys()].toSorted() }));
    const byName = (a: { name: string }, b: { name: string }): number => a.name.localeCompare(b.name);
    expect(rows.toSorted(byName)).toEqual(wanted.toSorted(byName));
  });

  test('names every word that a label of a closed set can have', () => {
    const words = new Set(tableOf(PAGE, 'metrics').flatMap(([, , , meaning = '']) => codesIn(meaning)));
    const missing = [...known].flatMap(([name, { labels }]) =>
      [...labels]
        .filter(
          ([label]) => name.startsWith('image_resolver_') && !['host', 'version', 'status', 'type'].includes(label),
        )
        .flatMap(([label, values]) =>
          [...values].filter((value) => !words.has(value)).map((value) => `${label} ${value}`),
        ),
    );
    expect(missing).toEqual([]);
  });

  test('speaks of no metric that does not exist', () => {
    const text = readFileSync(join(MANIFESTS, '..', PAGE), 'utf8');
    const spoken = [...text.matchAll(/\b(?:image_resolver|process|nodejs)_[a-z0-9_]+/g)].map(([name]) => name);
    const names = new Set([...known.keys(), ...[...known.keys()].map((name) => `${name}_bucket`)]);
    expect(spoken.length).toBeGreaterThan(30);
    expect(spoken.filter((name) => !names.has(name) && !/^(?:process|nodejs)_$/.test(name))).toEqual([]);
    const queries = blocksOf(PAGE).filter(({ text: query }) => /^(?:sum|histogram_quantile)/.test(query));
    expect(queries).toHaveLength(3);
    for (const { text: query } of queries) expect(problemsOf(query, known)).toEqual([]);
  });
});

describe('what the Prometheus operator is given', () => {
  test('scrapes the port of the controller that is called metrics', () => {
    const { spec: monitor } = objectOf<{
      spec: { selector: { matchLabels: object }; podMetricsEndpoints: readonly { port: string; path: string }[] };
    }>(objects, 'PodMonitor', 'image-resolver-controller');
    const deployment = objectOf<Deployment>(objects, 'Deployment', 'image-resolver-controller');
    expect(deployment.spec.template.metadata.labels).toMatchObject(monitor.selector.matchLabels);
    expect(deployment.spec.template.spec.containers[0]?.ports?.map(({ name }) => name)).toContain('metrics');
    expect(monitor.podMetricsEndpoints).toEqual([{ port: 'metrics', path: '/metrics', interval: '30s' }]);
  });

  test('has the dashboard in a ConfigMap that Grafana finds, as it is in the file', () => {
    const configMap = objectOf<{ metadata: { labels: object }; data: Record<string, string> }>(
      objects,
      'ConfigMap',
      'image-resolver-dashboard',
    );
    expect(configMap.metadata.labels).toMatchObject({ grafana_dashboard: '1' });
    expect(JSON.parse(configMap.data['dashboard.json'] ?? '')).toEqual(dashboard);
  });
});

test('an expression is found out that names what is not there', () => {
  const problems = (expression: string): readonly string[] => problemsOf(expression, known);
  expect(problems('image_resolver_nothing_total > 0')).toContain('no metric image_resolver_nothing_total');
  expect(problems('image_resolver_decisions{colour="red"}')).toEqual(['image_resolver_decisions has no label colour']);
  expect(problems('image_resolver_decisions{state="rotten"}')).toEqual([
    'image_resolver_decisions: state is never rotten',
  ]);
  expect(problems('image_resolver_listings_total{result=~"complete|done"}')).toEqual([
    'image_resolver_listings_total: result is never done',
  ]);
  expect(problems('sum by (colour) (image_resolver_decisions)')).toEqual(['no label colour']);
  expect(problems('sum(image_resolver_decisions_bucket')).toEqual([
    'no metric image_resolver_decisions_bucket',
    'no metric at all',
    'parentheses',
  ]);
});
