import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the Go toolchain keeps the sources of the pinned Argo CD: its manifests and CRDs. */
export function argoCdSources(): string {
  const cwd = join(dirname(fileURLToPath(import.meta.url)), '../tools/argocd');
  const list = ['list', '-mod=mod', '-m', '-f', '{{.Dir}}', 'github.com/argoproj/argo-cd/v3'];
  execFileSync('go', ['mod', 'download', 'github.com/argoproj/argo-cd/v3'], { cwd, stdio: 'ignore' });
  return execFileSync('go', list, { cwd, encoding: 'utf8' }).trim();
}
