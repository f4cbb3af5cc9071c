// What the kernel knows of connections, of many at once; nothing where there is no addon for this system.

import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TcpInfoColumns, TcpInfoField, TcpState } from '../index';

type Face = typeof import('../index');

/** The rest of the package. Loaded at once, since a verdict must not depend on what the disk holds then. */
export const face = require('../index.js') as Face;

/** Stands for what is no socket: no process has so many descriptors. */
const NO_DESCRIPTOR = 2_147_483_647;

/** What stands for a stream in a list of sockets. */
function asSocket(stream: Duplex): Socket | number {
  return stream instanceof Socket ? stream : NO_DESCRIPTOR;
}

/**
 * Columns with a row for each stream, of NaN where nothing is known of it; `null` where nothing is known
 * of any, for want of an addon.
 */
export function kernelColumns<Field extends TcpInfoField>(
  streams: readonly Duplex[],
  fields: readonly Field[],
): TcpInfoColumns<Field> | null {
  try {
    return face.readTcpInfos(streams.map(asSocket), fields);
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
    return await face.readTcpInfosAsync(streams.map(asSocket), fields);
  } catch {
    return null;
  }
}

/** The state that a column has as an index. */
export function tcpStateAt(index: number): TcpState | null {
  return Number.isNaN(index) ? null : (face.tcpStates[index] ?? null);
}

/**
 * Destroys a stream whose peer has nothing more to hear, as a kernel does whose keepalive probes go
 * unanswered: by a reset. With the usual FIN, and whatever was not sent yet, the connection of a peer that
 * has vanished would stay in the kernel for a minute and more.
 */
export function resetAndDestroy(stream: Duplex, error: Error | undefined): void {
  if (stream instanceof Socket && !stream.destroyed) {
    try {
      face.setOptions(stream, { linger: { enable: true, timeout: 0 } });
    } catch {
      // Without the addon, or a descriptor: as everybody does.
    }
  }
  stream.destroy(error);
}
