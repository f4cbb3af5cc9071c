// Measures in a fresh process how much CPU time and memory it takes to load one module: `load-cost.cjs require|import <file>`.
// node:net is loaded before, because every program with sockets has loaded it.

const { readFileSync } = require('node:fs');

// Not process.memoryUsage(): the kernel's counters behind it are inexact.
function residentKb() {
  return Number(/^Rss:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/smaps_rollup', 'latin1'))[1]);
}

require('node:net');

const [, , how, path] = process.argv;
const kb = residentKb();
const start = process.cpuUsage();

function report() {
  const { user, system } = process.cpuUsage(start);
  const cost = { ms: (user + system) / 1e3, MB: ((residentKb() - kb) * 1024) / 1e6 };
  console.log(JSON.stringify(cost));
}

if (how === 'import') {
  import(path).then(report);
} else {
  require(path);
  report();
}
