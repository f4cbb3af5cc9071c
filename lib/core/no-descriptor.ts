// The error for a socket without a descriptor. It says why, and what to do.

import { socketError } from './errors';
import {
  type DgramState,
  dgramState,
  type Handle,
  isServerOfBun,
  isUnbound,
  type SocketInternals,
  socketOf,
} from './socket-internals';
import { searches } from './windows-handles';

/** For a value that is a socket. */
export function noDescriptor(internals: SocketInternals): Error {
  try {
    return whyNoDescriptor(internals);
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

export function noDgramDescriptor({ handle }: DgramState): Error {
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
