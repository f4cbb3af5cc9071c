// Runs a module of this folder in its own process and network namespace, with room for thousands of sockets.

import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const UNSHARE =
  process.getuid() === 0 ? ['--net', '--mount'] : ['--user', '--map-root-user', '--net', '--mount'];

/**
 * Flags for collect(). By itself, V8 collects the garbage of opening thousands of connections 8 to 30 s later, when the program
 * does little. That would be counted as a cost of what is measured then.
 */
export const QUIET = ['--expose-gc', '--no-memory-reducer'];

/** Collects garbage, and waits until other threads have swept the memory. */
export async function collect() {
  globalThis.gc();
  await sleep(1_000);
}

/**
 * Returns the JSON that the module prints. `count`, its first argument, is how many sockets it opens, if `sockets` does not
 * say it.
 */
export function runInNamespace(module, count, args, flags = [], sockets = count) {
  // The soft limit of descriptors is often 1024.
  const script = `ulimit -n ${sockets + 200} && ip link set lo up && exec "$0" "$@"`;
  const path = fileURLToPath(new URL(module, import.meta.url));
  const program = [process.execPath, ...flags, path, count, ...args].map(String);
  const output = execFileSync('unshare', [...UNSHARE, 'bash', '-c', script, ...program], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  return JSON.parse(output);
}
