import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const source = resolve(import.meta.dirname, '../src');

/** A folder may import those before it. Effects come last, so everything pure can be tested, and read, without them. */
const ORDER = [
  'error',
  'text',
  'image',
  'strategy',
  'edit',
  'render',
  'registry',
  'operator',
  'parameters',
  'policy',
  'credentials',
  'store',
  'resolve',
  'telemetry',
  'filtering',
  'kubernetes',
  'applications',
  'registrations',
  'webhooks',
  'freshness',
  'refresh',
  'remote',
  'service',
  'generate',
  'controller',
  'worker',
  'cli',
];

interface Import {
  readonly from: string;
  readonly to: string;
}

function importsOf(file: string): readonly Import[] {
  const text = readFileSync(join(source, file), 'utf8');
  const paths = [...text.matchAll(/(?:from |import\()'(?<path>\.[^']+)'/g)].map(({ groups }) => groups?.['path'] ?? '');
  return paths.map((path) => ({ from: file, to: normalize(join(dirname(file), path)) }));
}

const files = globSync('**/*.ts', { cwd: source }).map((file) => relative('.', file));
const folderOf = (file: string): string => file.split('/')[0] ?? '';

test('every folder of src is in the order', () => {
  expect(files.map(folderOf).filter((folder) => !ORDER.includes(folder))).toEqual([]);
});

test('imports point from effects to pure code: a folder imports only those before it', () => {
  const wrong = files
    .flatMap(importsOf)
    .filter(({ from, to }) => ORDER.indexOf(folderOf(to)) > ORDER.indexOf(folderOf(from)))
    .map(({ from, to }) => `${from} -> ${to}`);
  expect(wrong).toEqual([]);
});

test('undici is imported by the registry client alone', () => {
  const users = files.filter((file) => /'undici'/.test(readFileSync(join(source, file), 'utf8')));
  expect(users.map(folderOf).filter((folder) => folder !== 'registry')).toEqual([]);
});
