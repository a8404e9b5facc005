// What docs/command-line.md shows of `status` is what it prints.
import { expect, test } from 'vitest';
import { statusText } from '../../src/cli/status-text.ts';
import { parseTag } from '../../src/image/tag.ts';
import type { ApplicationStatus } from '../../src/remote/status.ts';
import { blocksOf, codesIn, tableOf } from './markdown.ts';

const NOW = Date.UTC(2026, 5, 1, 12);
const MINUTE = 60_000;

function status(conditions: readonly string[]): ApplicationStatus {
  const tag = parseTag('1.0.6');
  if (!tag.ok) throw new Error('not a tag');
  const minutesAgo = (minutes: number): number => NOW - minutes * MINUTE;
  return {
    application: 'argocd/shop',
    project: 'shop',
    sources: [
      {
        repoURL: 'https://github.com/acme/shop',
        path: 'deploy/production',
        targetRevision: 'main',
        revision: '8f2c1d0b6a1f4de2a9b3c6f0e1d2c3b4a5968778',
        answeredAt: minutesAgo(3),
        images: [
          {
            image: 'backend',
            label: 'backend',
            repository: 'registry.example.com/acme/backend',
            policy: 'semver ~1.0',
            given: { kind: 'image', tag: '1.0.6' },
            decision: { tag: tag.value, movedAt: minutesAgo(4), confirmedAt: minutesAgo(1) },
            lastCompleteAt: minutesAgo(1),
            nextLookAt: NOW + MINUTE,
            intervalMs: 2 * MINUTE,
          },
        ],
      },
    ],
    refresh: { kind: 'idle', attempts: 0 },
    conditions,
  };
}

test('docs/command-line.md shows what status prints', () => {
  const shown = blocksOf('docs/command-line.md').find(({ text }) => text.startsWith('argocd/shop (project shop)'));
  expect(statusText([status(['self-heal-off'])], NOW)).toBe(shown?.text);
});

test('each condition of docs/controller.md is told in words', () => {
  const conditions = tableOf('docs/controller.md', 'conditions').flatMap(([name = '']) => codesIn(name));
  expect(conditions.length).toBeGreaterThan(3);
  const untold = conditions.filter((condition) => statusText([status([condition])], NOW).includes(` ${condition}\n`));
  expect(untold).toEqual([]);
});
