// Reads the options of this process's sockets from the kernel, without the package or the runtime's handles: a socket
// is found by its ports in /proc, and its options are read by the reference addon.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createRequire } from 'node:module';

const referenceAddon = createRequire(import.meta.url)('../reference_addon.node');

/** Numbers of Linux, from its headers. */
export const SOL_SOCKET = 1;
export const IPPROTO_IP = 0;
export const IPPROTO_TCP = 6;

/** Every option that a check may set. */
const WATCHED = [
  [SOL_SOCKET, 7],
  [SOL_SOCKET, 8],
  [SOL_SOCKET, 9],
  [IPPROTO_IP, 1],
  [IPPROTO_IP, 2],
  [IPPROTO_TCP, 1],
  [IPPROTO_TCP, 4],
  [IPPROTO_TCP, 5],
  [IPPROTO_TCP, 6],
  [IPPROTO_TCP, 18],
];

/** Closes a descriptor that the runtime does not have. */
export const close = (fd) => referenceAddon.close(fd);

/** An int from the kernel; `undefined` if this kind of socket has no such option. */
export function getInt(fd, level, name) {
  // In the byte order of the processor.
  const value = new Int32Array(1);
  return referenceAddon.get(fd, level, name, Buffer.from(value.buffer)) < 0 ? undefined : value[0];
}

/** The descriptor of each socket of this process, by inode. */
export function ownSockets() {
  const sockets = new Map();
  for (const fd of readdirSync('/proc/self/fd')) {
    let target;
    try {
      target = readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      continue; // that of the listing itself
    }
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined) sockets.set(Number(inode), Number(fd));
  }
  return sockets;
}

/** The descriptor of this process's socket with these ports; the remote port of a listening socket is 0. */
export function findByPorts(table, local, remote) {
  const own = ownSockets();
  const found = new Set();
  for (const file of [table, `${table}6`]) {
    for (const line of readFileSync(`/proc/self/net/${file}`, 'utf8').split('\n').slice(1)) {
      const columns = line.trim().split(/\s+/);
      if (columns.length < 10) continue;
      const [here, there] = [columns[1], columns[2]].map((end) =>
        Number.parseInt(end.split(':')[1], 16),
      );
      const fd = own.get(Number(columns[9]));
      if (here === local && there === remote && fd !== undefined) found.add(fd);
    }
  }
  if (found.size !== 1)
    throw new Error(`${found.size} ${table} sockets with ports ${local}, ${remote}`);
  return [...found][0];
}

/** The options of each socket of this process, by inode. */
export function snapshot() {
  const all = new Map();
  for (const [inode, fd] of ownSockets()) {
    all.set(inode, { fd, values: WATCHED.map(([level, name]) => getInt(fd, level, name)).join() });
  }
  return all;
}

/** The descriptors of the sockets whose options have changed. */
export function changedSince(before) {
  const changed = [];
  for (const [inode, { fd, values }] of snapshot()) {
    if (before.has(inode) && before.get(inode).values !== values) changed.push(fd);
  }
  return changed;
}
