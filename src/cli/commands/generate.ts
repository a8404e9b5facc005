import { runGeneration } from '../run-generation.ts';

/** `generate`: manifests to stdout, and nothing else. */
export async function runGenerate(options: { readonly inPlace?: true }): Promise<void> {
  const generation = await runGeneration({
    directory: process.cwd(),
    environment: process.env,
    inPlace: options.inPlace === true,
    explain: false,
    register: true,
  });
  if (generation !== undefined) process.stdout.write(generation.text);
}
