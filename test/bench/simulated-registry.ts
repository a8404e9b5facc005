// A registry of many repositories with the same tags, in a process of its own, which counts what it is asked.
//
//   node simulated-registry.ts '{"tags":500,"etags":true}'     prints its port

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RegistryCounts, SimulatedRegistryOptions } from './simulated.ts';
import { tagsOf } from './simulated.ts';

const options = JSON.parse(process.argv[2] ?? '{}') as SimulatedRegistryOptions;
const TAGS = JSON.stringify(tagsOf(options.tags));
const ETAG = '"the-only-state"';
const counts: RegistryCounts = { listings: 0, unchanged: 0, others: 0 };
let etags = options.etags;

function answer(request: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://registry');
  const listed = /^\/v2\/(.+)\/tags\/list$/.exec(pathname)?.[1];
  response.setHeader('content-type', 'application/json');
  if (pathname === '/simulation') {
    if (request.method === 'POST') etags = searchParams.get('etags') === 'true';
    response.end(JSON.stringify(counts));
  } else if (listed === undefined || Number(searchParams.get('n') ?? options.tags) < options.tags) {
    counts.others += 1;
    response.writeHead(404).end('{}');
  } else {
    counts.listings += 1;
    if (etags) response.setHeader('etag', ETAG);
    if (etags && request.headers['if-none-match'] === ETAG) {
      counts.unchanged += 1;
      response.writeHead(304).end();
    } else {
      response.end(`{"name":"${listed}","tags":${TAGS}}`);
    }
  }
}

const server = createServer(answer);
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
