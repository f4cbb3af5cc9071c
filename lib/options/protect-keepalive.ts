// Protects the keepalive values of a socket from Node's own setKeepAlive(), which libraries call.

import type { Socket } from 'node:net';
import type { TcpHandle } from '../core/socket';
import { KEEP_ALIVE, type KeepAliveName } from './keepalive-options';
import { getOptions, setOptions } from './options';

/** Who controls keepalive options of a socket, and which. */
export interface KeepAliveControl<Owner extends { readonly isOpen: boolean }> {
  readonly owner: Owner;
  readonly names: readonly KeepAliveName[];
}

/**
 * Protects keepalive values that this package has set, in this moment or in a later call of the program.
 *
 * Libraries call the socket's own setKeepAlive() at any time. It would replace values that were chosen together by Node's
 * interval of 1 s, Node's count of 10, and the delay of the library. Node passes the call to the handle, also from each
 * TLS socket over it, and only if the arguments have changed. So a pool that calls it for each request costs nothing.
 * @param report Gets each owner whose values were lost, with the reason.
 */
export function protectKeepAlive<Owner extends { readonly isOpen: boolean }>(
  socket: Socket,
  handle: TcpHandle,
  controls: readonly KeepAliveControl<Owner>[],
  report: (owner: Owner, error: unknown) => void,
): void {
  const original = handle.setKeepAlive;
  if (original === undefined) return;
  handle.setKeepAlive = function (this: TcpHandle, ...args: unknown[]): number {
    const open = controls.filter(({ owner }) => owner.isOpen);
    const names = KEEP_ALIVE.filter((name) => open.some((one) => one.names.includes(name)));
    // All four options are controlled. 0 is success.
    if (names.length === KEEP_ALIVE.length) return 0;
    if (names.length === 0) return original.apply(this, args);
    let status = 0;
    try {
      const held = getOptions(socket, names);
      status = original.apply(this, args);
      setOptions(socket, held);
    } catch (error) {
      for (const { owner } of open) report(owner, error);
    }
    return status;
  };
}
