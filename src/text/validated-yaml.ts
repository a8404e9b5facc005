import { type GenericSchema, type GenericIssue, safeParse } from 'valibot';
import { type Document, isMap, isNode, isSeq, LineCounter, parseDocument } from 'yaml';
import type { ErrorCode } from '../error/codes.ts';
import type { Parsed } from '../error/parsed.ts';
import { UserError } from '../error/user-error.ts';
import { closestName } from './closest-name.ts';

export type KeyPath = readonly (string | number)[];

/** A YAML file of the operator that fits its schema. */
export interface ValidatedYaml<T> {
  readonly value: T;
  /** The error that something at this place is wrong. */
  errorAt(path: KeyPath, problem: string, fix: string): UserError;
  /** The parsed value, or the error at its place. */
  take<V>(path: KeyPath, answer: Parsed<V>): V;
}

/**
 * Parses one YAML document and checks it against a schema.
 *
 * @param source.version `failsafe` leaves every scalar the text it is, for a format with its own idea of numbers and booleans.
 * @throws {UserError} `source.code` with file, line and column of the first fault.
 */
export function parseValidatedYaml<T>(
  text: string,
  source: {
    readonly path: string;
    readonly code: ErrorCode;
    readonly version: '1.2' | 'failsafe';
    readonly schema: GenericSchema<T>;
  },
): ValidatedYaml<T> {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    schema: source.version === 'failsafe' ? 'failsafe' : 'core',
  });
  const failAt = (offset: number, what: string, fix: string): UserError => {
    const { line, col } = lines.linePos(offset);
    return new UserError(source.code, { what, where: `${source.path}:${line || 1}:${col || 1}`, fix });
  };
  const [broken] = document.errors;
  if (broken) throw failAt(broken.pos[0], `the file is not valid YAML: ${broken.message}`, 'correct the YAML');

  const root = document.contents;
  const result = safeParse(source.schema, valueOf(document, failAt), { abortEarly: true });
  if (!result.success) {
    const [issue] = result.issues;
    const path = keyPath(issue);
    const { problem, fix } = describe(issue, path, source.schema);
    throw failAt(offsetOf(root, path), problem, fix);
  }
  const errorAt = (path: KeyPath, problem: string, fix: string): UserError =>
    failAt(offsetOf(root, path), `${spell(path)} ${problem}`, fix);
  return {
    value: result.output,
    errorAt,
    take(path, answer) {
      if (answer.ok) return answer.value;
      throw errorAt(path, answer.problem, answer.fix ?? 'correct the value');
    },
  };
}

function valueOf(document: Document, failAt: (offset: number, what: string, fix: string) => UserError): unknown {
  try {
    return document.toJS();
  } catch {
    throw failAt(0, 'the aliases of the file unfold to too much', 'write out what the anchors stand for');
  }
}

function keyPath(issue: GenericIssue): KeyPath {
  return (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? key : String(key)));
}

function describe(issue: GenericIssue, path: KeyPath, schema: GenericSchema): { problem: string; fix: string } {
  const name = String(path.at(-1));
  const aboutKey = (issue.path?.at(-1) as { origin?: unknown } | undefined)?.origin === 'key';
  if (aboutKey && issue.expected === 'never') {
    const known = knownKeys(schema, path.slice(0, -1));
    const meant = closestName(name, known);
    return {
      problem: `unknown key ${spell(path)}`,
      fix: meant === undefined ? `remove it; known here: ${known.join(', ')}` : `did you mean ${meant}?`,
    };
  }
  if (aboutKey) return { problem: `${spell(path)} is missing`, fix: `add ${name}` };
  if (issue.kind === 'validation') return { problem: `${spell(path)} ${issue.message}`, fix: 'correct the value' };
  return {
    problem: `${spell(path)} must be ${inWords(issue.expected ?? 'something else')}, and is ${inWords(issue.received)}`,
    fix: 'correct the value',
  };
}

/** The schema library speaks of JavaScript's types. */
const WORDS: Readonly<Record<string, string>> = {
  Object: 'a map',
  Array: 'a list',
  string: 'text',
  number: 'a number',
  boolean: 'true or false',
  null: 'empty',
};

/** Files of tenants are checked here too, and a value or key may be as long as the file. */
const MAX_QUOTED_CHARACTERS = 100;

function shortened(text: string): string {
  return text.length > MAX_QUOTED_CHARACTERS ? `${text.slice(0, MAX_QUOTED_CHARACTERS)}…` : text;
}

function inWords(type: string): string {
  return WORDS[type] ?? shortened(type);
}

/** `registries.hosts[0].prefix`; the whole file for no path. */
function spell(path: KeyPath): string {
  return path.length === 0
    ? 'the file'
    : path
        .map((part) => (typeof part === 'number' ? `[${part}]` : `.${shortened(part)}`))
        .join('')
        .replace(/^\./, '');
}

/** Where the key or item at a path begins, or the nearest one above it. */
function offsetOf(root: unknown, path: KeyPath): number {
  let node: unknown = root;
  let offset = startOf(root) ?? 0;
  for (const part of path) {
    const pair = isMap(node) ? node.items.find(({ key }) => String(key) === String(part)) : undefined;
    const item = isSeq(node) && typeof part === 'number' ? node.items[part] : undefined;
    node = pair === undefined ? item : pair.value;
    offset = startOf(pair === undefined ? item : pair.key) ?? offset;
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

/** The keys a schema knows at a path. */
function knownKeys(schema: GenericSchema, path: KeyPath): readonly string[] {
  let at: SchemaParts | undefined = unwrapped(schema as SchemaParts);
  for (const part of path) at = unwrapped(typeof part === 'number' ? at?.item : at?.entries?.[part]);
  return Object.keys(at?.entries ?? {});
}

/** What objects, arrays and optional values of valibot have, and nothing else has. */
interface SchemaParts {
  readonly entries?: Readonly<Record<string, SchemaParts>>;
  readonly item?: SchemaParts;
  readonly wrapped?: SchemaParts;
}

function unwrapped(schema: SchemaParts | undefined): SchemaParts | undefined {
  return schema?.wrapped === undefined ? schema : unwrapped(schema.wrapped);
}
