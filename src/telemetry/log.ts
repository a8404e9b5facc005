export type LogLevel = 'debug' | 'info' | 'warning' | 'error';

/** Values that may stand in a log line: short, no secret, no registry body. Texts of tenants are escaped when written. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * Structured log: one line an event, to stderr. `event` is a fixed name (`listing-failed`), never text of a tenant, so that
 * people can search and count it. Nothing is logged that repeats every cycle: who polls logs when something changes.
 */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warning(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}
