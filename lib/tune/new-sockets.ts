// Observes every TCP socket that this thread connects or accepts: at each call of connect(), and when it is connected,
// before any listener of the program is called.

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { builtins } from '../core/builtins';
import { replaceMethod } from '../core/replace-method';
import type { TcpHandle } from '../core/socket';
import { tcpHandleOf } from '../core/socket';
import type { ConnectingEvent } from '../dead-peer/supervision/connecting';
import { LISTEN, type ListeningServer, type ListenMethod } from '../open/listen-method';

/** Whether this thread has opened a connection or accepted it. */
export type SocketSide = 'client' | 'server';

/** Functions that Node calls. They must not throw. */
export interface SocketObserver {
  /** A socket is connected. */
  onConnected(socket: Socket, side: SocketSide, handle: TcpHandle): void;
  /** `ref()` was called for a connected socket. */
  onReferenced(socket: Socket, handle: TcpHandle): void;
  /** `connect()` is called for a host and a port. */
  onConnecting(socket: Socket, target: Target): void;
  /** `connect()` has returned. */
  onConnectCalled(socket: Socket): void;
  /** A socket emits an event while it is connecting. */
  onConnectingEvent(socket: Socket, event: ConnectingEvent, args: readonly unknown[]): void;
  /** A server begins to listen. The observer calls the method. */
  onListen(server: ListeningServer, method: ListenMethod, args: readonly unknown[]): void;
}

export interface Target {
  readonly host: unknown;
  readonly port: unknown;
}

/**
 * Calls `observer` until the returned function is called. Only `emit` runs before every listener. Node's channel
 * `net.server.socket` is the second source, for servers whose `emit` was replaced:
 * docs/decisions/0012-tune-sockets-patches-emit.md.
 */
export function observeNewSockets(observer: SocketObserver): () => void {
  const onAccepted = (socket: unknown): void => observeOnce(socket, 'server', observer);
  const onSocketEvent: EventObserver = (socket, event, args) => {
    if (event === 'connection') return;
    observer.onConnectingEvent(socket as Socket, event, args);
    // Bun emits 'connect' on accepted sockets too.
    const isAccepted = (socket as { isServer?: unknown }).isServer;
    if (event === 'connect' && !isAccepted) observeOnce(socket, 'client', observer);
  };
  const onMessage = (message: unknown): void => onAccepted((message as { socket: unknown }).socket);
  const ends = [
    observeEmit(builtins.net.Socket.prototype, onSocketEvent),
    observeEmit(builtins.net.Server.prototype, (_server, event, [socket]) => {
      if (event === 'connection') onAccepted(socket);
    }),
    observeConnect(observer, onSocketEvent),
    observeRef(observer),
    ...(LISTEN in builtins.net.Server.prototype ? [observeListen(observer)] : []),
  ];
  subscribe(CHANNEL, onMessage);
  return () => {
    for (const end of ends) end();
    unsubscribe(CHANNEL, onMessage);
  };
}

const CHANNEL = 'net.server.socket';

/**
 * Marks a handle that was observed. A handle is one connection: a TLS socket uses the handle of the socket below it, a
 * server can pass a socket to another server with `emit`, and a socket that connects again gets a new handle. A WeakSet of
 * handles costs 1 us for each connection, in garbage collection.
 */
const OBSERVED = Symbol('observed');

interface MarkedHandle extends TcpHandle {
  [OBSERVED]?: true;
}

function observeOnce(socket: unknown, side: SocketSide, observer: SocketObserver): void {
  // A program can pass any stream to a server: `server.emit('connection', duplex)`.
  if (!(socket instanceof builtins.net.Socket)) return;
  const handle: MarkedHandle | undefined = tcpHandleOf(socket);
  if (handle === undefined || handle[OBSERVED]) return;
  handle[OBSERVED] = true;
  observer.onConnected(socket, side, handle);
}

type EventObserver = (
  emitter: unknown,
  event: ConnectingEvent | 'connection',
  args: readonly unknown[],
) => void;

/** Calls `observe` before the listeners of some events until the returned function is called. */
function observeEmit(prototype: object, observe: EventObserver): () => void {
  return replaceMethod(prototype, 'emit', (state) => {
    return function (this: unknown, ...args) {
      // Without destructuring, which costs 8 ns for each event of a socket.
      const event = args[0];
      switch (event) {
        case 'connect':
        case 'connection':
        case 'lookup':
        case 'connectionAttempt':
        case 'connectionAttemptFailed':
        case 'close':
          if (state.isActive) observe(this, event, args.slice(1));
      }
      return Reflect.apply(state.original(), this, args);
    };
  });
}

const CONNECTING_EVENTS: readonly ConnectingEvent[] = [
  'lookup',
  'connectionAttempt',
  'connectionAttemptFailed',
  'connect',
  'close',
];

/** Observes calls of `connect()`: Node reports attempts to connect by an event only since 20.12. */
function observeConnect(observer: SocketObserver, onEvent: EventObserver): () => void {
  const heard = new WeakSet<Socket>();
  /** Listens to a socket with an emit() of its own, which may not call the one that is observed. */
  const hear = (socket: Socket): void => {
    if (socket.emit === builtins.net.Socket.prototype.emit || heard.has(socket)) return;
    heard.add(socket);
    for (const event of CONNECTING_EVENTS) {
      socket.prependListener(event, (...args: unknown[]) => onEvent(socket, event, args));
    }
  };
  return replaceMethod(builtins.net.Socket.prototype, 'connect', (state) => {
    return function (this: unknown, ...args) {
      const target = state.isActive ? targetOf(args) : undefined;
      // Before the call: a look-up may call back at once, and then the first address is tried within the call.
      if (target !== undefined) {
        observer.onConnecting(this as Socket, target);
        hear(this as Socket);
      }
      const result = Reflect.apply(state.original(), this, args);
      if (target !== undefined) observer.onConnectCalled(this as Socket);
      return result;
    };
  });
}

function observeListen(observer: SocketObserver): () => void {
  return replaceMethod(builtins.net.Server.prototype, LISTEN, (state) => {
    return function (this: unknown, ...args) {
      const method = state.original();
      if (state.isActive) observer.onListen(this as ListeningServer, method, args);
      else Reflect.apply(method, this, args);
    };
  });
}

/** Observes calls of `ref()`: no list of Node has unreferenced sockets. */
function observeRef(observer: SocketObserver): () => void {
  return replaceMethod(builtins.net.Socket.prototype, 'ref', (state) => {
    return function (this: unknown, ...args) {
      const result = Reflect.apply(state.original(), this, args);
      if (state.isActive) {
        const handle = (this as Socket).connecting ? undefined : tcpHandleOf(this as Socket);
        if (handle !== undefined) observer.onReferenced(this as Socket, handle);
      }
      return result;
    };
  });
}

/** Returns the host and the port of the arguments of `connect()`; `undefined` for a pipe. */
function targetOf([first, second]: readonly unknown[]): Target | undefined {
  // Node passes arguments that it has checked as one array.
  const options: unknown = Array.isArray(first) ? first[0] : first;
  if (typeof options === 'object' && options !== null) {
    const { path, host, port } = options as Target & { readonly path?: unknown };
    return path ? undefined : { host, port };
  }
  const isPath = typeof first === 'string' && Number.isNaN(Number(first));
  return isPath ? undefined : { host: second, port: first };
}
