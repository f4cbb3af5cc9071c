// listen: as server.listen(), with options that the kernel has before bind and listen.

import cluster from 'node:cluster';
import { lookup } from 'node:dns';
import { isIP, type ListenOptions, type Server } from 'node:net';
import type { SocketOptions } from '../catalogue/catalogue';
import { SocketOptionError } from '../core/errors';
import { isOptions, typeError, validateNumber } from '../core/validate';
import { setDeadPeerTimeout } from '../dead-peer/dead-peer-timeout';
import { validateTimeout } from '../dead-peer/validate-options';
import { setOptions, validateSocketOptions } from '../options/options';
import { openBound } from './bind-socket';

/** Options of {@link listen}: those of `server.listen()`, and these. */
export type ListenerOptions = ListenOptions & {
  /** Set before the server is bound. */
  readonly socketOptions?: SocketOptions | undefined;
  /** Within how many milliseconds an accepted socket fails after its peer vanished: see `setDeadPeerTimeout`. */
  readonly deadPeerTimeout?: number | undefined;
};

/**
 * Listens as `server.listen(options, listener)` does, with options that have to be set before bind or listen:
 * `listen(server, { port: 80, socketOptions: { reusePort: true } })`.
 *
 * The socket is opened by this package. As in Node, `SO_REUSEADDR` is set, and a server without a host listens on `::` for both
 * IP versions, or on `0.0.0.0` where there is no IPv6. A worker of a cluster needs `exclusive: true`: the primary process opens
 * shared sockets.
 * @returns the server. Errors come as its `'error'` event, as Node's own: `EADDRINUSE` with address and port.
 * @throws TypeError, RangeError for a wrong argument.
 * @throws SocketOptionError `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` for a shared server of a cluster worker.
 */
export function listen<S extends Server>(
  server: S,
  options: ListenerOptions,
  listener?: () => void,
): S {
  if (!isOptions(options)) throw typeError('options', 'an object', options);
  const { socketOptions = {}, deadPeerTimeout, ...others } = options;
  validateSocketOptions(socketOptions, 'options.socketOptions');
  if (deadPeerTimeout !== undefined) {
    validateTimeout(deadPeerTimeout, 3, 'options.deadPeerTimeout');
    server.prependOnceListener('listening', () => {
      setDeadPeerTimeout(server, deadPeerTimeout);
    });
  }
  const { path, port, host } = others;
  const { fd } = others as { fd?: number };
  if (path !== undefined || fd !== undefined) {
    // There is nothing to open before: the path or the descriptor is the socket.
    server.prependOnceListener('listening', () => setOptions(server, socketOptions));
    server.listen(others, listener);
    return server;
  }
  if (cluster.isWorker && !others.exclusive) throw sharedByCluster();
  const wanted = port === undefined ? 0 : validateNumber(Number(port), 'options.port', PORTS);
  if (listener !== undefined) server.once('listening', listener);
  if (host === undefined) listenAnywhere(server, wanted, socketOptions, others);
  else listenOn(server, host, wanted, socketOptions, others);
  return server;
}

const PORTS = { integer: true, min: 0, max: 65_535 };

function sharedByCluster(): SocketOptionError {
  return new SocketOptionError(
    'The primary process of a cluster opens the shared sockets of its workers: set exclusive: true, or call listen() in the primary',
    { code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM' },
  );
}

/** On `::`, and on `0.0.0.0` if that fails. */
function listenAnywhere(
  server: Server,
  port: number,
  socketOptions: SocketOptions,
  others: ListenOptions,
): void {
  let fd: number;
  try {
    fd = openListener('::', port, socketOptions, others);
  } catch {
    takeOver(server, others, () => openListener('0.0.0.0', port, socketOptions, others));
    return;
  }
  takeOver(server, others, () => fd);
}

function listenOn(
  server: Server,
  host: string,
  port: number,
  socketOptions: SocketOptions,
  others: ListenOptions,
): void {
  const open = (address: string): void =>
    takeOver(server, others, () => openListener(address, port, socketOptions, others));
  if (isIP(host) !== 0) {
    open(host);
    return;
  }
  lookup(host, (error, address) => {
    if (error) server.emit('error', error);
    else if (!others.signal?.aborted) open(address);
  });
}

function openListener(
  address: string,
  port: number,
  socketOptions: SocketOptions,
  { ipv6Only = false }: ListenOptions,
): number {
  // As libuv sets them: uv__tcp_bind().
  const usual = {
    reuseAddress: true,
    ...(isIP(address) === 6 ? { ipv6Only } : {}),
  };
  const options = { ...usual, ...socketOptions };
  return openBound('tcp', { address, port }, options, 'listen');
}

/** Has the server listen on the descriptor. A refusal is its 'error' event, as in Node. */
function takeOver(server: Server, { backlog, signal }: ListenOptions, open: () => number): void {
  let fd: number;
  try {
    fd = open();
  } catch (error) {
    process.nextTick(() => server.emit('error', error));
    return;
  }
  server.listen({
    fd,
    exclusive: true,
    ...(backlog === undefined ? {} : { backlog }),
    ...(signal === undefined ? {} : { signal }),
  });
}
