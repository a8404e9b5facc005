import { type Route, text } from './exchange.ts';

/**
 * `/healthz` answers as long as the event loop turns; `/readyz` when decisions can be served. A registry that is away makes
 * nobody unready: what is known is served then, and restarting would not help.
 *
 * @param isReady whether the store is loaded.
 */
export function healthRoutes(isReady: () => boolean): readonly Route[] {
  const route = (path: string, answer: () => ReturnType<typeof text>): Route => ({
    methods: ['GET', 'HEAD'],
    path,
    maxBodyBytes: 0,
    open: async () => answer(),
  });
  return [
    route('/healthz', () => text('ok\n')),
    route('/readyz', () => (isReady() ? text('ok\n') : text('the store is not loaded yet\n', 503))),
  ];
}
