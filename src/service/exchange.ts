import type { IncomingHttpHeaders } from 'node:http';
import type { RefusalAnswer } from '../remote/protocol.ts';

/** A request before its body was read. */
export interface RequestHead {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

export interface ServiceAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
  /** For counting: a word that says more than the status; never sent. */
  readonly outcome?: string;
}

/** Goes on with an exchange whose head was admitted. @param signal aborts when nobody waits any more. */
export type WithBody = (body: Buffer, signal: AbortSignal) => Promise<ServiceAnswer>;

/** What is served under one path. */
export interface Route {
  readonly methods: readonly string[];
  /** Exact; with `/` at the end also everything one level below. */
  readonly path: string;
  /** More is answered with 413. */
  readonly maxBodyBytes: number;
  /** Looks at the head: who asks? Only then the body is read, so that strangers fill no memory. */
  open(head: RequestHead, signal: AbortSignal): Promise<ServiceAnswer | WithBody>;
  /** Told of every answer, those of the server itself (413, 503, 500) included. */
  told?(answer: ServiceAnswer, seconds: number, head: RequestHead): void;
}

/** An answer that is not what was asked for, thrown from anywhere in a route. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly answer: ServiceAnswer;

  constructor(status: number, sentence: string, headers: Readonly<Record<string, string>> = {}) {
    super(sentence);
    this.answer = refusal(status, sentence, headers);
  }
}

export function json(value: unknown, status = 200): ServiceAnswer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}

export function text(body: string, status = 200): ServiceAnswer {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body };
}

/** @param sentence for the one who asks; holds nothing of the request but names of fields. */
export function refusal(
  status: number,
  sentence: string,
  headers: Readonly<Record<string, string>> = {},
): ServiceAnswer {
  const answer = json({ error: sentence } satisfies RefusalAnswer, status);
  return { ...answer, headers: { ...answer.headers, ...headers } };
}

/** Try again soon. */
export function busy(sentence: string): ServiceAnswer {
  return refusal(503, sentence, { 'retry-after': '1' });
}
