// connect: as net.connect(), with options that the kernel has before the first packet of each address that is tried.

import { channel } from 'node:diagnostics_channel';
import { type NetConnectOpts, Socket } from 'node:net';
import type { SocketOptions } from '../catalogue/catalogue';
import { isOptions, typeError } from '../core/validate';
import { setDeadPeerTimeout } from '../dead-peer/dead-peer-timeout';
import { boundConnecting } from '../dead-peer/supervision/connecting';
import { validateConnectTimeout, validateTimeout } from '../dead-peer/validate-options';
import { validateSocketOptions } from '../options/options';
import { type EarlyHandle, openHandle } from './early-handle';

/** Options of {@link connect}: those of `net.connect()`, and these. */
export type ConnectOptions = NetConnectOpts & {
  /** Set before each address is tried. */
  readonly socketOptions?: SocketOptions | undefined;
  /** Within how many milliseconds the socket fails after its peer vanished: see `setDeadPeerTimeout`. It bounds connecting too. */
  readonly deadPeerTimeout?: number | undefined;
  /** Within how many milliseconds the socket must be connected, without the name look-up. By default `deadPeerTimeout`. */
  readonly connectTimeout?: number | undefined;
};

/**
 * Connects as `net.connect(options, listener)` does, with options that have to be set before the first packet:
 * `connect({ host, port, socketOptions: { mark: 7, synRetries: 2 } })`.
 *
 * Every address that is tried gets the options, on a socket that this package opens.
 * @returns the socket, as `net.connect()` does.
 * @throws TypeError, RangeError for a wrong argument.
 */
export function connect(options: ConnectOptions, listener?: () => void): Socket {
  if (!isOptions(options)) throw typeError('options', 'an object', options);
  const { socketOptions, deadPeerTimeout, connectTimeout, ...others } = options;
  if (socketOptions !== undefined) validateSocketOptions(socketOptions, 'options.socketOptions');
  if (deadPeerTimeout !== undefined) validateTimeout(deadPeerTimeout, 3, 'options.deadPeerTimeout');
  if (connectTimeout !== undefined)
    validateConnectTimeout(connectTimeout, 'options.connectTimeout');

  const socket = new Socket(others as ConstructorParameters<typeof Socket>[0]);
  if (socketOptions !== undefined) setBeforeConnecting(socket, socketOptions);
  publish(socket);
  const { timeout } = others as { timeout?: number };
  if (timeout) socket.setTimeout(timeout);
  socket.connect(others as NetConnectOpts, listener);
  if (deadPeerTimeout !== undefined) setDeadPeerTimeout(socket, deadPeerTimeout);
  if (connectTimeout !== undefined) {
    boundConnecting(socket, { timeout: connectTimeout, mayEnd: () => true }, true);
  }
  return socket;
}

/** Sets the options before each address is tried. */
function setBeforeConnecting(socket: Socket, options: SocketOptions): void {
  socket.prependListener('connectionAttempt', (_address, _port, family) => {
    const { _handle: handle } = socket as unknown as { readonly _handle: EarlyHandle };
    try {
      openHandle(handle, family === 6 ? 'tcp6' : 'tcp4', options);
    } catch (error) {
      failInsteadOfConnecting(socket, handle, error as Error);
    }
  });
}

/** Node connects the handle after the event, whatever happened in it. */
function failInsteadOfConnecting(socket: Socket, handle: EarlyHandle, error: Error): void {
  const fail = (): number => {
    process.nextTick(() => socket.destroy(error));
    return 0;
  };
  Object.assign(handle, { connect: fail, connect6: fail });
}

const CLIENTS = channel('net.client.socket');

/** As net.connect() does. */
function publish(socket: Socket): void {
  if (CLIENTS.hasSubscribers) CLIENTS.publish({ socket });
}
