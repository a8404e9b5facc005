const PROCESS = process.hrtime.bigint().toString(36);

/**
 * The generation of a credential that is no file: a count within this process. A hash of the value would be the same in
 * every process, but short passwords can be guessed from it.
 */
export function processGeneration(count: number): string {
  return `${PROCESS}.${count}`;
}
