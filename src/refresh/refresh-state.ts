import type { Application } from '../applications/application.ts';
import type { RefreshEntry } from './refresh-entry.ts';
import type { RefreshState } from './refresher.ts';

/** How refreshing an application stands, for people. */
export function refreshStateOf(
  entry: RefreshEntry | undefined,
  application: Pick<Application, 'operating'> | undefined,
): RefreshState {
  if (entry === undefined) return { kind: 'idle', attempts: 0 };
  const { kind, since, attempts } = entry;
  const why = kind === 'waiting' && application?.operating === true ? 'a sync operation is running' : entry.why;
  return { kind, since, attempts, ...(why !== undefined && { why }) };
}
