// Reads TCP_INFO of many connections at once and the error of one, and resets a connection. Without the addon everything is
// unknown.

import type { Socket } from 'node:net';
import { constants as systemConstants } from 'node:os';
import type { Duplex } from 'node:stream';
import { builtins } from '../core/builtins';
import {
  constants,
  getRawOption,
  readTcpInfos,
  readTcpInfosAsync,
  setOptions,
  type TcpInfoColumns,
  type TcpInfoField,
  type TcpState,
  tcpStates,
} from '../index';

/** Placeholder for a stream that is not a socket. No process has this descriptor. */
const NO_DESCRIPTOR = 2_147_483_647;

function asSocket(stream: Duplex): Socket | number {
  return stream instanceof builtins.net.Socket ? stream : NO_DESCRIPTOR;
}

/** Returns columns with a row for each stream. NaN: unknown. `null`: there is no addon. */
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

/** Like {@link kernelColumns}, off the main thread. */
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

/** Returns the state for a value of the column `state`. `null`: unknown. */
export function tcpStateAt(index: number): TcpState | null {
  return Number.isNaN(index) ? null : (tcpStates[index] ?? null);
}

/**
 * Returns the code of the error for which the kernel has closed a connection. `null`: there is none, or it is unknown.
 *
 * Reading SO_ERROR clears it. So the stream must be destroyed in the same turn of the event loop: otherwise it would end as if
 * it were complete.
 */
export function takeKernelError(stream: Duplex): string | null {
  if (!(stream instanceof builtins.net.Socket)) return null;
  try {
    const { SOL_SOCKET, SO_ERROR } = constants;
    const errno = getRawOption(stream, SOL_SOCKET, SO_ERROR as number);
    return errno === 0 ? null : codeOf(errno);
  } catch {
    return null;
  }
}

function codeOf(errno: number): string {
  const known = Object.entries(systemConstants.errno).find(([, number]) => number === errno);
  // The names of Windows begin with WSA: WSAECONNRESET.
  return known === undefined ? `E${errno}` : known[0].replace(/^WSA/, '');
}

/**
 * Resets and destroys a stream, as the kernel does when keepalive fails. After a FIN instead, the connection of a
 * vanished peer would stay in the kernel for a minute or more.
 */
export function resetAndDestroy(stream: Duplex, error: Error | undefined): void {
  if (stream instanceof builtins.net.Socket && !stream.destroyed) {
    try {
      setOptions(stream, { linger: { enable: true, timeout: 0 } });
    } catch {
      // Without the addon or a descriptor, Node closes it by a FIN.
    }
  }
  stream.destroy(error);
}
