// Where the process starts: arguments in, exit code out.
import { fail } from './exit.ts';

// A reader that goes away (`| head`) is no fault of ours and no news to anybody.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
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

void main();
