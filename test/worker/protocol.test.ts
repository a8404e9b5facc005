import { expect, test } from 'vitest';
import { framesOf, readRequest } from '../../src/worker/protocol.ts';

test('a request is a directory and variables as execve has them', () => {
  const environment = [
    'A=b',
    'EQUALS=a=b',
    'LINES=a\nb',
    'EMPTY=',
    'TWICE=first',
    'TWICE=last',
    'none',
    '=odd',
    '__proto__=x',
  ];
  const request = readRequest(JSON.stringify({ directory: '/tmp/näme', environment }));
  expect(request?.directory).toBe('/tmp/näme');
  expect(Object.entries(request?.environment ?? {})).toEqual([
    ['A', 'b'],
    ['EQUALS', 'a=b'],
    ['LINES', 'a\nb'],
    ['EMPTY', ''],
    ['TWICE', 'first'],
    ['__proto__', 'x'],
  ]);
});

test.for([
  '',
  'GET / HTTP/1.1',
  'null',
  '[]',
  '{"directory":"/"}',
  '{"directory":1,"environment":[]}',
  '{"directory":"/","environment":{"A":"b"}}',
  '{"directory":"/","environment":["A=b",1]}',
])('%j is no request', (line) => {
  expect(readRequest(line)).toBeUndefined();
});

test('an answer is frames of bytes, and the exit code last', () => {
  const frames = Buffer.concat(framesOf({ stdout: 'é\n', stderr: '', exitCode: 70 }));
  expect([...frames]).toEqual([1, 0, 0, 0, 3, 0xc3, 0xa9, 0x0a, 2, 0, 0, 0, 0, 3, 0, 0, 0, 70]);
});
