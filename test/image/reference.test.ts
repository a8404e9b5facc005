import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  formatReference,
  parseDigest,
  parsePolicyReference,
  parseReference,
  parseTag,
  type ImageReference,
} from '../../src/image/reference.ts';
import type { Parsed } from '../../src/error/parsed.ts';

const SHA256 = `sha256:${'0123456789abcdef'.repeat(4)}`;

function valueOf<T>(result: Parsed<T>): T {
  if (!result.ok) throw new Error(result.problem);
  return result.value;
}

function slotOf(reference: ImageReference): string {
  const { slot } = reference;
  if (slot.kind === 'none') return 'none';
  return slot.kind === 'tag' ? `tag ${slot.tag}` : `constraint ${slot.text}`;
}

test.for([
  { name: 'a bare name is an official image of Docker Hub', text: 'nginx', host: 'docker.io', path: 'library/nginx' },
  {
    name: 'a name with one slash is a repository of Docker Hub',
    text: 'acme/api',
    host: 'docker.io',
    path: 'acme/api',
  },
  { name: 'docker.io is Docker Hub', text: 'docker.io/nginx', host: 'docker.io', path: 'library/nginx' },
  {
    name: 'index.docker.io is Docker Hub',
    text: 'index.docker.io/library/nginx',
    host: 'docker.io',
    path: 'library/nginx',
  },
  {
    name: 'registry-1.docker.io is Docker Hub',
    text: 'registry-1.docker.io/nginx',
    host: 'docker.io',
    path: 'library/nginx',
  },
  { name: 'another registry gets no library/', text: 'quay.io/nginx', host: 'quay.io', path: 'nginx' },
  { name: 'a port belongs to the host', text: 'registry:5000/x', host: 'registry:5000', path: 'x' },
  { name: 'localhost is a host', text: 'localhost:5000/a/b', host: 'localhost:5000', path: 'a/b' },
  { name: 'an IPv6 address in brackets is a host', text: '[::1]:5000/x', host: '[::1]:5000', path: 'x' },
  { name: 'an upper-case first part is a host', text: 'Registry/x', host: 'Registry', path: 'x' },
])('$name', ({ text, host, path }) => {
  const reference = valueOf(parseReference(text));
  expect(reference.repository).toEqual({ host, path, name: `${host}/${path}` });
  expect([reference.writtenRepository, reference.written, reference.slot.kind]).toEqual([text, text, 'none']);
});

test.for([
  { name: 'an upper-case letter in the path is told', text: 'acme/Api', problem: /upper-case/ },
  { name: '64 hexadecimal digits are an image id', text: 'a'.repeat(64), problem: /image id/ },
  { name: 'an empty text names nothing', text: '', problem: /no repository/ },
  { name: 'a host that is none is told', text: 'a_b:80/c', problem: /no registry host/ },
  { name: 'a path above 255 characters is told', text: `ghcr.io/${'a'.repeat(256)}`, problem: /255/ },
  { name: 'a text that no registry could serve is not even split', text: `${'a.'.repeat(2500)}b/c`, problem: /4096/ },
  { name: 'a bad tag is told', text: 'nginx:~1.0', problem: /tag with other characters/ },
  { name: 'an empty tag is told', text: 'nginx:', problem: /empty tag/ },
  {
    name: 'a digest of an unknown algorithm is told',
    text: `nginx@md5:${'a'.repeat(32)}`,
    problem: /sha256:, sha384: or sha512:/,
  },
  { name: 'a short digest is told', text: 'nginx@sha256:abc', problem: /64 hexadecimal digits/ },
  {
    name: 'an upper-case digest is told',
    text: `nginx@${SHA256.toUpperCase().replace('SHA', 'sha')}`,
    problem: /lower case/,
  },
])('$name', ({ text, problem }) => {
  expect(parseReference(text)).toMatchObject({ ok: false, problem: expect.stringMatching(problem) as string });
});

test.for([
  {
    name: 'a constraint follows the colon',
    text: 'backend:~1.0',
    repository: 'docker.io/library/backend',
    slot: 'constraint ~1.0',
  },
  {
    name: 'a constraint has spaces and operators',
    text: 'nginx:>=1.0 <2',
    repository: 'docker.io/library/nginx',
    slot: 'constraint >=1.0 <2',
  },
  {
    name: 'a constraint has alternatives',
    text: 'ghcr.io/acme/web:^1 || ^3',
    repository: 'ghcr.io/acme/web',
    slot: 'constraint ^1 || ^3',
  },
  {
    name: 'a host with port keeps its port beside a constraint',
    text: 'localhost:5000/foo:~1',
    repository: 'localhost:5000/foo',
    slot: 'constraint ~1',
  },
  {
    name: 'an IPv6 host keeps its colons beside a constraint',
    text: '[::1]:5000/x:^2',
    repository: '[::1]:5000/x',
    slot: 'constraint ^2',
  },
  { name: 'a port is no constraint', text: 'registry:5000/x', repository: 'registry:5000/x', slot: 'none' },
  {
    name: 'what is a legal tag stays a tag',
    text: 'nginx:1.x',
    repository: 'docker.io/library/nginx',
    slot: 'tag 1.x',
  },
  {
    name: 'a mutable tag stays a tag',
    text: 'docker.io/acme/shop:api-dev-canary',
    repository: 'docker.io/acme/shop',
    slot: 'tag api-dev-canary',
  },
  {
    name: 'a slash after the colon is left for the constraint to be refused',
    text: 'ghcr.io/acme/web:~1/2',
    repository: 'ghcr.io/acme/web',
    slot: 'constraint ~1/2',
  },
  {
    name: 'spaces around a constraint are not part of it',
    text: 'nginx: ~1.0 ',
    repository: 'docker.io/library/nginx',
    slot: 'constraint ~1.0',
  },
  {
    name: 'a digest may follow the constraint',
    text: `nginx:~1@${SHA256}`,
    repository: 'docker.io/library/nginx',
    slot: 'constraint ~1',
  },
  {
    name: 'the prerelease form of the tilde is a constraint',
    text: 'acme/example-api:~0-0',
    repository: 'docker.io/acme/example-api',
    slot: 'constraint ~0-0',
  },
])('in a policy, $name', ({ text, repository, slot }) => {
  const reference = valueOf(parsePolicyReference(text));
  expect([reference.repository.name, slotOf(reference), reference.written]).toEqual([repository, slot, text]);
});

test.for([
  { name: 'nothing after the colon', text: 'nginx:', problem: /nothing after the colon/ },
  { name: 'only spaces after the colon', text: 'nginx: ', problem: /nothing after the colon/ },
  { name: 'a bad repository before a constraint', text: 'Nginx:~1', problem: /upper-case/ },
  { name: 'a bad digest after a constraint', text: 'nginx:~1@sha256:0', problem: /digest/ },
])('a policy is refused for $name', ({ text, problem }) => {
  expect(parsePolicyReference(text)).toMatchObject({ ok: false, problem: expect.stringMatching(problem) as string });
});

test.for(['v1.0.0', '_', 'A.b-c_9', 't'.repeat(128)])('%s is a tag', (text) => {
  expect(parseTag(text)).toEqual({ ok: true, value: text });
});

test.for(['', '.a', '-a', 'a b', 'a\n', 'x"\n  privileged: true', 'é', 'a/b', 'a:b', '1.0+b', 't'.repeat(129)])(
  '%j is no tag',
  (text) => {
    expect(parseTag(text).ok).toBe(false);
  },
);

test.for([
  '',
  'sha256:',
  ':',
  'sha256',
  `${SHA256}0`,
  `${SHA256}\n`,
  `SHA256:${'0'.repeat(64)}`,
  `constructor:${'0'.repeat(64)}`,
])('%j is no digest', (text) => {
  expect(parseDigest(text).ok).toBe(false);
});

test('a reference put together again from its parts is the text as written', () => {
  const part = fc.constantFrom(
    'nginx',
    'a/b',
    'localhost:5000/a',
    '[::1]:5000/x',
    'index.docker.io/library/nginx',
    'ghcr.io/a/b/c',
  );
  const tag = fc.constantFrom('', ':v1', ':latest', ':1.x');
  const digest = fc.constantFrom('', `@${SHA256}`);
  fc.assert(
    fc.property(fc.tuple(part, tag, digest), (parts) => {
      const { writtenRepository, slot, digest: found } = valueOf(parseReference(parts.join('')));
      expect(
        formatReference({
          writtenRepository,
          ...(slot.kind === 'tag' && { tag: slot.tag }),
          ...(found && { digest: found }),
        }),
      ).toBe(parts.join(''));
    }),
  );
});
