// Links and mentions lead somewhere, and nothing is said that should not be.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { anchorOf, filesWithMentions, headingsOf, pages, PROJECT, proseOf, textOf } from './markdown.ts';

interface Link {
  readonly name: string;
  readonly page: string;
  /** Relative to the project. */
  readonly target: string;
  readonly anchor: string;
}

const links = pages().flatMap((page): readonly Link[] =>
  [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path = '', anchor = ''] = target.split('#');
      const file = path === '' ? page : relative(PROJECT, join(PROJECT, dirname(page), path));
      return { name: `${page} -> ${target}`, page, target: file, anchor };
    }),
);

describe('a relative link leads to a file and a heading', () => {
  test.for(links)('$name', ({ target, anchor }) => {
    expect(existsSync(join(PROJECT, target))).toBe(true);
    const anchors = anchor === '' ? [''] : headingsOf(target).map(anchorOf);
    expect(anchors).toContain(anchor);
  });
});

test('every page can be reached from the README', () => {
  const reached = new Set(['README.md']);
  for (const page of reached) for (const link of links) if (link.page === page) reached.add(link.target);
  expect(pages().filter((page) => !reached.has(page))).toEqual([]);
});

describe('a page that a file speaks of is there', () => {
  const mentions = [...filesWithMentions(), ...pages()].flatMap((file) =>
    [...readFileSync(join(PROJECT, file), 'utf8').matchAll(/(?<![\w./-])docs\/[\w-]+\.md/g)].map(([page]) => ({
      name: `${file}: ${page}`,
      page,
    })),
  );
  test('some do', () => {
    expect(mentions.length).toBeGreaterThan(3);
  });
  test.for(mentions)('$name', ({ page }) => {
    expect(existsSync(join(PROJECT, page))).toBe(true);
  });
});

describe('a file that a page speaks of is there', () => {
  const mentions = pages().flatMap((page) =>
    [...textOf(page).matchAll(/`((?:src|test|plugin|manifests)\/[\w./-]+)`/g)].map(([, path = '']) => ({
      name: `${page}: ${path}`,
      path,
    })),
  );
  test('some do', () => {
    expect(mentions.length).toBeGreaterThan(20);
  });
  test.for(mentions)('$name', ({ path }) => {
    expect(existsSync(join(PROJECT, path))).toBe(true);
  });
});

/** Spelled in parts, so that this file is no mention itself. */
const FORBIDDEN: readonly string[] = [
  ['..', 'shared'].join('/'),
  ['', 'work', ''].join('/'),
  ['registry', 'npmjs', 'org'].join('.'),
  ['proxy', 'golang', 'org'].join('.'),
  'localhost:',
];

describe.for(pages())('%s', (page) => {
  test('has headings that are different, so that links to them are clear', () => {
    const anchors = headingsOf(page).map(anchorOf);
    expect(anchors.filter((anchor, index) => anchors.indexOf(anchor) !== index)).toEqual([]);
  });

  test('stands alone', () => {
    expect(FORBIDDEN.filter((word) => textOf(page).includes(word))).toEqual([]);
  });

  test('has lines that a terminal can show', () => {
    const lines = proseOf(page).split('\n');
    expect(lines.filter((line) => line.length > 160 && !line.startsWith('|'))).toEqual([]);
  });
});
