import { createAccessBroker } from '../credentials/broker.ts';
import { followApplications } from '../applications/follow-applications.ts';
import { syncWindowAllows } from '../applications/sync-windows.ts';
import { createFilterPool } from '../filtering/filter-pool.ts';
import { createFreshness } from '../freshness/create-freshness.ts';
import { createEventRecorder } from '../kubernetes/events.ts';
import type { Kubernetes } from '../kubernetes/kubernetes.ts';
import { createApiSecrets } from '../kubernetes/secrets.ts';
import { createTokenReviewer } from '../kubernetes/token-reviews.ts';
import { isOfSecret } from '../operator/credential-name.ts';
import type { FilePorts } from '../operator/files.ts';
import type { Environment } from '../operator/load-operator-configuration.ts';
import { createOperatorConfigurationSource } from '../operator/operator-configuration-source.ts';
import { createRefresher } from '../refresh/create-refresher.ts';
import { createComparison } from '../registrations/create-comparison.ts';
import { createRegistrations } from '../registrations/create-registrations.ts';
import { isBeingSynced } from '../registrations/running-sync.ts';
import { placeAmong } from '../registrations/sources.ts';
import { createRegistryClient } from '../registry/client.ts';
import type { Sleep } from '../registry/time.ts';
import { AUDIENCE } from '../remote/protocol.ts';
import type { Ports } from '../resolve/job.ts';
import { isGiven } from '../resolve/preview.ts';
import { answerQuery } from '../resolve/query.ts';
import { CheckpointThread } from '../store/checkpoint-thread.ts';
import { cachedStore } from '../store/cached-store.ts';
import { openStore } from '../store/open-store.ts';
import type { Log } from '../telemetry/log.ts';
import { createMetrics } from '../telemetry/prometheus.ts';
import { reviewerFor } from '../service/caller.ts';
import { Attention } from './attention.ts';
import { knownHosts } from './known-hosts.ts';
import { OperatorInForce } from './operator-in-force.ts';
import { mountedOrWatched, readSecretValue } from './secrets.ts';
import { startServers, type Listening, type ServerOptions } from './servers.ts';
import { keepStoreSmall } from './upkeep.ts';

export interface ControllerOptions {
  readonly environment: Environment;
  readonly files: FilePorts;
  readonly kubernetes: Kubernetes;
  readonly servers: ServerOptions;
  /** `namespace/name` of accounts that sidecars run as; empty: argocd-repo-server in the control plane's namespace. */
  readonly sidecarAccounts: readonly string[];
  /** Watch Applications in these namespaces alone; empty: in all. */
  readonly namespaces: readonly string[];
  readonly log: Log;
  /** Of this program. */
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds of a clock that only goes forward. */
  readonly monotonicNow: () => number;
  readonly sleep: Sleep;
  /** 0 up to 1. */
  readonly random: () => number;
  /** Where a simulation has its own. */
  readonly outside?: Partial<Outside>;
}

/** What reaches out of this process, or out of its clock. */
export interface Outside {
  readonly registryClient: typeof createRegistryClient;
  readonly filterPool: typeof createFilterPool;
  readonly openStore: typeof openStore;
  readonly serve: typeof startServers;
}

const REAL: Outside = {
  registryClient: createRegistryClient,
  filterPool: createFilterPool,
  openStore,
  serve: startServers,
};

/** A controller that works. */
export interface Controller {
  readonly listening: Listening;
  /** Takes no more requests, lets what is in work end, and lets go of everything; within five seconds. */
  stop(): Promise<void>;
}

/** Held in memory beside the disk. Few tags: a look reads them right after it wrote them, and then for an interval nobody does. */
const CACHE = { decisions: 50_000, answers: 5_000, listings: 10_000, tagBytes: 8 * 1024 * 1024 };
/** The longest that what was begun may take to end, in milliseconds. */
const END_WITHIN_MS = 4_500;

/**
 * Starts the controller: one store, one watch of the Applications, and around them what looks at registries, what refreshes
 * applications, and what answers sidecars, people and registries.
 *
 * @throws {UserError} when the operator's configuration is not valid and never was.
 */
export async function startController(options: ControllerOptions): Promise<Controller> {
  const { environment, files, kubernetes, log, now, sleep, random } = options;
  const outside = { ...REAL, ...options.outside };
  const time = { now, sleep };
  const stopping = new AbortController();
  const { signal } = stopping;

  let secretChanged = (_namespace: string, _name: string): void => undefined;
  const watchedSecrets = createApiSecrets({
    kubernetes,
    now: options.monotonicNow,
    sleep,
    signal,
    changed: (namespace, name) => secretChanged(namespace, name),
  });
  const operator: OperatorInForce = await OperatorInForce.load({
    source: createOperatorConfigurationSource(environment, { files, isController: true }),
    brokerFor: (configuration) =>
      createAccessBroker(configuration, environment, {
        files,
        secrets: mountedOrWatched(() => configuration.secretsDirectory, files, watchedSecrets),
        now: options.monotonicNow,
      }),
    sleep,
    log,
  });
  const secrets = mountedOrWatched(() => operator.current.configuration.secretsDirectory, files, watchedSecrets);
  const { configuration } = operator.current;
  const controlPlaneNamespace = configuration.controlPlaneNamespace ?? 'argocd';
  const isHttps = configuration.controller?.url.startsWith('https:') === true;
  // Something in between may speak TLS for it; else no sidecar gets through.
  if (isHttps && options.servers.tls === undefined)
    log.warning('no-certificate', { url: configuration.controller?.url });

  const metrics = createMetrics({
    knownHosts: knownHosts(() => operator.current.configuration, files, now),
    version: options.version,
  });
  const onDisk = await outside.openStore({
    directory: configuration.stateDirectory,
    isAlone: true,
    checkpoints: (path) =>
      new CheckpointThread(path, ({ message }) => log.warning('checkpoints-ended', { problem: message })),
    now,
    notices: ({ code, what }) => log.warning('store', { code, what }),
  });
  const store = cachedStore(onDisk, CACHE, now);
  const registry = outside.registryClient({
    clock: { now },
    environment,
    throttle: store.pauses,
    onRequest: ({ host, outcome, durationMs, bytes }) =>
      metrics.registryRequest(host, outcome, durationMs / 1000, bytes),
  });
  const filters = outside.filterPool({ now });

  let kubernetesProblem: string | undefined;
  let verify = (): void => undefined;
  const applications = followApplications({
    kubernetes,
    controlPlaneNamespace,
    ...(options.namespaces.length > 0 && { namespaces: options.namespaces }),
    signal,
    listed: () => verify(),
    trouble: (problem) => {
      if (problem === kubernetesProblem) return;
      if (problem === undefined) log.info('applications-followed');
      else log.warning('applications-not-followed', { problem });
      kubernetesProblem = problem;
    },
  });
  const events = createEventRecorder({
    kubernetes,
    now,
    sleep,
    signal,
    trouble: (problem) =>
      problem === undefined ? log.info('events-written') : log.warning('events-not-written', { problem }),
    counted: (result) => metrics.applicationEvent(result),
  });
  const registrations = await createRegistrations({ store, applications, now });
  // Applications may have gone while nobody looked.
  verify = () => void registrations.verify();
  verify();
  const freshness = createFreshness({
    store,
    registrations,
    applications,
    operator: () => operator.current,
    onOperatorChange: (listener) => operator.onChange(listener),
    registry: async () => registry,
    selectByName: filters.selectByName,
    now,
    sleep,
    random,
    log,
    metrics,
  });
  secretChanged = (namespace, name) => freshness.credentialsChanged((id) => isOfSecret(id, namespace, name));
  const comparison = createComparison({
    registrations,
    applications,
    store,
    operator: () => operator.current,
    now,
    sleep,
    selectByName: filters.selectByName,
  });
  const refresher = await createRefresher({
    store,
    registrations,
    comparison,
    applications,
    kubernetes,
    events,
    limits: () => operator.current.configuration.refresh,
    userRefresh: (application) => void freshness.look({ cause: 'user', application }),
    syncWindowAllows: (application) =>
      syncWindowAllows(application, applications.project(application.project), now(), { automated: true })
        ? 'allowed'
        : 'blocked',
    onOverdue: (listener) => comparison.onOverdue(listener),
    now,
    sleep,
    random,
    log,
    metrics,
  });
  freshness.onMoved(({ applications: affected, cause, move }) => {
    refresher.check(affected, cause, move.to.movedAt);
  });
  // What moved while it could not be refreshed.
  applications.onChange(({ before, after }) => {
    if (before?.refreshable === false && after?.refreshable === true) refresher.check([after.instanceName], 'start');
  });
  freshness.onRecovered((affected) => refresher.check(affected, 'first'));
  // Nothing moves when a freeze is over, and yet applications would get something else now.
  operator.onChange(() => {
    refresher.check(
      Array.from(registrations.all(), ({ application }) => application),
      'start',
    );
  });
  const attention = new Attention({ registrations, applications, freshness, refresher, events, now, sleep });

  metrics.observe({
    ...freshness.gauges,
    ...refresher.gauges,
    registrations: () => registrations.count,
    applicationConditions: () => attention.counts(),
    storeBytes: () => store.size() ?? 0,
    storePersistent: () => store.size() !== undefined,
    configurationCurrent: () => !operator.isOutdated,
    kubernetesConnected: () => kubernetesProblem === undefined,
  });

  const ports: Ports = {
    store,
    registry: async () => registry,
    selectByName: filters.selectByName,
    now,
    sleep,
    random,
  };
  const accounts =
    options.sidecarAccounts.length > 0 ? options.sidecarAccounts : [`${controlPlaneNamespace}/argocd-repo-server`];
  const servers = await outside.serve(options.servers, {
    reviewer: reviewerFor({
      sidecars: createTokenReviewer({ kubernetes, audiences: [AUDIENCE], now, sleep }),
      people: createTokenReviewer({ kubernetes, audiences: [], now, sleep }),
    }),
    allowedAccounts: new Set(accounts.map((account) => `system:serviceaccount:${account.replace('/', ':')}`)),
    mayAccessApplication: async (user, verb, application, during) =>
      kubernetes.mayAccessApplication(user, verb, application, during),
    controlPlaneNamespace: () => controlPlaneNamespace,
    applications,
    registrations,
    freshness,
    refresher: {
      stateOf: (application) => refresher.stateOf(application),
      conditionsOf: (application) => attention.conditionsOf(application),
    },
    answers: async (application) => store.answers.last(application),
    answer: async (query, during) => {
      const { who, generation, source = generation?.source } = query;
      const application = applications.byInstanceName(who.application);
      const place = source && placeAmong(application, source, generation?.parametersFingerprint ?? '');
      const isSyncing =
        generation !== undefined && isBeingSynced(generation, application, registrations.of(who.application));
      const { settle } = freshness;
      const how = { operator: operator.current, ports, settle, record: isGiven(query), place, isSyncing };
      return answerQuery(query, how, during);
    },
    record: async (query, resolutions) => registrations.record(query, resolutions),
    recordUnheard: async (query, given, agoMs) => registrations.recordUnheard(query, given, agoMs),
    notices: ({ who }, notices) => attention.warnOfRendering(who.application, notices),
    lookAgain: (application) => freshness.look({ cause: 'user', application }),
    webhooks: {
      entries: () => operator.current.configuration.webhooks,
      secret: async (name) => readSecretValue(name, secrets, environment),
      changed: (changes) => {
        for (const { repository, tag } of changes)
          freshness.look({ cause: 'webhook', repository, ...(tag !== undefined && { tag }) });
      },
    },
    isReady: () => true,
    metrics,
    log,
    time,
    files,
  });

  const running = Promise.all([
    ...[operator, comparison, freshness, refresher, attention].map(async (part) => part.run(signal)),
    keepStoreSmall(store, time, signal),
  ]);
  log.info('started', { registrations: registrations.count, ...servers.listening });
  return {
    listening: servers.listening,
    async stop() {
      log.info('stopping');
      const closed = servers.close();
      stopping.abort();
      const ended = (async (): Promise<void> => {
        await closed;
        await running;
        await filters.close();
        await registry.close();
      })();
      try {
        await Promise.race([ended, sleep(END_WITHIN_MS, new AbortController().signal)]);
      } finally {
        // Whatever did not end: what is held in memory must get onto the disk.
        await store.close();
      }
      log.info('stopped');
    },
  };
}
