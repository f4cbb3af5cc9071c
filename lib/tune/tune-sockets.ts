// tuneSockets: sets options on every TCP socket of this thread, also on those of libraries. Which sockets are new is the
// task of new-sockets.ts.

import type { Socket } from 'node:net';
import { inspect } from 'node:util';
import type { SocketOptionErrorDetails } from '../core/errors';
import { SocketOptionError } from '../core/errors';
import type { TcpHandle } from '../core/socket';
import { descriptorOf } from '../core/socket';
import { throwUncaught } from '../core/throw-uncaught';
import { callbackError, validateFunction, validateOptions } from '../core/validate';
import { tuneConnection } from '../dead-peer/dead-peer-timeout';
import { boundConnecting } from '../dead-peer/supervision/connecting';
import { getOptions, setEach, setOptions } from '../options/options';
import { observeNewSockets, type SocketSide } from './new-sockets';
import {
  type CheckedTuning,
  KEEP_ALIVE,
  type KeepAliveName,
  type Tuning,
  validateTuning,
} from './tuning';

export type { SocketSide };

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

class Tuner implements SocketTuning {
  readonly #tunings: Readonly<Record<SocketSide, CheckedTuning | undefined>>;
  readonly #filter: TuneSocketsOptions['filter'];
  readonly #onError: TuneSocketsOptions['onError'];
  /** The kinds of failure for which there was a warning. */
  readonly #warned = new Set<string>();

  constructor({ client, server, filter, onError }: TuneSocketsOptions) {
    this.#tunings = {
      client: validateTuning(client, 'options.client'),
      server: validateTuning(server, 'options.server'),
    };
    if (filter !== undefined) validateFunction(filter, 'options.filter');
    if (onError !== undefined) validateFunction(onError, 'options.onError');
    this.#filter = filter;
    this.#onError = onError;
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
    if (tuning === undefined || !tuners.has(this)) return [];
    try {
      if (!this.#isWanted(socket, side)) return [];
    } catch (error) {
      this.#report(error, socket, `filter ${side}`, side);
      return [];
    }
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

  /** Bounds connecting, from the first address that is tried. */
  boundConnecting(socket: Socket, address: string, port: number): void {
    const timeout = this.#tunings.client?.connectTimeout;
    if (timeout === undefined || !tuners.has(this)) return;
    try {
      if (this.#isWanted(socket, 'client')) boundConnecting(socket, timeout, { address, port });
    } catch {
      // The filter failed. tune() reports that when the socket is connected.
    }
  }

  #isWanted(socket: Socket, side: SocketSide): boolean {
    const filter = this.#filter;
    if (filter === undefined) return true;
    const wanted: unknown = filter(socket, side);
    if (typeof wanted !== 'boolean') throw callbackError('filter', 'a boolean', wanted);
    // The filter may have closed this tuning.
    return wanted && tuners.has(this);
  }

  #setDeadPeerTimeout(socket: Socket, side: SocketSide, tuning: CheckedTuning): boolean {
    if (tuning.deadPeerTimeout === undefined) return false;
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
    close(this);
  }

  [Symbol.dispose](): void {
    close(this);
  }
}

const OPTIONS = ['client', 'server', 'filter', 'onError'] as const;

/**
 * Sets options on every TCP socket that this thread connects (`client`) or accepts (`server`) after the call, also on the
 * sockets of libraries: `tuneSockets({ client: { deadPeerTimeout: 20_000, noDelay: true } })`.
 *
 * Each worker thread needs its own call. Times are in milliseconds, sizes in bytes.
 *
 * A socket is tuned once, when it is connected, before any `'connect'`, `'connection'`, `'secureConnection'`,
 * `'request'` or `'stream'` listener. A value that a listener sets with this package stays. After the tuning, Node's own
 * `socket.setKeepAlive()` does not change the keepalive options that the tuning has set, also on a TLS socket over it.
 * Sockets that were connected before the call are not tuned, nor are pipes and Unix sockets.
 *
 * An option that the family or the protocol of a socket does not have is left out, without an error: `trafficClass` on an
 * IPv4 socket. `onError` gets every other refusal, and the other options are set. Several tunings can be open. If two set
 * the same option, the later tuning wins. `close()`, or `using`, ends a tuning.
 *
 * While a tuning is open, `emit` of `net.Socket.prototype` and `net.Server.prototype` is a function of this package, which
 * costs about 5 ns for each event (Node 20, Linux x64).
 * @returns the tuning, which `close()` ends.
 * @throws TypeError, RangeError for wrong options, and for a `deadPeerTimeout` that is too small for every socket.
 * @throws SocketOptionError `'ENOPROTOOPT'` for an option that this system does not have.
 * @throws SocketOptionError `'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM'` for `server` on Bun, which does not report the sockets
 *   of its HTTP servers.
 */
export function tuneSockets(options: TuneSocketsOptions): SocketTuning {
  const tuner = new Tuner(validateOptions(options, 'options', OPTIONS));
  open(tuner);
  return tuner;
}

/** The open tunings, in the order of their creation. The later one wins. */
const tuners = new Set<Tuner>();

let stopObserving: (() => void) | undefined;

function open(tuner: Tuner): void {
  tuners.add(tuner);
  stopObserving ??= observeNewSockets(tune, boundConnectingOf);
}

function close(tuner: Tuner): void {
  tuners.delete(tuner);
  if (tuners.size > 0) return;
  stopObserving?.();
  stopObserving = undefined;
}

/** The later tuning wins. */
function boundConnectingOf(socket: Socket, address: string, port: number): void {
  for (const tuner of [...tuners].reverse()) tuner.boundConnecting(socket, address, port);
}

function tune(socket: Socket, side: SocketSide, handle: TcpHandle): void {
  const controls = [...tuners]
    .map((tuner) => ({ tuner, names: tuner.tune(socket, side) }))
    .filter(({ names }) => names.length > 0);
  if (controls.length > 0) protectKeepAlive(socket, side, handle, controls);
}

/** A tuning that controls keepalive options of a socket. */
interface KeepAliveControl {
  readonly tuner: Tuner;
  readonly names: readonly KeepAliveName[];
}

/**
 * Protects keepalive values that this package has set, in the tuning or in a later call of the program.
 *
 * Libraries call the socket's own setKeepAlive() at any time. It would replace values that were chosen together by Node's
 * interval of 1 s, Node's count of 10, and the delay of the library. Node passes the call to the handle, also from each
 * TLS socket over it, and only if the arguments have changed. So a pool that calls it for each request costs nothing.
 */
function protectKeepAlive(
  socket: Socket,
  side: SocketSide,
  handle: TcpHandle,
  controls: readonly KeepAliveControl[],
): void {
  const original = handle.setKeepAlive;
  if (original === undefined) return;
  handle.setKeepAlive = function (this: TcpHandle, ...args: unknown[]): number {
    const open = controls.filter(({ tuner }) => tuners.has(tuner));
    const names = KEEP_ALIVE.filter((name) => open.some((one) => one.names.includes(name)));
    // The tunings control all four options. 0 is success.
    if (names.length === KEEP_ALIVE.length) return 0;
    if (names.length === 0) return original.apply(this, args);
    let status = 0;
    try {
      const held = getOptions(socket, names);
      status = original.apply(this, args);
      setOptions(socket, held);
    } catch (error) {
      for (const { tuner } of open) tuner.report(error, socket, side);
    }
    return status;
  };
}
