import { detectRenderer } from './detect.ts';
import type { RenderOptions } from './render-options.ts';
import type { Rendered } from './render-spec.ts';

/**
 * The manifests as Argo CD would render them, byte for byte as the tool printed them. An empty text is a legal answer here
 * (a chart whose every template is off); the caller decides what it means.
 */
export async function render(options: RenderOptions): Promise<Rendered> {
  // Each renderer is loaded when it is needed: the other two would only make the start slower.
  const kind = options.spec.renderer ?? detectRenderer(options.root.app);
  switch (kind) {
    case 'kustomize':
      return (await import('./kustomize/build.ts')).renderKustomize(options);
    case 'helm':
      return (await import('./helm/render-helm.ts')).renderHelm(options);
    case 'directory':
      return (await import('./directory/render-directory.ts')).renderDirectory(options);
    default:
      return kind satisfies never;
  }
}
