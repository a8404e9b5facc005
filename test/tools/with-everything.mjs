// Makes a clean clone ready and then runs a program with the pinned Node: `npm test`, `npm run demo` and `npm run bench`
// start here. Plain JavaScript for Node 20, because it runs before anything is installed.
//
//   node test/tools/with-everything.mjs [--tools a,b] <program in node_modules/.bin, or a .ts file> [argument…]

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildTool, TOOL_NAMES } from './build.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const bin = join(root, 'node_modules/.bin');

function run(command, args, env = process.env) {
  return new Promise((done, failed) => {
    const child = spawn(command, args, { cwd: root, env, stdio: 'inherit' });
    const forward = (signal) => child.kill(signal);
    process.on('SIGINT', forward).on('SIGTERM', forward);
    child.on('error', failed);
    child.on('close', (code, signal) => {
      process.off('SIGINT', forward).off('SIGTERM', forward);
      done(signal === null ? code : 128 + constants.signals[signal]);
    });
  });
}

async function must(what, command, args) {
  const code = await run(command, args);
  if (code !== 0) throw new Error(`${what} failed: ${command} ${args.join(' ')} ended with ${code}`);
}

/** `npm ci` when the lockfile is not the one that was installed last. */
async function install() {
  const stamp = join(root, 'node_modules/.installed-lockfile');
  const lockfile = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lockfile && existsSync(join(bin, 'node'))) return;
  process.stderr.write('installing the locked npm packages, once\n');
  await must('npm ci', 'npm', ['ci', '--loglevel=error']);
  if (!existsSync(join(bin, 'node'))) {
    throw new Error(
      `no Node for ${process.platform}-${process.arch} among the optional dependencies: run on linux or macOS, x64 or arm64`,
    );
  }
  writeFileSync(stamp, lockfile);
}

const args = process.argv.slice(2);
const tools = args[0] === '--tools' ? args.splice(0, 2)[1].split(',') : TOOL_NAMES;
try {
  await install();
  for (const name of tools) await buildTool(name);
  await must('the bundle', join(bin, 'node'), ['plugin/bundle.mjs']);
  const [program, ...rest] = args;
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
  process.exitCode = program.endsWith('.ts')
    ? await run(join(bin, 'node'), [program, ...rest], env)
    : await run(join(bin, program), rest, env);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
