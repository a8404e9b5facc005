import * as v from 'valibot';
import type { ConfigurationFile } from './configuration-file.ts';
import { DURATION } from '../text/duration.ts';
import { WEBHOOK_TYPES } from './webhook-types.ts';

const text = v.pipe(v.string(), v.nonEmpty('must not be empty'));
const texts = v.array(text);
const duration = v.pipe(v.string(), v.regex(DURATION, 'must be a duration with a unit: 30s, 2m, 1h30m'));
const absolutePath = v.pipe(v.string(), v.regex(/^\//, 'must be an absolute path'));
const count = v.pipe(v.number(), v.integer('must be a whole number'), v.minValue(1, 'must be at least 1'));
const httpUrl = v.pipe(
  v.string(),
  v.url('must be a URL'),
  v.regex(/^https?:\/\/[^\s/?#@]+[^\s?#@]*$/, 'must be an http or https URL without user, query and fragment'),
);
const onUnmatched = v.picklist(['error', 'warn', 'ignore']);

const host = v.strictObject({
  host: v.pipe(text, v.description('The registry as image references write it: registry.example.com:5000')),
  prefix: v.exactOptional(v.pipe(text, v.description('Only repositories below this path: team-a/'))),
  apiUrl: v.exactOptional(v.pipe(httpUrl, v.description('Where the registry API is, when not at https://<host>'))),
  credentials: v.exactOptional(
    v.pipe(text, v.description('pullsecret:ns/name, secret:ns/name#field, env:NAME or ext:/path')),
  ),
  credentialsExpire: v.exactOptional(v.pipe(duration, v.description('How long a credential that was fetched is used'))),
  projects: v.exactOptional(
    v.pipe(texts, v.description('AppProjects (globs) that may use the credential; absent: every application')),
  ),
  tokenHosts: v.exactOptional(v.pipe(texts, v.description('Further hosts that may get the credential for a token'))),
  caFile: v.exactOptional(v.pipe(absolutePath, v.description('PEM certificates trusted besides the system’s'))),
  insecure: v.exactOptional(v.pipe(v.boolean(), v.description('Do not check certificates; plain http is allowed'))),
  rateLimit: v.exactOptional(
    v.strictObject({ requestsPerSecond: v.exactOptional(count), concurrency: v.exactOptional(count) }),
  ),
  pageSize: v.exactOptional(v.pipe(count, v.description('Tags asked for in one page of a listing'))),
  interval: v.exactOptional(v.pipe(duration, v.description('How long a listing or digest of this registry is fresh'))),
});

const grant = v.strictObject({
  projects: v.pipe(texts, v.minLength(1, 'must name a project'), v.description('AppProjects, globs')),
  credentials: v.pipe(
    texts,
    v.minLength(1, 'must name a credential'),
    v.description('Names tenants may write in pull-secret, globs: pullsecret:team-b/*'),
  ),
  hosts: v.pipe(
    texts,
    v.minLength(1, 'must name a host'),
    v.description('Where the credential may be sent: ghcr.io/team-b/'),
  ),
});

const webhook = v.strictObject({
  type: v.pipe(v.picklist(WEBHOOK_TYPES), v.description('The sender: events come to /webhook/<type>')),
  secret: v.exactOptional(
    v.pipe(text, v.description('How the sender proves itself: secret:ns/name#field or env:NAME')),
  ),
  unauthenticated: v.exactOptional(
    v.pipe(v.boolean(), v.description('Take events of anybody who can reach the port; in place of a secret')),
  ),
  host: v.exactOptional(v.pipe(text, v.description('The registry as references write it, where events do not say'))),
});

const mode = v.strictObject({
  project: v.exactOptional(text),
  application: v.exactOptional(v.pipe(text, v.description('namespace/name, a glob'))),
  repository: v.exactOptional(
    v.pipe(text, v.description('In normal form, a glob; docker.io/library/*, ghcr.io/acme/**')),
  ),
  mode: v.picklist(['enforce', 'observe', 'freeze']),
});

/** The schema of the operator's configuration file. It changes nothing, so it is also the published JSON Schema. */
export const configurationSchema: v.GenericSchema<ConfigurationFile> = v.strictObject({
  apiVersion: v.literal('image-resolver.io/v1alpha1'),
  kind: v.literal('ResolverConfiguration'),
  interval: v.exactOptional(
    v.pipe(duration, v.description('How long a tag listing is fresh; 30s, with a controller 2m')),
  ),
  minimumInterval: v.exactOptional(
    v.pipe(duration, v.description('A shorter poll-interval of a tenant is raised to it; 30s')),
  ),
  budget: v.exactOptional(v.pipe(duration, v.description('A whole generation, rendering included; 25s'))),
  state: v.exactOptional(v.pipe(absolutePath, v.description('Folder of the store; /var/lib/image-resolver'))),
  registriesFile: v.exactOptional(v.pipe(absolutePath, v.description('registries.conf of argocd-image-updater'))),
  dockerConfig: v.exactOptional(v.pipe(absolutePath, v.description('A docker config.json'))),
  secretsDirectory: v.exactOptional(v.pipe(absolutePath, v.description('Mounted secrets: <namespace>/<name>/<key>'))),
  controlPlaneNamespace: v.exactOptional(
    v.pipe(text, v.description('The namespace Argo CD runs in, for modes; argocd')),
  ),
  registries: v.exactOptional(
    v.strictObject({
      allow: v.exactOptional(
        v.pipe(texts, v.description('"presets", host patterns (*.example.com), or "*" for any public host')),
      ),
      hosts: v.exactOptional(v.array(host)),
    }),
  ),
  grants: v.exactOptional(v.pipe(v.array(grant), v.description('What tenants may name in pull-secret'))),
  credentialHelpers: v.exactOptional(
    v.strictObject({
      environment: v.exactOptional(v.pipe(texts, v.description('Variables handed to ext: scripts and credHelpers'))),
      timeout: v.exactOptional(duration),
    }),
  ),
  rendering: v.exactOptional(
    v.strictObject({
      kustomizeBuildOptions: v.exactOptional(v.string()),
      remoteSources: v.exactOptional(v.strictObject({ hosts: v.exactOptional(texts) })),
      gitCredentials: v.exactOptional(v.boolean()),
      helmRepositories: v.exactOptional(absolutePath),
      helmRegistryConfig: v.exactOptional(absolutePath),
    }),
  ),
  unmatchedPolicy: v.exactOptional(
    v.strictObject({
      parameters: v.exactOptional(onUnmatched),
      file: v.exactOptional(onUnmatched),
      annotations: v.exactOptional(onUnmatched),
    }),
  ),
  modes: v.exactOptional(v.pipe(v.array(mode), v.description('First match wins; enforce where none does'))),
  controller: v.exactOptional(
    v.strictObject({
      url: v.pipe(httpUrl, v.description('Where the sidecar asks; without it, it resolves by itself')),
      caFile: v.exactOptional(v.pipe(absolutePath, v.description('PEM certificates the controller is trusted by'))),
    }),
  ),
  webhooks: v.exactOptional(v.pipe(v.array(webhook), v.description('Senders of registry events; none without it'))),
  refresh: v.exactOptional(
    v.strictObject({
      concurrency: v.exactOptional(v.pipe(count, v.description('Hard refreshes in flight; 10'))),
      perRepository: v.exactOptional(v.pipe(count, v.description('Of them, of one source repository; 2'))),
      fullSync: v.exactOptional(
        v.strictObject({
          projects: v.pipe(texts, v.description('AppProjects (globs) whose applications may set sync: full')),
        }),
      ),
    }),
  ),
});
