import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { buildTool } from '../tools/build.mjs';

/** A question for the Go originals (test/tools/oracle/main.go). */
export type Question =
  | { readonly op: 'version' | 'reference'; readonly text: string }
  | { readonly op: 'compare'; readonly a: string; readonly b: string }
  | { readonly op: 'satisfies'; readonly constraint: string; readonly version: string }
  | { readonly op: 'glob'; readonly pattern: string; readonly name: string }
  | { readonly op: 'regexp'; readonly pattern: string; readonly text: string };

export interface OracleAnswer {
  readonly ok: boolean;
  readonly problem?: string;
  readonly major?: string;
  readonly minor?: string;
  readonly patch?: string;
  readonly prerelease?: string;
  readonly order: number;
  readonly matches: boolean;
  readonly repository?: string;
  readonly tag?: string;
  readonly digest?: string;
}

/** Puts all questions to one process of the oracle; answers in the same order. */
export async function askOracle(questions: readonly Question[]): Promise<readonly OracleAnswer[]> {
  const child = spawn(await buildTool('oracle'), [], { stdio: ['pipe', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  child.stdin.end(questions.map((question) => `${JSON.stringify(question)}\n`).join(''));
  const lines = (await text(child.stdout)).trimEnd().split('\n');
  await closed;
  if (lines.length !== questions.length) throw new Error(`${questions.length} questions, ${lines.length} answers`);
  return lines.map((line) => JSON.parse(line) as OracleAnswer);
}

/** Generated inputs, the same ones in every run; `FUZZ_SEED` asks for others. */
export function samples<T>(arbitrary: fc.Arbitrary<T>, count: number): T[] {
  return fc.sample(arbitrary, { numRuns: count, seed: Number(process.env['FUZZ_SEED'] ?? 1) });
}

/** Texts of these ASCII characters. */
export function textOf(characters: string, maxLength: number): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom(...characters.split('')), maxLength });
}

/** What one of us says and the other does not; empty is what a test wants to see. */
export function differences<Q extends Question>(
  questions: readonly Q[],
  answers: readonly OracleAnswer[],
  ours: (question: Q) => unknown,
  theirs: (answer: OracleAnswer) => unknown,
): readonly string[] {
  return questions.flatMap((question, index) => {
    const answer = answers[index];
    if (answer === undefined) return [`${JSON.stringify(question)}: no answer`];
    const [we, they] = [JSON.stringify(ours(question)), JSON.stringify(theirs(answer))];
    return we === they ? [] : [`${JSON.stringify(question)}: we say ${we}, Go says ${they}`];
  });
}
