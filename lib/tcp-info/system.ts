// The structure of each system: how it is seen normalised, and under its own names.

import { DarwinView, darwinFields } from './darwin';
import { FreeBsdView, freeBsdFields } from './freebsd';
import { LinuxView, linuxFields, linuxTcpInfo } from './linux';
import type { TcpInfo } from './tcp-info';
import { tcpInfoOf, type View } from './view';
import { WindowsView, windowsFields } from './win32';

export interface System {
  readonly View: new (words: Uint32Array) => View;
  /** The fields under the system's names, of a structure of so many bytes. */
  readonly fields: (words: Uint32Array, length: number) => object;
  /** The same normalised, as an object. */
  readonly tcpInfo: (words: Uint32Array, length: number) => TcpInfo;
  /** What errors say was asked. */
  readonly syscall: string;
  readonly option: string;
}

function through(Seen: System['View']): System['tcpInfo'] {
  return (words, length) => {
    const view = new Seen(words);
    view.look(0, length);
    return tcpInfoOf(view);
  };
}

export const systems: Readonly<Record<string, System>> = {
  linux: {
    View: LinuxView,
    fields: linuxFields,
    tcpInfo: linuxTcpInfo,
    syscall: 'getsockopt',
    option: 'TCP_INFO',
  },
  darwin: {
    View: DarwinView,
    fields: darwinFields,
    tcpInfo: through(DarwinView),
    syscall: 'getsockopt',
    option: 'TCP_CONNECTION_INFO',
  },
  win32: {
    View: WindowsView,
    fields: windowsFields,
    tcpInfo: through(WindowsView),
    syscall: 'WSAIoctl',
    option: 'SIO_TCP_INFO',
  },
  freebsd: {
    View: FreeBsdView,
    fields: freeBsdFields,
    tcpInfo: through(FreeBsdView),
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
