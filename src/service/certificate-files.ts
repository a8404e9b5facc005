import type { Server } from 'node:https';
import type { FilePorts } from '../operator/files.ts';
import type { Log } from '../telemetry/log.ts';

/** PEM files of a server's certificate, as a mounted Secret holds them. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

type Files = Pick<FilePorts, 'stamp' | 'read'>;

/** @throws {Error} with the path and what is wrong with it. */
export function readCertificate({ certFile, keyFile }: CertificateFiles, files: Files): Certificate {
  return { cert: readPem(certFile, files), key: readPem(keyFile, files) };
}

function readPem(path: string, files: Files): string {
  const found = files.read(path);
  if (found.kind === 'read') return found.text;
  throw new Error(`${path} ${found.kind === 'missing' ? 'is not there' : found.problem}`);
}

/** How often the files are looked at, in milliseconds. */
const LOOK_EVERY_MS = 5_000;

/**
 * Takes a renewed certificate without a restart. It is looked for when somebody connects; one that cannot be used leaves the
 * one before in force.
 */
export function renewCertificate(
  server: Server,
  paths: CertificateFiles,
  ports: { readonly files: Files; readonly now: () => number; readonly log: Log },
): void {
  const { files, now, log } = ports;
  const stamps = (): string => `${files.stamp(paths.certFile)} ${files.stamp(paths.keyFile)}`;
  let known = stamps();
  let lookedAt = now();
  // Before the server's own listener, which begins the handshake.
  server.prependListener('connection', () => {
    if (Math.abs(now() - lookedAt) < LOOK_EVERY_MS) return;
    lookedAt = now();
    const found = stamps();
    if (found === known) return;
    known = found;
    try {
      server.setSecureContext({ ...readCertificate(paths, files), minVersion: MIN_TLS_VERSION });
      log.info('certificate-renewed');
    } catch (error) {
      log.error('certificate-refused', { problem: error instanceof Error ? error.message : 'unknown' });
    }
  });
}

export const MIN_TLS_VERSION = 'TLSv1.2';
