import { existsSync, globSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

/** The project's folder. */
export const PROJECT: string = resolve(import.meta.dirname, '../..');

/** A fenced block of a page. */
export interface Block {
  /** Relative to the project. */
  readonly page: string;
  /** One-based, of the opening fence. */
  readonly line: number;
  readonly language: string;
  /** What follows the language on the fence. */
  readonly note: string;
  readonly text: string;
}

/** Every page of the documentation, relative to the project. */
export function pages(): readonly string[] {
  const docs = globSync('docs/**/*.md', { cwd: PROJECT });
  return ['README.md', 'CHANGELOG.md', ...docs].filter((page) => existsSync(join(PROJECT, page))).sort();
}

export function textOf(page: string): string {
  return readFileSync(join(PROJECT, page), 'utf8');
}

export function blocksOf(page: string): readonly Block[] {
  const blocks: Block[] = [];
  let open: { indent: number; line: number; language: string; note: string; lines: string[] } | undefined;
  for (const [index, line] of textOf(page).split('\n').entries()) {
    // Within a list they are indented.
    const fence = /^( *)```(\S*) ?(.*)$/.exec(line);
    if (fence === null) open?.lines.push(line.slice(open.indent));
    else if (open === undefined) {
      const [, { length: indent } = '', language = '', note = ''] = fence;
      open = { indent, line: index + 1, language, note, lines: [] };
    } else {
      const { lines, indent: _, ...rest } = open;
      blocks.push({ page, ...rest, text: `${lines.join('\n')}\n` });
      open = undefined;
    }
  }
  if (open !== undefined) throw new Error(`${page}:${open.line}: the block does not end`);
  return blocks;
}

/** The text without fenced blocks: what is prose, tables and headings. */
export function proseOf(page: string): string {
  return textOf(page).replaceAll(/^ *```[^]*?^ *```$/gm, '');
}

/** The texts of all headings. */
export function headingsOf(page: string): readonly string[] {
  return [...proseOf(page).matchAll(/^#{1,6} (.+)$/gm)].map(([, text = '']) => text.trim());
}

/** The anchor that GitHub makes of a heading. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

/** The rows of the table behind `<!-- name -->`, cells trimmed, without the header. */
export function tableOf(page: string, name: string): readonly (readonly string[])[] {
  const after = textOf(page).split(`<!-- ${name} -->\n`)[1];
  if (after === undefined) throw new Error(`${page} has no table ${name}`);
  const lines = after.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('|'));
  return lines.slice(2, end).map((line) =>
    line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  );
}

/** The texts in backticks of a cell. */
export function codesIn(cell: string): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
}

/** Files of the project that mention pages: sources, manifests and the plugin. */
export function filesWithMentions(): readonly string[] {
  return ['src/**/*.ts', 'manifests/**/*.{yaml,yml}', 'plugin/{*.*,Dockerfile,client/*}'].flatMap((glob) =>
    globSync(glob, { cwd: PROJECT }),
  );
}

/** How a test names a block. */
export function nameOf(block: Block): string {
  return `${relative(PROJECT, join(PROJECT, block.page))}:${block.line}`;
}
