// Every TCP socket of this thread, whichever library opens or accepts it.

import type { Socket } from 'node:net';
import { inspect } from 'node:util';
import type { SocketOptions } from '../catalogue/catalogue';
import type { SocketOptionErrorDetails } from '../core/errors';
import { SocketOptionError } from '../core/errors';
import type { TcpHandle } from '../core/socket';
import { descriptorOf } from '../core/socket';
import {
  callbackError,
  isOptions,
  typeError,
  validateFunction,
  validateOptions,
} from '../core/validate';
import { makePlan, setDeadPeerTimeout } from '../dead-peer/dead-peer-timeout';
import type { DeadPeerOptions } from '../dead-peer/plan';
import { DEAD_PEER_OPTIONS, validatePlanOptions } from '../dead-peer/validate-options';
import { validateOptionName } from '../options/option';
import { getOptions, setEach, setOptions, validateSocketOptions } from '../options/options';
import { type SocketSide, seeNewSockets } from './new-sockets';

/** Options of `setOptions`, and a time-out of `setDeadPeerTimeout` with its options. */
export type Tuning = SocketOptions &
  DeadPeerOptions & {
    /** Within how many milliseconds a vanished peer is noticed: see `setDeadPeerTimeout`. */
    readonly deadPeerTimeout?: number | undefined;
  };

export type { SocketSide };

export interface TuneSocketsOptions {
  /** For sockets that this thread connects. */
  readonly client?: Tuning | undefined;
  /** For sockets that servers of this thread accept. */
  readonly server?: Tuning | undefined;
  /**
   * Returns `true` for a socket to tune, `false` for one to leave alone. Called when the socket is connected.
   * Nothing is set on a socket for which it throws or returns anything else, and `onError` gets that error:
   * a Promise is a `TypeError`.
   */
  readonly filter?: ((socket: Socket, side: SocketSide) => boolean) | undefined;
  /**
   * Gets each error of a socket that could not be tuned. The socket itself goes on. An error that this function
   * throws is an uncaught exception. Without it the first failure of each kind is a process warning with the
   * name `SocketOptionsWarning` and the code `SOCKET_OPTIONS_TUNING_FAILED`.
   */
  readonly onError?: ((error: Error, socket: Socket) => void) | undefined;
}

/** What {@link tuneSockets} returns. */
export interface SocketTuning extends Disposable {
  /** Tunes no further sockets; those that were tuned stay so. */
  close(): void;
}

const KEEP_ALIVE = [
  'keepAlive',
  'keepAliveInitialDelay',
  'keepAliveInterval',
  'keepAliveCount',
] as const;
type KeepAliveName = (typeof KEEP_ALIVE)[number];

interface CheckedTuning {
  readonly deadPeerTimeout: number | undefined;
  readonly deadPeer: DeadPeerOptions;
  readonly options: SocketOptions;
  /** The options of keepalive among `options`. */
  readonly keepAlive: readonly KeepAliveName[];
}

class Tuner implements SocketTuning {
  readonly #tunings: Readonly<Record<SocketSide, CheckedTuning | undefined>>;
  readonly #filter: TuneSocketsOptions['filter'];
  readonly #onError: TuneSocketsOptions['onError'];
  /** The kinds of failure that a warning has reported. */
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

  /** Tunes a socket that is connected; returns which options of keepalive it holds from now on. */
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
      // The first error of a socket that has no descriptor is the only one.
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

  #isWanted(socket: Socket, side: SocketSide): boolean {
    const filter = this.#filter;
    if (filter === undefined) return true;
    const wanted: unknown = filter(socket, side);
    if (typeof wanted !== 'boolean') throw callbackError('filter', 'a boolean', wanted);
    // It may have closed this tuning.
    return wanted && tuners.has(this);
  }

  #setDeadPeerTimeout(socket: Socket, side: SocketSide, tuning: CheckedTuning): boolean {
    if (tuning.deadPeerTimeout === undefined) return false;
    try {
      setDeadPeerTimeout(socket, tuning.deadPeerTimeout, tuning.deadPeer);
      return true;
    } catch (error) {
      this.report(error, socket, side);
      return false;
    }
  }

  report(error: unknown, socket: Socket, side: SocketSide): void {
    // It was reset before it was tuned, and emits that error itself.
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
      // The caller is Node, in the middle of a library's call.
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

function throwUncaught(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/** Of loopback, and of most networks: what is too small for it is too small for all. */
const SHORTEST_RETRANSMISSION_TIMEOUT = 200;

/** The options of a {@link Tuning} beside those of the catalogue. */
const TUNING_OPTIONS = ['deadPeerTimeout', ...DEAD_PEER_OPTIONS];

function validateTuning(tuning: Tuning | undefined, path: string): CheckedTuning | undefined {
  if (tuning === undefined) return undefined;
  if (!isOptions(tuning)) throw typeError(path, 'an object of options', tuning);
  const { deadPeerTimeout, minProbes, zeroWindow, ...given } = tuning;
  const options = withOwnLinger(given);
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined) validateOptionName(name, path, TUNING_OPTIONS);
  }
  const deadPeer = validatePlanOptions({ minProbes, zeroWindow }, path);
  if (deadPeerTimeout !== undefined) {
    makePlan(
      deadPeerTimeout,
      { ...deadPeer, retransmissionTimeout: SHORTEST_RETRANSMISSION_TIMEOUT },
      { timeout: `${path}.deadPeerTimeout`, options: path },
    );
  }
  validateSocketOptions(options, path);
  const keepAlive = KEEP_ALIVE.filter((name) => options[name] !== undefined);
  return { deadPeerTimeout, deadPeer, options, keepAlive };
}

/** The value of `linger` is an object of the caller's: a copy of it. */
function withOwnLinger(options: SocketOptions): SocketOptions {
  const { linger } = options;
  if (typeof linger !== 'object' || linger === null) return options;
  const { enable, timeout } = linger;
  return { ...options, linger: { enable, timeout } };
}

const OPTIONS = ['client', 'server', 'filter', 'onError'] as const;

/**
 * Tunes every TCP socket that this thread opens (`client`) or accepts (`server`) from now on,
 * whichever library does: `tuneSockets({ client: { deadPeerTimeout: 20_000, noDelay: true } })`.
 * A worker thread needs a call of its own.
 *
 * A socket is tuned once, when it is connected, before any `'connect'`, `'connection'`, `'secureConnection'`,
 * `'request'` or `'stream'` listener. A value that a listener sets with this package stays. From then on
 * `socket.setKeepAlive()` of Node does not change the keepalive options that the tuning holds, also on a TLS
 * socket over it. Sockets that were connected before the call are not tuned, nor are pipes and Unix sockets.
 *
 * An option that the socket's family or protocol does not have is left out, without an error: `trafficClass` on
 * an IPv4 socket. Any other refusal is an error for `onError`; the other options are set. An option that this
 * system does not have is an error of this call. Several tunings add up; of two that set the same option the
 * later one wins. `close()`, or `using`, ends a tuning for sockets to come.
 *
 * While a tuning is open, `emit` of `net.Socket.prototype` and `net.Server.prototype` is a function of this
 * package, which costs about 5 ns for each event (Node 20, Linux x64).
 * @throws TypeError, RangeError for wrong options, and for a dead-peer timeout that no socket can keep.
 * @throws SocketOptionError `'ENOPROTOOPT'` for an option that this system does not have;
 *   `'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM'` for `server` on Bun, which hides the sockets of its HTTP servers.
 */
export function tuneSockets(options: TuneSocketsOptions): SocketTuning {
  const tuner = new Tuner(validateOptions(options, 'options', OPTIONS));
  open(tuner);
  return tuner;
}

/** In the order in which they were made: of two that set the same, the later one wins. */
const tuners = new Set<Tuner>();

let stopSeeing: (() => void) | undefined;

function open(tuner: Tuner): void {
  tuners.add(tuner);
  stopSeeing ??= seeNewSockets(tune);
}

function close(tuner: Tuner): void {
  tuners.delete(tuner);
  if (tuners.size > 0) return;
  stopSeeing?.();
  stopSeeing = undefined;
}

function tune(socket: Socket, side: SocketSide, handle: TcpHandle): void {
  const held = [...tuners].map((tuner) => ({ tuner, names: tuner.tune(socket, side) }));
  const holding = held.filter(({ names }) => names.length > 0);
  if (holding.length > 0) keepLastWord(socket, side, handle, holding);
}

/** A tuning that has set keepalive on a socket, and which options of it. */
interface Holding {
  readonly tuner: Tuner;
  readonly names: readonly KeepAliveName[];
}

/**
 * Keeps keepalive as this package has set it, whether by the tuning or by a later call of the program.
 *
 * Libraries call a socket's own setKeepAlive() at any time, which puts Node's interval of 1 s, count of 10 and
 * their delay in place of values that were chosen together. Node passes that on to the handle, also from every
 * TLS socket over it, and only where its arguments have changed: so a pool that calls it for each request
 * costs nothing here.
 */
function keepLastWord(
  socket: Socket,
  side: SocketSide,
  handle: TcpHandle,
  holding: readonly Holding[],
): void {
  const original = handle.setKeepAlive;
  if (original === undefined) return;
  handle.setKeepAlive = function (this: TcpHandle, ...args: unknown[]): number {
    const open = holding.filter(({ tuner }) => tuners.has(tuner));
    const names = KEEP_ALIVE.filter((name) => open.some((one) => one.names.includes(name)));
    // Nothing is left for Node to set. 0 is success.
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
