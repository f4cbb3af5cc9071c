// Finds the handle of a TCP socket, which is the connection itself: the sockets of TLS and HTTP/2 over it share it.

import { Socket } from 'node:net';

/** A handle of Node. It has no public name. */
export interface TcpHandle {
  /** A TLS handle has here the handle of the socket below it. */
  readonly _parent?: TcpHandle | null;
  /** The bytes that Node has read from the connection. */
  readonly bytesRead?: unknown;
  /** The handle of a pipe does not have it. */
  readonly getpeername?: unknown;
}

/** Returns `undefined` for a socket without a handle, for one that is no TCP socket, and for any other value. */
export function tcpHandleOf(socket: unknown): TcpHandle | undefined {
  if (!(socket instanceof Socket)) return undefined;
  let handle = (socket as { _handle?: TcpHandle | null })._handle;
  while (handle?._parent) handle = handle._parent;
  return typeof handle?.getpeername === 'function' ? handle : undefined;
}
