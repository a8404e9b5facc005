// Bundles the command into dist/: `image-resolver` (the launcher) and `lib/` (the code in chunks, no node_modules).
//
// Two steps, because esbuild splits only ES modules, while `generate` must start as CommonJS: importing a built-in such
// as node:http into an ES module evaluates all its lazy exports, Node's own undici among them (about 30 ms).

import { build, transform } from 'esbuild';
import { chmodSync, cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
/** Filled first and then put in place at once, so that a build that fails or is killed leaves the one before. */
const unfinished = join(root, `dist.${process.pid}`);
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const split = await build({
  entryPoints: { main: join(root, 'src/cli/main.ts') },
  absWorkingDir: root,
  outdir: join(unfinished, 'lib'),
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  outExtension: { '.js': '.cjs' },
  chunkNames: '[name]-[hash]',
  mainFields: ['module', 'main'],
  define: { 'process.env.IMAGE_RESOLVER_VERSION': JSON.stringify(version) },
  metafile: true,
  write: false,
  logLevel: 'warning',
});

mkdirSync(join(unfinished, 'lib'), { recursive: true });
for (const file of split.outputFiles) {
  const { code } = await transform(file.text, {
    format: 'cjs',
    platform: 'node',
    target: 'node24',
    // `import()` becomes `require()`: the chunk is CommonJS too, and a promise around it costs nothing.
    supported: { 'dynamic-import': false },
  });
  writeFileSync(file.path, code);
}
writeFileSync(join(unfinished, 'metafile.json'), JSON.stringify(split.metafile));
writeFileSync(join(unfinished, 'package.json'), '{ "type": "commonjs" }\n');
cpSync(join(root, 'plugin/launcher.js'), join(unfinished, 'image-resolver'));
chmodSync(join(unfinished, 'image-resolver'), 0o755);
rmSync(dist, { recursive: true, force: true });
renameSync(unfinished, dist);
