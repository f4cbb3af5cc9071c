// The structure of each system: how it is seen normalised, and under its own names.

import { DarwinView, darwinFields } from './darwin';
import { FreeBsdView, freeBsdFields } from './freebsd';
import { fillLinuxRow, LinuxView, linuxFields } from './linux';
import { fillFrom, type Row, type View } from './view';
import { WindowsView, windowsFields } from './win32';

export interface System {
  readonly View: new (words: Uint32Array) => View;
  /** The fields under the system's names, of a structure of so many bytes. */
  readonly fields: (words: Uint32Array, length: number) => object;
  /** The same normalised, as a row: of the structure at a word of some memory. */
  readonly fillRow: (words: Uint32Array, at: number, length: number, row: Row) => void;
  /** What errors say was asked. */
  readonly syscall: string;
  readonly option: string;
}

function through(Seen: System['View']): System['fillRow'] {
  const view = new Seen(new Uint32Array(0));
  return (words, at, length, row) => {
    view.lookInto(words, at, length);
    fillFrom(view, row);
  };
}

export const systems: Readonly<Record<string, System>> = {
  linux: {
    View: LinuxView,
    fields: linuxFields,
    fillRow: fillLinuxRow,
    syscall: 'getsockopt',
    option: 'TCP_INFO',
  },
  darwin: {
    View: DarwinView,
    fields: darwinFields,
    fillRow: through(DarwinView),
    syscall: 'getsockopt',
    option: 'TCP_CONNECTION_INFO',
  },
  win32: {
    View: WindowsView,
    fields: windowsFields,
    fillRow: through(WindowsView),
    syscall: 'WSAIoctl',
    option: 'SIO_TCP_INFO',
  },
  freebsd: {
    View: FreeBsdView,
    fields: freeBsdFields,
    fillRow: through(FreeBsdView),
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
