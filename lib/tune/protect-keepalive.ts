// Protects the keepalive values of a tuned socket from Node's own setKeepAlive(), which libraries call.

import type { Socket } from 'node:net';
import type { TcpHandle } from '../core/socket';
import { KEEP_ALIVE, type KeepAliveName } from '../options/keepalive-options';
import { getOptions, setOptions } from '../options/options';
import type { SocketSide } from './new-sockets';
import type { Tuner } from './tuner';

/** A tuning that controls keepalive options of a socket. */
export interface KeepAliveControl {
  readonly tuner: Tuner;
  readonly names: readonly KeepAliveName[];
}

/**
 * Protects keepalive values that this package has set, in the tuning or in a later call of the program.
 *
 * Libraries call the socket's own setKeepAlive() at any time. It would replace values that were chosen together by Node's
 * interval of 1 s, Node's count of 10, and the delay of the library. Node passes the call to the handle, also from each
 * TLS socket over it, and only if the arguments have changed. So a pool that calls it for each request costs nothing.
 */
export function protectKeepAlive(
  socket: Socket,
  side: SocketSide,
  handle: TcpHandle,
  controls: readonly KeepAliveControl[],
): void {
  const original = handle.setKeepAlive;
  if (original === undefined) return;
  handle.setKeepAlive = function (this: TcpHandle, ...args: unknown[]): number {
    const open = controls.filter(({ tuner }) => tuner.isOpen);
    const names = KEEP_ALIVE.filter((name) => open.some((one) => one.names.includes(name)));
    // The tunings control all four options. 0 is success.
    if (names.length === KEEP_ALIVE.length) return 0;
    if (names.length === 0) return original.apply(this, args);
    let status = 0;
    try {
      const held = getOptions(socket, names);
      status = original.apply(this, args);
      setOptions(socket, held);
    } catch (error) {
      for (const { tuner } of open) tuner.report(error, socket, side);
    }
    return status;
  };
}
