// Observes every TCP socket that this thread connects or accepts, when it is connected and before any listener of the
// program is called.

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Server, Socket } from 'node:net';
import type { TcpHandle } from '../core/socket';
import { tcpHandleOf } from '../core/socket';

/** Whether this thread has opened a connection or accepted it. */
export type SocketSide = 'client' | 'server';

/** Must not throw, because the caller is Node. */
export type SocketObserver = (socket: Socket, side: SocketSide, handle: TcpHandle) => void;

/** Called before a socket tries an address. Must not throw. */
export type AttemptObserver = (socket: Socket, address: string, port: number) => void;

/**
 * Calls `observe` with each new socket until the returned function is called. Only `emit` runs before every listener.
 * Node's channel `net.server.socket` is the second source, for servers whose `emit` was replaced:
 * docs/decisions/0012-tune-sockets-patches-emit.md.
 */
export function observeNewSockets(
  observe: SocketObserver,
  observeAttempt: AttemptObserver,
): () => void {
  const onAccepted = (socket: unknown): void => observeOnce(socket, 'server', observe);
  const onMessage = (message: unknown): void => onAccepted((message as { socket: unknown }).socket);
  const ends = [
    observeEvents(Socket.prototype, 'connect', (socket) => {
      // Bun emits 'connect' on accepted sockets too.
      if (!(socket as { isServer?: unknown }).isServer) observeOnce(socket, 'client', observe);
    }),
    observeEvents(Socket.prototype, 'connectionAttempt', (socket, address, port) => {
      observeAttempt(socket as Socket, address as string, port as number);
    }),
    observeEvents(Server.prototype, 'connection', (_server, socket) => onAccepted(socket)),
  ];
  subscribe(CHANNEL, onMessage);
  return () => {
    for (const end of ends) end();
    unsubscribe(CHANNEL, onMessage);
  };
}

const CHANNEL = 'net.server.socket';

/**
 * The handles that were observed. A handle is one connection: a TLS socket uses the handle of the socket below it, a
 * server can pass a socket to another server with `emit`, and a socket that connects again gets a new handle.
 */
const observed = new WeakSet<TcpHandle>();

function observeOnce(socket: unknown, side: SocketSide, observe: SocketObserver): void {
  // A program can pass any stream to a server: `server.emit('connection', duplex)`.
  if (!(socket instanceof Socket)) return;
  const handle = tcpHandleOf(socket);
  if (handle === undefined || observed.has(handle)) return;
  observed.add(handle);
  observe(socket, side, handle);
}

type Emitter = Pick<NodeJS.EventEmitter, 'emit'>;

/** Calls `observe` before the listeners of `event` until the returned function is called. */
function observeEvents(
  prototype: Emitter,
  event: string,
  observe: (emitter: unknown, ...args: unknown[]) => void,
): () => void {
  const own = Object.getOwnPropertyDescriptor(prototype, 'emit');
  const inherited = Object.getPrototypeOf(prototype) as Emitter;
  let isActive = true;
  const emit: Emitter['emit'] = function (this: Emitter, ...args) {
    if (args[0] === event && isActive) observe(this, ...args.slice(1));
    return Reflect.apply(own?.value ?? inherited.emit, this, args) as boolean;
  };
  Object.defineProperty(prototype, 'emit', {
    value: emit,
    ...{ configurable: true, enumerable: true, writable: true },
  });
  return () => {
    isActive = false;
    // Another function was put over this one and still calls it. It stays, and only passes events on.
    if (prototype.emit !== emit) return;
    if (own === undefined) Reflect.deleteProperty(prototype, 'emit');
    else Object.defineProperty(prototype, 'emit', own);
  };
}
