// A Kubernetes API with Applications of Argo CD, as far as the controller asks it, in a process of its own, by HTTPS. It
// believes every token and counts what is asked.
//
//   node simulated-kubernetes.ts '{"applications":100,"ownPaths":true}'     prints its port

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { SERVER_CERTIFICATE } from '../support/fake-registry-certificates.ts';
import type { KubernetesCounts, SimulatedKubernetesOptions } from './simulated.ts';
import { applicationName, sourceOf } from './simulated.ts';

const options = JSON.parse(process.argv[2] ?? '{}') as SimulatedKubernetesOptions;
const counts: KubernetesCounts = { patches: 0, creates: 0, lists: 0, reviews: 0, events: 0 };
const watches = new Set<ServerResponse>();
const BOOKMARK_EVERY_MS = 60_000;
let version = 1_000;
let reconciled = 0;

const REVISION = '0123456789abcdef0123456789abcdef01234567';

/** About as large as those of real applications: twenty resources and a history of ten. */
const TEMPLATE = JSON.stringify({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: {
    name: '@name@',
    namespace: 'argocd',
    uid: 'uid-@name@',
    resourceVersion: '@version@',
    creationTimestamp: '2026-01-01T00:00:00Z',
  },
  spec: {
    project: 'default',
    source: { ...sourceOf('@path@'), plugin: { name: 'image-resolver' } },
    destination: { server: 'https://kubernetes.default.svc', namespace: '@name@' },
    syncPolicy: { automated: { prune: true, selfHeal: true } },
  },
  status: {
    sync: {
      status: 'Synced',
      revision: REVISION,
      comparedTo: { source: sourceOf('@path@'), destination: { server: 'https://kubernetes.default.svc' } },
    },
    health: { status: 'Healthy' },
    reconciledAt: '@time@',
    resources: numbers(20).map((index) => ({
      group: 'apps',
      version: 'v1',
      kind: 'Deployment',
      namespace: '@name@',
      name: `@name@-workload-${index}`,
      status: 'Synced',
      health: { status: 'Healthy' },
    })),
    history: numbers(10).map((id) => ({
      id,
      revision: REVISION,
      deployedAt: '2026-01-01T00:00:00Z',
      deployStartedAt: '2026-01-01T00:00:00Z',
      source: { ...sourceOf('@path@'), plugin: { name: 'image-resolver' } },
    })),
    operationState: {
      phase: 'Succeeded',
      finishedAt: '2026-01-01T00:00:00Z',
      operation: { sync: { revision: REVISION } },
      syncResult: { revision: REVISION },
    },
    summary: { images: numbers(4).map((index) => `registry.example.com/bench/@name@-${index}:1.0.0`) },
  },
});

function numbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}

function application(index: number): string {
  return TEMPLATE.replaceAll('@name@', applicationName(index))
    .replaceAll('@path@', options.ownPaths ? `apps/${index}` : 'app')
    .replace('@version@', String(version))
    .replace('@time@', new Date().toISOString());
}

function answerList(query: URLSearchParams, response: ServerResponse): void {
  counts.lists += 1;
  const from = Number(query.get('continue') ?? 0);
  const to = Math.min(from + Number(query.get('limit') ?? options.applications), options.applications);
  const next = to < options.applications ? String(to) : '';
  const items = numbers(to - from).map((index) => application(from + index));
  response.end(`{"metadata":{"resourceVersion":"${version}","continue":"${next}"},"items":[${items.join(',')}]}`);
}

function watch(response: ServerResponse): void {
  watches.add(response);
  response.on('close', () => watches.delete(response));
  response.flushHeaders();
}

function tell(type: string, object: string): void {
  for (const response of watches) response.write(`{"type":"${type}","object":${object}}\n`);
}

/** Argo CD compares each application every few minutes and writes when it did. */
function reconcile(perSecond: number): void {
  let due = 0;
  setInterval(() => {
    for (due += perSecond / 10; due >= 1; due -= 1) {
      version += 1;
      counts.events += 1;
      tell('MODIFIED', application(reconciled++ % options.applications));
    }
  }, 100);
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://api');
  response.setHeader('content-type', 'application/json');
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  if (pathname === '/simulation') {
    if (request.method === 'POST') reconcile(Number(Buffer.concat(chunks).toString()));
    response.end(JSON.stringify(counts));
  } else if (pathname.endsWith('/tokenreviews')) {
    counts.reviews += 1;
    const user = { username: 'system:serviceaccount:argocd:argocd-repo-server', uid: '1', groups: [] };
    response.end(JSON.stringify({ status: { authenticated: true, user, audiences: ['image-resolver'] } }));
  } else if (request.method === 'PATCH') {
    counts.patches += 1;
    response.end(application(0));
  } else if (request.method === 'POST') {
    counts.creates += 1;
    response.end(Buffer.concat(chunks));
  } else if (searchParams.get('watch') === 'true') {
    // Of AppProjects there is never news.
    if (pathname.endsWith('/applications')) watch(response);
    else response.flushHeaders();
  } else if (pathname.endsWith('/applications')) {
    answerList(searchParams, response);
  } else {
    response.end(`{"metadata":{"resourceVersion":"${version}"},"items":[]}`);
  }
}

const server = createServer(SERVER_CERTIFICATE, (request, response) => void answer(request, response));
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
setInterval(() => tell('BOOKMARK', `{"metadata":{"resourceVersion":"${version}"}}`), BOOKMARK_EVERY_MS);
