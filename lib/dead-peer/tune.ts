// Every TCP socket of this process, whichever library opens or accepts it.

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Socket } from 'node:net';
import type { SocketOptions } from '../catalogue';
import { SocketOptionError, typeError, unknownOption } from '../given';
import { checkedTimeout, checkedWish } from './arguments';
import type { DeadPeerOptions } from './plan';
import { planDeadPeerTimeout, setDeadPeerTimeout } from './set';
import { checkOptions, setOptions } from './uses';

/** Options of `setOptions`, and a time-out of `setDeadPeerTimeout` with its options. */
export type Tuning = SocketOptions &
  DeadPeerOptions & {
    /** Within how many milliseconds a vanished peer is noticed: see `setDeadPeerTimeout`. */
    readonly deadPeerTimeout?: number | undefined;
  };

/** Whether this process has opened a connection or accepted it. */
export type SocketSide = 'client' | 'server';

export interface TuneSocketsOptions {
  /** For sockets that this process connects. */
  readonly client?: Tuning | undefined;
  /** For sockets that servers of this process accept. */
  readonly server?: Tuning | undefined;
  /** Leaves a socket alone by returning `false`. Asked when it is connected. */
  readonly filter?: ((socket: Socket, side: SocketSide) => boolean) | undefined;
  /** Hears what could not be set, of which the socket itself takes no notice. */
  readonly onError?: ((error: Error, socket: Socket) => void) | undefined;
}

/** What {@link tuneSockets} returns. */
export interface SocketTuning extends Disposable {
  /** Tunes no further sockets; those that were tuned stay so. */
  close(): void;
}

interface CheckedTuning {
  readonly deadPeerTimeout: number | undefined;
  readonly deadPeer: DeadPeerOptions;
  readonly options: SocketOptions;
  /** Whether Node's own setKeepAlive() would undo a part of it. */
  readonly keepAlive: boolean;
}

class Tuner implements SocketTuning {
  readonly #client: CheckedTuning | undefined;
  readonly #server: CheckedTuning | undefined;
  readonly #filter: TuneSocketsOptions['filter'];
  readonly #onError: TuneSocketsOptions['onError'];

  constructor(options: TuneSocketsOptions) {
    this.#client = checkedTuning('client', options.client);
    this.#server = checkedTuning('server', options.server);
    this.#filter = checkedFunction('filter', options.filter) as TuneSocketsOptions['filter'];
    this.#onError = checkedFunction('onError', options.onError) as TuneSocketsOptions['onError'];
  }

  /** Whether anything was set that Node's own setKeepAlive() would undo. */
  tune(socket: Socket, side: SocketSide): boolean {
    const tuning = side === 'client' ? this.#client : this.#server;
    if (tuning === undefined) return false;
    try {
      if (this.#filter !== undefined && !this.#filter(socket, side)) return false;
      this.#set(socket, tuning);
      return tuning.keepAlive;
    } catch (error) {
      if (!socket.destroyed && !isPipe(socket)) this.#report(error as Error, socket);
      return false;
    }
  }

  /** Sets again what Node's own setKeepAlive() has undone. */
  again(socket: Socket, side: SocketSide): void {
    const tuning = side === 'client' ? this.#client : this.#server;
    try {
      if (tuning !== undefined) this.#set(socket, tuning);
    } catch (error) {
      if (!socket.destroyed) this.#report(error as Error, socket);
    }
  }

  #set(socket: Socket, { deadPeerTimeout, deadPeer, options }: CheckedTuning): void {
    if (deadPeerTimeout !== undefined) setDeadPeerTimeout(socket, deadPeerTimeout, deadPeer);
    setOptions(socket, options);
  }

  #report(error: Error, socket: Socket): void {
    try {
      this.#onError?.(error, socket);
    } catch (thrown) {
      // Into the midst of a library it must not go.
      queueMicrotask(() => {
        throw thrown;
      });
    }
  }

  close(): void {
    tuners.delete(this);
    if (tuners.size === 0) unhook();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** A socket of the file system or a named pipe: Node tells no address of it. */
function isPipe(socket: Socket): boolean {
  return socket.localAddress === undefined && socket.remoteAddress === undefined;
}

function checkedFunction(name: string, value: unknown): unknown {
  if (value !== undefined && typeof value !== 'function') {
    throw typeError(`options.${name}`, 'a function', value);
  }
  return value;
}

const KEEP_ALIVE = ['keepAlive', 'keepAliveInitialDelay', 'keepAliveInterval', 'keepAliveCount'];
/** Of loopback, and of most networks: what is too small for it is too small for all. */
const SHORTEST_RETRANSMISSION_TIMEOUT = 200;

function checkedTuning(side: SocketSide, tuning: Tuning | undefined): CheckedTuning | undefined {
  if (tuning === undefined) return undefined;
  if (typeof tuning !== 'object' || tuning === null || Array.isArray(tuning)) {
    throw typeError(`options.${side}`, 'an object of options', tuning);
  }
  const { deadPeerTimeout, minProbes, zeroWindow, ...options } = tuning;
  const deadPeer = checkedWish({
    ...(minProbes === undefined ? {} : { minProbes }),
    ...(zeroWindow === undefined ? {} : { zeroWindow }),
  });
  if (deadPeerTimeout !== undefined) {
    planDeadPeerTimeout(checkedTimeout(deadPeerTimeout), {
      ...deadPeer,
      retransmissionTimeout: SHORTEST_RETRANSMISSION_TIMEOUT,
    });
  }
  checkOptions(options);
  const keepAlive = deadPeerTimeout !== undefined || KEEP_ALIVE.some((name) => name in options);
  return { deadPeerTimeout, deadPeer, options, keepAlive };
}

const KNOWN = ['client', 'server', 'filter', 'onError'];

export function tuneSockets(options: TuneSocketsOptions): SocketTuning {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw typeError('options', `an object with any of ${KNOWN.join(', ')}`, options);
  }
  const unknown = Object.keys(options).find((name) => !KNOWN.includes(name));
  if (unknown !== undefined) {
    throw unknownOption('options', unknown, KNOWN);
  }
  const tuner = new Tuner(options);
  if (options.server !== undefined && process.versions.bun !== undefined) {
    throw new SocketOptionError(
      "Bun does not tell which sockets its servers accept: call setOptions() on those of a server's 'connection' event",
      { code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM' },
    );
  }
  if (tuners.size === 0) hook();
  tuners.add(tuner);
  return tuner;
}

/** In the order in which they were made: of two that set the same, the later one wins. */
const tuners = new Set<Tuner>();

function tune(socket: Socket, side: SocketSide): void {
  const holding = [...tuners].filter((tuner) => tuner.tune(socket, side));
  if (holding.length > 0) keepLastWord(socket, side, holding);
}

/** Who has the last word on a socket whose setKeepAlive() was replaced. */
const lastWords = new WeakMap<Socket, readonly Tuner[]>();

/**
 * Libraries call setKeepAlive() of a socket's own at any time, which puts Node's interval of 1 s, count
 * of 10 and their delay in place of what was chosen together: then it is set again.
 */
function keepLastWord(socket: Socket, side: SocketSide, holding: readonly Tuner[]): void {
  const isReplaced = lastWords.has(socket);
  lastWords.set(socket, holding);
  if (isReplaced) return;
  const before = socket.setKeepAlive;
  Object.defineProperty(socket, 'setKeepAlive', {
    value(this: Socket, ...args: Parameters<Socket['setKeepAlive']>): Socket {
      const result = before.apply(this, args) as Socket;
      for (const tuner of lastWords.get(socket) ?? []) {
        if (tuners.has(tuner)) tuner.again(socket, side);
      }
      return result;
    },
    configurable: true,
    writable: true,
  });
}

/** Sockets that connect now. */
const expected = new WeakSet<Socket>();

/** Only when a socket is connected its descriptor is final: each address that is tried may have its own. */
function expectConnection(socket: Socket): void {
  if (expected.has(socket)) return;
  expected.add(socket);
  // Before the library's own listeners, to which it then is what they set.
  socket.prependOnceListener('connect', () => {
    expected.delete(socket);
    tune(socket, 'client');
  });
}

const CLIENTS = 'net.client.socket';
const SERVERS = 'net.server.socket';

const onClient = (message: unknown): void =>
  expectConnection((message as { socket: Socket }).socket);
const onServer = (message: unknown): void => tune((message as { socket: Socket }).socket, 'server');

/** What Socket.prototype.connect was when it was replaced, and its replacement. */
let connect: { readonly original: Socket['connect']; readonly ours: Socket['connect'] } | undefined;

/**
 * Node publishes what net.connect() makes, and since Node 22 what tls.connect() does; not what connects
 * by `new net.Socket().connect()`, as pg does. All of them call that method.
 */
function hook(): void {
  subscribe(CLIENTS, onClient);
  subscribe(SERVERS, onServer);
  const original = Socket.prototype.connect;
  const ours = function (this: Socket, ...args: unknown[]): Socket {
    if (tuners.size > 0) expectConnection(this);
    return Reflect.apply(original, this, args) as Socket;
  } as Socket['connect'];
  // Somebody may have put a function of theirs over ours and kept it: then it is still called, once.
  if (connect === undefined) {
    connect = { original, ours };
    Socket.prototype.connect = ours;
  }
}

function unhook(): void {
  unsubscribe(CLIENTS, onClient);
  unsubscribe(SERVERS, onServer);
  if (connect !== undefined && Socket.prototype.connect === connect.ours) {
    Socket.prototype.connect = connect.original;
    connect = undefined;
  }
}
