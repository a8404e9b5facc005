// The page's own commands, run as they stand there.
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { readWebhook } from '../../src/webhooks/read-webhook.ts';
import { WEBHOOK_TYPES } from '../../src/webhooks/webhook.ts';
import { blocksOf, textOf } from '../docs/markdown.ts';
import { changesIn, request, SECRET } from './deliveries.ts';

const PAGE = 'docs/webhooks.md';

/** What curl would send: its stand-in writes its arguments, a line each. */
function sentBy(script: string): readonly string[] {
  const withStandIn = `curl() { printf '%s\\n' "$@"; }\n${script}`;
  const env = { PATH: process.env['PATH'] ?? '', SECRET };
  return execFileSync('sh', ['-c', withStandIn], { env, encoding: 'utf8' }).split('\n');
}

const calls = blocksOf(PAGE).filter(({ language, text }) => language === 'sh' && text.includes('/webhook/generic'));

test('the page shows both ways to call the generic endpoint', () => {
  expect(calls).toHaveLength(2);
});

test.for(calls.map((block) => ({ line: block.line, block })))('the call of line $line is accepted', ({ block }) => {
  const sent = sentBy(block.text);
  const headers = Object.fromEntries(
    sent
      .filter((_, index) => sent[index - 1] === '--header')
      .map((header) => {
        const [name = '', value = ''] = header.split(/: (.*)/);
        return [name.toLowerCase(), value];
      }),
  );
  const body = Buffer.from(sent[sent.indexOf('--data') + 1] ?? '');
  const answer = readWebhook('generic', request(body, { headers }), { secret: SECRET, unauthenticated: false });
  expect(changesIn(answer)).toEqual(['registry.example.com/team/app:1.2.3']);
});

test('the page has the address of every type', () => {
  const named = new Set(
    [...textOf(PAGE).matchAll(/\/webhook\/(?<type>[a-z-]+)/g)].map(({ groups }) => groups?.['type']),
  );
  expect(named).toEqual(new Set(WEBHOOK_TYPES));
});
