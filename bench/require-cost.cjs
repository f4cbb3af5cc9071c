// Measures in a fresh process how much CPU time and memory it takes to require one module. node:net is loaded
// before, because every program with sockets has loaded it.

const { readFileSync } = require('node:fs');

// Not process.memoryUsage(): the kernel's counters behind it are inexact.
function residentKb() {
  return Number(/^Rss:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/smaps_rollup', 'latin1'))[1]);
}

require('node:net');

const path = process.argv[2];
const kb = residentKb();
const start = process.cpuUsage();
require(path);
const { user, system } = process.cpuUsage(start);
console.log(JSON.stringify({ ms: (user + system) / 1e3, MB: ((residentKb() - kb) * 1024) / 1e6 }));
