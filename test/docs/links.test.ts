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
    if (anchor !== '') expect(headingsOf(target).map(anchorOf)).toContain(anchor);
  });
});

test('every page can be reached from the README', () => {
  const reached = new Set(['README.md']);
  for (const page of reached) for (const link of links) if (link.page === page) reached.add(link.target);
  expect(pages().filter((page) => !reached.has(page))).toEqual([]);
});

describe('a page that a source file speaks of is there', () => {
  const mentions = filesWithMentions().flatMap((file) =>
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

test('headings of a page are different, so that links to them are clear', () => {
  for (const page of pages()) {
    const anchors = headingsOf(page).map(anchorOf);
    expect(anchors.filter((anchor, index) => anchors.indexOf(anchor) !== index), page).toEqual([]);
  }
});

test('pages stand alone', () => {
  // Spelled in parts, so that this file is not a mention itself.
  const forbidden = ['../' + 'shared', '/work' + '/', 'registry.npm' + 'js.org', 'proxy.golang' + '.org', 'localhost:'];
  for (const page of pages()) expect(forbidden.filter((word) => textOf(page).includes(word)), page).toEqual([]);
});

test('lines are short enough to read in a terminal', () => {
  for (const page of pages()) {
    const long = proseOf(page)
      .split('\n')
      .filter((line) => line.length > 160 && !line.startsWith('|'));
    expect(long, page).toEqual([]);
  }
});
