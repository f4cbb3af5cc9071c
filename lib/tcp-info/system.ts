// The decoders of each system, and the names of its system call for errors.

import { firstByte } from '../core/byte-order';
import { decodeDarwin, decodeDarwinStructure, fillDarwinValues } from './generated/darwin';
import { decodeFreeBsd, decodeFreeBsdStructure, fillFreeBsdValues } from './generated/freebsd';
import { decodeGvisor, decodeGvisorStructure, fillGvisorValues } from './generated/gvisor';
import { decodeLinux, decodeLinuxStructure, fillLinuxValues } from './generated/linux';
import { decodeWindows, decodeWindowsStructure, fillWindowsValues } from './generated/win32';
import type { darwinStructure } from './structures/darwin';
import type { freeBsdStructure } from './structures/freebsd';
import type { linuxStructure } from './structures/linux';
import type { windowsStructure } from './structures/win32';
import type { TcpInfo } from './tcp-info';
import type { Values } from './values';

export interface System {
  /** Decodes `length` bytes at word `at`. */
  readonly decode: (words: Uint32Array, at: number, length: number) => TcpInfo;
  /** Decodes `length` bytes at word `at` into `values`. */
  readonly fillValues: (words: Uint32Array, at: number, length: number, values: Values) => void;
  /** Decodes the members of a structure under the system's own names. */
  readonly decodeStructure: (words: Uint32Array, length: number) => KernelTcpInfo;
  readonly syscall: string;
  readonly option: string;
}

export const systems = {
  linux: {
    decode: decodeLinux,
    fillValues: fillLinuxValues,
    decodeStructure: decodeLinuxStructure,
    syscall: 'getsockopt',
    option: 'TCP_INFO',
  },
  gvisor: {
    decode: decodeGvisor,
    fillValues: fillGvisorValues,
    decodeStructure: decodeGvisorStructure,
    syscall: 'getsockopt',
    option: 'TCP_INFO',
  },
  darwin: {
    decode: decodeDarwin,
    fillValues: fillDarwinValues,
    decodeStructure: decodeDarwinStructure,
    syscall: 'getsockopt',
    option: 'TCP_CONNECTION_INFO',
  },
  win32: {
    decode: decodeWindows,
    fillValues: fillWindowsValues,
    decodeStructure: decodeWindowsStructure,
    syscall: 'WSAIoctl',
    option: 'SIO_TCP_INFO',
  },
  freebsd: {
    decode: decodeFreeBsd,
    fillValues: fillFreeBsdValues,
    decodeStructure: decodeFreeBsdStructure,
    syscall: 'getsockopt',
    option: 'TCP_INFO',
  },
} satisfies Readonly<Record<string, System>>;

/** `TCP_LISTEN` of include/net/tcp_states.h, and the words of members of `struct tcp_info`. */
const TCP_LISTEN = 10;
const SND_MSS = 4;
const SND_CWND = 20;

/**
 * Whether gVisor's network stack wrote the structure: it leaves `tcpi_snd_mss` 0. Linux has a segment size from
 * tcp_init_sock() on, and writes 0 only for a listening socket, with a congestion window (tcp_get_info() in
 * net/ipv4/tcp.c). This costs no system call, and is also right in a gVisor with the network stack of its host.
 */
export function isFromGvisor(words: Uint32Array, at: number, length: number): boolean {
  if (words[at + SND_MSS] !== 0 || length <= 4 * SND_CWND) return false;
  return firstByte(words[at] as number) !== TCP_LISTEN || words[at + SND_CWND] === 0;
}

const linux: System = {
  ...systems.linux,
  decode: (words, at, length) =>
    isFromGvisor(words, at, length)
      ? decodeGvisor(words, at, length)
      : decodeLinux(words, at, length),
  fillValues: (words, at, length, values) =>
    isFromGvisor(words, at, length)
      ? fillGvisorValues(words, at, length, values)
      : fillLinuxValues(words, at, length, values),
  decodeStructure: (words, length) =>
    isFromGvisor(words, 0, length)
      ? decodeGvisorStructure(words, length)
      : decodeLinuxStructure(words, length),
};

const { darwin, win32, freebsd } = systems;
const running: Readonly<Record<string, System>> = { linux, darwin, win32, freebsd };

/** The running system. On any other system the addon does not load, so the decoder is never used. */
export const system: System = running[process.platform] ?? linux;

type Members = typeof linuxStructure &
  typeof darwinStructure &
  typeof windowsStructure &
  typeof freeBsdStructure;

/**
 * The members of the running system's structure, under the kernel's own names and in its own units. A member is `null` if
 * the running kernel is too old to report it, and in gVisor, which fills few. Members of other systems are `undefined`.
 * Numbers are exact up to 2^53.
 */
export type KernelTcpInfo = { readonly [Name in keyof Members]?: number | null };
