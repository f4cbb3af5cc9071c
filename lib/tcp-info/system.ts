// The structure of each system: how it is seen normalised, and under its own names.

import { LinuxView, linuxFields } from './linux';
import type { View } from './view';

export interface System {
  readonly View: new (words: Uint32Array) => View;
  /** The fields of what `readFrom` was told of. */
  readonly fields: () => object;
  /** What errors say was asked. */
  readonly syscall: string;
  readonly option: string;
}

export const systems: Readonly<Record<string, System>> = {
  linux: { View: LinuxView, fields: linuxFields, syscall: 'getsockopt', option: 'TCP_INFO' },
};

/** The system that runs; where there is no addon for it, loading that has failed before. */
export const system = (systems[process.platform] ?? systems.linux) as System;

type Linux = ReturnType<typeof linuxFields>;

/**
 * The fields of the kernel's structure under its own names, in its own units: those of the system that
 * runs, each `null` where its kernel is older than the field. Numbers are exact up to 2^53.
 */
export type KernelTcpInfo = { readonly [Name in keyof Linux]?: Linux[Name] };
