// Protects the keepalive values of connect() and listen() from Node's own setKeepAlive().

import type { Socket } from 'node:net';
import type { TcpHandle } from '../core/socket';
import { isSupervised } from '../dead-peer/supervision/supervisor';
import { KEEP_ALIVE, type KeepAliveName } from '../options/keepalive-options';
import { protectKeepAlive } from '../options/protect-keepalive';

const ALWAYS = { isOpen: true };

/** Protects keepalive options that the program has chosen for a socket. */
export function protectChosen(
  socket: Socket,
  handle: TcpHandle,
  names: readonly KeepAliveName[],
): void {
  if (names.length > 0) protectKeepAlive(socket, handle, [{ owner: ALWAYS, names }], ignore);
}

/** Protects the keepalive of a dead-peer timeout, as long as the socket has one. */
export function protectTimeout(socket: Socket, handle: TcpHandle): void {
  const owner = {
    get isOpen() {
      return isSupervised(socket);
    },
  };
  protectKeepAlive(socket, handle, [{ owner, names: KEEP_ALIVE }], ignore);
}

/** A connection that was reset meanwhile emits the error itself. */
const ignore = (): void => {};
