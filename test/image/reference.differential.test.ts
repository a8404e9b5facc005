import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseReference } from '../../src/image/reference.ts';
import { askOracle, differences, samples, textOf } from './oracle.ts';

const hex = '0123456789abcdef'.repeat(8);

function ours({ text }: { readonly text: string }): unknown {
  const result = parseReference(text);
  if (!result.ok) return 'refused';
  const { repository, slot, digest } = result.value;
  return [repository.name, slot.kind === 'tag' ? slot.tag : '', digest ?? ''];
}

async function mismatches(texts: readonly string[]): Promise<readonly string[]> {
  const questions = texts.map((text) => ({ op: 'reference', text }) as const);
  const answers = await askOracle(questions);
  return differences(questions, answers, ours, ({ ok, repository, tag, digest }) =>
    ok ? [repository, tag ?? '', digest ?? ''] : 'refused',
  );
}

test('references that people write, and ones that are just not legal, are read as distribution/reference reads them', async () => {
  // prettier-ignore
  const texts = [
    '', ' ', '/', ':', '@', 'a', 'A', 'nginx', 'nginx ', 'nginx:', 'nginx:1', 'nginx:v1.0.0', 'nginx:1.0+x',
    'library/nginx', 'a/b', 'a/b/c:d', 'docker.io', 'docker.io/', 'docker.io/nginx', 'docker.io/a/b',
    'index.docker.io/nginx', 'index.docker.io/a/b:1', 'Docker.io/nginx', 'localhost', 'localhost/x',
    'localhost:5000', 'localhost:5000/x', 'localhost:5000/a/b', 'localhost:5000/a/b:c', 'localhost:/x',
    'localhost:http/x', 'registry:5000/x', 'registry/x', 'registry.example.com/team/app:v1',
    'registry.example.com:443/team/app', 'registry.example.com.', 'registry.example.com./x', '127.0.0.1/x',
    '127.0.0.1:5000/x:1', '[::1]:5000/x', '[::1]/x', '[::1]', '[fe80::1%eth0]/x', '[2001:db8::1]:443/a/b:t', '[]/x',
    '::1/x', '[::1]:5000/x@sha256:' + hex.slice(0, 64), 'UPPER/x', 'Upper/X', 'upper/X', 'nginx:UPPER', 'Nginx',
    'a.b/C', 'a.b/c:D', 'a_b/c', 'a_b.c/d', 'a_b.c/d:1', 'a_b.C/d', 'a__b/c', 'a___b', 'a..b', 'a--b', 'a.-b', 'a-',
    '-a', '_a', 'a_', 'a//b', 'a/', '/a', './a', 'a/.b', 'a/b.', 'ü/x', 'x/ü', 'nginx:ü', 'https://nginx',
    'docker://nginx', 'a:b/c', 'a:b/c:d', 'a:1:2', 'a@b', 'a@b@c', 'a:b@c', 'nginx@sha256:',
    'nginx:@sha256:' + hex.slice(0, 64), `nginx@sha256:${hex.slice(0, 64)}`, `nginx:1@sha256:${hex.slice(0, 64)}`,
    `nginx@sha256:${hex.slice(0, 63)}`, `nginx@sha256:${hex.slice(0, 65)}`,
    `nginx@sha256:${hex.slice(0, 64).toUpperCase()}`, `nginx@sha384:${hex.slice(0, 96)}`,
    `nginx@sha384:${hex.slice(0, 64)}`, `nginx@sha512:${hex}`, `nginx@sha512:${hex.slice(1)}`,
    `nginx@md5:${hex.slice(0, 32)}`, `nginx@SHA256:${hex.slice(0, 64)}`, `nginx@sha256+b64:${hex.slice(0, 64)}`,
    `nginx@sha256:${hex.slice(0, 64)}:1`, `nginx@sha256:${hex.slice(0, 64)}@sha256:${hex.slice(0, 64)}`,
    `sha256:${hex.slice(0, 64)}`, `@sha256:${hex.slice(0, 64)}`, hex.slice(0, 64), hex.slice(0, 63),
    hex.slice(0, 65), `${hex.slice(0, 64)}:1`, `a/${hex.slice(0, 64)}`, `${hex.slice(0, 64)}/a`,
    hex.slice(0, 64).toUpperCase(), `nginx:${'t'.repeat(128)}`, `nginx:${'t'.repeat(129)}`, 'nginx:.t', 'nginx:-t',
    'nginx:_t', 'nginx:t.-_T9', 'a'.repeat(247), 'a'.repeat(248), `a/${'a'.repeat(253)}`, `a/${'a'.repeat(254)}`,
    `x.y/${'a'.repeat(255)}`, `x.y/${'a'.repeat(256)}`, `x_y.z/${'a'.repeat(249)}`, `x_y.z/${'a'.repeat(250)}`,
    `${'h'.repeat(300)}.io/x`, 'nginx\n', 'nginx:1\n', 'ngi nx', 'nginx:1 ', '\u0000', 'nginx:~1.0', 'nginx:>=1.0',
    'nginx:1.x', 'nginx:*', 'a-.b/c', '-a.b/c', 'a.b-/c', 'a.b:/c', 'a.b:80:80/c',
  ];
  expect(await mismatches(texts)).toEqual([]);
});

test('generated references are read as distribution/reference reads them', async () => {
  const some = (...texts: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...texts);
  const component = fc.oneof(
    some('nginx', 'library', 'a', 'b9', 'a_b', 'a__b', 'a-b', 'a--b', 'a.b', 'A', 'aB', '', 'a___b', 'x'.repeat(250)),
    textOf('aA0._-', 6),
  );
  const host = fc.oneof(
    some(
      'localhost/',
      'docker.io/',
      'index.docker.io/',
      'ghcr.io/',
      'r:5000/',
      '[::1]:5000/',
      '[a:b]/',
      'Host/',
      'a_b.c/',
      '',
    ),
    textOf('aA0.-:_[]', 7).map((text) => `${text}/`),
  );
  const tag = fc.oneof(
    some('', ':', ':1', ':v1.0-rc', ':latest'),
    textOf('aA0._-:+', 4).map((text) => `:${text}`),
  );
  const digest = some(
    '',
    '',
    '',
    `@sha256:${hex.slice(0, 64)}`,
    `@sha512:${hex}`,
    `@sha384:${hex.slice(0, 96)}`,
    '@sha256:ab',
    '@',
    `@md5:${hex.slice(0, 32)}`,
  );
  const shaped = fc
    .tuple(host, fc.array(component, { minLength: 1, maxLength: 3 }), tag, digest)
    .map(([first, path, ...rest]) => first + path.join('/') + rest.join(''));
  const wild = textOf('aA0._-/:@[]', 12);
  const texts = [...samples(shaped, 3000), ...samples(wild, 3000)];
  expect((await mismatches(texts)).slice(0, 10)).toEqual([]);
});
