import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/** The packages that a module imports before it runs, through all that it imports. */
async function packagesBehind(modules: readonly string[]): Promise<readonly string[]> {
  const { metafile } = await build({
    entryPoints: modules.map((module) => fileURLToPath(new URL(`../../src/${module}`, import.meta.url))),
    outdir: 'unused',
    write: false,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    metafile: true,
  });
  const imports = Object.values(metafile.inputs).flatMap((input) => input.imports);
  const packages = imports.filter(({ external, kind }) => external === true && kind === 'import-statement');
  return [...new Set(packages.map(({ path }) => path))].sort();
}

test('parameters and the policies in them load semver and nothing else', async () => {
  const modules = [
    'parameters/read-parameters.ts',
    'parameters/render-spec.ts',
    'parameters/build-environment.ts',
    'policy/from-parameters.ts',
    'policy/match.ts',
    'policy/from-annotations.ts',
    'policy/output.ts',
    'policy/check-policies.ts',
  ];
  expect(await packagesBehind(modules)).toEqual(['semver/functions/parse.js']);
});
