#!/usr/bin/env node
// Old syntax on purpose: an old Node must get as far as the message.
'use strict';
var major = Number(process.versions.node.split('.')[0]);
if (!(major >= 24)) {
  process.stderr.write('image-resolver needs Node 24 or later on PATH, and this is ' + process.version + '\n');
  process.exitCode = 1;
} else {
  // Not the shared temporary folder that Node would take: whoever can write a compile cache decides what runs here.
  var home = process.env.XDG_CACHE_HOME || (process.env.HOME ? process.env.HOME + '/.cache' : undefined);
  if (process.env.NODE_COMPILE_CACHE || home) {
    require('node:module').enableCompileCache(process.env.NODE_COMPILE_CACHE || home + '/image-resolver/compile-cache');
  }
  require('./lib/main.cjs');
}
