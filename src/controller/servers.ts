import type { FilePorts } from '../operator/files.ts';
import type { Time } from '../resolve/deadline.ts';
import type { ServiceServer } from '../service/service-server.ts';
import { createServiceServer } from '../service/service-server.ts';
import type { CertificateFiles } from '../service/certificate-files.ts';
import { healthRoutes } from '../service/health.ts';
import { metricsEndpoint } from '../service/metrics-endpoint.ts';
import { refreshEndpoint, type RefreshPorts } from '../service/refresh-endpoint.ts';
import { reportEndpoint, type ReportPorts } from '../service/report-endpoint.ts';
import { resolveEndpoint, type ResolvePorts } from '../service/resolve-endpoint.ts';
import { statusEndpoint, type StatusPorts } from '../service/status-endpoint.ts';
import { webhookEndpoint, type WebhookPorts } from '../service/webhook-endpoint.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { readWebhook } from '../webhooks/read-webhook.ts';

/** Where the controller listens. A port of 0 is any free one. */
export interface ServerOptions {
  /** Absent: every address, IPv6 where there is any. */
  readonly address?: string;
  readonly resolvePort: number;
  readonly webhookPort: number;
  readonly metricsPort: number;
  readonly healthPort: number;
  /** Absent: plain HTTP. */
  readonly tls?: CertificateFiles;
}

/** The ports in use. */
export interface Listening {
  readonly resolvePort: number;
  readonly webhookPort: number;
  readonly metricsPort: number;
  readonly healthPort: number;
}

export type ServerPorts = ResolvePorts &
  ReportPorts &
  StatusPorts &
  RefreshPorts & {
    readonly webhooks: Pick<WebhookPorts, 'entries' | 'secret' | 'changed'>;
    readonly isReady: () => boolean;
    readonly metrics: Metrics;
    readonly log: Log;
    readonly time: Time;
    readonly files: FilePorts;
  };

/** Four servers, so that a network policy can tell apart who reaches which. */
export async function startServers(
  options: ServerOptions,
  ports: ServerPorts,
): Promise<{ readonly listening: Listening; close(): Promise<void> }> {
  const { log, time, files } = ports;
  const common = { log, time, files };
  const resolve = createServiceServer({
    ...common,
    name: 'resolve',
    routes: [resolveEndpoint(ports), reportEndpoint(ports), statusEndpoint(ports), refreshEndpoint(ports)],
    ...(options.tls !== undefined && { tls: options.tls }),
  });
  const webhooks = createServiceServer({
    ...common,
    name: 'webhooks',
    routes: [webhookEndpoint({ ...ports.webhooks, readWebhook, metrics: ports.metrics, log, now: time.now })],
  });
  const metrics = createServiceServer({ ...common, name: 'metrics', routes: [metricsEndpoint(ports.metrics)] });
  const health = createServiceServer({ ...common, name: 'health', routes: healthRoutes(ports.isReady) });
  const listen = async (server: ServiceServer, port: number): Promise<number> => server.listen(port, options.address);
  const listening: Listening = {
    healthPort: await listen(health, options.healthPort),
    metricsPort: await listen(metrics, options.metricsPort),
    webhookPort: await listen(webhooks, options.webhookPort),
    resolvePort: await listen(resolve, options.resolvePort),
  };
  return {
    listening,
    async close() {
      await Promise.all([resolve, webhooks, metrics, health].map(async (server) => server.close()));
    },
  };
}
