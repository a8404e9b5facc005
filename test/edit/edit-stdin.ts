/**
 * Tags every image of the manifests on standard input and prints how many there were. Exit code 1 and the error's code for
 * an error of the manifests; anything else ends the process as it may.
 */
import { text } from 'node:stream/consumers';
import { UserError } from '../../src/error/user-error.ts';
import { edited, tag } from './editing.ts';

const input = await text(process.stdin);
let count = 0;
try {
  edited(input, ({ reference }) => {
    count += 1;
    return reference && { tag: tag('2') };
  });
  process.stdout.write(`${String(count)} images\n`);
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  process.stdout.write(`${error.code}\n`);
  process.exitCode = 1;
}
