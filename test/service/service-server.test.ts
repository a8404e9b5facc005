import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { describe, expect, test, vi } from 'vitest';
import { Refusal, text } from '../../src/service/exchange.ts';
import { Gate } from '../../src/service/gate.ts';
import { EXPIRED_CERTIFICATE, SERVER_CERTIFICATE, TEST_CA } from '../support/fake-registry-certificates.ts';
import { realTime, route, send, serve } from './ports.ts';

const never = new AbortController().signal;

/** A connection on which a test writes what it likes, and what came back until it was closed. */
async function raw(url: string): Promise<{ readonly socket: Socket; readonly closed: Promise<string> }> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  const chunks: string[] = [];
  socket.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  socket.on('error', () => undefined);
  const closed = new Promise<string>((done) => socket.on('close', () => done(chunks.join(''))));
  await new Promise((done) => socket.once('connect', done));
  return { socket, closed };
}

function head(length: number): string {
  return `POST /do HTTP/1.1\r\nhost: x\r\ncontent-length: ${length}\r\n\r\n`;
}

describe('slow clients', () => {
  test('who does not get its head finished is cut', async () => {
    await using running = await serve([route(async () => text('never'))], { limits: { headMs: 100 } });
    const { socket, closed } = await raw(running.url);
    socket.write('POST /do HTTP/1.1\r\nhost: x\r\nx-slow: ');
    expect(await closed).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('who does not get its body finished is cut, and was worked for not at all', async () => {
    const handle = vi.fn<() => Promise<ReturnType<typeof text>>>(async () => text('never'));
    await using running = await serve([route(handle)], { limits: { headMs: 100, requestMs: 150 } });
    const { socket, closed } = await raw(running.url);
    socket.write(`${head(100)}a`);
    const dripping = setInterval(() => socket.write('a'), 20);
    await closed;
    clearInterval(dripping);
    expect(handle).not.toHaveBeenCalled();
  });

  test('who does not take its answer is cut', async () => {
    const much = 'x'.repeat(16 * 1024 * 1024);
    // Closing waits for its work for ever here, so that it ends only when the connection was cut.
    const time = { ...realTime, sleep: async (_ms: number, signal: AbortSignal) => realTime.sleep(2 ** 30, signal) };
    const running = await serve([route(async () => text(much))], { limits: { silenceMs: 200 }, time });
    const { socket, closed } = await raw(running.url);
    socket.pause();
    socket.write(head(0));
    await vi.waitFor(() => expect(socket.readableLength).toBeGreaterThan(0));
    await running.server.close();
    socket.resume();
    expect((await closed).length).toBeLessThan(much.length);
  });
});

test('who goes away ends the work it alone waited for', async () => {
  const began = Promise.withResolvers<AbortSignal>();
  await using running = await serve([
    route((_body, signal) => {
      began.resolve(signal);
      return new Promise((_done, failed) => {
        signal.addEventListener('abort', () => failed(signal.reason as Error), { once: true });
      });
    }),
  ]);
  const { socket } = await raw(running.url);
  socket.write(head(0));
  const signal = await began.promise;
  expect(running.server.inWork).toBe(1);
  socket.destroy();
  await vi.waitFor(() => expect(signal.aborted).toBe(true));
  await vi.waitFor(() => expect(running.server.inWork).toBe(0));
  expect(running.log.lines.filter((line) => line.startsWith('error'))).toEqual([]);
});

test('of a thousand at once each is answered or told to come again, and no more are in work than may be', async () => {
  let most = 0;
  const told: number[] = [];
  await using running = await serve(
    [
      route(
        async () => {
          most = Math.max(most, running.server.inWork);
          await new Promise((done) => setTimeout(done, 20));
          return text('done');
        },
        { told: ({ status }) => void told.push(status) },
      ),
    ],
    { limits: { inWork: 16, waiting: 32 } },
  );
  const answers = await Promise.all(
    Array.from({ length: 1000 }, async () => send(`${running.url}/do`, { method: 'POST', raw: '{}' })),
  );
  const statuses = new Set(answers.map(({ status }) => status));
  expect(statuses).toEqual(new Set([200, 503]));
  expect(most).toBe(16);
  const refused = answers.filter(({ status }) => status === 503);
  expect(refused.every(({ headers }) => headers.get('retry-after') === '1')).toBe(true);
  const count = (of: readonly number[]): number => of.filter((status) => status === 503).length;
  expect(told).toHaveLength(1000);
  expect(count(told)).toBe(refused.length);
});

test('bodies take no more memory than there is room for', async () => {
  await using running = await serve([route(async (body) => text(`${body.length}`), { maxBodyBytes: 4096 })], {
    limits: { bodyBytes: 5000 },
  });
  const { socket } = await raw(running.url);
  socket.write(`${head(4000)}${'a'.repeat(3999)}`);
  await vi.waitFor(async () => {
    expect((await send(`${running.url}/do`, { method: 'POST', raw: 'b'.repeat(2000) })).status).toBe(503);
  });
  expect(await send(`${running.url}/do`, { method: 'POST', raw: 'b'.repeat(900) })).toMatchObject({
    status: 200,
    body: '900',
  });
  socket.destroy();
  await vi.waitFor(async () => {
    expect((await send(`${running.url}/do`, { method: 'POST', raw: 'b'.repeat(2000) })).status).toBe(200);
  });
});

test('who announces a body and does not send it takes no room from others', async () => {
  await using running = await serve([route(async (body) => text(`${body.length}`), { maxBodyBytes: 4096 })], {
    limits: { bodyBytes: 5000 },
  });
  const silent = await Promise.all(Array.from({ length: 20 }, async () => raw(running.url)));
  for (const { socket } of silent) socket.write(`${head(4000)}a`);
  for (let round = 0; round < 3; round++) {
    const answer = await send(`${running.url}/do`, { method: 'POST', raw: 'b'.repeat(4096) });
    expect(answer).toMatchObject({ status: 200, body: '4096' });
  }
  for (const { socket } of silent) socket.destroy();
});

test('a body that does not come to its end does not hold up a stop', async () => {
  const reading = Promise.withResolvers<void>();
  const slow = route(async () => text('never'));
  const running = await serve(
    [
      {
        ...slow,
        open: async (...asked) => {
          reading.resolve();
          return slow.open(...asked);
        },
      },
    ],
    { limits: { graceMs: 10 } },
  );
  const { socket, closed } = await raw(running.url);
  socket.write(`${head(1000)}a`);
  await reading.promise;
  await running.server.close();
  expect(await closed).toMatch(/^HTTP\/1\.1 503 [^]*the controller stops/);
});

test.for([
  { name: 'an unknown path', request: 'GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n', status: 404 },
  {
    name: 'a path below an exact one',
    request: 'POST /do/x HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n',
    status: 404,
  },
  { name: 'another method', request: 'GET /do HTTP/1.1\r\nhost: x\r\n\r\n', status: 405 },
  { name: 'a proxy request', request: 'GET http://other/ HTTP/1.1\r\nhost: x\r\n\r\n', status: 404 },
  {
    name: 'a compressed body',
    request: 'POST /do HTTP/1.1\r\nhost: x\r\ncontent-encoding: gzip\r\ncontent-length: 1\r\n\r\na',
    status: 415,
  },
  { name: 'a body announced too large', request: head(1025), status: 413 },
  {
    name: 'a body in chunks too large',
    request: `POST /do HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n800\r\n${'a'.repeat(0x800)}\r\n`,
    status: 413,
  },
  { name: 'a head too large', request: `GET / HTTP/1.1\r\nx: ${'a'.repeat(40_000)}\r\n\r\n`, status: 431 },
  { name: 'no HTTP', request: 'hello\r\n\r\n', status: 400 },
])('$name is answered with $status and nothing about us', async ({ request, status }) => {
  await using running = await serve([route(async () => text('done'))]);
  const { socket, closed } = await raw(running.url);
  socket.write(request);
  await vi.waitFor(() => expect(socket.bytesRead).toBeGreaterThan(0));
  socket.end();
  const answer = await closed;
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(answer).not.toMatch(/node|src|at /i);
});

test('strangers are answered before their body is read', async () => {
  await using running = await serve([
    route(async () => text('never'), {
      open: async () => {
        throw new Refusal(401, 'who are you?');
      },
    }),
  ]);
  const { socket, closed } = await raw(running.url);
  socket.write(head(1000));
  expect(await closed).toMatch(/^HTTP\/1\.1 401 [^]*who are you\?/);
});

describe('closing', () => {
  test('waits for nobody who connected and asked nothing', async () => {
    const time = { ...realTime, sleep: async (_ms: number, signal: AbortSignal) => realTime.sleep(2 ** 30, signal) };
    const running = await serve([route(async () => text('done'))], { time });
    const { closed } = await raw(running.url);
    expect((await send(`${running.url}/do`, { method: 'POST', raw: '' })).status).toBe(200);
    await running.server.close();
    expect(await closed).toBe('');
  });

  test('lets work end, takes no more, and says so', async () => {
    const work = Promise.withResolvers<void>();
    const running = await serve([
      route(async () => {
        await work.promise;
        return text('done');
      }),
    ]);
    const asked = send(`${running.url}/do`, { method: 'POST', raw: '' });
    await vi.waitFor(() => expect(running.server.inWork).toBe(1));
    const closed = running.server.close();
    await expect(send(`${running.url}/do`)).rejects.toThrow('fetch failed');
    work.resolve();
    expect(await asked).toMatchObject({ status: 200, body: 'done' });
    expect((await asked).headers.get('connection')).toBe('close');
    await closed;
  });

  test('stops what does not end, within its time', async () => {
    const waits: number[] = [];
    const running = await serve(
      [
        route(
          (_body, signal) =>
            new Promise((_done, failed) => {
              signal.addEventListener('abort', () => failed(signal.reason as Error), { once: true });
            }),
        ),
        route(async () => new Promise(() => undefined), { path: '/deaf' }),
      ],
      {
        time: {
          ...realTime,
          sleep: async (ms, signal) => {
            waits.push(ms);
            await realTime.sleep(50, signal);
          },
        },
      },
    );
    const asked = send(`${running.url}/do`, { method: 'POST', raw: '' });
    const deaf = send(`${running.url}/deaf`, { method: 'POST', raw: '' });
    const deafEnded = deaf.catch((error: Error) => error.message);
    await vi.waitFor(() => expect(running.server.inWork).toBe(2));
    await running.server.close();
    expect(await asked).toMatchObject({ status: 503, body: { error: 'the controller stops' } });
    expect(await deafEnded).toBe('fetch failed');
    expect(waits).toEqual([4_000, 500]);
  });
});

describe('over TLS', () => {
  async function serialOf(url: string): Promise<string> {
    return new Promise((done, failed) => {
      get(url, { ca: TEST_CA, agent: false, rejectUnauthorized: false }, (response) => {
        done((response.socket as TLSSocket).getPeerCertificate().serialNumber);
        response.resume();
      }).on('error', failed);
    });
  }

  test('a renewed certificate is taken without a restart, and one that cannot be used is not', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tls-'));
    const [certFile, keyFile] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
    const put = async ({ cert, key }: { readonly cert: string; readonly key: string }): Promise<void> => {
      // As a mounted Secret does it: another file under the same name.
      await writeFile(`${certFile}.new`, cert);
      await cp(`${certFile}.new`, certFile);
      await writeFile(keyFile, key);
    };
    let skipped = 0;
    const time = { ...realTime, now: () => Date.now() + skipped };
    await put(EXPIRED_CERTIFICATE);
    await using running = await serve([route(async () => text('done'))], { tls: { certFile, keyFile }, time });
    const first = await serialOf(`${running.url}/do`);
    await put(SERVER_CERTIFICATE);
    skipped += 60_000;
    const second = await serialOf(`${running.url}/do`);
    expect(second).not.toBe(first);
    await put({ cert: 'nothing', key: 'nothing' });
    skipped += 60_000;
    expect(await serialOf(`${running.url}/do`)).toBe(second);
    expect(running.log.lines.join('\n')).toMatch(/certificate-renewed[^]*error certificate-refused/);
    await rm(folder, { recursive: true });
  });

  test('a server without its certificate does not start', async () => {
    const tls = { certFile: '/nowhere/tls.crt', keyFile: '/nowhere/tls.key' };
    await expect(serve([], { tls })).rejects.toThrow('/nowhere/tls.crt is not there');
  });
});

describe('a gate', () => {
  test('lets those who wait in one after the other, and forgets those who left', async () => {
    const gate = new Gate({ inWork: 1, waiting: 2 });
    const first = await gate.enter(never);
    const order: string[] = [];
    const leaving = new AbortController();
    const gone = gate.enter(leaving.signal).catch((error: Error) => error.message);
    const second = gate.enter(never).then((place) => {
      order.push('second');
      return place;
    });
    expect(await gate.enter(never)).toBeUndefined();
    leaving.abort(new Error('gone'));
    expect(await gone).toBe('gone');
    const third = gate.enter(never).then((place) => {
      order.push('third');
      return place;
    });
    first?.[Symbol.dispose]();
    first?.[Symbol.dispose]();
    (await second)?.[Symbol.dispose]();
    (await third)?.[Symbol.dispose]();
    expect(order).toEqual(['second', 'third']);
    expect(gate.inWork).toBe(0);
  });
});
