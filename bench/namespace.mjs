// A module of this folder in a process and a network namespace of its own, where sockets by the thousand
// may be opened.

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const UNSHARE =
  process.getuid() === 0 ? ['--net', '--mount'] : ['--user', '--map-root-user', '--net', '--mount'];

/** The JSON that the module prints. `count`: how many sockets it opens, its first argument. */
export function runInNamespace(module, count, args, flags = []) {
  // Descriptors: the soft limit is often 1 024.
  const script = `ulimit -n ${count + 200} && ip link set lo up && exec "$0" "$@"`;
  const path = fileURLToPath(new URL(module, import.meta.url));
  const program = [process.execPath, ...flags, path, count, ...args].map(String);
  const output = execFileSync('unshare', [...UNSHARE, 'bash', '-c', script, ...program], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  return JSON.parse(output);
}
