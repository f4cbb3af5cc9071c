// connect: as net.connect(), with options that the kernel has before the first packet of each address that is tried.

import { channel } from 'node:diagnostics_channel';
import type { NetConnectOpts, Socket, TcpSocketConnectOpts } from 'node:net';
import type { OpeningOptions } from '../catalogue/catalogue';
import { builtins } from '../core/builtins';
import { tcpHandleOf } from '../core/socket';
import { isOptions, typeError, validateFunction, valueError } from '../core/validate';
import { setDeadPeerTimeout } from '../dead-peer/dead-peer-timeout';
import { boundChosen, noteFastOpen } from '../dead-peer/supervision/connecting';
import { validateConnectTimeout, validateTimeout } from '../dead-peer/validate-options';
import { keepAliveNames } from '../options/keepalive-options';
import { setOptions } from '../options/options';
import {
  beforeBind,
  type EarlyHandle,
  type Family,
  handleOf,
  holds,
  isTcpHandle,
  noteChosen,
  type Prepare,
  prepareHandle,
  requireBefore,
} from './early-handle';
import {
  BESIDE,
  FOR_TCP_ADDRESS,
  type OwnTimeouts,
  optionsToSet,
  refuseTcp,
  validatePlaces,
  validateSide,
  validateSocketOptionsOf,
} from './opening-options';
import { protectChosen, protectTimeout } from './protect-chosen';

/** Options of {@link connect}: those of `net.connect()`, `socketOptions`, `deadPeerTimeout` and `connectTimeout`. */
export type ConnectOptions = NetConnectOpts & OwnOptions;

interface OwnOptions {
  /** Options that are set before each address is tried. Default: none. */
  readonly socketOptions?: OpeningOptions | undefined;
  /**
   * Within how many milliseconds the socket fails after its peer vanished: 4 000 to 2^31 - 1, see `setDeadPeerTimeout`.
   * It bounds connecting too. Default: no timeout.
   */
  readonly deadPeerTimeout?: number | undefined;
  /**
   * Within how many milliseconds the socket must be connected, without the name look-up: 1 to 2^31 - 1. Default:
   * `deadPeerTimeout`.
   */
  readonly connectTimeout?: number | undefined;
}

/**
 * Connects as `net.connect(options, listener)` does, with options that have to be set before the first packet.
 *
 * Every address that is tried gets the options, on a socket that this package opens. If the kernel refuses an option,
 * or the IP version of an address does not have it, the socket fails with a SocketOptionError. `mptcp: true` opens
 * sockets of Multipath TCP. For a `path`, the options are set at once after connecting; a pipe of Windows has none.
 *
 * The options count for more than Node's `noDelay` and `keepAlive`. Node's own `socket.setKeepAlive()` does not change
 * keepalive values of `socketOptions` or of `deadPeerTimeout`. A later `socket.connect()` of the same socket gets the
 * options again, and no timeout.
 *
 * Use it wherever a library lets you make the socket: `createConnection` of `http.Agent`, `connect` of undici, `stream`
 * of pg and mysql2. For TLS, wait for `'connect'` before `tls.connect({ socket })`, or set `autoSelectFamily: false`:
 * with a socket that is still connecting, Node ends with a segmentation fault if the first of two addresses fails (Node
 * 20 to 26, also with `net.connect()`).
 * @example
 * ```ts
 * const socket = connect({ host: '192.0.2.1', port: 443, socketOptions: { mark: 7, synRetries: 2 } });
 * ```
 * @param options The options of `net.connect()`, and `socketOptions`, `deadPeerTimeout` and `connectTimeout`.
 * @param listener A listener for `'connect'`, as `net.connect()` takes it.
 * @returns The socket, with the same events in the same order as that of `net.connect()`.
 * @throws TypeError, RangeError for a wrong argument.
 * @throws SocketOptionError `ENOPROTOOPT` for an option that this system does not have;
 *   `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` where the runtime cannot do this.
 * @systems Every system: setsockopt(2) before connect(2). `socketOptions` need Node 20.12; on Bun and Deno they work
 *   only for a `path`.
 * @see socket(2), setsockopt(2), connect(2)
 */
export function connect(options: ConnectOptions, listener?: () => void): Socket {
  const { socketOptions, deadPeerTimeout, connectTimeout } = validateConnectOptions(options);
  if (listener !== undefined) validateFunction(listener, 'listener');
  const { path, timeout } = options as { readonly path?: string; readonly timeout?: number };
  if (socketOptions !== undefined && !path) requireBefore('connect');

  const socket = new builtins.net.Socket({
    ...options,
    ...overruled(socketOptions),
  } as NewSocketOptions);
  publish(socket);
  if (timeout) socket.setTimeout(timeout);
  if (socketOptions === undefined) socket.connect(options, listener);
  else if (path) connectToPath(socket, options, socketOptions, listener);
  else connectWithOptions(socket, options, socketOptions, listener);
  // The signal was aborted before.
  if (socket.destroyed) return socket;
  if (deadPeerTimeout !== undefined) {
    setDeadPeerTimeout(socket, deadPeerTimeout);
    socket.prependOnceListener('connect', () => {
      const handle = tcpHandleOf(socket);
      // An http.Agent calls Node's setKeepAlive() when a socket becomes idle.
      if (handle !== undefined) protectTimeout(socket, handle);
    });
  }
  if (connectTimeout !== undefined) boundChosen(socket, connectTimeout);
  return socket;
}

/** The options of the catalogue that `net.connect()` has, too. `typeOfService` since Node 24.21 and 26.10, or earlier. */
const ofNode = () => [
  ...['noDelay', 'keepAlive', 'keepAliveInitialDelay'],
  ...('setTypeOfService' in builtins.net.Socket.prototype ? ['typeOfService'] : []),
];

const OWN: OwnTimeouts = { deadPeerTimeout: BESIDE, connectTimeout: BESIDE };

/** Returns the options of this package. Node ignores them in the object that it gets. */
function validateConnectOptions(options: ConnectOptions): OwnOptions {
  if (!isOptions(options)) throw typeError('options', 'an object', options);
  const { socketOptions, deadPeerTimeout, connectTimeout } = options;
  validatePlaces(options, OWN, ofNode());
  if (socketOptions !== undefined) {
    validateSocketOptionsOf(socketOptions, OWN);
    validateSide(socketOptions, 'client', 'options.socketOptions');
    if (socketOptions.reuseAddress === false && hasLocalAddress(options)) {
      const reason = 'cannot be false with a local address: Node sets SO_REUSEADDR before it binds';
      throw valueError('options.socketOptions.reuseAddress', reason, false);
    }
  }
  if (deadPeerTimeout !== undefined) validateTimeout(deadPeerTimeout, 3, 'options.deadPeerTimeout');
  if (connectTimeout !== undefined) {
    validateConnectTimeout(connectTimeout, 'options.connectTimeout');
  }
  const { path } = options as { readonly path?: unknown };
  const toSet = optionsToSet(socketOptions, path);
  if (path) {
    if (toSet !== undefined) refuseTcp(toSet, FOR_TCP_ADDRESS);
    for (const [name, value] of Object.entries({ deadPeerTimeout, connectTimeout })) {
      if (value === undefined) continue;
      throw valueError(`options.${name}`, FOR_TCP_ADDRESS, value);
    }
  }
  return { socketOptions: toSet, deadPeerTimeout, connectTimeout };
}

type NewSocketOptions = ConstructorParameters<typeof Socket>[0];

/**
 * Returns what takes the place of Node's own options, if `socketOptions` has them, too: Node would set its own when the socket is
 * connected. An http.Agent passes `noDelay` without being asked.
 */
function overruled(options: OpeningOptions | undefined): object {
  const { noDelay, typeOfService, trafficClass, dscp } = options ?? {};
  return {
    ...(noDelay !== undefined && { noDelay }),
    ...((typeOfService ?? trafficClass ?? dscp) !== undefined && { typeOfService: undefined }),
  };
}

const CLIENTS = channel('net.client.socket');

/** As net.connect() does. */
function publish(socket: Socket): void {
  if (CLIENTS.hasSubscribers) CLIENTS.publish({ socket });
}

/** Node and Bun connect a Unix socket within connect(): there is no moment before. Deno connects it later. */
function connectToPath(
  socket: Socket,
  connectOptions: NetConnectOpts,
  options: OpeningOptions,
  listener: (() => void) | undefined,
): void {
  const set = (): void => {
    try {
      setOptions(socket, options);
    } catch (error) {
      socket.destroy(error as Error);
    }
  };
  const isLater = process.versions.deno !== undefined;
  if (isLater) socket.once('connect', set);
  socket.connect(connectOptions, listener);
  if (!isLater && socket.connecting) set();
}

function hasLocalAddress(options: NetConnectOpts): boolean {
  const { localAddress, localPort } = options as TcpSocketConnectOpts;
  // As Node does it: 0 and null are none.
  return Boolean(localAddress || localPort);
}

/** Connects, and sets the options before each address is tried, or before the socket is bound to a local address. */
function connectWithOptions(
  socket: Socket,
  connectOptions: NetConnectOpts,
  options: OpeningOptions,
  listener: (() => void) | undefined,
): void {
  let prepared: EarlyHandle | undefined;
  const names = keepAliveNames(options);
  const prepare: Prepare = (handle, family) => {
    if (handle !== prepared) {
      prepared = handle;
      try {
        prepareHandle(handle, family, options, () => holds(socket, handle));
        // Also against that of Node's own option `keepAlive`.
        protectChosen(socket, handle, names);
      } catch (error) {
        failInsteadOfConnecting(socket, handle, error as Error);
      }
    }
    return options.ipv6Only;
  };
  socket.prependListener('connectionAttempt', (_address, _port, family) => {
    const handle = handleOf(socket);
    if (handle) prepare(handle, family as Family);
  });
  noteChosen(socket, options);
  if (options.fastOpenConnect) noteFastOpen(socket);
  const isBound = hasLocalAddress(connectOptions);
  // Node binds before it reports the attempt to connect. If it tries several addresses, only the first handle exists yet.
  let first: unknown;
  const prepareBind = (): void => {
    if (first !== undefined) return;
    first = handleOf(socket);
    if (isTcpHandle(first)) beforeBind(first, prepare);
  };
  // A look-up of the program may answer within connect().
  if (isBound) socket.prependOnceListener('lookup', prepareBind);
  socket.connect(connectOptions, listener);
  if (isBound) prepareBind();
}

/** Node binds and connects the handle, whatever happened before. */
function failInsteadOfConnecting(socket: Socket, handle: EarlyHandle, error: Error): void {
  const fail = (): number => {
    process.nextTick(() => socket.destroy(error));
    return 0;
  };
  Object.assign(handle, { bind: () => 0, bind6: () => 0, connect: fail, connect6: fail });
}
