// Reads what Node keeps in its sockets, such as `_handle`, for which Node has no public name.

import type { NodeHandle } from './windows-handles';

/** A handle object of Node. It has no descriptor after it was closed. */
export interface Handle extends NodeHandle {
  readonly fd?: unknown;
  /** A TLS handle has here the handle of the socket below it. */
  readonly _parent?: Handle | null;
  readonly getpeername?: unknown;
}

/** Properties that are read from the caller's object, in this order. */
export interface SocketInternals {
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

/** Returns Node's handle object, `null` if there is none now, `undefined` for an object that never has one. */
export function handleOf(internals: SocketInternals): Handle | null | undefined {
  try {
    return readHandle(internals);
  } catch (error) {
    if (!isUnbound(error)) throw error;
    return null;
  }
}

/** Whether this is the error of `session.socket` of a closed http2 session, for each property. */
export function isUnbound(error: unknown): boolean {
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

/** HTTP servers of Bun never have a `_handle`. */
export function isServerOfBun(internals: SocketInternals): boolean {
  return process.versions.bun !== undefined && typeof internals.listening === 'boolean';
}

function isSession(internals: SocketInternals): boolean {
  return typeof internals.goaway === 'function';
}

/** Returns the socket of an http2 session. */
export function socketOf(session: SocketInternals): SocketInternals | null | undefined {
  return session.socket as SocketInternals | null | undefined;
}

export interface DgramState {
  readonly handle: Handle | null;
  /** 0: unbound. */
  readonly bindState?: unknown;
}

/** Returns the state that a dgram.Socket keeps under a symbol; `undefined` for another object with a `type`. */
export function dgramState(socket: object): DgramState | undefined {
  const symbol = Object.getOwnPropertySymbols(socket).find(
    ({ description }) => description === 'state symbol',
  );
  return symbol && (socket as Record<symbol, DgramState | undefined>)[symbol];
}
