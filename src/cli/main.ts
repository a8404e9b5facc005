// Where the process starts: arguments in, exit code out.
import { UserError } from '../error/user-error.ts';
import { EXIT, fail } from './exit.ts';

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that goes away (`| head`) is no fault of ours and no news to anybody; still, it has not got everything.
  if (error.code === 'EPIPE') process.exitCode = EXIT.error;
  else fail(unwritable(error));
  process.exit();
});
// What escapes from a callback is a bug as what escapes from `main` is, and is told like it.
process.on('uncaughtException', (error) => {
  fail(error);
  process.exit();
});

async function main(): Promise<void> {
  try {
    const [command, option, ...rest] = process.argv.slice(2);
    if (command === 'generate' && rest.length === 0 && (option === undefined || option === '--in-place')) {
      // As argocd-cmp-server calls it, for every generation: without the parser of the command line, which costs 6 ms.
      const { runGenerate } = await import('./commands/generate.ts');
      await runGenerate(option === undefined ? {} : { inPlace: true });
    } else {
      await (await import('./program.ts')).runProgram();
    }
  } catch (error) {
    fail(error);
  }
}

function unwritable(cause: NodeJS.ErrnoException): UserError {
  const what = `the output could not be written (${cause.code ?? cause.message})`;
  return new UserError(
    'OUTPUT_UNWRITABLE',
    { what, where: 'standard output', fix: 'make room where it goes to' },
    cause,
  );
}

void main();
