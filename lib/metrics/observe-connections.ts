// Finds every TCP connection of this thread: those that are open, each new one, and each one just before its descriptor is
// closed. docs/decisions/0020-metrics-follow-handles.md has what was measured.

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Server, Socket } from 'node:net';
import { replaceMethod } from '../core/replace-method';
import { type TcpHandle, tcpHandleOf } from './tcp-handle';

/** Functions that Node calls. They must not throw. */
export interface ConnectionObserver {
  /** A socket is connected. It may be called again for the same handle. */
  onOpen(socket: Socket, handle: TcpHandle): void;
  /** The descriptor of a handle is about to be closed, also of handles that were never connected. */
  onClosing(handle: TcpHandle): void;
}

const observers = new Set<ConnectionObserver>();

/** What puts everything back. */
let ends: (() => void)[] = [];

/** Prototypes whose methods are replaced. */
const replaced = new Set<object>();

/** Calls `observer` until the returned function is called. */
export function observeConnections(observer: ConnectionObserver): () => void {
  if (observers.size === 0) start();
  observers.add(observer);
  return () => {
    if (observers.delete(observer) && observers.size === 0) stop();
  };
}

/** Returns the connected sockets that are open now. Node's list has no unreferenced ones. */
export function openSockets(): { socket: Socket; handle: TcpHandle }[] {
  // Without a public name: docs/decisions/0012-tune-sockets-patches-emit.md.
  const { _getActiveHandles } = process as { _getActiveHandles?: () => unknown[] };
  const found: { socket: Socket; handle: TcpHandle }[] = [];
  for (const socket of _getActiveHandles?.call(process) ?? []) {
    const handle = tcpHandleOf(socket);
    if (handle === undefined || (socket as Socket).connecting) continue;
    observeEnd(handle);
    found.push({ socket: socket as Socket, handle });
  }
  return found;
}

/** The second source, for servers whose `emit` was replaced by the program. */
const CHANNEL = 'net.server.socket';

function start(): void {
  subscribe(CHANNEL, onAccepted);
  ends = [
    () => unsubscribe(CHANNEL, onAccepted),
    replaceMethod(Socket.prototype, 'emit', (state) => {
      return function (this: unknown, ...args) {
        // Without destructuring, which costs 8 ns for each event of a socket.
        if (args[0] === 'connect' && state.isActive) open(this);
        return Reflect.apply(state.original(), this, args);
      };
    }),
    replaceMethod(Server.prototype, 'emit', (state) => {
      return function (this: unknown, ...args) {
        if (args[0] === 'connection' && state.isActive) open(args[1]);
        return Reflect.apply(state.original(), this, args);
      };
    }),
  ];
}

function stop(): void {
  for (const end of ends) end();
  ends = [];
  replaced.clear();
}

function onAccepted(message: unknown): void {
  open((message as { socket: unknown }).socket);
}

/** A program can pass any stream to a server: `server.emit('connection', duplex)`. */
function open(socket: unknown): void {
  const handle = tcpHandleOf(socket);
  if (handle === undefined) return;
  observeEnd(handle);
  for (const observer of observers) observer.onOpen(socket as Socket, handle);
}

/**
 * Replaces the methods that close a descriptor, for all handles of this kind at once. Only they run while the descriptor is
 * still open, however a socket ends: destroyed, reset, by TLS, by HTTP/2, or passed to another process.
 */
function observeEnd(handle: TcpHandle): void {
  const prototype = Object.getPrototypeOf(handle) as Record<string, unknown>;
  if (replaced.has(prototype)) return;
  replaced.add(prototype);
  for (const name of ['close', 'reset']) {
    if (typeof prototype[name] !== 'function') continue;
    const end = replaceMethod(prototype, name, (state) => {
      return function (this: unknown, ...args) {
        if (state.isActive) {
          for (const observer of observers) observer.onClosing(this as TcpHandle);
        }
        return Reflect.apply(state.original(), this, args);
      };
    });
    ends.push(end);
  }
}
