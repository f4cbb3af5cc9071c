// The decoders of each system, and the names of its system call for errors.

import { decodeDarwin, decodeDarwinStructure, fillDarwinValues } from './generated/darwin';
import { decodeFreeBsd, decodeFreeBsdStructure, fillFreeBsdValues } from './generated/freebsd';
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

export const systems: Readonly<Record<string, System>> = {
  linux: {
    decode: decodeLinux,
    fillValues: fillLinuxValues,
    decodeStructure: decodeLinuxStructure,
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
};

/** The running system. On any other system the addon does not load, so the decoder is never used. */
export const system = (systems[process.platform] ?? systems.linux) as System;

type Members = typeof linuxStructure &
  typeof darwinStructure &
  typeof windowsStructure &
  typeof freeBsdStructure;

/**
 * The members of the running system's structure, under the kernel's own names and in its own units. A member is `null` if
 * the running kernel is too old to report it. Members of other systems are `undefined`. Numbers are exact up to 2^53.
 */
export type KernelTcpInfo = { readonly [Name in keyof Members]?: number | null };
