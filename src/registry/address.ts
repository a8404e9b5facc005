import { lookup as systemLookup, type LookupAddress, type LookupOptions } from 'node:dns';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

/** How names become addresses; as `dns.lookup`, so that tests can answer for it. */
export type Resolve = (
  hostname: string,
  options: LookupOptions & { readonly all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** A name or literal leads to an address that is not on the public internet. */
export class ForbiddenAddressError extends Error {
  override readonly name = 'ForbiddenAddressError';
  readonly hostname: string;

  constructor(hostname: string) {
    super(`${hostname} has an address that is not public`);
    this.hostname = hostname;
  }
}

/**
 * Whether an address is anything but public unicast: loopback, link-local (with the clouds' metadata servers), private,
 * unique local, carrier-grade NAT, multicast, reserved, or IPv6 that wraps such an IPv4 address (mapped, NAT64).
 */
export function isForbiddenAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return true;
  const parsed = ipaddr.process(address); // mapped IPv6 becomes IPv4
  if (parsed instanceof ipaddr.IPv6 && parsed.range() === 'rfc6052') {
    // 64:ff9b::/96: how a cluster without IPv4 reaches public IPv4 registries; the last 32 bits say whom.
    return isForbiddenAddress(ipaddr.fromByteArray(parsed.toByteArray().slice(12)).toString());
  }
  return parsed.range() !== 'unicast';
}

/**
 * The IP address a URL's host is, if it is one. `URL` has already turned `2130706433`, `0x7f.1` and `[::ffff:127.0.0.1]`
 * into their usual forms. Literals never reach a lookup function, so they are checked before connecting.
 */
export function literalAddress(url: URL): string | undefined {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return ipaddr.isValid(host) ? host : undefined;
}

/** A lookup for sockets that refuses a name as soon as one of its addresses is forbidden; checked at connect, so a name that changes its answer later gains nothing. */
export function guardedLookup(resolve: Resolve = systemLookup): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '');
      if (addresses.some(({ address }) => isForbiddenAddress(address))) {
        return callback(new ForbiddenAddressError(hostname), '');
      }
      return answer(hostname, options, addresses, callback);
    });
  };
}

/** The same without the check, for hosts the operator named. */
export function plainLookup(resolve: Resolve = systemLookup): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) =>
      error === null ? answer(hostname, options, addresses, callback) : callback(error, ''),
    );
  };
}

function answer(
  hostname: string,
  options: LookupOptions,
  addresses: LookupAddress[],
  callback: Parameters<LookupFunction>[2],
): void {
  const [first] = addresses;
  if (first === undefined) {
    callback(Object.assign(new Error(`${hostname} has no address`), { code: 'ENOTFOUND' }), '');
  } else if (options.all === true) {
    callback(null, addresses);
  } else {
    callback(null, first.address, first.family);
  }
}
