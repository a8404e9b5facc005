import { defineConfig, type ViteUserConfig } from 'vitest/config';

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/golden/**'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    globals: false,
    restoreMocks: true,
    unstubEnvs: true,
  },
});
export default config;
