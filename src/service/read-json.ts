import * as v from 'valibot';
import { Refusal } from './exchange.ts';

/** Nesting of what is asked; a selection's filters lie 6 deep. */
const MAX_DEPTH = 16;

/**
 * A body (or its text) as JSON that fits a schema. Keys that the schema does not have are dropped.
 *
 * @throws {Refusal} 400, naming the field by the schema's own words.
 */
export function readJson<T>(schema: v.GenericSchema<unknown, T>, body: Buffer | string): T {
  const value = parse(body);
  const problem = structureProblem(value);
  if (problem !== undefined) throw new Refusal(400, problem);
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const place = issue.path?.map(({ key }) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('') ?? '';
  // The library's own messages quote what was received.
  const why = issue.type === 'check' ? issue.message : 'is missing, or of another type or size than it may be';
  throw new Refusal(400, `${place === '' ? 'the body' : place.replace(/^\./, '')} ${why}`);
}

/** A body as text. @throws {Refusal} 400. */
function textOf(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw noJson();
  }
}

function parse(body: Buffer | string): unknown {
  const text = typeof body === 'string' ? body : textOf(body);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw noJson();
  }
}

function noJson(): Refusal {
  return new Refusal(400, 'the body is no JSON');
}

/** Deep values and keys that mean something to the language. Without recursion: the body may be nested as deep as it is long. */
function structureProblem(root: unknown): string | undefined {
  let level: unknown[] = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) return `the body is nested deeper than ${MAX_DEPTH}`;
    const next: unknown[] = [];
    for (const value of level) {
      if (typeof value !== 'object' || value === null) continue;
      if (Object.hasOwn(value, '__proto__')) return 'the body has a key __proto__';
      for (const inner of Object.values(value)) if (typeof inner === 'object') next.push(inner);
    }
    level = next;
  }
  return undefined;
}
