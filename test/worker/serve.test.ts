import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { WorkerAnswer, WorkerRequest } from '../../src/worker/protocol.ts';
import { startWorker, type Worker, type WorkerOptions } from '../../src/worker/serve.ts';

let folder: string;
let socket: string;
let worker: Worker | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'worker-'));
  socket = join(folder, '0.sock');
});
afterEach(async () => {
  worker?.stop();
  await worker?.ended;
  worker = undefined;
  await rm(folder, { recursive: true });
});

const DONE: WorkerAnswer = { stdout: 'kind: Pod\n', stderr: '', exitCode: 0 };
const LINE = '{"directory":"/somewhere","environment":["A=b"]}\n';
const FREE = [0, 0, 0, 0, 0];

async function start(options: Partial<WorkerOptions> = {}): Promise<void> {
  worker = await startWorker({ socket, work: async () => DONE, abandoned: () => new Error('abandoned'), ...options });
}

/** Work that goes on until it is let go. */
function slowWork() {
  const begun = Promise.withResolvers<AbortSignal>();
  const finish = Promise.withResolvers<WorkerAnswer>();
  const work = async (_request: WorkerRequest, signal: AbortSignal): Promise<WorkerAnswer> => {
    begun.resolve(signal);
    return finish.promise;
  };
  return { work, begun: begun.promise, finish: () => finish.resolve(DONE) };
}

interface Conversation {
  readonly socket: Socket;
  /** All that was said, when the other side has ended it. */
  readonly whole: Promise<Buffer>;
}

function say(...texts: readonly string[]): Conversation {
  const connection = connect(socket);
  for (const text of texts) connection.write(text);
  const chunks: Buffer[] = [];
  const whole = new Promise<Buffer>((resolve) => {
    connection.on('data', (chunk: Buffer) => chunks.push(chunk));
    connection.on('error', () => {});
    connection.on('close', () => resolve(Buffer.concat(chunks)));
  });
  return { socket: connection, whole };
}

/** Slow work under way whose client has gone, and that was told so. */
async function abandonedWork(): Promise<{
  readonly slow: ReturnType<typeof slowWork>;
  readonly signal: AbortSignal;
}> {
  const slow = slowWork();
  await start({ work: slow.work });
  const { socket: connection } = say(LINE);
  const signal = await slow.begun;
  connection.destroy();
  await new Promise((aborted) => signal.addEventListener('abort', aborted));
  return { slow, signal };
}

test('does what it is asked, and says first that it is free', async () => {
  const requests: WorkerRequest[] = [];
  await start({
    work: async (request) => {
      requests.push(request);
      return DONE;
    },
  });
  const { socket: connection, whole } = say();
  expect([...(await new Promise<Buffer>((said) => connection.once('data', said)))]).toEqual(FREE);
  expect(requests).toEqual([]);
  connection.write(LINE);
  const text = (await whole).toString('latin1');
  expect(text).toContain('kind: Pod\n');
  expect(requests).toEqual([{ directory: '/somewhere', environment: { A: 'b' } }]);
});

test('a request may come in pieces', async () => {
  await start();
  const { socket: connection, whole } = say(LINE.slice(0, 10));
  connection.write(LINE.slice(10));
  expect((await whole).toString('latin1')).toContain('kind: Pod\n');
});

test('turns away who comes while it works, and takes the next one when it has answered', async () => {
  const slow = slowWork();
  await start({ work: slow.work });
  const first = say(LINE);
  await slow.begun;
  expect(await say(LINE).whole).toHaveLength(0);
  slow.finish();
  expect((await first.whole).toString('latin1')).toContain('kind: Pod\n');
  expect((await say(LINE).whole).toString('latin1')).toContain('kind: Pod\n');
});

test('an answer that nobody reads holds nobody up', async () => {
  await start({ work: async () => ({ ...DONE, stdout: 'x'.repeat(10_000_000) }) });
  const lazy = say(LINE);
  await new Promise((begun) => lazy.socket.once('data', begun));
  lazy.socket.pause();
  expect((await say(LINE).whole).length).toBeGreaterThan(10_000_000);
  lazy.socket.destroy();
});

test('work that nobody waits for any more is stopped, and the worker is free again', async () => {
  const { slow, signal } = await abandonedWork();
  expect(signal.reason).toEqual(new Error('abandoned'));
  slow.finish();
  await expect.poll(async () => (await say(LINE).whole).length).toBeGreaterThan(FREE.length);
});

test('what is no request is not answered', async () => {
  await start({ work: async () => expect.unreachable() });
  for (const text of ['GET / HTTP/1.1\r\n\r\n', 'x'.repeat(41_000_000)])
    expect(await say(text).whole).toHaveLength(FREE.length);
});

test('takes the place of whatever is there, and goes away when it is told to stop', async () => {
  await writeFile(socket, 'of a predecessor that was killed');
  await start();
  await say(LINE).whole;
  worker?.stop();
  await worker?.ended;
  expect(existsSync(socket)).toBe(false);
});

test('says where it cannot listen', async () => {
  for (const path of [join(folder, 'missing/0.sock'), join(folder, `${'long'.repeat(40)}.sock`)]) {
    socket = path;
    await expect(start()).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining(path) as string });
  }
});

test('told to stop while it works, it ends its work first', async () => {
  const slow = slowWork();
  await start({ work: slow.work });
  const { whole } = say(LINE);
  await slow.begun;
  worker?.stop();
  slow.finish();
  expect((await whole).toString('latin1')).toContain('kind: Pod\n');
  await worker?.ended;
});

test('told to stop while work is stopped that nobody waits for, it ends when that has tidied up', async () => {
  const { slow } = await abandonedWork();
  let hasEnded = false;
  void worker?.ended.then(() => (hasEnded = true));
  worker?.stop();
  await new Promise((later) => setTimeout(later, 50));
  expect(hasEnded).toBe(false);
  slow.finish();
  await worker?.ended;
});

test('ends after an answer that spent it', async () => {
  await start({ isSpent: ({ exitCode }) => exitCode === 0 });
  expect((await say(LINE).whole).toString('latin1')).toContain('kind: Pod\n');
  await worker?.ended;
});
