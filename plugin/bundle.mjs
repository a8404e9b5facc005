// Bundles the command into dist/: `image-resolver` (the launcher) and `lib/` (the code, no node_modules).
//
// One file holds all of our code: each further file on the way costs about half a millisecond of every generation. The
// packages below are files of their own, because they are large and `generate` does without them as long as the store has
// fresh answers. So is what runs in a thread of the controller. CommonJS, because importing a built-in such as node:http
// into an ES module evaluates all its lazy exports, Node's own undici among them (about 30 ms).

import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
/** Filled first and then put in place at once, so that a build that fails or is killed leaves the one before. */
const unfinished = join(root, `dist.${process.pid}`);
const replaced = join(root, `dist.${process.pid}.replaced`);
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Loaded where they are needed: by `await import()`, or by a module of ours that is. */
const SEPARATE = [
  '@kubernetes/client-node/dist/config.js',
  '@valibot/to-json-schema',
  'commander',
  'execa',
  're2js',
  'tldts',
  'undici',
];
const fileOf = (name) => `${name.replace(/\.[jt]s$/, '').replaceAll(/[@./]/g, '')}.cjs`;

/** @type {import('esbuild').BuildOptions} */
const common = {
  absWorkingDir: root,
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node24',
  mainFields: ['module', 'main'],
  // A third less to read and to check the compile cache against. Names stay: stack traces are read by people.
  minifyWhitespace: true,
  minifySyntax: true,
  // What a file needs to find another one beside it.
  define: { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' },
  // `import()` becomes `require()`: everything here is CommonJS, and a promise around it costs nothing.
  supported: { 'dynamic-import': false },
  logLevel: 'warning',
};

const separate = {
  name: 'separate',
  setup({ onResolve }) {
    const names = new RegExp(`^(?:${SEPARATE.join('|').replaceAll('.', '\\.')})$`);
    onResolve({ filter: names }, ({ path }) => ({ path: `./${fileOf(path)}`, external: true }));
  },
};

// A program of its own, with its own copy of what it shares with the others: no generation has to load a word of it.
const separateController = {
  name: 'separate controller',
  setup({ onResolve }) {
    onResolve({ filter: /\/commands\/controller\.ts$/ }, ({ kind }) =>
      kind === 'entry-point' ? undefined : { path: './controller.cjs', external: true },
    );
  },
};

try {
  mkdirSync(join(unfinished, 'lib'), { recursive: true });
  const { metafile } = await build({
    ...common,
    entryPoints: ['src/cli/main.ts'],
    outfile: join(unfinished, 'lib/main.cjs'),
    define: { ...common.define, 'process.env.IMAGE_RESOLVER_VERSION': JSON.stringify(version) },
    plugins: [separate, separateController],
    metafile: true,
  });
  await build({
    ...common,
    entryPoints: ['src/cli/commands/controller.ts'],
    outfile: join(unfinished, 'lib/controller.cjs'),
    define: { ...common.define, 'process.env.IMAGE_RESOLVER_VERSION': JSON.stringify(version) },
    plugins: [separate],
  });
  for (const thread of ['filtering/filter-worker', 'store/checkpoint-worker']) {
    await build({
      ...common,
      entryPoints: [`src/${thread}.ts`],
      outfile: join(unfinished, 'lib', `${basename(thread)}.cjs`),
      plugins: [separate],
    });
  }
  for (const name of SEPARATE) {
    await build({ ...common, entryPoints: [name], outfile: join(unfinished, 'lib', fileOf(name)) });
  }
  writeFileSync(join(unfinished, 'metafile.json'), JSON.stringify(metafile));
  writeFileSync(join(unfinished, 'package.json'), '{ "type": "commonjs" }\n');
  // The compiled code that is kept beside the compile cache belongs to exactly this bundle: V8 compares no more than its length.
  const code = readFileSync(join(unfinished, 'lib/main.cjs'));
  const launcher = readFileSync(join(root, 'plugin/launcher.js'), 'utf8');
  const id = createHash('sha256').update(code).digest('hex').slice(0, 16);
  writeFileSync(join(unfinished, 'image-resolver'), launcher.replace('@build@', id));
  chmodSync(join(unfinished, 'image-resolver'), 0o755);
  // There is hardly a moment without any, for those who use it meanwhile.
  if (existsSync(dist)) renameSync(dist, replaced);
  renameSync(unfinished, dist);
} finally {
  for (const folder of [unfinished, replaced]) rmSync(folder, { recursive: true, force: true });
}
