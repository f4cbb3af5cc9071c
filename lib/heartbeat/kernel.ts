// Asks the kernel about many connections at once, and resets one. Without the addon nothing is known.

import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  readTcpInfos,
  readTcpInfosAsync,
  setOptions,
  type TcpInfoColumns,
  type TcpInfoField,
  type TcpState,
  tcpStates,
} from '../index';

/** Stands for a stream that is not a socket: no process has so many descriptors. */
const NO_DESCRIPTOR = 2_147_483_647;

function asSocket(stream: Duplex): Socket | number {
  return stream instanceof Socket ? stream : NO_DESCRIPTOR;
}

/** Columns with a row for each stream. NaN: not known. `null`: there is no addon. */
export function kernelColumns<Field extends TcpInfoField>(
  streams: readonly Duplex[],
  fields: readonly Field[],
): TcpInfoColumns<Field> | null {
  try {
    return readTcpInfos(streams.map(asSocket), fields);
  } catch {
    return null;
  }
}

/** The same, off the main thread. */
export async function kernelColumnsAsync<Field extends TcpInfoField>(
  streams: readonly Duplex[],
  fields: readonly Field[],
): Promise<TcpInfoColumns<Field> | null> {
  try {
    return await readTcpInfosAsync(streams.map(asSocket), fields);
  } catch {
    return null;
  }
}

/** `index`: as the column `state` has it. */
export function tcpStateAt(index: number): TcpState | null {
  return Number.isNaN(index) ? null : (tcpStates[index] ?? null);
}

/**
 * Destroys a stream by a reset, as a kernel does whose keepalive probes are not answered. After a FIN, the connection of a
 * peer that has vanished would stay in the kernel for a minute and more.
 */
export function resetAndDestroy(stream: Duplex, error: Error | undefined): void {
  if (stream instanceof Socket && !stream.destroyed) {
    try {
      setOptions(stream, { linger: { enable: true, timeout: 0 } });
    } catch {
      // Without the addon or a descriptor: by a FIN, as Node does.
    }
  }
  stream.destroy(error);
}
