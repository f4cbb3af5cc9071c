// Applies the options of one call of tuneSockets() to a socket, and reports what failed.

import { isIP, type Socket } from 'node:net';
import { inspect } from 'node:util';
import type { SocketOptionErrorDetails } from '../core/errors';
import { SocketOptionError } from '../core/errors';
import { descriptorOf } from '../core/socket';
import { throwUncaught } from '../core/throw-uncaught';
import { callbackError, validateFunction } from '../core/validate';
import { isTunedServer, tuneConnection } from '../dead-peer/dead-peer-timeout';
import type { Address } from '../dead-peer/supervision/connecting';
import { setEach } from '../options/options';
import type { SocketSide } from './new-sockets';
import {
  type CheckedTuning,
  KEEP_ALIVE,
  type KeepAliveName,
  type Tuning,
  validateTuning,
} from './tuning';

/** Options of {@link tuneSockets}. */
export interface TuneSocketsOptions {
  /** The options of sockets that this thread connects. */
  readonly client?: Tuning | undefined;
  /** The options of sockets that servers of this thread accept. */
  readonly server?: Tuning | undefined;
  /**
   * Returns `true` for a socket to tune, `false` for another one. It is called when the socket is connected, and must
   * return at once. If it throws or returns anything else, nothing is set and `onError` gets the error: a Promise is a
   * `TypeError`.
   */
  readonly filter?: ((socket: Socket, side: SocketSide) => boolean) | undefined;
  /**
   * Called with each error of a socket that could not be tuned. The socket is not affected. If this function throws, that
   * is an uncaught exception. Without this function, the first error of each kind is a process warning with the name
   * `SocketOptionsWarning` and the code `SOCKET_OPTIONS_TUNING_FAILED`.
   */
  readonly onError?: ((error: Error, socket: Socket) => void) | undefined;
}

/** The result of {@link tuneSockets}. */
export interface SocketTuning extends Disposable {
  /** Ends the tuning. Sockets that were tuned keep their values. */
  close(): void;
}

export class Tuner implements SocketTuning {
  readonly #tunings: Readonly<Record<SocketSide, CheckedTuning | undefined>>;
  readonly #filter: TuneSocketsOptions['filter'];
  readonly #onError: TuneSocketsOptions['onError'];
  readonly #onClose: (tuner: Tuner) => void;
  isOpen = true;
  /** The kinds of failure for which there was a warning. */
  readonly #warned = new Set<string>();

  constructor(
    { client, server, filter, onError }: TuneSocketsOptions,
    onClose: (tuner: Tuner) => void,
  ) {
    this.#tunings = {
      client: validateTuning(client, 'options.client'),
      server: validateTuning(server, 'options.server'),
    };
    if (filter !== undefined) validateFunction(filter, 'options.filter');
    if (onError !== undefined) validateFunction(onError, 'options.onError');
    this.#filter = filter;
    this.#onError = onError;
    this.#onClose = onClose;
    if (server !== undefined && process.versions.bun !== undefined) {
      throw new SocketOptionError(
        "Bun does not report the sockets that its HTTP servers accept: call setOptions() on the sockets of a net.Server's 'connection' event",
        { code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM' },
      );
    }
  }

  /** Tunes a connected socket. Returns which keepalive options this tuning now controls. */
  tune(socket: Socket, side: SocketSide): readonly KeepAliveName[] {
    const tuning = this.#tunings[side];
    if (tuning === undefined || !this.isOpen) return [];
    if (!this.#isWanted(socket, side)) return [];
    try {
      // Report a missing descriptor once, and not for each option.
      descriptorOf(socket);
    } catch (error) {
      this.report(error, socket, side);
      return [];
    }
    const isPlanSet = this.#setDeadPeerTimeout(socket, side, tuning);
    try {
      for (const error of setEach(socket, tuning.options)) this.report(error, socket, side);
    } catch (error) {
      this.report(error, socket, side);
    }
    return isPlanSet ? KEEP_ALIVE : tuning.keepAlive;
  }

  /** Within how many milliseconds a client must be connected. */
  get connectTimeout(): number | undefined {
    return this.isOpen ? this.#tunings.client?.connectTimeout : undefined;
  }

  /** Whether this tuning bounds how long the socket tries these addresses. */
  boundsConnecting(socket: Socket, addresses: readonly Address[]): boolean {
    if (this.connectTimeout === undefined) return false;
    if (this.#filter === undefined) return true;
    return addresses.every((one) =>
      withRemote(socket, one, () => this.#isWanted(socket, 'client')),
    );
  }

  #isWanted(socket: Socket, side: SocketSide): boolean {
    const filter = this.#filter;
    if (filter === undefined) return true;
    try {
      const wanted: unknown = filter(socket, side);
      if (typeof wanted !== 'boolean') throw callbackError('filter', 'a boolean', wanted);
      // The filter may have closed this tuning.
      return wanted && this.isOpen;
    } catch (error) {
      this.#report(error, socket, `filter ${side}`, side);
      return false;
    }
  }

  #setDeadPeerTimeout(socket: Socket, side: SocketSide, tuning: CheckedTuning): boolean {
    if (tuning.deadPeerTimeout === undefined) return false;
    // The program has chosen a timeout for this server.
    if (isTunedServer((socket as { server?: unknown }).server)) return true;
    try {
      tuneConnection(socket, tuning.deadPeerTimeout, tuning.deadPeer, true);
      return true;
    } catch (error) {
      this.report(error, socket, side);
      return false;
    }
  }

  report(error: unknown, socket: Socket, side: SocketSide): void {
    // The connection was reset before it was tuned. The socket emits this error itself.
    if (socket.destroyed) return;
    // A getter of the socket may throw anything.
    const { code, name, option } = Object(error) as Error & Partial<SocketOptionErrorDetails>;
    this.#report(error, socket, `${inspect(code ?? name)} ${option} ${side}`, side);
  }

  #report(error: unknown, socket: Socket, kind: string, side: SocketSide): void {
    try {
      if (this.#onError === undefined) {
        this.#warn(error, socket, kind, side);
      } else {
        const result: unknown = this.#onError(error as Error, socket);
        if (typeof result === 'object') Promise.resolve(result).catch(throwUncaught);
      }
    } catch (thrown) {
      // Never throw here: the caller is Node, within a call of a library.
      throwUncaught(thrown);
    }
  }

  #warn(error: unknown, socket: Socket, kind: string, side: SocketSide): void {
    if (this.#warned.has(kind)) return;
    this.#warned.add(kind);
    // A filter may throw anything.
    const message = error instanceof Error ? String(error.message) : inspect(error);
    const { localAddress, localPort, remoteAddress, remotePort } = socket;
    process.emitWarning(
      `tuneSockets() could not tune a ${side} socket (${localAddress} port ${localPort}, peer ${remoteAddress} port ${remotePort}): ${message} [only the first failure of this kind is reported; the function onError gets all of them]`,
      { type: 'SocketOptionsWarning', code: 'SOCKET_OPTIONS_TUNING_FAILED' },
    );
  }

  close(): void {
    this.isOpen = false;
    this.#onClose(this);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * A socket that is connecting has no remote address. The filter gets the one that is tried, so that it decides as it will when
 * the socket is connected.
 */
function withRemote<Result>(socket: Socket, { address, port }: Address, use: () => Result): Result {
  const remote = {
    remoteAddress: address,
    remotePort: port,
    remoteFamily: address === undefined ? undefined : `IPv${isIP(address)}`,
  };
  for (const [name, value] of Object.entries(remote)) {
    Object.defineProperty(socket, name, { value, configurable: true });
  }
  try {
    return use();
  } finally {
    for (const name of Object.keys(remote)) Reflect.deleteProperty(socket, name);
  }
}
