// Reads the kernel's values with the reference addon and /proc, independent of the package.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
export const referenceAddon = require('../../support/reference-addon/build/Release/reference_addon.node');

const buffer = Buffer.alloc(16);

export function getInt(fd, level, name) {
  buffer.fill(0);
  const length = referenceAddon.get(fd, level, name, buffer);
  if (length < 0) throw new Error(`getsockopt(${fd}, ${level}, ${name}): errno ${-length}`);
  return buffer.readInt32LE(0);
}

export function setInt(fd, level, name, value) {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  const status = referenceAddon.set(fd, level, name, bytes);
  if (status < 0) throw new Error(`setsockopt(${fd}, ${level}, ${name}): errno ${-status}`);
}

/** The options of a new TCP socket: of IPv4, or of IPv6 for the level of IPv6. */
export function asNew(level, name) {
  const fd = referenceAddon.socket(level === 41 ? 10 : 2, 1, 0);
  try {
    return getInt(fd, level, name);
  } finally {
    referenceAddon.close(fd);
  }
}

const LEVELS = [
  [1, 90],
  [0, 60],
  [6, 50],
];
/**
 * SO_ERROR is cleared by reading; SO_INCOMING_CPU, SO_MEMINFO, SO_INCOMING_NAPI_ID, TCP_INFO, TCP_QUICKACK,
 * TCP_TIMESTAMP, TCP_CC_INFO and IP_MTU change by themselves; SO_PEERPIDFD opens a descriptor; TCP_ZEROCOPY_RECEIVE reads.
 */
const UNSTEADY = new Set([
  '1/4',
  '1/49',
  '1/55',
  '1/56',
  '1/77',
  '6/11',
  '6/12',
  '6/24',
  '6/26',
  '6/35',
  '0/14',
]);

/** Every option of a socket, as text. */
export function snapshot(fd) {
  const values = new Map();
  for (const [level, last] of LEVELS) {
    for (let name = 1; name <= last; name++) {
      const key = `${level}/${name}`;
      if (UNSTEADY.has(key)) continue;
      buffer.fill(0);
      const length = referenceAddon.get(fd, level, name, buffer);
      values.set(key, length < 0 ? `errno ${-length}` : buffer.toString('hex', 0, length));
    }
  }
  return values;
}

/** The options that have changed, such as `'6/18'`, without those in `except`. */
export function changes(fd, before, except = new Set()) {
  return [...snapshot(fd)]
    .filter(([key, value]) => !except.has(key) && before.get(key) !== value)
    .map(([key, value]) => `option ${key} was ${before.get(key)}, and is ${value}`);
}

/** The descriptors of this process, with their targets. */
export function descriptors() {
  const open = new Map();
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      open.set(fd, readlinkSync(`/proc/self/fd/${fd}`));
    } catch {
      // The descriptor that reads the directory.
    }
  }
  return open;
}

/** The threads of watches. */
export function watchThreads() {
  return readdirSync('/proc/self/task').filter((task) => {
    try {
      return readFileSync(`/proc/self/task/${task}/comm`, 'latin1').trim() === 'tcp-closed';
    } catch {
      return false;
    }
  }).length;
}
