// Run in a process of its own: what requiring one module takes there.

const { readFileSync } = require('node:fs');

// Not process.memoryUsage(): behind it are counters that the kernel keeps only roughly.
function residentKb() {
  return Number(/^Rss:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/smaps_rollup', 'latin1'))[1]);
}

const path = process.argv[2];
const kb = residentKb();
const start = process.hrtime.bigint();
require(path);
const ns = process.hrtime.bigint() - start;
console.log(JSON.stringify({ ms: Number(ns) / 1e6, MB: ((residentKb() - kb) * 1024) / 1e6 }));
