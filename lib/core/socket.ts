// Finds the operating system's descriptor of a socket. The search on Windows is in windows-handles.ts.

import type { Socket as DgramSocket } from 'node:dgram';
import type { Http2Session } from 'node:http2';
import type { Server, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { noDescriptor, noDgramDescriptor } from './no-descriptor';
import {
  dgramState,
  type Handle,
  handleOf,
  isServerOfBun,
  type SocketInternals,
} from './socket-internals';
import { rangeError, typeError } from './validate';
import { isForced, searches, socketBehind, socketsBehind } from './windows-handles';

/**
 * The socket that a call is about: an object of Node that has one, an object with its descriptor, or a bare descriptor.
 */
export type SocketLike =
  | Socket
  | TLSSocket
  | Server
  | Http2Session
  | DgramSocket
  // net.BoundSocket. Only the types of new versions of Node have this name.
  | { fd(): number }
  | { readonly fd: number }
  | number;

const EXPECTED =
  'a net.Socket, tls.TLSSocket, net.Server, net.BoundSocket, http2 session, dgram.Socket, { fd } or a descriptor';

/**
 * Returns the descriptor of `socket`. It is read afresh each time, because an earlier one may be closed and its number
 * given to another socket.
 * @throws SocketOptionError `ERR_SOCKET_*` for a socket without a descriptor.
 * @throws TypeError, RangeError for a value that is no socket and no descriptor.
 */
export function descriptorOf(socket: SocketLike): number {
  const fd = descriptorIfOpen(socket);
  if (fd !== NONE) return fd;
  throw noDescriptor(socket as SocketInternals);
}

/** In place of the descriptor of a socket that is not open. */
const NONE = -1;

/** Returns the descriptor, or `NONE` for a socket that is not open yet or is closed. */
function descriptorIfOpen(socket: SocketLike): number {
  const found = handleOrDescriptor(socket);
  return typeof found === 'number' ? found : descriptorOfHandle(found);
}

/**
 * Returns what a caller keeps of a socket to ask for its descriptor later: Node's handle object, which reports that it
 * is closed, or the number of a bare descriptor, which does not.
 */
export function handleOrDescriptor(socket: SocketLike): Handle | number {
  if (typeof socket === 'number') return validateDescriptor(socket, 'socket');
  if (typeof socket !== 'object' || socket === null) throw typeError('socket', EXPECTED, socket);

  const internals = socket as SocketInternals;
  const handle = handleOf(internals);
  if (handle === undefined) return descriptorWithout(internals);
  return typeof handle === 'object' && handle !== null ? handle : NONE;
}

/** Returns an object of Node itself, because its handle changes, and the number of any other socket. */
export function objectOrDescriptor(socket: SocketLike): object | number {
  const found = handleOrDescriptor(socket);
  return typeof found === 'number' ? found : (socket as object);
}

/** Returns the handle that an object of Node has now. */
export function currentHandle(socket: object): Handle | undefined {
  const handle = handleOf(socket);
  return typeof handle === 'object' && handle !== null ? handle : undefined;
}

/** Returns the descriptor of a handle, or `NONE`. */
export function descriptorOfHandle(handle: Handle): number {
  const { fd } = handle;
  if (isDescriptor(fd) && !isForced) return fd;
  const socket = searches ? socketBehind(handle) : NONE;
  return isDescriptor(socket) ? socket : NONE;
}

/** Returns the descriptors of many handles, or `NONE`; a number is its own. On Windows one search finds all. */
export function descriptorsOf(sockets: readonly (Handle | number | undefined)[]): number[] {
  if (!searches) return sockets.map(descriptorOrNone);
  const behind = socketsBehind(sockets.filter((socket) => typeof socket === 'object'));
  return sockets.map((socket) =>
    typeof socket === 'object' ? (behind.get(socket) ?? NONE) : descriptorOrNone(socket),
  );
}

const descriptorOrNone = (socket: Handle | number | undefined): number =>
  typeof socket === 'object' ? descriptorOfHandle(socket) : (socket ?? NONE);

/** Node's handle object of a TCP socket. `Socket.setKeepAlive()` calls its `setKeepAlive`. */
export interface TcpHandle {
  readonly fd?: unknown;
  setKeepAlive?(...args: unknown[]): number;
}

/**
 * Returns the handle of the TCP socket of `socket`, also below TLS and http2. There is one for each connection, even if
 * several objects share it. `undefined` for a pipe, and for a socket that has no handle now.
 */
export function tcpHandleOf(socket: Socket | Http2Session): TcpHandle | undefined {
  let handle = handleOf(socket as SocketInternals);
  while (handle?._parent) handle = handle._parent;
  if (!handle) return undefined;
  // The handle of a pipe does not have this method. In Bun no handle has it; a pipe has no address there.
  const isTcp = process.versions.bun
    ? (socket as Socket).remoteAddress !== undefined
    : typeof handle.getpeername === 'function';
  return isTcp ? (handle as TcpHandle) : undefined;
}

/** Whether this is a C int >= 0. A larger number would be truncated to the descriptor of another socket. */
function isDescriptor(fd: unknown): fd is number {
  return typeof fd === 'number' && fd >= 0 && (fd | 0) === fd;
}

const MAX_DESCRIPTOR = 2_147_483_647;

function validateDescriptor(fd: unknown, argument: string): number {
  if (typeof fd !== 'number') throw typeError(argument, 'a descriptor (an integer)', fd);
  if (!isDescriptor(fd)) {
    throw rangeError(argument, `an integer >= 0 and <= ${MAX_DESCRIPTOR}`, fd);
  }
  return fd;
}

function hintFor(socket: unknown): string {
  if (typeof socket !== 'object') return '';
  // A request has none until its connection is chosen.
  return socket === null
    ? " (pass its `socket`, after its 'socket' event)"
    : ' (pass its `socket`)';
}

/** For objects without `_handle`: `{ fd }`, and net.BoundSocket, whose `fd` is a method. */
function descriptorWithout(internals: SocketInternals): number {
  if ('fd' in internals) {
    // Read once: a getter may return something else the next time.
    const { fd } = internals as { readonly fd: unknown };
    return typeof fd === 'function'
      ? descriptorOfBound(internals, fd as () => unknown)
      : validateDescriptor(fd, 'socket.fd');
  }
  if (isServerOfBun(internals)) return NONE;
  // Requests, responses and WebSocket streams have a `socket`. The caller must choose it.
  throw typeError('socket', EXPECTED + hintFor(internals.socket), internals);
}

function descriptorOfBound(bound: SocketInternals, read: () => unknown): number {
  let fd: unknown;
  try {
    fd = Reflect.apply(read, bound, []);
  } catch (error) {
    if ((error as { code?: unknown } | null)?.code === 'ERR_SOCKET_HANDLE_ADOPTED') return NONE;
    throw error;
  }
  // Node returns -1 if there is no descriptor.
  return fd === -1 ? NONE : validateDescriptor(fd, 'socket.fd()');
}

/**
 * Returns the handle of a dgram.Socket that nobody has begun to bind, or `undefined` if somebody has.
 * @throws TypeError for another object; SocketOptionError `ERR_SOCKET_CLOSED`.
 */
export function unboundDgramHandle(socket: object): Handle | undefined {
  const state = typeof socket === 'object' && socket !== null ? dgramState(socket) : undefined;
  if (state === undefined) throw typeError('socket', 'a dgram.Socket', socket);
  if (state.handle === null) throw noDgramDescriptor(state);
  return state.bindState === 0 ? state.handle : undefined;
}
