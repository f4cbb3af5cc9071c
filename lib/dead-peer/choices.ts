// Remembers for which sockets the program has called setDeadPeerTimeout(), also with null: tuneSockets() leaves them alone.

import { Socket } from 'node:net';
import { tcpHandleOf } from '../core/socket';

/** Sockets that are connecting, and handles of connections: a TLS socket shares the handle of the socket below it. */
const chosen = new WeakSet<object>();

export function noteChoice(socket: unknown): void {
  if (!(socket instanceof Socket)) return;
  if (socket.connecting) chosen.add(socket);
  const handle = tcpHandleOf(socket);
  if (handle !== undefined) chosen.add(handle);
}

export function isChosen(socket: Socket, handle: object): boolean {
  return chosen.has(socket) || chosen.has(handle);
}
