import type { Metrics } from '../telemetry/metrics.ts';
import type { Route } from './exchange.ts';

/** `GET /metrics`, for Prometheus. */
export function metricsEndpoint(metrics: Pick<Metrics, 'text' | 'contentType'>): Route {
  return {
    methods: ['GET'],
    path: '/metrics',
    maxBodyBytes: 0,
    open: async () => ({
      status: 200,
      headers: { 'content-type': metrics.contentType },
      body: await metrics.text(),
    }),
  };
}
