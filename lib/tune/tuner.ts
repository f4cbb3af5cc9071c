// Applies the options of one call of tuneSockets() to a socket, and reports what failed.

import type { Socket } from 'node:net';
import { type OpeningOptions, rows, type SocketOptions } from '../catalogue/catalogue';
import { channels, publish } from '../core/channels';
import type { TcpHandle } from '../core/socket';
import { descriptorOf } from '../core/socket';
import { callbackError, validateBoolean, validateFunction } from '../core/validate';
import { PLAN_OPTIONS } from '../dead-peer/apply-options';
import { tuneConnection } from '../dead-peer/dead-peer-timeout';
import type { Address } from '../dead-peer/supervision/connect-timeout';
import { chosenFor } from '../open/early-handle';
import { KEEP_ALIVE, type KeepAliveName } from '../options/keepalive-options';
import { getOptions, setEach, setOptions } from '../options/options';
import { type Claim, isClaimedLater, nextOrder, noteClaim } from './claims';
import { Failures } from './failures';
import type { SocketSide } from './new-sockets';
import { refuseOnBun, validateEarly } from './runtime-limits';
import { type CheckedTuning, type Tuning, validateTuning } from './tuning';
import { withRemote } from './with-remote';

/** Options of {@link tuneSockets}. */
export interface TuneSocketsOptions {
  /** Options of the sockets that this thread connects. Default: none. */
  readonly client?: Tuning | undefined;
  /** Options of the sockets that servers of this thread accept. Default: none. */
  readonly server?: Tuning | undefined;
  /**
   * Returns `true` for a socket to tune, `false` for another one. Default: all sockets are tuned. It is called when the
   * socket is connected, and must return at once. If it throws or returns anything else, nothing is set and `onError`
   * gets the error: a Promise is a `TypeError`. Before a socket fails because of `connectTimeout`, it is called for
   * each address that was tried: then `socket.connecting` is `true`, and `remoteAddress` and `remotePort` are that
   * address. So it is before an option is set that acts on the first packet. It is not called for a server that
   * listens, which has no peer: with a filter, servers get no options before they accept.
   */
  readonly filter?: ((socket: Socket, side: SocketSide) => boolean) | undefined;
  /**
   * Whether sockets that are open already are tuned too. Default: false. An unreferenced one (an idle socket of a pool)
   * is tuned when it is referenced again. On Linux, sockets of native code get the options as well, and are not
   * supervised. They are all descriptors of the process that no socket of this thread has: also those of other threads,
   * but none whose keepalive times somebody has chosen. With a `filter`, which takes a socket of Node, they are left
   * alone, and connecting sockets get no bound: Node does not report the address that is tried already.
   */
  readonly adopt?: boolean | undefined;
  /**
   * Called with each error of a socket that could not be tuned. The socket is `undefined` for a socket of native code,
   * and for the socket of a server that listens. The socket is not affected. If this function throws, that is an
   * uncaught exception. Default: the first error of each kind is a process warning with the name `SocketOptionsWarning`
   * and the code `SOCKET_OPTIONS_TUNING_FAILED`.
   */
  readonly onError?: ((error: Error, socket: Socket | undefined) => void) | undefined;
}

/** The result of {@link tuneSockets}: an open tuning. */
export interface SocketTuning extends Disposable {
  /** Ends the tuning. Sockets that were tuned keep their values, and those that are connecting their bound. */
  close(): void;
}

/** The message of the channel `socket-options:tuned`: a tuning has set its options on a connected socket. */
export interface TunedMessage {
  /** The connected socket that was tuned. */
  readonly socket: Socket;
  /** Whether this thread has opened the connection or accepted it. */
  readonly side: SocketSide;
}

/** A connected socket, and how it was found. */
export interface Connection {
  readonly socket: Socket;
  readonly side: SocketSide;
  readonly handle: TcpHandle;
  /** It was established just now. */
  readonly isFresh: boolean;
  /** The program has set a dead-peer timeout for it, or for its server. */
  readonly isChosen: boolean;
}

/** A socket that is about to be bound or connected. */
export interface EarlySocket {
  readonly fd: number;
  readonly handle: object;
  readonly side: SocketSide;
  /** The socket or server. */
  readonly owner: object;
  /** The client; `undefined` for a server. */
  readonly socket: Socket | undefined;
  /** What it is about to do, for warnings. */
  readonly place: string;
}

export class Tuner implements SocketTuning {
  readonly #tunings: Readonly<Record<SocketSide, CheckedTuning | undefined>>;
  readonly #claims: Readonly<Record<SocketSide, Claim>>;
  readonly #filter: TuneSocketsOptions['filter'];
  readonly #failures: Failures;
  readonly #onClose: (tuner: Tuner) => void;
  isOpen = true;
  readonly adopts: boolean;
  /** The handles whose early options were set. */
  readonly #prepared = new WeakSet<object>();
  /** The connections that were tuned or left alone, if this tuning adopts others. */
  readonly #seen = new WeakSet<TcpHandle>();

  constructor(
    { client, server, filter, adopt = false, onError }: TuneSocketsOptions,
    onClose: (tuner: Tuner) => void,
  ) {
    this.#tunings = {
      client: validateTuning(client, 'client'),
      server: validateTuning(server, 'server'),
    };
    if (filter !== undefined) validateFunction(filter, 'options.filter');
    this.adopts = validateBoolean(adopt, 'options.adopt');
    if (onError !== undefined) validateFunction(onError, 'options.onError');
    this.#filter = filter;
    this.#failures = new Failures(onError);
    this.#onClose = onClose;
    refuseOnBun(server, adopt);
    validateEarly({ client, server }, filter !== undefined);
    // After all checks: a tuning that is refused gets no place.
    const order = nextOrder();
    this.#claims = {
      client: { order, names: namesOf(this.#tunings.client) },
      server: { order, names: namesOf(this.#tunings.server) },
    };
  }

  /** Tunes a connected socket. Returns which keepalive options this tuning now controls. */
  tune(connection: Connection): readonly KeepAliveName[] {
    const { socket, side, handle } = connection;
    const tuning = this.#tunings[side];
    if (this.adopts) this.#seen.add(handle);
    if (tuning === undefined || !this.isOpen) return [];
    // The filter may close this tuning.
    if (!this.#isWanted(socket, side) || !this.isOpen) return [];
    try {
      // Report a missing descriptor once, and not for each option.
      descriptorOf(socket);
    } catch (error) {
      this.report(error, socket, side);
      return [];
    }
    noteClaim(handle, this.#claims[side]);
    const isPlanSet = this.#setDeadPeerTimeout(connection, tuning);
    try {
      for (const error of setEach(socket, this.#remaining(connection, tuning)))
        this.report(error, socket, side);
    } catch (error) {
      this.report(error, socket, side);
    }
    publish(channels.tuned, (): TunedMessage => ({ socket, side }));
    return isPlanSet ? KEEP_ALIVE : tuning.keepAlive;
  }

  /** The options of one side that have to be set before its first packet; `undefined` if there are none. */
  earlyOptions(side: SocketSide): OpeningOptions | undefined {
    const early = this.#tunings[side]?.early;
    return early !== undefined && Object.keys(early).length > 0 ? early : undefined;
  }

  /** Whether an option of clients acts only before they are bound. */
  get setsBeforeBind(): boolean {
    const early = this.#tunings.client?.early ?? {};
    return Object.keys(early).some((name) => rows()[name]?.before === 'bind');
  }

  get hasFilter(): boolean {
    return this.#filter !== undefined;
  }

  /** Whether the tuning wants a client that is about to try this address. */
  wantsToConnect(socket: Socket, address: Address): boolean {
    if (this.#filter === undefined) return true;
    return withRemote(socket, address, () => this.#isWanted(socket, 'client'));
  }

  /** Sets the early options on the descriptor of a handle. `socket`: the client, or `undefined` for a server. */
  setEarly({ fd, handle, side, owner, socket, place }: EarlySocket): void {
    const { mptcp: _, ...early } = this.earlyOptions(side) ?? {};
    const claim = { ...this.#claims[side], names: new Set(Object.keys(early)) };
    noteClaim(handle, claim);
    // What the program has chosen for this socket counts for more.
    const chosen = chosenFor(owner);
    const options = Object.fromEntries(
      Object.entries(early).filter(
        ([name]) =>
          !(name in chosen) && !isOverruled(name, chosen) && !isClaimedLater(handle, claim, name),
      ),
    );
    this.#prepared.add(handle);
    try {
      for (const error of setEach(fd, options)) this.reportLater(error, socket, side, place);
    } catch (error) {
      this.reportLater(error, socket, side, place);
    }
  }

  /** Whether the early options of a handle were set, or reported as refused. */
  hasPrepared(handle: object): boolean {
    return this.#prepared.has(handle);
  }

  /** Returns the options that were not set before the socket was connected. */
  #remaining(
    { socket, side, handle, isFresh }: Connection,
    { options, early, late }: CheckedTuning,
  ): SocketOptions {
    const { server } = socket as { readonly server?: unknown };
    // What the program has chosen, for this socket or for its server, counts for more.
    const chosen = { ...chosenFor(Object(server)), ...chosenFor(socket) };
    // On an open socket that is adopted, those that have to be set before are reported as too late.
    const wanted = isFresh ? late : options;
    // A plan that was set since then may have changed the option.
    const isDone = (name: string): boolean =>
      (isFresh && this.#prepared.has(handle) && name in early && !isOfPlan(name)) ||
      isClaimedLater(handle, this.#claims[side], name);
    return Object.fromEntries(
      Object.entries(wanted)
        .filter(([name]) => !isDone(name) && !isOverruled(name, chosen))
        .map(([name, value]) => [name, chosen[name as keyof SocketOptions] ?? value]),
    );
  }

  /** Whether this tuning adopts open sockets and has not seen this one. */
  wantsToAdopt(handle: TcpHandle): boolean {
    return this.adopts && !this.#seen.has(handle);
  }

  /** Whether sockets are adopted by their descriptors. A filter takes a socket of Node. */
  get adoptsDescriptors(): boolean {
    return this.adopts && this.#filter === undefined;
  }

  /** Sets the options on a socket of native code. */
  tuneDescriptor(fd: number, side: SocketSide): void {
    const tuning = this.#tunings[side];
    if (tuning === undefined) return;
    const { deadPeerTimeout, deadPeer, options } = tuning;
    try {
      if (deadPeerTimeout !== undefined) tuneConnection(fd, deadPeerTimeout, deadPeer, false);
      for (const error of setEach(fd, options)) this.report(error, undefined, side);
    } catch (error) {
      this.report(error, undefined, side);
    }
  }

  /** Within how many milliseconds a client must be connected. */
  get connectTimeout(): number | undefined {
    return this.#tunings.client?.connectTimeout;
  }

  /** Whether this tuning bounds how long the socket tries these addresses, also if it was closed meanwhile. */
  boundsConnecting(socket: Socket, addresses: readonly Address[]): boolean {
    if (this.connectTimeout === undefined) return false;
    if (this.#filter === undefined) return true;
    // Node does not report what was tried before: the filter cannot decide.
    if (addresses.some(({ port }) => port === undefined)) return false;
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
      return wanted;
    } catch (error) {
      this.#failures.report(error, socket, side, undefined, 'filter');
      return false;
    }
  }

  #setDeadPeerTimeout(
    connection: Connection,
    { deadPeerTimeout, deadPeer }: CheckedTuning,
  ): boolean {
    const { socket, side, handle, isFresh, isChosen } = connection;
    if (deadPeerTimeout === undefined) return false;
    if (isChosen || isClaimedLater(handle, this.#claims[side], 'deadPeerTimeout')) return true;
    // Another copy of this package may have set them for a later tuning.
    const kept = OF_PLAN.filter((name) => isClaimedLater(handle, this.#claims[side], name));
    try {
      const held = kept.length > 0 ? getOptions(socket, kept) : undefined;
      tuneConnection(socket, deadPeerTimeout, deadPeer, isFresh);
      if (held !== undefined) setOptions(socket, held);
      return true;
    } catch (error) {
      this.report(error, socket, side);
      return false;
    }
  }

  report(error: unknown, socket: Socket | undefined, side: SocketSide, place?: string): void {
    // The connection was reset before it was tuned. The socket emits this error itself.
    if (socket?.destroyed) return;
    this.#failures.report(error, socket, side, place);
  }

  /** Reports an error when Node has called connect(2) or listen(2): it fails if `onError` destroys the socket before. */
  reportLater(...args: Parameters<Tuner['report']>): void {
    process.nextTick(() => this.report(...args));
  }

  close(): void {
    this.isOpen = false;
    this.#onClose(this);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** The options of a plan that a tuning may also set by itself. The keepalive options belong to the plan. */
const OF_PLAN = ['userTimeout', 'retransmissionTimeoutMax'] as const;
const isOfPlan = (name: string): boolean => (OF_PLAN as readonly string[]).includes(name);

/** The names of the options that a tuning sets, also those of a plan. */
function namesOf(tuning: CheckedTuning | undefined): ReadonlySet<string> {
  if (tuning === undefined) return new Set();
  const { deadPeerTimeout, options } = tuning;
  const planned = deadPeerTimeout === undefined ? [] : ['deadPeerTimeout', ...PLAN_OPTIONS];
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return new Set([...planned, ...given.map(([name]) => name)]);
}

/** Names for the same field of the IP header. */
const SERVICE_NAMES = ['dscp', 'typeOfService', 'trafficClass'];

/** Whether the program has chosen what an option sets, by another name. */
function isOverruled(name: string, chosen: OpeningOptions): boolean {
  if (!SERVICE_NAMES.includes(name) || name in chosen) return false;
  return SERVICE_NAMES.some((other) => other in chosen);
}
