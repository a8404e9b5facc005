import { type ApplicationFile, readApplicationFile } from '../application-file.ts';
import { explanationText } from '../explanation-text.ts';
import type { GenerateRequest } from '../../generate/generate.ts';
import { operatorConfiguration } from '../operator.ts';
import { controllerAccess, type PersonOptions } from '../person.ts';
import { runGeneration, stopSignal, toldGeneration } from '../run-generation.ts';

export interface ExplainOptions extends PersonOptions {
  readonly file?: string;
  readonly project?: string;
  readonly json?: true;
}

/** `explain`: what `generate` would do here, and why. Renders in a private copy, so nothing in the directory changes. */
export async function runExplain(directory: string | undefined, options: ExplainOptions): Promise<void> {
  const application = options.file === undefined ? undefined : await readApplication(options.file, directory);
  const isPerson = options.controller !== undefined || options.tokenFile !== undefined;
  const person = isPerson ? await controllerAccess(options) : undefined;
  const request: GenerateRequest = {
    directory: directory ?? application?.path ?? process.cwd(),
    environment: { ...process.env, ...application?.environment },
    inPlace: false,
    explain: true,
    register: false,
    ...(options.project !== undefined && { project: options.project }),
  };
  const generation = toldGeneration(await runGeneration(request, stopSignal(), person));
  if (generation === undefined) return;
  const { notices } = generation;
  const images = generation.reports();
  if (options.json) process.stdout.write(`${JSON.stringify({ images, notices }, undefined, 2)}\n`);
  else process.stdout.write(explanationText(images));
}

async function readApplication(file: string, directory: string | undefined): Promise<ApplicationFile> {
  const { configuration } = await operatorConfiguration().current();
  return readApplicationFile(file, directory, configuration.controlPlaneNamespace);
}
