import { ANNOTATION_PREFIX } from './annotations.ts';
import type { FieldPath } from './field-path.ts';
import type { KindRule } from './field-rules.ts';

/** The keys of manifests that are looked at; everything under another key can be passed over. */
export interface RelevantKeys {
  has(key: string): boolean;
  /** Whether a text holds a word (or an escape, which may spell one) without which no image or policy annotation is in it. */
  mayBeIn(text: string): boolean;
}

/** Keys that tell what a resource is and which container an image belongs to, and those of lists and merges. */
const ALWAYS = ['apiVersion', 'kind', 'metadata', 'name', 'generateName', 'namespace', 'annotations', 'items'];

/** In nearly every path, and in the prefix of policy annotations. */
const COMMON_WORD = 'image';

/** A key in double quotes may spell its letters, `"\x69mage"`, or go on in the next line. Without this it would pass unseen. */
const SPELLING_ESCAPE = /\\[xuU/\r\n]/;

/** The keys that some rules need. */
export function keysOf(rules: readonly KindRule[]): RelevantKeys {
  const keys = new Set(ALWAYS);
  const words = new Set<string>();
  for (const rule of rules) {
    for (const key of [...keysIn(rule.podTemplate), ...keysIn(rule.podMetadata)]) keys.add(key);
    for (const place of rule.places) {
      if (place.kind === 'split') for (const key of keysIn(place.repository)) keys.add(key);
      const path = keysIn(place.kind === 'split' ? place.tag : place.path);
      for (const key of path) keys.add(key);
      if (!path.some((key) => key.includes(COMMON_WORD))) words.add(path.at(-1) ?? '');
    }
  }
  return {
    has: (key) => keys.has(key) || key.startsWith(ANNOTATION_PREFIX),
    mayBeIn: (text) =>
      text.includes(COMMON_WORD) || [...words].some((word) => text.includes(word)) || SPELLING_ESCAPE.test(text),
  };
}

function keysIn(path: FieldPath | undefined): readonly string[] {
  return (path ?? []).flatMap((step) => (step.kind === 'key' ? [step.key] : []));
}
