/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-argument -- plain CommonJS, so that the measured process loads nothing for it */
'use strict';
// Loaded into a measured process: at its end it writes the most bytes it held, and its CPU time in microseconds. Not
// ru_maxrss where it can be helped: on Linux that begins with what the parent held when it forked.
const { readFileSync, writeFileSync } = require('node:fs');

process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  const kilobytes =
    process.platform === 'linux'
      ? /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
      : process.resourceUsage().maxRSS;
  writeFileSync(process.env.BENCH_COST_FILE, JSON.stringify([Number(kilobytes) * 1024, user + system]));
});
