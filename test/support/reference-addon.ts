// The reference addon (test/support/reference-addon/reference-addon.c), and sockets that Node cannot create.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { beforeEach } from 'vitest';

interface ReferenceAddon {
  socket(domain: number, type: number, protocol: number): number;
  listen(fd: number): number;
  close(fd: number): number;
  dup(fd: number): number;
  /** Windows: the one SOCKET of this process with these ports; 0 for no peer. */
  find(localPort: number, remotePort: number): number;
  /** Windows: how many SOCKETs this process has. */
  count(): number;
  /** Linux: a descriptor of the socket that another process holds as `fd`. */
  take(pid: number, fd: number): number;
  get(fd: number, level: number, name: number, buffer: Buffer): number;
  set(fd: number, level: number, name: number, buffer: Buffer): number;
}

const require = createRequire(__filename);
export const referenceAddon = require(
  join(__dirname, './reference-addon/build/Release/reference_addon.node'),
) as ReferenceAddon;

/** The numbers of Linux (x86 and arm), from its headers and not from the package. */
const LINUX = {
  AF_INET6: 10,
  SOL_SOCKET: 1,
  SO_KEEPALIVE: 9,
  TCP_KEEPIDLE: 4,
  TCP_KEEPINTVL: 5,
  TCP_KEEPCNT: 6,
};

/** The numbers of Windows: winsock2.h, ws2tcpip.h. */
const WINDOWS: typeof LINUX = {
  AF_INET6: 23,
  SOL_SOCKET: 0xffff,
  SO_KEEPALIVE: 8,
  TCP_KEEPIDLE: 3,
  TCP_KEEPINTVL: 17,
  TCP_KEEPCNT: 16,
};

const isWindows = process.platform === 'win32';
const hasNumbers = isWindows || process.platform === 'linux';
// So does every test of a file that asks the reference addon.
beforeEach(({ skip }) =>
  skip(
    !hasNumbers,
    `the reference addon is asked in numbers of Linux and Windows: ${process.platform}`,
  ),
);
export const { AF_INET6, SOL_SOCKET, SO_KEEPALIVE, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT } =
  isWindows ? WINDOWS : LINUX;
export const AF_UNIX = 1;
export const AF_INET = 2;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const IPPROTO_IP = 0;
export const IPPROTO_TCP = 6;
export const IPPROTO_IPV6 = 41;

/** Reads an int from the kernel. */
export function getInt(fd: number, level: number, name: number): number {
  // The whole buffer is read: for a boolean option, Windows writes one byte of it.
  const buffer = Buffer.alloc(4);
  read(fd, level, name, buffer);
  return buffer.readInt32LE(0);
}

/** Reads up to `length` bytes from the kernel. */
export function getBytes(fd: number, level: number, name: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  return buffer.subarray(0, read(fd, level, name, buffer));
}

function read(fd: number, level: number, name: number, buffer: Buffer): number {
  const written = referenceAddon.get(fd, level, name, buffer);
  if (written < 0) throw new Error(`getsockopt(${fd}, ${level}, ${name}): errno ${-written}`);
  return written;
}

export function setInt(fd: number, level: number, name: number, value: number): void {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32LE(value | 0);
  const status = referenceAddon.set(fd, level, name, buffer);
  if (status < 0) throw new Error(`setsockopt(${fd}, ${level}, ${name}): errno ${-status}`);
}

/** Passes a socket that is neither bound nor connected to `use`, and closes it. */
export function withSocket<T>(domain: number, type: number, use: (fd: number) => T): T {
  const fd = referenceAddon.socket(domain, type, 0);
  if (fd < 0) throw new Error(`socket(${domain}, ${type}): errno ${-fd}`);
  try {
    return use(fd);
  } finally {
    referenceAddon.close(fd);
  }
}

/** The options of a snapshot: level, first number, last number. */
const SNAPSHOT: readonly (readonly [level: number, first: number, last: number])[] = [
  // On Windows, numbers below 0x1000 are single bits.
  ...(isWindows
    ? ([1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80] as const).map((bit) => [SOL_SOCKET, bit, bit] as const)
    : ([[SOL_SOCKET, 1, 90]] as const)),
  ...(isWindows ? ([[SOL_SOCKET, 0x1001, 0x1008]] as const) : []),
  [IPPROTO_IP, 1, 60],
  [IPPROTO_TCP, 1, isWindows ? 20 : 50],
  [IPPROTO_IPV6, 1, 80],
];

/** Reads every option of up to 16 bytes from the kernel. */
export function snapshot(fd: number): Map<string, string> {
  const values = new Map<string, string>();
  for (const [level, first, last] of SNAPSHOT) {
    for (let name = first; name <= last; name++) {
      const key = `${level}/${name}`;
      if (VOLATILE.has(key)) continue;
      const buffer = Buffer.alloc(16);
      const written = referenceAddon.get(fd, level, name, buffer);
      values.set(key, written < 0 ? `errno ${-written}` : buffer.toString('hex'));
    }
  }
  return values;
}

/** The options that changed since a snapshot. */
export function changes(fd: number, before: Map<string, string>): string[] {
  return [...snapshot(fd)]
    .filter(([key, value]) => before.get(key) !== value)
    .map(([key, value]) => `${key}: ${before.get(key)} -> ${value}`);
}

/**
 * Not in a snapshot: reading clears SO_ERROR; SO_INCOMING_CPU, TCP_INFO, TCP_CC_INFO, TCP_QUICKACK,
 * TCP_TIMESTAMP and SO_MEMINFO change by themselves; SO_PEERPIDFD opens a descriptor.
 */
const VOLATILE = new Set(
  isWindows
    ? [`${SOL_SOCKET}/${0x1007}`]
    : ['1/4', '1/49', '6/11', '6/12', '6/24', '6/26', '1/55', '1/77'],
);
