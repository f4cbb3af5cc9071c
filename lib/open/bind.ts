// bind: as dgramSocket.bind(), with options that the kernel has before bind.

import type { BindOptions, Socket } from 'node:dgram';
import type { SocketOptions } from '../catalogue/catalogue';
import { builtins } from '../core/builtins';
import { descriptorOfHandle, unboundDgramHandle } from '../core/socket';
import type { Handle } from '../core/socket-internals';
import { isOptions, typeError, validateFunction } from '../core/validate';
import { getOption, setOptions } from '../options/options';
import { isOpen, openHandle, requireBefore, typeFor, UV_IPV6ONLY } from './early-handle';
import {
  copyOptions,
  FOR_TCP,
  type OwnTimeouts,
  refuseTcp,
  requireOwnSocket,
  validatePlaces,
  validateSocketOptionsOf,
} from './opening-options';

/** Options of {@link bind}: those of `dgramSocket.bind()`, and `socketOptions`. */
export type DatagramBindOptions = BindOptions & {
  /** Options that are set before the socket is bound. Default: none. */
  readonly socketOptions?: SocketOptions | undefined;
};

/**
 * Binds a datagram socket as `dgramSocket.bind(options, listener)` does, with options that have to be set before.
 *
 * Call it for a socket that neither was bound nor has sent anything. Node sets the options of `dgram.createSocket()`
 * after these. With `socketOptions`, a worker of a cluster needs `exclusive: true`: the primary process opens the
 * shared sockets.
 * @example
 * ```ts
 * bind(udpSocket, { port: 5353, socketOptions: { reusePort: true } });
 * ```
 * @param socket The datagram socket to bind.
 * @param options The options of `dgramSocket.bind()`, and `socketOptions`.
 * @param listener A listener for `'listening'`, as `dgramSocket.bind()` takes it.
 * @returns The socket. Node's errors come as its `'error'` event; for a socket that is bound it throws
 *   `ERR_SOCKET_ALREADY_BOUND`.
 * @throws TypeError, RangeError for a wrong argument.
 * @throws SocketOptionError for an option that the kernel refused, or that this system does not have (`ENOPROTOOPT`).
 *   The socket was not bound. `ERR_SOCKET_CLOSED` for a closed socket; `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` for a
 *   shared socket of a cluster worker, and on Bun and Deno.
 * @systems Every system: setsockopt(2) before bind(2). `socketOptions` need Node.
 * @see setsockopt(2), bind(2)
 */
export function bind(socket: Socket, options: DatagramBindOptions, listener?: () => void): Socket {
  if (!(socket instanceof builtins.dgram.Socket))
    throw typeError('socket', 'a dgram.Socket', socket);
  if (!isOptions(options)) throw typeError('options', 'an object', options);
  const { socketOptions } = options;
  validatePlaces(options, NONE, []);
  if (listener !== undefined) validateFunction(listener, 'listener');
  if (socketOptions !== undefined) {
    validateSocketOptionsOf(socketOptions, NONE);
    refuseTcp(socketOptions, FOR_TCP);
    const { address, fd } = options as { readonly address?: unknown; readonly fd?: unknown };
    // Node checks them too late, when the descriptor is open.
    if (address && typeof address !== 'string') {
      throw typeError('options.address', 'a string', address);
    }
    if (fd !== undefined && fd !== null && typeof fd !== 'number') {
      throw typeError('options.fd', 'a number', fd);
    }
    requireBefore('bind');
    requireOwnSocket(options.exclusive);
    setBeforeBind(socket, fd, copyOptions(socketOptions));
  }
  socket.bind(options, listener);
  return socket;
}

const NONE: OwnTimeouts = { deadPeerTimeout: FOR_TCP, connectTimeout: FOR_TCP };

function setBeforeBind(socket: Socket, fd: unknown, options: SocketOptions): void {
  const handle = unboundDgramHandle(socket);
  // Node throws then.
  if (handle === undefined) return;
  // Node takes no other value for a descriptor here.
  if (typeof fd === 'number' && fd > 0) {
    setOptions(fd, options);
    return;
  }
  const family = (socket as { readonly type?: unknown }).type === 'udp6' ? 6 : 4;
  const held = heldBy(handle);
  if (held !== undefined) setOptions(held, options);
  else {
    const type = typeFor('udp', family, {});
    opened.set(
      handle,
      openHandle(
        handle,
        type,
        (own) => setOptions(own, options),
        () => unboundDgramHandle(socket) === handle,
      ),
    );
  }
  if (process.platform === 'win32' && family === 6) keepIpv6Only(handle);
}

/** The descriptors of handles that were opened here: Node does not report them on Windows. */
const opened = new WeakMap<Handle, number>();

/** Returns the descriptor of a handle, if an earlier bind() has failed. */
function heldBy(handle: Handle): number | undefined {
  const held = isOpen(handle) ? handle.fd : opened.get(handle);
  if (held !== undefined || process.platform !== 'win32') return held;
  const found = descriptorOfHandle(handle);
  return found < 0 ? undefined : found;
}

type Bind = (address: string, port: number, flags: number) => number;

/** libuv switches IPV6_V6ONLY off on Windows, unless a flag of bind() is set. */
function keepIpv6Only(handle: Handle): void {
  const fd = heldBy(handle);
  const flag = fd !== undefined && getOption(fd, 'ipv6Only') ? UV_IPV6ONLY : 0;
  const { bind6 } = Object.getPrototypeOf(handle) as { readonly bind6: Bind };
  const bindWithFlag: Bind = (address, port, flags) =>
    bind6.call(handle, address, port, flags | flag);
  // Node calls it by this name for IPv6, too.
  Object.assign(handle, { bind: bindWithFlag });
}
