import { defineConfig, type ViteUserConfig } from 'vitest/config';

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // A whole Argo CD is started by `npm run test:argocd`.
    exclude: ['test/golden/**', 'test/argocd/**'],
    // One worker per core: most tests wait for programs that they start, and vitest would leave a core free.
    maxWorkers: '100%',
    testTimeout: 60_000,
    hookTimeout: 120_000,
    globals: false,
    restoreMocks: true,
    unstubEnvs: true,
  },
});
export default config;
