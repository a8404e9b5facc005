import type { Ask, Resolution } from '../resolve/resolver.ts';
import type { Given } from './registration.ts';

/** What a resolution gives, as it is written: an output of digests alone has no tag. */
export function givenOf(ask: Ask, resolution: Resolution): Given {
  switch (resolution.kind) {
    case 'decided':
    case 'stale':
    case 'held': {
      const { tag, digest } = resolution.decision;
      if (digest === undefined) return { kind: 'image', tag };
      return ask.output === 'digest' ? { kind: 'image', digest } : { kind: 'image', tag, digest };
    }
    case 'pinned':
      return 'tag' in resolution
        ? { kind: 'image', tag: resolution.tag }
        : { kind: 'image', digest: resolution.digest };
    case 'as-in-git':
      return { kind: 'as-in-git' };
    case 'unsatisfied':
    case 'refused':
    case 'failed':
      return { kind: 'error', code: resolution.error.code };
    default:
      return resolution satisfies never;
  }
}

export function sameGiven(one: Given, other: Given): boolean {
  switch (one.kind) {
    case 'image':
      return other.kind === 'image' && one.tag === other.tag && one.digest === other.digest;
    case 'as-in-git':
      return other.kind === 'as-in-git';
    case 'error':
      return other.kind === 'error' && one.code === other.code;
    default:
      return one satisfies never;
  }
}

/** For people: `1.0.6`, `production@sha256:…`, `as in Git`, `REGISTRY_TIMEOUT`. */
export function givenText(given: Given): string {
  switch (given.kind) {
    case 'image':
      return `${given.tag ?? ''}${given.digest === undefined ? '' : `@${given.digest}`}`;
    case 'as-in-git':
      return 'as in Git';
    case 'error':
      return given.code;
    default:
      return given satisfies never;
  }
}
