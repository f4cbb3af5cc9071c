// listen: as server.listen(), with options that the kernel has before bind and listen.

import cluster from 'node:cluster';
import { errorMonitor } from 'node:events';
import { type ListenOptions, Server } from 'node:net';
import type { SocketOptions } from '../catalogue/catalogue';
import { SocketOptionError } from '../core/errors';
import { isOptions, typeError, validateFunction, valueError } from '../core/validate';
import { setDeadPeerTimeout } from '../dead-peer/dead-peer-timeout';
import { validateTimeout } from '../dead-peer/validate-options';
import { setOptions, validateOpeningOptions } from '../options/options';
import {
  openHandle,
  optionsToSet,
  type Prepare,
  requireEarlyHandles,
  typeFor,
} from './early-handle';
import { LISTEN, type ListeningServer, type ListenMethod, listenAfter } from './listen-method';

/** Options of {@link listen}: those of `server.listen()`, and these. */
export type ListenerOptions = ListenOptions & {
  /** A descriptor that is bound, or listens already, as in `server.listen()`. */
  readonly fd?: number | undefined;
  /** Set before the server is bound. */
  readonly socketOptions?: SocketOptions | undefined;
  /** Within how many milliseconds an accepted socket fails after its peer vanished: see `setDeadPeerTimeout`. */
  readonly deadPeerTimeout?: number | undefined;
};

/**
 * Listens as `server.listen(options, listener)` does, with options that have to be set before bind or listen:
 * `listen(server, { port: 80, socketOptions: { reusePort: true } })`.
 *
 * On Linux, connections that the server accepts inherit most options: the receive buffer with its window scale, the mark,
 * keepalive.
 * `mptcp: true` accepts Multipath TCP, and plain TCP too. For a `path` the options are set after listening; a pipe
 * of Windows has none. For an `fd` they are set at once, and those that have to be set before bind are too late.
 *
 * Node 20.12 and later. A worker of a cluster needs `exclusive: true`: the primary process opens the shared sockets.
 * @returns the server. Errors come as its `'error'` event: those of Node (`EADDRINUSE` with address and port), and a
 *   SocketOptionError for an option that the kernel refused.
 * @throws TypeError, RangeError for a wrong argument.
 * @throws SocketOptionError `ENOPROTOOPT` for an option that this system does not have;
 *   `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` for a shared server of a cluster worker, and on Bun and Deno.
 * @see setsockopt(2), bind(2), listen(2)
 */
export function listen<S extends Server>(
  server: S,
  options: ListenerOptions,
  listener?: () => void,
): S {
  if (!(server instanceof Server)) throw typeError('server', 'a net.Server', server);
  const { socketOptions, deadPeerTimeout, others } = validateListenerOptions(options);
  if (listener !== undefined) validateFunction(listener, 'listener');
  if (socketOptions === undefined && deadPeerTimeout === undefined) {
    server.listen(others, listener);
    return server;
  }
  requireEarlyHandles();
  if (cluster.isWorker && !others.exclusive) throw sharedByCluster();
  if (socketOptions !== undefined && others.fd !== undefined) setOptions(others.fd, socketOptions);
  const early = others.fd === undefined ? socketOptions : undefined;
  const begin: Begin = (method, args) =>
    listenWithOptions(server, method, args, { socketOptions: early, deadPeerTimeout });
  beginWith(server, begin);
  try {
    server.listen(others, listener);
  } catch (error) {
    begins.delete(server);
    throw error;
  }
  // Node still looks up the name.
  if (begins.has(server)) forgetAtEnd(server);
  return server;
}

function validateListenerOptions(options: ListenerOptions) {
  if (!isOptions(options)) throw typeError('options', 'an object', options);
  const { socketOptions, deadPeerTimeout, ...others } = options;
  if (socketOptions !== undefined) {
    validateOpeningOptions(socketOptions, 'options.socketOptions');
    if (socketOptions.reuseAddress === false) {
      const reason = 'cannot be false: Node sets SO_REUSEADDR on every server';
      throw valueError('options.socketOptions.reuseAddress', reason, false);
    }
  }
  if (deadPeerTimeout !== undefined) {
    validateTimeout(deadPeerTimeout, 3, 'options.deadPeerTimeout');
    if (others.path) {
      const reason = 'is for TCP, and a path is no TCP address';
      throw valueError('options.deadPeerTimeout', reason, deadPeerTimeout);
    }
  }
  return { socketOptions: optionsToSet(socketOptions, others.path), deadPeerTimeout, others };
}

function sharedByCluster(): SocketOptionError {
  return new SocketOptionError(
    'The primary process of a cluster opens the shared sockets of its workers: set exclusive: true, or call listen() in the primary',
    { code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM' },
  );
}

type Begin = (method: ListenMethod, args: unknown[]) => void;

/** What to do when Node begins to listen, for servers that have not begun. */
const begins = new WeakMap<Server, Begin>();

/** Replaces the method with which Node begins to listen. It stays: deleting it would slow down the server object. */
function beginWith(server: Server, begin: Begin): void {
  begins.set(server, begin);
  if (Object.hasOwn(server, LISTEN)) return;
  Object.defineProperty(server, LISTEN, {
    configurable: true,
    writable: true,
    value: (...args: unknown[]) => {
      const method = (Server.prototype as ListeningServer)[LISTEN];
      const chosen = begins.get(server);
      begins.delete(server);
      if (chosen === undefined) Reflect.apply(method, server, args);
      else chosen(method, args);
    },
  });
}

/** Forgets what to do if the look-up fails, or if the server is closed before. */
function forgetAtEnd(server: Server): void {
  const forget = (): void => {
    begins.delete(server);
    for (const event of ENDS) server.off(event, forget);
  };
  for (const event of ENDS) server.once(event, forget);
}

// The types of Node have no overload for errorMonitor, a symbol.
const ENDS = [errorMonitor, 'close', 'listening'] as unknown[] as string[];

function listenWithOptions(
  server: Server,
  method: ListenMethod,
  args: unknown[],
  chosen: Pick<ListenerOptions, 'socketOptions' | 'deadPeerTimeout'>,
): void {
  const { socketOptions, deadPeerTimeout } = chosen;
  const { mptcp, ...options } = socketOptions ?? {};
  let isOpened = false;
  const prepare: Prepare = (handle, family) => {
    isOpened = true;
    if (socketOptions === undefined) return false;
    try {
      openHandle(handle, typeFor('tcp', family, { mptcp }), (fd) => setOptions(fd, options));
      return options.ipv6Only === true;
    } catch (error) {
      handle.close?.();
      throw error;
    }
  };
  try {
    listenAfter(prepare, server as ListeningServer, method, args);
    if (!isListening(server)) return;
    // A path: Node has no moment before.
    if (!isOpened && socketOptions !== undefined) setOptions(server, socketOptions);
    if (deadPeerTimeout !== undefined) setDeadPeerTimeout(server, deadPeerTimeout);
  } catch (error) {
    if (isListening(server)) server.close();
    process.nextTick(() => server.emit('error', error as Error));
  }
}

function isListening(server: Server): boolean {
  return Boolean((server as ListeningServer)._handle);
}
