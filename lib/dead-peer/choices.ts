// Remembers for which sockets the program has called setDeadPeerTimeout(), also with null: tuneSockets() leaves them alone.

import type { Socket } from 'node:net';
import { builtins } from '../core/builtins';
import { SharedMap } from '../core/shared-map';
import { tcpHandleOf } from '../core/socket';

/** Sockets that are connecting, and handles of connections: a TLS socket shares the handle of the socket below it. */
const chosen = new SharedMap<object, true>('dead-peer-timeout-chosen');

export function noteChoice(socket: unknown): void {
  if (!(socket instanceof builtins.net.Socket)) return;
  if (socket.connecting) chosen.set(socket, true);
  const handle = tcpHandleOf(socket);
  if (handle !== undefined) chosen.set(handle, true);
}

/** `connect()` is called again: the choice was for the connection before. */
export function forgetChoice(socket: Socket): void {
  chosen.delete(socket);
}

export function isChosen(socket: Socket, handle: object): boolean {
  return chosen.get(socket) ?? chosen.get(handle) ?? false;
}
