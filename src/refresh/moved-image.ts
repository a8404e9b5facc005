import * as v from 'valibot';

/** An image of an application that moved, for people. Texts are bounded. */
export interface MovedImage {
  /** Alias or policy. */
  readonly label: string;
  readonly from: string;
  readonly to: string;
  /** What the policy says that chose it; absent when an earlier version kept it. */
  readonly policy?: string;
}

/** More are counted, not named. */
const MAX_IMAGES = 20;
const MAX_CHARACTERS = 200;

export const movedImagesSchema: v.GenericSchema<unknown, MovedImage[]> = v.array(
  v.object({ label: v.string(), from: v.string(), to: v.string(), policy: v.exactOptional(v.string()) }),
);

/** Adds what moved since: an image that moved twice moved from the first to the last. */
export function addMoves(before: readonly MovedImage[], moves: readonly MovedImage[]): readonly MovedImage[] {
  const images = new Map(before.map((image) => [image.label, image]));
  for (const move of moves) {
    const label = cut(move.label);
    if (images.size >= MAX_IMAGES && !images.has(label)) continue;
    images.set(label, {
      label,
      from: images.get(label)?.from ?? cut(move.from),
      to: cut(move.to),
      ...(move.policy !== undefined && { policy: cut(move.policy) }),
    });
  }
  return [...images.values()];
}

/** Whether they are to the same images. Both were added to in the same order. */
export function sameMoves(one: readonly MovedImage[], other: readonly MovedImage[]): boolean {
  return (
    one.length === other.length && one.every(({ label, to }, at) => label === other[at]?.label && to === other[at].to)
  );
}

function cut(text: string): string {
  return text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS)}…` : text;
}
