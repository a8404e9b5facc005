import type { Given } from '../registrations/registration.ts';
import type { Ask, GenerationReport } from '../resolve/resolver.ts';
import type { Message } from '../store/store.ts';
import type { Unheard } from './protocol.ts';

/** What a generation was given without the controller. */
export interface KeptGiven {
  readonly ask: Ask;
  readonly given: Given;
}

/**
 * Messages to the controller: what a generation was given without it. A later one of the same source takes their place.
 *
 * @param parts what was given, in parts that one request can hold.
 * @param now milliseconds since the epoch.
 */
export function unheardMessages(
  { who, generation }: GenerationReport,
  parts: readonly (readonly KeptGiven[])[],
  now: number,
): readonly Message[] {
  const { source, parametersFingerprint } = generation;
  const place = [who.application, source.repoURL, source.path, source.targetRevision, parametersFingerprint];
  return parts.map((part, index) => {
    const asks = part.map(({ ask }) => ask);
    const given = part.map((one) => one.given);
    const text = JSON.stringify({ who, generation, asks, given, at: now } satisfies Written);
    return { key: JSON.stringify([...place, index]), text };
  });
}

/** With the time, as long as it waits. */
type Written = Omit<Unheard, 'agoMs'> & { readonly at: number };

/** A message as it is sent. Whoever wrote it was of this version, or of one whose words the controller may know. */
export function unheardIn({ text }: Message, now: number): Unheard {
  const { at, ...told } = JSON.parse(text) as Written;
  return { ...told, agoMs: Math.max(0, now - at) };
}
