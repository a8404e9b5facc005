// Looking at JSON of the other side by hand: a schema library would cost more than the whole question.

export type JsonObject = Readonly<Record<string, unknown>>;

/** An answer of the controller that this version does not understand; the message is a clause. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';
}

export function objectAt(value: unknown, place: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new ShapeError(`${place} is no object`);
}

export function arrayAt(value: unknown, place: string): readonly unknown[] {
  if (Array.isArray(value)) return value as readonly unknown[];
  throw new ShapeError(`${place} is no list`);
}

export function textAt(value: unknown, place: string): string {
  if (typeof value === 'string') return value;
  throw new ShapeError(`${place} is no text`);
}

export function numberAt(value: unknown, place: string): number {
  if (typeof value === 'number') return value;
  throw new ShapeError(`${place} is no number`);
}
