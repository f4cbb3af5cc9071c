// Which sockets are new: every TCP socket that this thread connects or accepts, at the moment when it is
// connected and before any listener of the program hears of it.

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Server, Socket } from 'node:net';
import type { TcpHandle } from '../core/socket';
import { tcpHandleOf } from '../core/socket';

/** Whether this thread has opened a connection or accepted it. */
export type SocketSide = 'client' | 'server';

/** Must not throw: the caller is Node itself. */
export type SeeSocket = (socket: Socket, side: SocketSide, handle: TcpHandle) => void;

/**
 * Calls `see` with each new socket until the returned function is called. `emit` is the only source that comes before
 * every listener. Node's channel `net.server.socket` is the second one, for servers whose `emit` was replaced:
 * docs/decisions/0012-tune-sockets-patches-emit.md.
 */
export function seeNewSockets(see: SeeSocket): () => void {
  const onAccepted = (socket: unknown): void => seeOnce(socket, 'server', see);
  const onMessage = (message: unknown): void => onAccepted((message as { socket: unknown }).socket);
  const ends = [
    seeEvents(Socket.prototype, 'connect', (socket) => {
      // Bun emits 'connect' on accepted sockets too.
      if (!(socket as { isServer?: unknown }).isServer) seeOnce(socket, 'client', see);
    }),
    seeEvents(Server.prototype, 'connection', (_server, socket) => onAccepted(socket)),
  ];
  subscribe(CHANNEL, onMessage);
  return () => {
    for (const end of ends) end();
    unsubscribe(CHANNEL, onMessage);
  };
}

const CHANNEL = 'net.server.socket';

/**
 * The handles that were seen. A handle is one connection: TLS over a socket has the handle of that socket, a
 * server passes a socket on to another one with `emit`, and a socket that connects again gets a new handle.
 */
const seen = new WeakSet<TcpHandle>();

function seeOnce(socket: unknown, side: SocketSide, see: SeeSocket): void {
  // A server may be given any stream: `server.emit('connection', duplex)`.
  if (!(socket instanceof Socket)) return;
  const handle = tcpHandleOf(socket);
  if (handle === undefined || seen.has(handle)) return;
  seen.add(handle);
  see(socket, side, handle);
}

type Emitter = Pick<NodeJS.EventEmitter, 'emit'>;

/** Calls `see` before the listeners of `event` until the returned function is called. */
function seeEvents(
  prototype: Emitter,
  event: string,
  see: (emitter: unknown, argument: unknown) => void,
): () => void {
  const own = Object.getOwnPropertyDescriptor(prototype, 'emit');
  const inherited = Object.getPrototypeOf(prototype) as Emitter;
  let isActive = true;
  const emit: Emitter['emit'] = function (this: Emitter, ...args) {
    if (args[0] === event && isActive) see(this, args[1]);
    return Reflect.apply(own?.value ?? inherited.emit, this, args) as boolean;
  };
  Object.defineProperty(prototype, 'emit', {
    value: emit,
    ...{ configurable: true, enumerable: true, writable: true },
  });
  return () => {
    isActive = false;
    // Somebody's function over ours still calls it: then it stays, and passes everything on.
    if (prototype.emit !== emit) return;
    if (own === undefined) Reflect.deleteProperty(prototype, 'emit');
    else Object.defineProperty(prototype, 'emit', own);
  };
}
