// Remembers for which sockets the program has called setDeadPeerTimeout(), also with null: tuneSockets() leaves them alone.

import type { Socket } from 'node:net';
import { builtins } from '../core/builtins';
import { tcpHandleOf } from '../core/socket';

/** Sockets that are connecting, and handles of connections: a TLS socket shares the handle of the socket below it. */
const chosen = new WeakSet<object>();

export function noteChoice(socket: unknown): void {
  if (!(socket instanceof builtins.net.Socket)) return;
  if (socket.connecting) chosen.add(socket);
  const handle = tcpHandleOf(socket);
  if (handle !== undefined) chosen.add(handle);
}

export function isChosen(socket: Socket, handle: object): boolean {
  return chosen.has(socket) || chosen.has(handle);
}
