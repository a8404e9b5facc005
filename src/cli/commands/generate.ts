import { runGeneration } from '../run-generation.ts';

/** `generate`: manifests to stdout, and nothing else. */
export async function runGenerate(options: { readonly inPlace?: true }): Promise<void> {
  const { text } = await runGeneration({
    directory: process.cwd(),
    environment: process.env,
    inPlace: options.inPlace === true,
    explain: false,
  });
  process.stdout.write(text);
}
