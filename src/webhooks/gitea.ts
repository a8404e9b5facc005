import * as v from 'valibot';
import { headerOf, isSignedInHex } from './authentication.ts';
import { optional, optionalText, shaped } from './fields.ts';
import { hostOf } from './named-image.ts';
import { images, OTHER_EVENT, type Sender, UNKNOWN_SHAPE } from './sender.ts';

const delivery = v.object({
  action: v.string(),
  package: v.object({
    type: v.string(),
    name: v.string(),
    /** The tag; the digest for a manifest without one. */
    version: optionalText,
    /** `https://gitea.example.com/acme/-/packages/container/web/1.2.3` */
    html_url: optionalText,
    owner: optional(v.object({ login: v.string() })),
  }),
});

/** Forgejo sends its own and Gitea's, both of them GitHub's: the first that is there counts. */
const SIGNATURES = ['x-forgejo-signature', 'x-gitea-signature', 'x-hub-signature-256'];
const EVENTS = ['x-forgejo-event', 'x-gitea-event'];

/**
 * Gitea and Forgejo: the event `package`, one for each tag that is pushed or deleted.
 *
 * @see https://docs.gitea.com/usage/webhooks
 * @see https://forgejo.org/docs/latest/user/webhooks/
 */
export const gitea: Sender = {
  isAuthentic(request, secret) {
    const signature = SIGNATURES.find((name) => headerOf(request, name) !== undefined);
    return signature !== undefined && isSignedInHex(request, signature, secret);
  },
  read(event, { request, host }) {
    const name = EVENTS.map((header) => headerOf(request, header)).find((value) => value !== undefined);
    if (name !== undefined && name !== 'package') return OTHER_EVENT;
    const found = shaped(delivery, event)?.package;
    if (found === undefined) return UNKNOWN_SHAPE;
    if (found.type !== 'container') return OTHER_EVENT;
    if (found.owner === undefined) return UNKNOWN_SHAPE;
    const path = `${found.owner.login}/${found.name}`.toLowerCase();
    return images([{ host: host ?? hostOf(found.html_url), path, tag: found.version }]);
  },
};
