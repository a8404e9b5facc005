// Every sender's own events become the repositories and tags they are about.
import { describe, expect, test } from 'vitest';
import { readWebhook } from '../../src/webhooks/read-webhook.ts';
import { WEBHOOK_TYPES, type WebhookType } from '../../src/webhooks/webhook.ts';
import { changesIn, deliver, type Headers, json, PROOFS, request, sample, SECRET } from './deliveries.ts';

interface Event {
  readonly type: WebhookType;
  readonly sample: string;
  readonly headers?: Headers;
  readonly changes: readonly string[];
  /** With the host `mirror.example.org` configured. */
  readonly elsewhere: readonly string[];
}

const EVENTS: readonly Event[] = [
  {
    type: 'docker-hub',
    sample: 'docker-hub',
    changes: ['docker.io/acme/web:1.2.3'],
    elsewhere: ['mirror.example.org/acme/web:1.2.3'],
  },
  {
    type: 'ghcr',
    sample: 'ghcr-package',
    headers: { 'x-github-event': 'package' },
    changes: ['ghcr.io/acme/shop/web:1.2.3'],
    elsewhere: ['mirror.example.org/acme/shop/web:1.2.3'],
  },
  {
    type: 'ghcr',
    sample: 'ghcr-registry-package',
    headers: { 'x-github-event': 'registry_package' },
    changes: ['ghcr.io/acme/web'],
    elsewhere: ['mirror.example.org/acme/web'],
  },
  {
    type: 'harbor',
    sample: 'harbor-push',
    changes: ['harbor.example.com/shop/web:1.2.3', 'harbor.example.com/shop/web:latest'],
    elsewhere: ['mirror.example.org/shop/web:1.2.3', 'mirror.example.org/shop/web:latest'],
  },
  {
    type: 'harbor',
    sample: 'harbor-delete',
    changes: ['harbor.example.com/shop/web'],
    elsewhere: ['mirror.example.org/shop/web'],
  },
  {
    type: 'harbor',
    sample: 'harbor-replication',
    changes: ['harbor.example.com:8443/mirror/alpine', 'harbor.example.com:8443/mirror/redis:7.4'],
    elsewhere: ['mirror.example.org/mirror/alpine', 'mirror.example.org/mirror/redis:7.4'],
  },
  {
    type: 'harbor',
    sample: 'harbor-retention',
    changes: ['harbor.example.com/shop/web:0.9.0'],
    elsewhere: ['mirror.example.org/shop/web:0.9.0'],
  },
  {
    type: 'harbor',
    sample: 'harbor-cloudevent',
    headers: { 'content-type': 'application/cloudevents+json' },
    changes: ['harbor.example.com/shop/web:1.2.3'],
    elsewhere: ['mirror.example.org/shop/web:1.2.3'],
  },
  {
    type: 'quay',
    sample: 'quay',
    changes: ['quay.io/acme/web:1.2.3', 'quay.io/acme/web:latest'],
    elsewhere: ['mirror.example.org/acme/web:1.2.3', 'mirror.example.org/acme/web:latest'],
  },
  {
    type: 'acr',
    sample: 'acr-push',
    changes: ['acme.azurecr.io/shop/web:1.2.3'],
    elsewhere: ['mirror.example.org/shop/web:1.2.3'],
  },
  {
    type: 'acr',
    sample: 'acr-delete',
    changes: ['acme.azurecr.io/shop/web'],
    elsewhere: ['mirror.example.org/shop/web'],
  },
  {
    type: 'acr',
    sample: 'acr-event-grid',
    headers: { 'aeg-event-type': 'Notification' },
    changes: ['acmeshop.azurecr.io/shop/web:1.2.3'],
    elsewhere: ['mirror.example.org/shop/web:1.2.3'],
  },
  {
    type: 'acr',
    sample: 'acr-cloudevent',
    changes: ['acme.azurecr.io/shop/web'],
    elsewhere: ['mirror.example.org/shop/web'],
  },
  {
    type: 'ecr',
    sample: 'ecr-push',
    changes: ['123456789012.dkr.ecr.us-west-2.amazonaws.com/shop/web:production'],
    elsewhere: ['mirror.example.org/shop/web:production'],
  },
  {
    type: 'ecr',
    sample: 'ecr-pull-through',
    changes: ['123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/docker-hub/alpine:3.17.2'],
    elsewhere: ['mirror.example.org/docker-hub/alpine:3.17.2'],
  },
  {
    type: 'ecr',
    sample: 'ecr-cloudevent',
    changes: ['123456789012.dkr.ecr.us-west-2.amazonaws.com/shop/web:production'],
    elsewhere: ['mirror.example.org/shop/web:production'],
  },
  {
    type: 'gitlab',
    sample: 'gitlab-registry',
    changes: ['registry.gitlab.example.com/acme/shop/web:1.2.3'],
    elsewhere: ['mirror.example.org/acme/shop/web:1.2.3'],
  },
  {
    type: 'gitlab',
    sample: 'gitlab-pipeline',
    headers: { 'x-gitlab-event': 'Pipeline Hook' },
    changes: ['registry.gitlab.com/acme/shop/web'],
    elsewhere: ['mirror.example.org/acme/shop/web'],
  },
  {
    type: 'gitlab',
    sample: 'gitlab-job',
    headers: { 'x-gitlab-event': 'Job Hook' },
    changes: ['registry.gitlab.com/acme/shop/web'],
    elsewhere: ['mirror.example.org/acme/shop/web'],
  },
  {
    type: 'artifact-registry',
    sample: 'artifact-registry',
    changes: ['europe-docker.pkg.dev/acme/images/shop/web:1.2.3'],
    elsewhere: ['mirror.example.org/acme/images/shop/web:1.2.3'],
  },
  {
    type: 'artifact-registry',
    sample: 'artifact-registry-unwrapped',
    changes: ['europe-docker.pkg.dev/acme/images/shop/web'],
    elsewhere: ['mirror.example.org/acme/images/shop/web'],
  },
  {
    type: 'jfrog',
    sample: 'jfrog',
    changes: ['acme.jfrog.io/docker-local/shop/web:1.2.3', 'docker-local.acme.jfrog.io/shop/web:1.2.3'],
    elsewhere: [
      'mirror.example.org/docker-local/shop/web:1.2.3',
      'docker-local.mirror.example.org/shop/web:1.2.3',
      'mirror.example.org/shop/web:1.2.3',
    ],
  },
  {
    type: 'gitea',
    sample: 'gitea',
    headers: { 'x-gitea-event': 'package', 'x-forgejo-event': 'package' },
    changes: ['gitea.example.com:3000/acme/shop/web:1.2.3'],
    elsewhere: ['mirror.example.org/acme/shop/web:1.2.3'],
  },
  {
    type: 'distribution',
    sample: 'distribution',
    changes: [
      'registry.example.com/team/app:1.2.3',
      'registry.example.com/team/app',
      'registry.example.com/team/worker:0.9.0',
      'registry.example.com/team/gone',
    ],
    elsewhere: [
      'mirror.example.org/team/app:1.2.3',
      'mirror.example.org/team/app',
      'mirror.example.org/team/worker:0.9.0',
      'mirror.example.org/team/gone',
    ],
  },
  {
    type: 'generic',
    sample: 'generic',
    changes: ['registry.example.com/team/app:1.2.3', 'registry.example.com/team/app', 'docker.io/library/nginx:1.27'],
    elsewhere: ['registry.example.com/team/app:1.2.3', 'registry.example.com/team/app', 'docker.io/library/nginx:1.27'],
  },
];

test('there is an event of every sender', () => {
  expect(new Set(EVENTS.map(({ type }) => type))).toEqual(new Set(WEBHOOK_TYPES));
});

describe.for(EVENTS)('$type: $sample', ({ type, sample: name, headers = {}, changes, elsewhere }) => {
  const body = sample(name);

  test('names all of its repositories and tags', () => {
    expect(changesIn(deliver(type, body, { headers }))).toEqual(changes);
  });

  test('is about the host that is configured, when one is', () => {
    expect(changesIn(deliver(type, body, { headers, host: 'mirror.example.org' }))).toEqual(elsewhere);
  });

  test.for(PROOFS[type])('is accepted with $name and with no other secret', (proof) => {
    expect(changesIn(deliver(type, body, { headers, proof }))).toEqual(changes);
    for (const wrong of ['', `${SECRET} `, SECRET.slice(1), SECRET.toUpperCase()]) {
      const { headers: shown, query = '' } = proof.apply(wrong, body);
      const asked = request(body, { headers: { ...headers, ...shown }, query });
      expect(readWebhook(type, asked, { secret: SECRET, unauthenticated: false })).toEqual({ kind: 'unauthorized' });
    }
  });

  test('is refused without a secret, unless the operator asks for none', () => {
    const bare = request(body, { headers });
    expect(readWebhook(type, bare, { secret: SECRET, unauthenticated: false })).toEqual({ kind: 'unauthorized' });
    expect(readWebhook(type, bare, { secret: SECRET, unauthenticated: true })).toEqual({ kind: 'unauthorized' });
    expect(readWebhook(type, bare, { unauthenticated: false })).toEqual({ kind: 'unauthorized' });
    expect(changesIn(readWebhook(type, bare, { unauthenticated: true }))).toEqual(changes);
  });
});

describe('an event about something else changes nothing', () => {
  const others: readonly {
    readonly name: string;
    readonly type: WebhookType;
    readonly body: unknown;
    readonly headers?: Headers;
  }[] = [
    {
      name: 'a ping of GitHub',
      type: 'ghcr',
      body: { zen: 'Keep it logically awesome.' },
      headers: { 'x-github-event': 'ping' },
    },
    {
      name: 'an npm package on GitHub',
      type: 'ghcr',
      body: { action: 'published', package: { name: 'web', package_type: 'npm' } },
    },
    {
      name: 'a scan by Harbor',
      type: 'harbor',
      body: { type: 'SCANNING_COMPLETED', event_data: { resources: [{ resource_url: 'harbor.example.com/a/b' }] } },
    },
    {
      name: 'a pull from Harbor',
      type: 'harbor',
      body: { type: 'harbor.artifact.pulled', data: { resources: [{ resource_url: 'harbor.example.com/a/b' }] } },
    },
    {
      name: 'a vulnerability found by Quay',
      type: 'quay',
      body: { docker_url: 'quay.io/acme/web', tags: ['latest'], vulnerability: {} },
    },
    { name: 'a ping of ACR', type: 'acr', body: { id: 'x', action: 'ping' } },
    {
      name: 'a chart pushed to ACR',
      type: 'acr',
      body: { action: 'chart_push', target: { repository: 'a/b' }, request: { host: 'a.azurecr.io' } },
    },
    {
      name: 'a scan by ECR',
      type: 'ecr',
      body: { 'detail-type': 'ECR Image Scan', detail: { 'repository-name': 'a/b' } },
    },
    {
      name: 'a failed push to ECR',
      type: 'ecr',
      body: { 'detail-type': 'ECR Image Action', detail: { 'repository-name': 'a/b', result: 'FAILURE' } },
    },
    {
      name: 'a push to Git on GitLab',
      type: 'gitlab',
      body: { object_kind: 'push', project: { path_with_namespace: 'a/b', web_url: 'https://gitlab.com/a/b' } },
    },
    {
      name: 'a failed pipeline',
      type: 'gitlab',
      body: {
        object_kind: 'pipeline',
        object_attributes: { status: 'failed' },
        project: { path_with_namespace: 'a/b', web_url: 'https://gitlab.com/a/b' },
      },
    },
    {
      name: 'another message of Pub/Sub',
      type: 'artifact-registry',
      body: { message: { data: Buffer.from('{"name":"projects/a/occurrences/b"}').toString('base64') } },
    },
    {
      name: 'a file deployed to Artifactory',
      type: 'jfrog',
      body: { domain: 'artifact', event_type: 'deployed', data: { repo_key: 'maven', name: 'a.jar' } },
    },
    {
      name: 'a push to Git on Gitea',
      type: 'gitea',
      body: { ref: 'refs/heads/main' },
      headers: { 'x-gitea-event': 'push' },
    },
    {
      name: 'a Maven package on Gitea',
      type: 'gitea',
      body: { action: 'created', package: { type: 'maven', name: 'web' } },
      headers: { 'x-gitea-event': 'package' },
    },
    {
      name: 'a layer pushed to distribution',
      type: 'distribution',
      body: {
        events: [
          {
            action: 'push',
            target: { repository: 'a/b', mediaType: 'application/octet-stream' },
            request: { host: 'registry.example.com' },
          },
        ],
      },
    },
    { name: 'an empty generic event', type: 'generic', body: { images: [] } },
  ];
  test.for(others)('$name', ({ type, body, headers = {} }) => {
    expect(deliver(type, json(body), { headers })).toEqual({ kind: 'accepted', changes: [] });
  });
});

describe('what a sender does not send is refused without a word of it', () => {
  const malformed = [
    '',
    '{',
    'null',
    '[]',
    '{}',
    '"text"',
    '1',
    '{"repository":"SENTINEL"}',
    '{"images":"SENTINEL"}',
    '\u0000',
    '<html>SENTINEL</html>',
  ];
  test.for(WEBHOOK_TYPES)('%s', (type) => {
    for (const text of malformed) {
      const answer = deliver(type, Buffer.from(text));
      expect(answer).toMatchObject({ kind: 'invalid' });
      expect(JSON.stringify(answer)).not.toContain('SENTINEL');
    }
    expect(deliver(type, Buffer.from([0x22, 0xff, 0xfe, 0x22]))).toEqual({ kind: 'invalid', problem: 'is not JSON' });
  });
});

describe('the registry has to be known', () => {
  const nameless: readonly { readonly name: string; readonly type: WebhookType; readonly body: unknown }[] = [
    {
      name: 'distribution without a host',
      type: 'distribution',
      body: { events: [{ action: 'push', target: { repository: 'a/b', tag: '1' } }] },
    },
    {
      name: 'a pipeline of a GitLab of one’s own',
      type: 'gitlab',
      body: {
        object_kind: 'pipeline',
        object_attributes: { status: 'success' },
        project: { path_with_namespace: 'a/b', web_url: 'https://git.example.com/a/b' },
      },
    },
    {
      name: 'Artifactory without an origin',
      type: 'jfrog',
      body: { domain: 'docker', event_type: 'pushed', data: { repo_key: 'k', image_name: 'i' } },
    },
    {
      name: 'ECR with an account that is none',
      type: 'ecr',
      body: {
        'detail-type': 'ECR Image Action',
        account: 'evil.example/',
        region: 'eu-west-1',
        detail: { 'repository-name': 'a/b' },
      },
    },
  ];
  test.for(nameless)('$name needs "host"', ({ type, body }) => {
    expect(deliver(type, json(body))).toEqual({
      kind: 'invalid',
      problem: 'does not name the registry, and no "host" is configured for this sender',
    });
    expect(changesIn(deliver(type, json(body), { host: 'Registry.Example.com:5000' }))[0]).toMatch(
      /^registry\.example\.com:5000\/(?:k\/i|a\/b)/,
    );
  });
});

test('an official image of Docker Hub is in normal form', () => {
  const body = json({ repository: { repo_name: 'nginx' }, push_data: { tag: '1.27' } });
  expect(changesIn(deliver('docker-hub', body))).toEqual(['docker.io/library/nginx:1.27']);
});

test('a registry with a bare name is no repository of Docker Hub', () => {
  const body = json({
    events: [{ action: 'push', target: { repository: 'team/app', tag: '1' }, request: { host: 'registry' } }],
  });
  expect(changesIn(deliver('distribution', body))).toEqual([]);
});

test('the old form of Quay, tags as keys, is read', () => {
  const body = json({ docker_url: 'quay.io/acme/web', updated_tags: { latest: 'b750fe79', stable: 'b750fe79' } });
  expect(changesIn(deliver('quay', body))).toEqual(['quay.io/acme/web:latest', 'quay.io/acme/web:stable']);
});

test('GitHub may send the event as a form', () => {
  const body = Buffer.from(new URLSearchParams({ payload: sample('ghcr-package').toString() }).toString());
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'x-github-event': 'package' };
  expect(changesIn(deliver('ghcr', body, { headers }))).toEqual(['ghcr.io/acme/shop/web:1.2.3']);
});

test('what lies in the cache of a remote repository of Artifactory is pulled by the name of the remote one', () => {
  const event = {
    domain: 'docker',
    event_type: 'pushed',
    data: { repo_key: 'docker-remote-cache', image_name: 'library/nginx', tag: '1.27' },
    jpd_origin: 'https://acme.jfrog.io/artifactory',
  };
  expect(changesIn(deliver('jfrog', json(event)))).toEqual([
    'acme.jfrog.io/docker-remote-cache/library/nginx:1.27',
    'docker-remote-cache.acme.jfrog.io/library/nginx:1.27',
    'acme.jfrog.io/docker-remote/library/nginx:1.27',
    'docker-remote.acme.jfrog.io/library/nginx:1.27',
  ]);
});

test('a tag that GitHub names in the address alone is found', () => {
  const version = { package_url: 'ghcr.io/acme/web:v2' };
  const body = json({ package: { name: 'web', package_type: 'CONTAINER', package_version: version } });
  expect(changesIn(deliver('ghcr', body))).toEqual(['ghcr.io/acme/web:v2']);
});

test('a tag that GitHub names apart from the address is found', () => {
  const version = { package_url: 'ghcr.io/acme/web', container_metadata: { tag: { name: 'v2' } } };
  const body = json({
    package: { name: 'web', namespace: 'acme', package_type: 'CONTAINER', package_version: version },
  });
  expect(changesIn(deliver('ghcr', body))).toEqual(['ghcr.io/acme/web:v2']);
});

test('one odd element does not lose the others', () => {
  const resources = [
    null,
    7,
    { tag: 5, resource_url: 'harbor.example.com/a/b:1' },
    { resource_url: {} },
    { resource_url: 'harbor.example.com/Bad/NAME' },
  ];
  const body = json({ type: 'PUSH_ARTIFACT', event_data: { resources, repository: 3 } });
  expect(changesIn(deliver('harbor', body))).toEqual(['harbor.example.com/a/b:1']);
});

test('one image without a registry does not lose the others', () => {
  const resources = [{ resource_url: 'not a reference' }, { resource_url: 'harbor.example.com/shop/web:1' }];
  const body = json({ type: 'PUSH_ARTIFACT', event_data: { resources, repository: { repo_full_name: 'shop/web' } } });
  expect(changesIn(deliver('harbor', body))).toEqual(['harbor.example.com/shop/web:1']);
});

test('a generic event says so when it names no image at all', () => {
  expect(deliver('generic', json({ images: ['Not An Image'] }))).toEqual({
    kind: 'invalid',
    problem: 'names no image that can be read',
  });
  expect(changesIn(deliver('generic', json({ images: ['Not An Image', 'ghcr.io/acme/web:1'] })))).toEqual([
    'ghcr.io/acme/web:1',
  ]);
});

describe('the handshakes of Event Grid', () => {
  const validation = json([
    {
      id: '2d1781af',
      topic: '/subscriptions/x',
      subject: '',
      eventType: 'Microsoft.EventGrid.SubscriptionValidationEvent',
      data: {
        validationCode: '512d38b6-c7b8-40c8-89fe-f46f9e9622b6',
        validationUrl: 'https://rp-eastus2.eventgrid.azure.net:553/x',
      },
    },
  ]);
  const headers = { 'webhook-request-origin': 'eventgrid.azure.net' };

  test('the validation event gets its code back', () => {
    expect(deliver('acr', validation)).toEqual({
      kind: 'accepted',
      changes: [],
      reply: {
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: '{"validationResponse":"512d38b6-c7b8-40c8-89fe-f46f9e9622b6"}',
      },
    });
  });

  test('the request for CloudEvents gets its origin back', () => {
    expect(deliver('acr', Buffer.alloc(0), { headers })).toEqual({
      kind: 'accepted',
      changes: [],
      reply: {
        status: 200,
        headers: { 'webhook-allowed-origin': 'eventgrid.azure.net', 'webhook-allowed-rate': '*' },
        body: '',
      },
    });
  });

  test('nobody without the secret is answered', () => {
    const settings = { secret: SECRET, unauthenticated: false };
    expect(readWebhook('acr', request(validation), settings)).toEqual({ kind: 'unauthorized' });
    expect(readWebhook('acr', request(Buffer.alloc(0), { headers }), settings)).toEqual({ kind: 'unauthorized' });
  });

  test('nothing but a code and a host name is echoed', () => {
    const code = json([
      { eventType: 'Microsoft.EventGrid.SubscriptionValidationEvent', data: { validationCode: '<script>' } },
    ]);
    expect(deliver('acr', code)).toMatchObject({ kind: 'invalid' });
    const origin = { 'webhook-request-origin': 'a\r\nset-cookie: b' };
    expect(deliver('acr', Buffer.alloc(0), { headers: origin })).toMatchObject({ kind: 'invalid' });
  });
});
