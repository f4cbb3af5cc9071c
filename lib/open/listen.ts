// listen: as server.listen(), with options that the kernel has before bind and listen.

import { errorMonitor } from 'node:events';
import type { ListenOptions, Server } from 'node:net';
import type { OpeningOptions } from '../catalogue/catalogue';
import { builtins } from '../core/builtins';
import { isOptions, typeError, validateFunction, valueError } from '../core/validate';
import { setDeadPeerTimeout } from '../dead-peer/dead-peer-timeout';
import { validateTimeout } from '../dead-peer/validate-options';
import { setOptions } from '../options/options';
import { keepOnAccepted } from './accepted';
import {
  type EarlyHandle,
  isSince,
  type Prepare,
  prepareHandle,
  requireBefore,
} from './early-handle';
import { LISTEN, type ListeningServer, type ListenMethod, listenAfter } from './listen-method';
import {
  BESIDE,
  FOR_CLIENTS,
  FOR_TCP_ADDRESS,
  type OwnTimeouts,
  optionsToSet,
  refuseTcp,
  requireOwnSocket,
  validatePlaces,
  validateSide,
  validateSocketOptionsOf,
} from './opening-options';

/** Options of {@link listen}: those of `server.listen()`, `socketOptions` and `deadPeerTimeout`. */
export type ListenerOptions = ListenOptions &
  OwnOptions & {
    /**
     * A descriptor that is bound, or listens already, as in `server.listen()`: an integer of at least 0. Default: none.
     */
    readonly fd?: number | undefined;
  };

interface OwnOptions {
  /** Options that are set before the server is bound. Default: none. */
  readonly socketOptions?: OpeningOptions | undefined;
  /**
   * Within how many milliseconds an accepted socket fails after its peer vanished: 4 000 to 2^31 - 1, as
   * `setDeadPeerTimeout(server, ...)`, until that is called with `null`. Default: no timeout.
   */
  readonly deadPeerTimeout?: number | undefined;
}

/**
 * Listens as `server.listen(options, listener)` does, with options that have to be set before bind or listen.
 *
 * On Linux, connections that the server accepts inherit most options: the receive buffer with its window scale, the
 * mark, keepalive. `noDelay` and keepalive count for more than those of the server object. `mptcp: true` accepts
 * Multipath TCP, and plain TCP too. For a `path` the options are set after listening; a pipe of Windows has none. For
 * an `fd`, those that have to be set before bind are too late.
 *
 * With `socketOptions`, a worker of a cluster needs `exclusive: true`: the primary process opens the shared sockets.
 * @example
 * ```ts
 * listen(server, { port: 80, socketOptions: { reusePort: true } });
 * ```
 * @param server The server, which does not listen yet.
 * @param options The options of `server.listen()`, and `socketOptions` and `deadPeerTimeout`.
 * @param listener A listener for `'listening'`, as `server.listen()` takes it.
 * @returns The server. Errors come as its `'error'` event: those of Node (`EADDRINUSE` with address and port), and a
 *   SocketOptionError for an option that the kernel refused.
 * @throws TypeError, RangeError for a wrong argument.
 * @throws SocketOptionError `ENOPROTOOPT` for an option that this system does not have;
 *   `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` for a shared server of a cluster worker, and on Bun and Deno.
 * @systems Every system: setsockopt(2) before bind(2) and listen(2). `socketOptions` and `deadPeerTimeout` need Node.
 * @see setsockopt(2), bind(2), listen(2)
 */
export function listen<S extends Server>(
  server: S,
  options: ListenerOptions,
  listener?: () => void,
): S {
  if (!(server instanceof builtins.net.Server)) throw typeError('server', 'a net.Server', server);
  const { socketOptions, deadPeerTimeout } = validateListenerOptions(options);
  if (listener !== undefined) validateFunction(listener, 'listener');
  if (socketOptions === undefined && deadPeerTimeout === undefined) {
    server.listen(options, listener);
    return server;
  }
  requireBefore('listen');
  if (socketOptions !== undefined) {
    requireOwnSocket(options.exclusive, ', or call tuneSockets({ server }) in the primary');
  }
  const begin: Begin = (method, args) =>
    listenWithOptions(server, method, args, { fd: options.fd, socketOptions, deadPeerTimeout });
  beginWith(server, begin);
  try {
    server.listen(options, listener);
  } catch (error) {
    begins.delete(server);
    throw error;
  }
  // Node still looks up the name.
  if (begins.has(server)) forgetAtEnd(server);
  return server;
}

const OWN: OwnTimeouts = { deadPeerTimeout: BESIDE, connectTimeout: FOR_CLIENTS };

/** The options of the catalogue that Node's `listen()` has, too. */
const OF_NODE = (['ipv6Only', 'reusePort'] as const).filter(
  (name) => name !== 'reusePort' || isSince(22, 12),
);

/** Returns the options of this package. Node ignores them in the object that it gets. */
function validateListenerOptions(options: ListenerOptions): OwnOptions {
  if (!isOptions(options)) throw typeError('options', 'an object', options);
  const { socketOptions, deadPeerTimeout } = options;
  // A server or a handle, to listen on the same, has members of other meanings.
  if (!('_handle' in options)) validatePlaces(options, OWN, OF_NODE);
  if (socketOptions !== undefined) {
    validateSocketOptionsOf(socketOptions, OWN);
    validateSide(socketOptions, 'server', 'options.socketOptions');
    for (const name of OF_NODE) {
      const value: unknown = (options as Pick<OpeningOptions, typeof name>)[name];
      if (value === undefined || socketOptions[name] === undefined) continue;
      if (Boolean(value) === socketOptions[name]) continue;
      throw valueError(`options.socketOptions.${name}`, `differs from options.${name}`, !value);
    }
  }
  if (deadPeerTimeout !== undefined) {
    validateTimeout(deadPeerTimeout, 3, 'options.deadPeerTimeout');
    if (options.path) {
      throw valueError('options.deadPeerTimeout', FOR_TCP_ADDRESS, deadPeerTimeout);
    }
  }
  const toSet = optionsToSet(socketOptions, options.path);
  if (toSet !== undefined && options.path) refuseTcp(toSet, FOR_TCP_ADDRESS);
  return { socketOptions: toSet, deadPeerTimeout };
}

type Begin = (method: ListenMethod, args: unknown[]) => void;

/** What to do when Node begins to listen, for servers that have not begun. */
const begins = new WeakMap<Server, Begin>();

/** The methods of this file. */
const replacements = new WeakSet<ListenMethod>();

/** Replaces the method with which Node begins to listen. It stays: deleting it would slow down the server object. */
function beginWith(server: Server, begin: Begin): void {
  begins.set(server, begin);
  const { [LISTEN]: current } = server as ListeningServer;
  if (replacements.has(current)) return;
  // A program, too, may have replaced it: for this server, for its class, or for all.
  const own = Object.hasOwn(server, LISTEN) ? current : undefined;
  const value = (...args: unknown[]): void => {
    const method = own ?? (Object.getPrototypeOf(server) as ListeningServer)[LISTEN];
    const chosen = begins.get(server);
    begins.delete(server);
    if (chosen === undefined) {
      keepOnAccepted(server, undefined);
      Reflect.apply(method, server, args);
    } else {
      chosen(method, args);
    }
  };
  replacements.add(value);
  Object.defineProperty(server, LISTEN, { configurable: true, writable: true, value });
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
  chosen: Pick<ListenerOptions, 'fd' | 'socketOptions' | 'deadPeerTimeout'>,
): void {
  const { fd, socketOptions, deadPeerTimeout } = chosen;
  keepOnAccepted(server, socketOptions, deadPeerTimeout !== undefined);
  let isSet = socketOptions === undefined;
  const prepare: Prepare = (handle, family) => {
    if (socketOptions === undefined) return undefined;
    isSet = true;
    try {
      // Node has just made the handle: no function of the program has it.
      prepareHandle(handle, family, socketOptions, () => true);
      return socketOptions.ipv6Only;
    } catch (error) {
      handle.close?.();
      throw error;
    }
  };
  try {
    // Node ignores a negative one.
    if (fd !== undefined && fd >= 0 && socketOptions !== undefined) {
      setOptions(fd, socketOptions);
      isSet = true;
    }
    listenAfter(prepare, server as ListeningServer, method, args);
    if (!isListening(server)) {
      keepOnAccepted(server, undefined);
      return;
    }
    // A path: Node has no moment before.
    if (!isSet && socketOptions !== undefined) setOptions(server, socketOptions);
    if (deadPeerTimeout !== undefined) setDeadPeerTimeout(server, deadPeerTimeout);
  } catch (error) {
    keepOnAccepted(server, undefined);
    stopListening(server);
    process.nextTick(() => server.emit('error', error as Error));
  }
}

/** As Node does when it cannot listen: there is no 'close' event. */
function stopListening(server: Server): void {
  const listening = server as { _handle?: EarlyHandle | null };
  listening._handle?.close?.();
  listening._handle = null;
}

function isListening(server: Server): boolean {
  return Boolean((server as ListeningServer)._handle);
}
