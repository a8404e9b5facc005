import type { Resolve } from './address.ts';
import { AuthorizedHttp } from './authorized.ts';
import { SharedFlights } from './coalesce.ts';
import { cancelled } from './errors.ts';
import { Http, type RequestEvent } from './http.ts';
import { TagLister } from './list.ts';
import { ManifestFacts } from './manifest.ts';
import type { Listing, RegistryClient } from './sources.ts';
import { memoryThrottle, type Throttle } from './throttle.ts';
import { sleepForReal, type Clock, type Sleep } from './time.ts';
import { TokenSource } from './token.ts';
import { Transport, type ProxyEnvironment } from './transport.ts';

export interface RegistryClientOptions {
  readonly clock: Clock;
  /** 0 up to 1; default `Math.random`. */
  readonly random?: () => number;
  /** Default: pauses of this client alone. */
  readonly throttle?: Throttle;
  /** Where `http_proxy`, `https_proxy`, `no_proxy` and their upper-case forms are read: `process.env`, or nothing. */
  readonly environment: ProxyEnvironment;
  /** Told of every attempt that reached for the network. */
  readonly onRequest?: (event: RequestEvent) => void;
  readonly sleep?: Sleep;
  /** Names to addresses; default the system's. */
  readonly resolve?: Resolve;
}

/**
 * A client of the Docker Registry HTTP API v2 and the OCI distribution spec. It opens nothing before the first request;
 * undici is loaded then. A signal made by `signalWithDeadline` lets it know how much time is left.
 */
export function createRegistryClient(options: RegistryClientOptions): RegistryClient {
  const transport = new Transport(options.environment, options.resolve);
  const http = new Http({
    transport,
    clock: options.clock,
    sleep: options.sleep ?? sleepForReal,
    random: options.random ?? Math.random,
    throttle: options.throttle ?? memoryThrottle(),
    ...(options.onRequest === undefined ? {} : { onRequest: options.onRequest }),
  });
  const authorized = new AuthorizedHttp(http, new TokenSource(http, options.clock));
  const lister = new TagLister(authorized);
  const facts = new ManifestFacts(authorized, http);
  const listings = new SharedFlights<Listing>();
  return {
    list: async (access, previous, signal) => {
      // What is known before belongs to the key: who knows nothing must not be told "unchanged".
      const key = JSON.stringify([
        access.scope,
        access.repository.name,
        previous?.etag,
        previous?.lastModified,
        previous?.fingerprint,
      ]);
      try {
        return await listings.join(key, signal, (flight) => lister.list(access, previous, flight));
      } catch (error) {
        if (!signal.aborted) throw error;
        const url = new URL(`${access.endpoint.apiUrl}/v2/${access.repository.path}/tags/list`);
        const { name: repository } = access.repository;
        return {
          kind: 'failed',
          fault: cancelled({ method: 'GET', url, asked: 'listing', repository, credentialsSent: false }),
        };
      }
    },
    head: (access, tag, signal) => facts.head(access, tag, signal),
    built: (access, digest, platforms, signal) => facts.built(access, digest, platforms, signal),
    inspect: (access, tag, platforms, signal) => facts.inspect(access, tag, platforms, signal),
    close: () => transport.close(),
  };
}
