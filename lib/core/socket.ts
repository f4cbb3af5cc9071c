// From whatever holds a socket to the operating system's descriptor. The only file that touches
// `_handle`, which Node has no public name for.

import type { Socket as DgramSocket } from 'node:dgram';
import type { Http2Session } from 'node:http2';
import type { Server, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { socketError } from './errors';
import { rangeError, typeError } from './validate';
import { findSocketsBehind, type NodeHandle, socketBehind } from './windows-handles';

/** Everything that has a socket whose options can be read and set. */
export type SocketLike =
  | Socket
  | TLSSocket
  | Server
  | Http2Session
  | DgramSocket
  // net.BoundSocket, which only the types of new versions of Node have.
  | { fd(): number }
  | { readonly fd: number }
  | number;

/** A handle object of Node. From its close on it has no descriptor. */
export interface Handle extends NodeHandle {
  readonly fd?: unknown;
  /** Of TLS: the handle of the socket that it runs over. */
  readonly _parent?: Handle | null;
  readonly getpeername?: unknown;
}

/** What is looked at, in the order of the looks, in whatever a caller passes. */
interface Inside {
  /** Of dgram sockets: 'udp4' or 'udp6'. */
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
 * The descriptor behind `socket`, read afresh: an earlier one may have been closed and its number
 * given to another socket.
 */
export function descriptorOf(socket: SocketLike): number {
  const fd = descriptorIfOpen(socket);
  if (fd !== NONE) return fd;
  throw noDescriptor(socket);
}

/** Stands for a socket that is not open: no descriptor, and no code of an error either. */
export const NONE = -1;

/** The same, but `NONE` for a socket that has no descriptor, or none any more. */
function descriptorIfOpen(socket: SocketLike): number {
  const found = handleOrDescriptor(socket);
  return typeof found === 'number' ? found : descriptorOfHandle(found);
}

/**
 * What to keep of a socket that is asked for its descriptor later: the handle object of Node, which knows
 * when it is closed; or the bare descriptor of `{ fd }` and of a number, which does not.
 */
export function handleOrDescriptor(socket: SocketLike): Handle | number {
  if (typeof socket === 'number') return checkedDescriptor(socket, 'socket');
  if (typeof socket !== 'object' || socket === null) throw typeError('socket', EXPECTED, socket);

  const inside = socket as Inside;
  const handle = handleOf(inside);
  if (handle === undefined) return descriptorWithout(inside);
  return typeof handle === 'object' && handle !== null ? handle : NONE;
}

/** The handle object of Node inside, `null` where there is none now; `undefined`: not such an object. */
function handleOf(inside: Inside): Handle | null | undefined {
  // Before `_handle`: on dgram sockets, which say their type, that is a deprecated getter, and warns.
  const state = typeof inside.type === 'string' ? dgramState(inside) : undefined;
  if (state !== undefined) return state.handle;
  const handle = inside._handle;
  if (handle !== undefined) return handle;
  // Its `socket` is a proxy that refuses what would disturb the session, but has a `_handle`.
  return isSession(inside) ? (socketOf(inside)?._handle ?? null) : undefined;
}

/**
 * Whether Node exposes no descriptor, and libuv is searched. Never on Bun, which ends the process when a function of
 * libuv is called: docs/decisions/0010-no-libuv-on-posix.md. The variable is for tests of the search.
 */
const isForced = process.env.SOCKET_OPTIONS_SEARCH === '1';
const searches = (isForced || process.platform === 'win32') && !process.versions.bun;

/** The descriptor of a handle, or `NONE`. */
export function descriptorOfHandle(handle: Handle): number {
  const { fd } = handle;
  if (isDescriptor(fd) && !isForced) return fd;
  const socket = searches ? socketBehind(handle) : NONE;
  return isDescriptor(socket) ? socket : NONE;
}

/**
 * To be called before many handles are asked for their descriptors one by one: where each had to be
 * searched for, they are found in one search.
 */
export function findDescriptors(handles: readonly (Handle | number)[]): void {
  if (searches) findSocketsBehind(handles.filter((handle) => typeof handle !== 'number'));
}

/** The object of Node that has a TCP socket. Node calls its `setKeepAlive` from `Socket.setKeepAlive()`. */
export interface TcpHandle {
  setKeepAlive?(...args: unknown[]): number;
}

/**
 * The handle that has the TCP socket of `socket`, below TLS too: one for each connection, however many
 * objects are made over it. `undefined` for a pipe, and where there is no handle, or none any more.
 */
export function tcpHandleOf(socket: Socket): TcpHandle | undefined {
  let handle = (socket as Inside)._handle;
  while (handle?._parent) handle = handle._parent;
  if (!handle) return undefined;
  // Handles of pipes do not have this method. Bun's never have it: there a pipe is what has no address.
  const isTcp = process.versions.bun
    ? socket.remoteAddress !== undefined
    : typeof handle.getpeername === 'function';
  return isTcp ? (handle as TcpHandle) : undefined;
}

/** A C int from 0 on. A number beyond would be cut down to somebody else's descriptor. */
function isDescriptor(fd: unknown): fd is number {
  return typeof fd === 'number' && fd >= 0 && (fd | 0) === fd;
}

const MAX_DESCRIPTOR = 2_147_483_647;

function checkedDescriptor(fd: unknown, argument: string): number {
  if (typeof fd !== 'number') throw typeError(argument, 'a descriptor (an integer)', fd);
  if (!isDescriptor(fd)) {
    throw rangeError(argument, `an integer >= 0 and <= ${MAX_DESCRIPTOR}`, fd);
  }
  return fd;
}

/** Of objects without `_handle`: `{ fd }`, and a net.BoundSocket, whose `fd` is a method. */
function descriptorWithout(inside: Inside): number {
  if ('fd' in inside) {
    const { fd } = inside;
    return typeof fd === 'function'
      ? descriptorOfBound(inside)
      : checkedDescriptor(fd, 'socket.fd');
  }
  if (isServerOfBun(inside)) return NONE;
  // Requests, responses and WebSocket streams have one; which of several it is, the caller knows.
  const holder = typeof inside.socket === 'object' && inside.socket !== null;
  const hint = holder ? ' (pass its `socket`)' : '';
  throw typeError('socket', EXPECTED + hint, inside);
}

function descriptorOfBound(bound: Inside): number {
  let fd: unknown;
  try {
    fd = (bound as { fd(): unknown }).fd();
  } catch (error) {
    if ((error as { code?: unknown } | null)?.code === 'ERR_SOCKET_HANDLE_ADOPTED') return NONE;
    throw error;
  }
  // What Node returns where it has no descriptor.
  return fd === -1 ? NONE : checkedDescriptor(fd, 'socket.fd()');
}

/** HTTP servers of Bun have no `_handle`, not even before they listen. */
function isServerOfBun(inside: Inside): boolean {
  return process.versions.bun !== undefined && typeof inside.listening === 'boolean';
}

function isSession(inside: Inside): boolean {
  return typeof inside.goaway === 'function';
}

function socketOf(session: Inside): Inside | null | undefined {
  return session.socket as Inside | null | undefined;
}

interface DgramState {
  readonly handle: Handle | null;
}

/** What a dgram socket keeps under a symbol; `undefined` for an object that only says a type. */
function dgramState(socket: object): DgramState | undefined {
  const symbol = Object.getOwnPropertySymbols(socket).find(
    ({ description }) => description === 'state symbol',
  );
  return symbol && (socket as Record<symbol, DgramState | undefined>)[symbol];
}

/** Why a socket has no descriptor, and what to do about it. */
function noDescriptor(socket: SocketLike): Error {
  const inside = socket as Inside;
  const state = typeof inside.type === 'string' ? dgramState(inside) : undefined;
  if (state !== undefined) return noDgramDescriptor(state);
  if (inside._handle === undefined && typeof inside.fd === 'function') return noBoundDescriptor();
  if (inside._handle === undefined && !isServerOfBun(inside)) {
    const below = socketOf(inside);
    if (below && below._handle !== undefined) return noHandleDescriptor(below, below._handle);
    return socketError(
      'ERR_SOCKET_CLOSED',
      'The http2 session is closed and has no socket any more',
    );
  }
  return noHandleDescriptor(inside, inside._handle ?? null);
}

function noDgramDescriptor({ handle }: DgramState): Error {
  return handle === null
    ? socketError('ERR_SOCKET_CLOSED', 'The dgram socket is closed')
    : socketError(
        'ERR_SOCKET_NOT_OPEN',
        "The dgram socket is not open yet: call this after 'listening' (bind() opens it)",
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
        'The net.BoundSocket is closed, or was taken over: pass the net.Socket or net.Server that has it now',
      );
}

/** Of a net.Socket, tls.TLSSocket or net.Server. */
function noHandleDescriptor(inside: Inside, handle: Handle | null): Error {
  if (inside.destroyed === true) {
    return socketError('ERR_SOCKET_CLOSED', 'The socket is closed');
  }
  if (inside.connecting === true || (handle === null && inside.pending === true)) {
    return socketError(
      'ERR_SOCKET_NOT_OPEN',
      "The socket is not open yet: call this after 'connect' (a descriptor before that may be replaced by the next address that is tried)",
    );
  }
  if (handle === null && inside.listening === false) {
    return socketError(
      'ERR_SOCKET_NOT_OPEN',
      "The server is not listening: call this after 'listening' and before close()",
    );
  }
  const hidden = hiddenByRuntime(handle);
  if (hidden !== undefined) return socketError('ERR_SOCKET_NO_DESCRIPTOR', hidden);
  if (handle === null) {
    return socketError('ERR_SOCKET_CLOSED', 'The socket is closed');
  }
  if (searches && inside.listening === undefined) {
    return socketError(
      'ERR_SOCKET_NO_DESCRIPTOR',
      'No SOCKET was found behind this object: it is a pipe, runs over another stream (pass the socket below it instead), or its handle is not just as Node made it',
    );
  }
  if (inside.listening !== undefined) {
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

/** What a runtime other than Node keeps to itself, of a socket that is open. */
function hiddenByRuntime(handle: Handle | null): string | undefined {
  const { bun, deno } = process.versions;
  if (bun !== undefined && handle === null) {
    return 'Bun does not tell the descriptors of HTTP servers and of the sockets that they serve';
  }
  if (deno !== undefined && handle !== null) {
    return 'Deno does not tell the descriptors of TCP, TLS and UDP sockets';
  }
  return undefined;
}
