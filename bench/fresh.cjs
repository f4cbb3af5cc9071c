// Run in a process of its own: what requiring one module takes there, in CPU time. A program that has
// sockets has loaded node:net already.

const { readFileSync } = require('node:fs');

// Not process.memoryUsage(): behind it are counters that the kernel keeps only roughly.
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
