// bind: as dgramSocket.bind(), with options that the kernel has before bind.

import type { BindOptions, Socket } from 'node:dgram';
import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import type { SocketOptions } from '../catalogue/catalogue';
import { isOptions, typeError, validateNumber } from '../core/validate';
import { validateSocketOptions } from '../options/options';
import { openBound } from './bind-socket';

/** Options of {@link bind}: those of `dgramSocket.bind()`, and these. */
export type DatagramBindOptions = BindOptions & {
  /** Set before the socket is bound. */
  readonly socketOptions?: SocketOptions | undefined;
};

/**
 * Binds a datagram socket as `dgramSocket.bind(options, listener)` does, with options that have to be set before:
 * `bind(socket, { port: 5353, socketOptions: { reusePort: true } })`.
 *
 * The descriptor is opened by this package. Options of `dgram.createSocket()` that act at bind (`reuseAddr`, `ipv6Only`,
 * `recvBufferSize`) have no effect: put them into `socketOptions`.
 * @returns the socket. Errors come as its `'error'` event, as Node's own.
 * @throws TypeError, RangeError for a wrong argument.
 */
export function bind(socket: Socket, options: DatagramBindOptions, listener?: () => void): Socket {
  if (!isOptions(options)) throw typeError('options', 'an object', options);
  const { socketOptions = {}, port = 0, address, exclusive } = options;
  validateSocketOptions(socketOptions, 'options.socketOptions');
  validateNumber(port, 'options.port', { integer: true, min: 0, max: 65_535 });
  const isIPv6 = (socket as { type?: unknown }).type === 'udp6';
  const open = (ip: string): void => {
    try {
      const fd = openBound('udp', { address: ip, port }, socketOptions, 'bind');
      socket.bind({ fd, exclusive: exclusive ?? true }, listener);
    } catch (error) {
      process.nextTick(() => socket.emit('error', error as Error));
    }
  };
  const ip = address ?? (isIPv6 ? '::' : '0.0.0.0');
  // Node emits 'listening' within bind({ fd }), before a caller could add a listener.
  if (isIP(ip) !== 0) process.nextTick(open, ip);
  else {
    lookup(ip, isIPv6 ? 6 : 4, (error, found) => {
      if (error) socket.emit('error', error);
      else open(found);
    });
  }
  return socket;
}
