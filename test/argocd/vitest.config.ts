import { defineConfig, type ViteUserConfig } from 'vitest/config';

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/argocd/**/*.test.ts'],
    // Each file starts an Argo CD of its own, and one at a time is enough for two cores.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 180_000,
    globals: false,
  },
});
export default config;
