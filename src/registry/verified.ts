import { createHash } from 'node:crypto';
import type { Digest } from '../image/reference.ts';

/** The digest of a body, by the algorithm of another digest; `sha256` without one. */
export function digestOf(body: Uint8Array, like?: Digest): Digest {
  const algorithm = like?.slice(0, like.indexOf(':')) ?? 'sha256';
  return `${algorithm}:${createHash(algorithm).update(body).digest('hex')}` as Digest;
}
