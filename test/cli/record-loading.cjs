/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-argument, typescript/no-unsafe-return -- plain CommonJS: nothing may be loaded into the process for it */
'use strict';
// Loaded into the built command: writes down what was loaded, and what had been asked of the system, when the renderer
// started and at the end.
const { createHook } = require('node:async_hooks');
const { ChildProcess } = require('node:child_process');
const { writeFileSync } = require('node:fs');

const own = { builtins: new Set(process.moduleLoadList), files: new Set(Object.keys(require.cache)) };
const waits = [];
createHook({ init: (_id, type) => waits.push(type) }).enable();

function seen() {
  return {
    builtins: process.moduleLoadList.filter((name) => !own.builtins.has(name)).map((name) => name.replace(/^\w+ /, '')),
    files: Object.keys(require.cache)
      .filter((name) => !own.files.has(name))
      .map((name) => name.replace(/^.*\//, '')),
    waits: [...new Set(waits)],
  };
}

const found = {};
const { spawn } = ChildProcess.prototype;
ChildProcess.prototype.spawn = function (...args) {
  found.atSpawn ??= seen();
  return spawn.apply(this, args);
};
process.on('exit', () => writeFileSync(process.env.LOADING_FILE, JSON.stringify({ ...found, atEnd: seen() })));
