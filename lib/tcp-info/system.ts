// The structure of each system: how it is seen normalised, and under its own names.

import { darwinFields, darwinTcpInfo } from './darwin';
import { freeBsdFields, freeBsdTcpInfo } from './freebsd';
import { fillLinuxRow, linuxFields, linuxTcpInfo } from './linux';
import { fillFrom, type Row } from './row';
import type { TcpInfo } from './tcp-info';
import { windowsFields, windowsTcpInfo } from './win32';

export interface System {
  /** The fields under the system's names, of a structure of so many bytes. */
  readonly fields: (words: Uint32Array, length: number) => object;
  /** The same normalised: of the structure at a word of some memory. */
  readonly tcpInfo: (words: Uint32Array, at: number, length: number) => TcpInfo;
  /** The same as a row. */
  readonly fillRow: (words: Uint32Array, at: number, length: number, row: Row) => void;
  /** What errors say was asked. */
  readonly syscall: string;
  readonly option: string;
}

function through(tcpInfo: System['tcpInfo']): System['fillRow'] {
  return (words, at, length, row) => fillFrom(tcpInfo(words, at, length), row);
}

export const systems: Readonly<Record<string, System>> = {
  linux: {
    tcpInfo: linuxTcpInfo,
    fields: linuxFields,
    fillRow: fillLinuxRow,
    syscall: 'getsockopt',
    option: 'TCP_INFO',
  },
  darwin: {
    tcpInfo: darwinTcpInfo,
    fields: darwinFields,
    fillRow: through(darwinTcpInfo),
    syscall: 'getsockopt',
    option: 'TCP_CONNECTION_INFO',
  },
  win32: {
    tcpInfo: windowsTcpInfo,
    fields: windowsFields,
    fillRow: through(windowsTcpInfo),
    syscall: 'WSAIoctl',
    option: 'SIO_TCP_INFO',
  },
  freebsd: {
    tcpInfo: freeBsdTcpInfo,
    fields: freeBsdFields,
    fillRow: through(freeBsdTcpInfo),
    syscall: 'getsockopt',
    option: 'TCP_INFO',
  },
};

/** The system that runs; where there is no addon for it, loading that has failed before. */
export const system = (systems[process.platform] ?? systems.linux) as System;

type Fields = ReturnType<typeof linuxFields> &
  ReturnType<typeof darwinFields> &
  ReturnType<typeof windowsFields> &
  ReturnType<typeof freeBsdFields>;

/**
 * The fields of the kernel's structure under its own names, in its own units: those of the system that
 * runs, each `null` where its kernel is older than the field; the names of others are `undefined`. Numbers are exact up to 2^53.
 */
export type KernelTcpInfo = { readonly [Name in keyof Fields]?: number | null };
