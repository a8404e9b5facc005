import { expect, test } from 'vitest';
import { isForbiddenAddress, literalAddress } from '../../src/registry/address.ts';
import { retryAfterMs } from '../../src/registry/retry-after.ts';
import { shownUrl } from '../../src/registry/shown-url.ts';

test.for([
  '127.0.0.1',
  '127.8.8.8',
  '0.0.0.0',
  '10.0.0.1',
  '172.16.0.1',
  '192.168.1.1',
  '169.254.169.254',
  '100.64.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '240.0.0.1',
  '192.0.2.1',
  '::1',
  '::',
  'fe80::1',
  'fe80::1%eth0',
  'fc00::1',
  'fd00:ec2::254',
  '::ffff:127.0.0.1',
  '::ffff:10.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b::a00:1',
  '2002:7f00:1::',
  '::127.0.0.1',
  'no address',
  '',
])('%s is not public', (address) => {
  expect(isForbiddenAddress(address)).toBe(true);
});

test.for(['1.1.1.1', '93.184.216.34', '2606:4700::1111', '64:ff9b::101:101', '::ffff:1.1.1.1'])(
  '%s is public',
  (address) => {
    expect(isForbiddenAddress(address)).toBe(false);
  },
);

test.for([
  { host: '2130706433', want: '127.0.0.1' },
  { host: '0x7f.1', want: '127.0.0.1' },
  { host: '017700000001', want: '127.0.0.1' },
  { host: '127.0.0.1.', want: '127.0.0.1' },
  { host: '[::ffff:127.0.0.1]', want: '::ffff:7f00:1' },
  { host: 'registry.example.com', want: undefined },
])('a URL with host $host leads to the address $want', ({ host, want }) => {
  expect(literalAddress(new URL(`https://${host}/`))).toBe(want);
});

const NOW = Date.parse('2026-01-02T00:00:00Z');
test.for([
  { name: 'seconds', header: '7', date: undefined, want: 7000 },
  {
    name: "a date, by the answer's own clock, a day off",
    header: 'Thu, 01 Jan 2026 00:00:30 GMT',
    date: 'Thu, 01 Jan 2026 00:00:00 GMT',
    want: 30_000,
  },
  {
    name: 'a date without another to compare, by our clock',
    header: 'Fri, 02 Jan 2026 00:00:30 GMT',
    date: undefined,
    want: 30_000,
  },
  { name: 'a date in the past', header: 'Thu, 01 Jan 2026 00:00:00 GMT', date: undefined, want: 0 },
  { name: 'nonsense', header: 'soon', date: undefined, want: undefined },
  { name: 'nothing', header: undefined, date: undefined, want: undefined },
])('Retry-After: $name', ({ header, date, want }) => {
  expect(retryAfterMs(header, date, NOW)).toBe(want);
});

test.for([
  {
    url: 'https://user:secret@r.example.com/v2/a/tags/list?n=10&last=b#x',
    want: 'https://r.example.com/v2/a/tags/list?n=10&last=b',
  },
  { url: 'https://s3.example.com/blob?X-Amz-Signature=secret&n=1', want: 'https://s3.example.com/blob?n=1' },
  {
    url: 'https://r.example.com/token?service=s&scope=x&account=me',
    want: 'https://r.example.com/token?service=s&scope=x',
  },
  {
    url: 'https://r.example.com/v2/a/tags/list?last=\u001b[31m\u202e',
    want: 'https://r.example.com/v2/a/tags/list?last=%1B[31m%E2%80%AE',
  },
])('messages show $want', ({ url, want }) => {
  expect(shownUrl(new URL(url))).toBe(want);
});
