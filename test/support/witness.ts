// The second witness (test/witness/witness.c), and sockets that only a system call can make.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { beforeEach } from 'vitest';
import { isLinux, needsLinux } from './linux';

interface Witness {
  socket(domain: number, type: number, protocol: number): number;
  listen(fd: number): number;
  close(fd: number): number;
  dup(fd: number): number;
  get(fd: number, level: number, name: number, buffer: Buffer): number;
  set(fd: number, level: number, name: number, buffer: Buffer): number;
}

const load = () =>
  createRequire(__filename)(join(__dirname, '../witness/build/Release/witness.node')) as Witness;

// What a test asks the witness it asks in the numbers of Linux: so does every test of its file.
export const witness = isLinux ? load() : ({} as Witness);
beforeEach(needsLinux);

/** Numbers of Linux, x86 and arm, from its headers; nothing here comes from the package. */
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOL_SOCKET = 1;
export const IPPROTO_IP = 0;
export const IPPROTO_TCP = 6;
export const IPPROTO_IPV6 = 41;

/** An int, as the kernel holds it. */
export function getInt(fd: number, level: number, name: number): number {
  return getBytes(fd, level, name, 4).readInt32LE(0);
}

/** What the kernel writes into `length` bytes. */
export function getBytes(fd: number, level: number, name: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  const written = witness.get(fd, level, name, buffer);
  if (written < 0) throw new Error(`getsockopt(${fd}, ${level}, ${name}): errno ${-written}`);
  return buffer.subarray(0, written);
}

export function setInt(fd: number, level: number, name: number, value: number): void {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32LE(value | 0);
  const status = witness.set(fd, level, name, buffer);
  if (status < 0) throw new Error(`setsockopt(${fd}, ${level}, ${name}): errno ${-status}`);
}

/** A socket that is neither bound nor connected, closed again after `use`. */
export function withSocket<T>(domain: number, type: number, use: (fd: number) => T): T {
  const fd = witness.socket(domain, type, 0);
  if (fd < 0) throw new Error(`socket(${domain}, ${type}): errno ${-fd}`);
  try {
    return use(fd);
  } finally {
    witness.close(fd);
  }
}

/** Every option that the socket answers with 16 bytes or less, straight from the kernel. */
export function snapshot(fd: number): Map<string, string> {
  const values = new Map<string, string>();
  for (const [level, last] of [
    [SOL_SOCKET, 90],
    [IPPROTO_IP, 60],
    [IPPROTO_TCP, 50],
    [IPPROTO_IPV6, 80],
  ] as const) {
    for (let name = 1; name <= last; name++) {
      const key = `${level}/${name}`;
      if (UNSTEADY.has(key)) continue;
      const buffer = Buffer.alloc(16);
      const written = witness.get(fd, level, name, buffer);
      values.set(key, written < 0 ? `errno ${-written}` : buffer.toString('hex'));
    }
  }
  return values;
}

/** What changed since a snapshot was taken: nothing, if all is well. */
export function changes(fd: number, before: Map<string, string>): string[] {
  return [...snapshot(fd)]
    .filter(([key, value]) => before.get(key) !== value)
    .map(([key, value]) => `${key}: ${before.get(key)} -> ${value}`);
}

/**
 * Left out of a snapshot: SO_ERROR is cleared by reading; SO_INCOMING_CPU, TCP_INFO, TCP_CC_INFO,
 * TCP_QUICKACK, TCP_TIMESTAMP and SO_MEMINFO change by themselves; SO_PEERPIDFD opens a descriptor.
 */
const UNSTEADY = new Set(['1/4', '1/49', '6/11', '6/12', '6/24', '6/26', '1/55', '1/77']);
