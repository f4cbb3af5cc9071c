// Finds the operating system's descriptor of a socket. The only file that uses `_handle`, for which Node has no
// public name. The search on Windows is in windows-handles.ts.

import type { Socket as DgramSocket } from 'node:dgram';
import type { Http2Session } from 'node:http2';
import type { Server, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { socketError } from './errors';
import { rangeError, typeError } from './validate';
import { type NodeHandle, socketBehind, socketsBehind } from './windows-handles';

/** An object with a socket, or a bare descriptor. */
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

/** A handle object of Node. It has no descriptor after it was closed. */
export interface Handle extends NodeHandle {
  readonly fd?: unknown;
  /** A TLS handle has here the handle of the socket below it. */
  readonly _parent?: Handle | null;
  readonly getpeername?: unknown;
}

/** Properties that are read from the caller's object, in this order. */
interface SocketInternals {
  /** 'udp4' or 'udp6' on a dgram.Socket. */
  readonly type?: unknown;
  readonly _handle?: Handle | null | undefined;
  readonly fd?: unknown;
  readonly socket?: unknown;
  readonly goaway?: unknown;
  readonly destroyed?: unknown;
  readonly connecting?: unknown;
  readonly pending?: unknown;
  readonly listening?: unknown;
}

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
  throw noDescriptor(socket);
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

/** Returns Node's handle object, `null` if there is none now, `undefined` for an object that never has one. */
function handleOf(internals: SocketInternals): Handle | null | undefined {
  try {
    return readHandle(internals);
  } catch (error) {
    if (!isUnbound(error)) throw error;
    return null;
  }
}

/** Whether this is the error of `session.socket` of a closed http2 session, for each property. */
function isUnbound(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 'ERR_HTTP2_SOCKET_UNBOUND';
}

function readHandle(internals: SocketInternals): Handle | null | undefined {
  // Dgram sockets first: their `_handle` is a deprecated getter that prints a warning.
  const state = typeof internals.type === 'string' ? dgramState(internals) : undefined;
  if (state !== undefined) return state.handle;
  const handle = internals._handle;
  if (handle !== undefined) return handle;
  // `socket` of an http2 session is a proxy that blocks some methods, but its `_handle` is readable.
  return isSession(internals) ? (socketOf(internals)?._handle ?? null) : undefined;
}

/**
 * Whether to search for descriptors, which Node does not report on Windows. Never on Bun, whose process panics when a
 * function of libuv is called: docs/decisions/0010-no-libuv-on-posix.md. The variable lets tests run the search on
 * other systems.
 */
const isForced = process.env.SOCKET_OPTIONS_SEARCH === '1';
export const searches = (isForced || process.platform === 'win32') && !process.versions.bun;

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
  const holder = typeof internals.socket === 'object' && internals.socket !== null;
  const hint = holder ? ' (pass its `socket`)' : '';
  throw typeError('socket', EXPECTED + hint, internals);
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

/** HTTP servers of Bun never have a `_handle`. */
function isServerOfBun(internals: SocketInternals): boolean {
  return process.versions.bun !== undefined && typeof internals.listening === 'boolean';
}

function isSession(internals: SocketInternals): boolean {
  return typeof internals.goaway === 'function';
}

function socketOf(session: SocketInternals): SocketInternals | null | undefined {
  return session.socket as SocketInternals | null | undefined;
}

interface DgramState {
  readonly handle: Handle | null;
  /** 0: unbound. */
  readonly bindState?: unknown;
}

/** Returns the state that a dgram.Socket keeps under a symbol; `undefined` for another object with a `type`. */
function dgramState(socket: object): DgramState | undefined {
  const symbol = Object.getOwnPropertySymbols(socket).find(
    ({ description }) => description === 'state symbol',
  );
  return symbol && (socket as Record<symbol, DgramState | undefined>)[symbol];
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

/** The error for a socket without a descriptor. It says why, and what to do. */
function noDescriptor(socket: SocketLike): Error {
  try {
    return whyNoDescriptor(socket as SocketInternals);
  } catch (error) {
    if (!isUnbound(error)) throw error;
    return socketError('ERR_SOCKET_CLOSED', 'The http2 session of the socket is closed');
  }
}

function whyNoDescriptor(internals: SocketInternals): Error {
  const state = typeof internals.type === 'string' ? dgramState(internals) : undefined;
  if (state !== undefined) return noDgramDescriptor(state);
  if (internals._handle === undefined && typeof internals.fd === 'function')
    return noBoundDescriptor();
  if (internals._handle === undefined && !isServerOfBun(internals)) {
    const below = socketOf(internals);
    if (below && below._handle !== undefined) return noHandleDescriptor(below, below._handle);
    return socketError(
      'ERR_SOCKET_CLOSED',
      'The http2 session is closed and no longer has a socket',
    );
  }
  return noHandleDescriptor(internals, internals._handle ?? null);
}

function noDgramDescriptor({ handle }: DgramState): Error {
  return handle === null
    ? socketError('ERR_SOCKET_CLOSED', 'The dgram socket is closed')
    : socketError(
        'ERR_SOCKET_NOT_OPEN',
        "The dgram socket is not open yet: call this after 'listening', or set options before with bind() of this package",
      );
}

function noBoundDescriptor(): Error {
  return process.platform === 'win32'
    ? socketError(
        'ERR_SOCKET_NO_DESCRIPTOR',
        'Node does not report the descriptor of a net.BoundSocket on Windows: set options on the net.Socket or net.Server that takes it over',
      )
    : socketError(
        'ERR_SOCKET_CLOSED',
        'The net.BoundSocket is closed or was taken over: pass the net.Socket or net.Server that has it now',
      );
}

/** For a net.Socket, tls.TLSSocket or net.Server. */
function noHandleDescriptor(internals: SocketInternals, handle: Handle | null): Error {
  if (internals.destroyed === true) {
    return socketError('ERR_SOCKET_CLOSED', 'The socket is closed');
  }
  if (internals.connecting === true || (handle === null && internals.pending === true)) {
    return socketError(
      'ERR_SOCKET_NOT_OPEN',
      "The socket is not open yet: call this after 'connect', or set options before connecting with connect() or tuneSockets() of this package (each address that is tried has its own descriptor)",
    );
  }
  if (handle === null && internals.listening === false) {
    return socketError(
      'ERR_SOCKET_NOT_OPEN',
      "The server is not listening: call this after 'listening' and before close(), or set options before with listen() or tuneSockets() of this package",
    );
  }
  const hidden = hiddenByRuntime(handle);
  if (hidden !== undefined) return socketError('ERR_SOCKET_NO_DESCRIPTOR', hidden);
  if (handle === null) {
    return socketError('ERR_SOCKET_CLOSED', 'The socket is closed');
  }
  if (searches && internals.listening === undefined) {
    return socketError(
      'ERR_SOCKET_NO_DESCRIPTOR',
      'No SOCKET was found behind this object: it is a pipe, runs over another stream (pass the socket below it instead), or the program has changed its handle',
    );
  }
  if (internals.listening !== undefined) {
    return socketError(
      'ERR_SOCKET_NO_DESCRIPTOR',
      "The server has no descriptor in this process: in a cluster worker it belongs to the primary. Set options on the sockets of its 'connection' event instead",
    );
  }
  return socketError(
    'ERR_SOCKET_NO_DESCRIPTOR',
    'The socket has no descriptor: it runs over another stream. Pass the socket below it instead',
  );
}

/** Why another runtime than Node does not report the descriptor of an open socket. */
function hiddenByRuntime(handle: Handle | null): string | undefined {
  const { bun, deno } = process.versions;
  if (bun !== undefined && handle === null) {
    return 'Bun does not report the descriptors of HTTP servers and their connections';
  }
  if (deno !== undefined && handle !== null) {
    return 'Deno does not report the descriptors of TCP, TLS and UDP sockets';
  }
  return undefined;
}
