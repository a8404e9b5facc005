import type { Repository, Tag } from '../image/reference.ts';

export { WEBHOOK_TYPES, type WebhookType } from '../operator/webhook-types.ts';

/** A request as it arrived. Header names are in lower case. */
export interface WebhookRequest {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly query: URLSearchParams;
  /** The raw bytes: signatures are over them. At most 1 MiB. */
  readonly body: Buffer;
}

/** How an endpoint knows its sender, from the operator's configuration. */
export interface WebhookSettings {
  /** Shared secret or token; undefined with `unauthenticated` alone. */
  readonly secret?: string;
  /** The operator opted out of authentication (a private network). */
  readonly unauthenticated: boolean;
  /** Registry host for senders whose events do not name it (`harbor`, `jfrog`, `gitea`, `gitlab` behind another name). */
  readonly host?: string;
}

/** Something was pushed (or deleted): a reason to look, and never more than that. */
export interface RegistryChange {
  readonly repository: Repository;
  /** Absent: which tag is not said. */
  readonly tag?: Tag;
}

export type WebhookAnswer =
  /** Every repository and tag of the event; empty when it is about something else (a scan, a ping). */
  | { readonly kind: 'accepted'; readonly changes: readonly RegistryChange[]; readonly reply?: WebhookReply }
  | { readonly kind: 'unauthorized' }
  /** Not what this sender sends. `problem` is a clause without text of the body. */
  | { readonly kind: 'invalid'; readonly problem: string };

/** What a handshake wants to read back (ACR and CloudEvents validation). */
export interface WebhookReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}
