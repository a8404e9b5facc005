import { collectDefaultMetrics, type Registry } from 'prom-client';

/**
 * Of what prom-client knows of a process, these make a series for each kind of handle, request or heap space, and nobody
 * looks at them; `nodejs_active_resources_total` and the heap's size say as much.
 */
const NOT_WORTH_IT: readonly string[] = [
  'nodejs_active_handles',
  'nodejs_active_handles_total',
  'nodejs_active_requests',
  'nodejs_active_requests_total',
  'nodejs_active_resources',
  'nodejs_heap_space_size_total_bytes',
  'nodejs_heap_space_size_used_bytes',
  'nodejs_heap_space_size_available_bytes',
];

/**
 * How often the event loop is asked whether it is late, in milliseconds. Each time wakes an idle process: ten times as often,
 * prom-client's default, is 0.6 % of a core for nothing.
 */
const EVENT_LOOP_ASKED_EVERY_MS = 100;

/** CPU, memory, open files, event loop and garbage collection of this process: `process_*` and `nodejs_*`. */
export function addProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: EVENT_LOOP_ASKED_EVERY_MS });
  for (const name of NOT_WORTH_IT) registry.removeSingleMetric(name);
}
