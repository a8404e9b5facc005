import { expect, test } from 'vitest';
import { detectRenderer } from '../../src/render/detect.ts';
import { temporaryFolder, writeTree } from './render-checkout.ts';

test.for([
  { files: ['deployment.yaml'], want: 'directory' },
  { files: ['Chart.yaml'], want: 'helm' },
  { files: ['kustomization.yaml'], want: 'kustomize' },
  { files: ['kustomization.yml'], want: 'kustomize' },
  { files: ['Kustomization'], want: 'kustomize' },
  { files: ['Chart.yaml', 'Kustomization'], want: 'kustomize' },
  { files: ['kustomization.yaml', 'wrapped-Chart.yaml'], want: 'helm' },
  { files: ['kustomization.yaml', 'a-Chart.yaml'], want: 'kustomize' },
  { files: ['Chart.yml', 'KUSTOMIZATION.yaml'], want: 'directory' },
  { files: ['Chart.yaml/x', 'kustomization.yaml/x'], want: 'directory' },
  { files: ['sub/Chart.yaml'], want: 'directory' },
])('$files make it $want', async ({ files, want }) => {
  const folder = await temporaryFolder();
  await writeTree(folder, Object.fromEntries(files.map((file) => [file, ''])));
  expect(detectRenderer(folder)).toBe(want);
});
