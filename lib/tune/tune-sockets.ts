// tuneSockets: sets options on every TCP socket of this thread, also on those of libraries. new-sockets.ts finds the sockets,
// and tuner.ts tunes one.

import type { Socket } from 'node:net';
import { binding } from '../core/addon';
import type { TcpHandle } from '../core/socket';
import { validateOptions } from '../core/validate';
import { forgetChoice } from '../dead-peer/choices';
import {
  type Bound,
  type ConnectingEvent,
  followConnecting,
  noteConnecting,
} from '../dead-peer/supervision/connecting';
import { adopt, adoptOpenSockets } from './adopt';
import { boundsBy, tuneBy } from './apply-tunings';
import { prepareAttempt, prepareListening, prepareLocalAddress } from './early-tunings';
import { observeNewSockets, type SocketSide, type Target } from './new-sockets';
import { type SocketTuning, Tuner, type TuneSocketsOptions } from './tuner';

export type { SocketSide, SocketTuning, TuneSocketsOptions };

const OPTIONS = ['client', 'server', 'filter', 'adopt', 'onError'] as const;
const LIST = `known: ${OPTIONS.join(', ')}; options of sockets belong in client or server`;

/**
 * Sets options on every TCP socket that this thread connects (`client`) or accepts (`server`) after the call, also on
 * the sockets of libraries.
 *
 * Each worker thread needs its own call. Options that act on the first packet are set before it: on every address that
 * a client tries, and on the sockets of servers before they are bound: `{ client: { mark: 7, synRetries: 2 }, server: {
 * reusePort: true } }`. `mptcp: true` opens sockets of Multipath TCP. For clients that needs Node 20.12. In a cluster,
 * the primary process opens the sockets of servers: call it there (`cluster.SCHED_NONE`: no effect).
 *
 * A socket is tuned once more, when it is connected, before any `'connect'`, `'connection'`, `'secureConnection'`,
 * `'request'` or `'stream'` listener. A value that a listener sets with this package stays. After the tuning, Node's
 * own `socket.setKeepAlive()` does not change the keepalive options that the tuning has set, also on a TLS socket over
 * it. Pipes and Unix sockets are not tuned. Sockets that were connected before the call are tuned only with `adopt:
 * true`. A timeout that the program has set with `setDeadPeerTimeout()`, for a socket or for its server, stays.
 *
 * `client.deadPeerTimeout` bounds connecting too, and `client.connectTimeout` replaces it there: a socket that is not
 * connected in that time fails with Node's own `ETIMEDOUT`. The time is that of one `connect()`, from the first address
 * that is tried to the last, without the name look-up. If several addresses were tried, the error is an
 * `AggregateError`.
 *
 * An option that the family or the protocol of a socket does not have is left out, without an error: `trafficClass` on
 * an IPv4 socket. `onError` gets every other refusal, and the other options are set. Several tunings can be open. If
 * two set the same option, the later tuning wins. `close()`, or `using`, ends a tuning.
 *
 * While a tuning is open, `emit`, `connect` and `ref` of `net.Socket.prototype` and `emit` and `_listen2` of
 * `net.Server.prototype` are functions of this package. An event costs about 3 ns more (Node 20, Linux x64).
 * @example
 * ```ts
 * const tuning = tuneSockets({ client: { deadPeerTimeout: 20_000, noDelay: true } });
 * ```
 * @param options The options of each side: times in milliseconds, sizes in bytes.
 * @returns The tuning, which `close()` ends.
 * @throws TypeError, RangeError for wrong options, and for a `deadPeerTimeout` that is too small for every socket.
 * @throws SocketOptionError `ENOPROTOOPT` for an option that this system does not have.
 * @throws SocketOptionError `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` for `server` and `adopt` on Bun, which reports
 *   neither the sockets of its HTTP servers nor those that are open; for an option that acts only before bind, listen
 *   or connect, and for `mark` and `bindToDevice` of clients, on Bun, on Deno, and on Node before 20.12.
 * @systems Every system: setsockopt(2) for the options that it has. Deno reports no descriptors: `onError` gets an
 *   error for each socket there.
 * @see setsockopt(2), tcp(7)
 */
export function tuneSockets(options: TuneSocketsOptions): SocketTuning {
  const tuner = new Tuner(validateOptions(options, 'options', OPTIONS, LIST), close);
  // Without the addon this throws now, and not a warning comes at the first connection.
  binding();
  open(tuner);
  if (tuner.adopts) adoptOpenSockets(tuner);
  return tuner;
}

/** The open tunings, in the order of their creation. The later one wins. */
let tuners: readonly Tuner[] = [];
let bounds: readonly Bound[] = [];

let stopObserving: (() => void) | undefined;

function open(tuner: Tuner): void {
  setTuners([...tuners, tuner]);
  stopObserving ??= observeNewSockets({
    onConnected: tune,
    onConnecting: boundConnecting,
    onConnectCalled: (socket) => prepareLocalAddress(tuners, socket),
    onConnectingEvent: noteEvent,
    onListen: (server, method, args) => prepareListening(tuners, server, method, args),
    onReferenced: adoptReferenced,
  });
}

function close(tuner: Tuner): void {
  setTuners(tuners.filter((one) => one !== tuner));
  if (tuners.length > 0) return;
  stopObserving?.();
  stopObserving = undefined;
}

function setTuners(all: readonly Tuner[]): void {
  tuners = all;
  bounds = boundsBy(all);
}

function tune(socket: Socket, side: SocketSide, handle: TcpHandle): void {
  tuneBy(tuners, { socket, side, handle, isFresh: true });
}

function noteEvent(socket: Socket, event: ConnectingEvent, args: readonly unknown[]): void {
  if (event === 'lookup') prepareLocalAddress(tuners, socket);
  if (event === 'connectionAttempt') prepareAttempt(tuners, socket, args);
  noteConnecting(socket, event, args);
}

function adoptReferenced(socket: Socket, handle: TcpHandle): void {
  for (const tuner of tuners) if (tuner.wantsToAdopt(handle)) adopt(tuner, socket, handle);
}

function boundConnecting(socket: Socket, target: Target): void {
  forgetChoice(socket);
  if (bounds.length > 0) followConnecting(socket, target, bounds);
}
