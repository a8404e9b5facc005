import { readdirSync } from 'node:fs';
import type { RendererKind } from './render-spec.ts';

export const KUSTOMIZATION_NAMES: readonly string[] = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

/**
 * The renderer Argo CD would take for a directory: by its files in byte order, where the last that says something wins. So
 * a kustomization beats `Chart.yaml`, but `wrapped-Chart.yaml` (any name that ends so) beats `kustomization.yaml`.
 *
 * @see https://github.com/argoproj/argo-cd/blob/v3.2.11/util/app/discovery/discovery.go
 */
export function detectRenderer(directory: string): RendererKind {
  const entries = readdirSync(directory, { withFileTypes: true });
  const names = entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
  let found: RendererKind = 'directory';
  for (const name of names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
    if (name.endsWith('Chart.yaml')) found = 'helm';
    if (KUSTOMIZATION_NAMES.includes(name)) found = 'kustomize';
  }
  return found;
}
