import { expect, test } from 'vitest';
import { nextPage } from '../../src/registry/link.ts';

const ASKED = 'https://r.example.com/v2/acme/api/tags/list?n=100';

test.for([
  { name: 'relative to the host', link: '</v2/acme/api/tags/list?last=b&n=100>; rel="next"', want: '?last=b&n=100' },
  { name: 'relative to the listing', link: '<?last=b&n=100>; rel=next', want: '?last=b&n=100' },
  { name: 'absolute', link: '<https://r.example.com/v2/acme/api/tags/list?last=b>; rel="next"', want: '?last=b' },
  {
    name: 'absolute by http, from behind a proxy that ends TLS',
    link: '<http://r.example.com/v2/acme/api/tags/list?last=b>; rel="next"',
    want: '?last=b',
  },
  {
    name: 'an opaque cursor is kept as it is',
    link: '</v2/acme/api/tags/list?n=50&next_page=gAAA%3D%3D>; rel="next"',
    want: '?n=50&next_page=gAAA%3D%3D',
  },
  {
    name: 'without the first segment (Artifactory)',
    link: '</v2/api/tags/list?last=b&n=2>; rel="next"',
    want: '?last=b&n=2',
  },
  {
    name: 'the right one of several',
    link: '</v2/acme/api/tags/list?first>; rel="prev", </v2/acme/api/tags/list?last=b>; rel="next"',
    want: '?last=b',
  },
])('follows a link $name', ({ link, want }) => {
  expect(nextPage([link], new URL(ASKED))).toEqual({
    kind: 'next',
    url: new URL(`https://r.example.com/v2/acme/api/tags/list${want}`),
  });
});

test('keeps a path prefix that the link leaves out', () => {
  const asked = new URL('https://a.example.com/artifactory/api/docker/hub/v2/acme/api/tags/list?n=2');
  expect(nextPage(['</v2/acme/api/tags/list?last=b&n=2>; rel="next"'], asked)).toEqual({
    kind: 'next',
    url: new URL('https://a.example.com/artifactory/api/docker/hub/v2/acme/api/tags/list?last=b&n=2'),
  });
});

test.for([
  { name: 'another host', link: '<https://evil.example.com/v2/acme/api/tags/list?last=b>; rel="next"' },
  { name: 'another port', link: '<https://r.example.com:8443/v2/acme/api/tags/list?last=b>; rel="next"' },
  { name: 'another host without scheme', link: '<//evil.example.com/v2/acme/api/tags/list?last=b>; rel="next"' },
  { name: 'another repository', link: '</v2/other/secret/tags/list?last=b>; rel="next"' },
  { name: 'a repository with the same ending', link: '</v2/xapi/tags/list>; rel="next"' },
  { name: 'something that is no listing', link: '</v2/acme/api/manifests/x>; rel="next"' },
  { name: 'no URL', link: '<https://[>; rel="next"' },
])('does not follow a link to $name', ({ link }) => {
  expect(nextPage([link], new URL(ASKED)).kind).toBe('elsewhere');
});

test.for([{ headers: [] }, { headers: ['</v2/acme/api/tags/list?x>; rel="prev"'] }, { headers: ['nonsense'] }])(
  'sees the last page in $headers',
  ({ headers }) => {
    expect(nextPage(headers, new URL(ASKED))).toEqual({ kind: 'last' });
  },
);
