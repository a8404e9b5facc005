import { runGeneration, stopSignal, toldGeneration } from '../run-generation.ts';

/** `generate`: manifests to stdout, and nothing else. */
export async function runGenerate(options: { readonly inPlace?: true }): Promise<void> {
  const request = {
    directory: process.cwd(),
    environment: process.env,
    inPlace: options.inPlace === true,
    explain: false,
    register: true,
  };
  const generation = toldGeneration(await runGeneration(request, stopSignal()));
  if (generation !== undefined) process.stdout.write(generation.text);
}
