#!/usr/bin/env node
// Old syntax on purpose: an old Node must get as far as the message.
'use strict';
var isWarmUp = process.env.IMAGE_RESOLVER_WARM_UP === '1';
var major = Number(process.versions.node.split('.')[0]);
if (!(major >= 24)) {
  process.stderr.write('image-resolver needs Node 24 or later on PATH, and this is ' + process.version + '\n');
  process.exitCode = 1;
} else {
  // Not the shared temporary folder that Node would take: whoever can write a compile cache decides what runs here.
  var home = process.env.XDG_CACHE_HOME || (process.env.HOME ? process.env.HOME + '/.cache' : undefined);
  var folder = process.env.NODE_COMPILE_CACHE || (home && home + '/image-resolver/compile-cache');
  if (folder) require('node:module').enableCompileCache(folder);
  // Node's own cache holds no function that is compiled when it is first called, which nearly all are: 20 ms of each
  // generation. What the warm-up of the image ran is kept with them. V8 refuses what another version of it made.
  var name = 'image-resolver-@build@-' + process.version + '-' + process.arch + '.code';
  if (!folder || !runKept(folder + '/' + name)) require('./lib/main.cjs');
}

/** Runs the bundle with the compiled code in `path`; false when there is none that can be used. */
function runKept(path) {
  var fs = require('node:fs');
  var file = __dirname + '/lib/main.cjs';
  var kept;
  try {
    kept = fs.readFileSync(path);
  } catch {
    if (!isWarmUp) return false;
  }
  var Module = require('node:module');
  var VmScript = require('node:vm').Script;
  var script = new VmScript(Module.wrap(fs.readFileSync(file, 'utf8')), { filename: file, cachedData: kept });
  if (script.cachedDataRejected && !isWarmUp) return false;
  if (isWarmUp) {
    process.on('exit', function () {
      var unfinished = path + '.' + process.pid;
      fs.writeFileSync(unfinished, script.createCachedData());
      fs.renameSync(unfinished, path);
    });
  }
  var main = new Module(file, module);
  main.filename = file;
  var load = function (id) {
    return main.require(id);
  };
  script.runInThisContext().call(main.exports, main.exports, load, main, file, __dirname + '/lib');
  return true;
}
