import * as v from 'valibot';

/** A text, or undefined for whatever else stands there: one odd field must not lose an event. */
export const optionalText: v.GenericSchema<unknown, string | undefined> = v.fallback(v.optional(v.string()), undefined);

/** What fits the schema, or undefined. */
export function optional<T>(schema: v.GenericSchema<unknown, T>): v.GenericSchema<unknown, T | undefined> {
  return v.fallback(v.optional(schema), undefined);
}

/** The elements that fit the schema; none when it is no list. */
export function listOf<T>(schema: v.GenericSchema<unknown, T>): v.GenericSchema<unknown, readonly T[]> {
  return v.pipe(
    v.fallback(v.array(optional(schema)), []),
    v.transform((elements) =>
      elements.filter((element): element is Exclude<typeof element, undefined> => element !== undefined),
    ),
  );
}

/** A value in the shape of a schema, unknown fields left out; undefined when it has another. */
export function shaped<T>(schema: v.GenericSchema<unknown, T>, value: unknown): T | undefined {
  const result = v.safeParse(schema, value, { abortEarly: true });
  return result.success ? result.output : undefined;
}
