// The decoders of each system, and the names of its system call for errors.

import { firstByte } from '../core/byte-order';
import type { Batch } from './batch';
import {
  decodeDarwin,
  decodeDarwinStructure,
  fillDarwinColumn,
  fillDarwinValues,
  stateOfDarwin,
} from './generated/darwin';
import {
  decodeFreeBsd,
  decodeFreeBsdStructure,
  fillFreeBsdColumn,
  fillFreeBsdValues,
  stateOfFreeBsd,
} from './generated/freebsd';
import {
  decodeGvisor,
  decodeGvisorStructure,
  fillGvisorColumn,
  fillGvisorValues,
  stateOfGvisor,
} from './generated/gvisor';
import {
  decodeLinux,
  decodeLinuxStructure,
  fillLinuxColumn,
  fillLinuxValues,
  stateOfLinux,
} from './generated/linux';
import {
  decodeWindows,
  decodeWindowsStructure,
  fillWindowsColumn,
  fillWindowsValues,
  stateOfWindows,
} from './generated/win32';
import { LISTEN } from './states';
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
  /** The state of the structure of `length` bytes at word `at`, as an index in `tcpStates`; NaN: no state. */
  readonly stateOf: (words: Uint32Array, at: number, length: number) => number;
  /**
   * Decodes one field of the first `size` entries of a batch into its column. The field is an index in `tcpInfoFields`.
   * Call `prepareColumns()` first.
   */
  readonly fillColumn: (field: number, batch: Batch, size: number, column: Float64Array) => void;
  /** Decodes the members of a structure under the system's own names. */
  readonly decodeStructure: (words: Uint32Array, length: number) => KernelTcpInfo;
  readonly syscall: string;
  readonly option: string;
}

export const systems = {
  linux: {
    decode: decodeLinux,
    fillValues: fillLinuxValues,
    stateOf: stateOfLinux,
    fillColumn: fillLinuxColumn,
    decodeStructure: decodeLinuxStructure,
    syscall: 'getsockopt',
    option: 'TCP_INFO',
  },
  gvisor: {
    decode: decodeGvisor,
    fillValues: fillGvisorValues,
    stateOf: stateOfGvisor,
    fillColumn: fillGvisorColumn,
    decodeStructure: decodeGvisorStructure,
    syscall: 'getsockopt',
    option: 'TCP_INFO',
  },
  darwin: {
    decode: decodeDarwin,
    fillValues: fillDarwinValues,
    stateOf: stateOfDarwin,
    fillColumn: fillDarwinColumn,
    decodeStructure: decodeDarwinStructure,
    syscall: 'getsockopt',
    option: 'TCP_CONNECTION_INFO',
  },
  win32: {
    decode: decodeWindows,
    fillValues: fillWindowsValues,
    stateOf: stateOfWindows,
    fillColumn: fillWindowsColumn,
    decodeStructure: decodeWindowsStructure,
    syscall: 'WSAIoctl',
    option: 'SIO_TCP_INFO',
  },
  freebsd: {
    decode: decodeFreeBsd,
    fillValues: fillFreeBsdValues,
    stateOf: stateOfFreeBsd,
    fillColumn: fillFreeBsdColumn,
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
  fillColumn: (field, batch, size, column) =>
    batch.isFromGvisor
      ? fillGvisorColumn(field, batch, size, column)
      : fillLinuxColumn(field, batch, size, column),
  decodeStructure: (words, length) =>
    isFromGvisor(words, 0, length)
      ? decodeGvisorStructure(words, length)
      : decodeLinuxStructure(words, length),
};

const { darwin, win32, freebsd } = systems;
const running: Readonly<Record<string, System>> = { linux, darwin, win32, freebsd };

/** The running system. On any other system the addon does not load, so the decoder is never used. */
export const system: System = running[process.platform] ?? linux;

/** Prepares the first `size` entries of a batch for `fillColumn`: their states and lengths. */
export function prepareColumns(batch: Batch, size: number, { stateOf } = system): void {
  const { words, states, lengths, listenLengths } = batch;
  let readable = 0;
  let fromGvisor = 0;
  for (let entry = 0; entry < size; entry++) {
    const at = batch.structureAt(entry);
    const length = Math.max(batch.length(entry), 0);
    const state = stateOf(words, at, length);
    states[entry] = state;
    // A listening socket has only the fields of listening sockets, and a connection only the others.
    lengths[entry] = state === LISTEN ? 0 : length;
    listenLengths[entry] = state === LISTEN ? length : 0;
    if (length === 0) continue;
    readable++;
    if (isFromGvisor(words, at, length)) fromGvisor++;
  }
  // All sockets of a process have the same network stack.
  batch.isFromGvisor = readable > 0 && fromGvisor === readable;
}

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
