// The public functions on peers that vanish, with their docs.

import { kit } from '../kit';
import {
  checkOptions,
  getOptions,
  isSupported,
  setEach,
  setKeepAlive,
  setOptions,
} from '../options/face';
import type { SocketLike } from '../socket';
import { getSystemDefaults } from '../system/face';
import { getTcpInfo } from '../tcp-info/face';
import type { DeadPeerReport } from './bounds';
import type { DisconnectExplanation } from './explain';
import type { DeadPeerOptions, DeadPeerPlan, PlanOptions } from './plan';
import type { SocketTuning, TuneSocketsOptions } from './tune';

// Loaded with the package, since the folder may be gone or out of reach when a call needs it.
const parts = require('./index.js') as typeof import('./index');
parts.useKit(kit());
parts.useCapabilities({
  ...{ checkOptions, getOptions, isSupported, setEach, setKeepAlive, setOptions },
  ...{ getSystemDefaults, getTcpInfo },
});

/**
 * Has a socket fail within `timeout` milliseconds after its peer fell silent (power, cable or router
 * gone): while it is idle, has data in flight, keeps writing, or writes in the midst of the probing.
 * `setDeadPeerTimeout(socket, 20_000)`.
 *
 * A living peer that answers is not ended, however idle it is; and no single lost packet decides: three
 * probes have to go unanswered at the least (`minProbes`). One that lives but does not read for about
 * half of the timeout is ended on Linux, unless `zeroWindow` says otherwise.
 *
 * Sets initial delay, interval and count of keepalive, the switch, and the user timeout, which are
 * chosen together: see {@link planDeadPeerTimeout}. The connection's own retransmission timeout counts
 * into the bound, with room for its growing to 1 s where the timeout allows it. Of a server it holds
 * for all connections that it accepts from then on; on Linux they inherit it, without a system call.
 * `null` switches it off: the values are those of a new socket again.
 *
 * A later `socket.setKeepAlive()` of Node's own undoes a part of it.
 *
 * Linux `TCP_KEEPIDLE`, `TCP_KEEPINTVL`, `TCP_KEEPCNT`, `SO_KEEPALIVE`, `TCP_USER_TIMEOUT`; macOS and
 * FreeBSD without the last; Windows `TCP_MAXRTMS` in its place (not run there yet).
 * @returns what was set, and the bounds that follow, frozen; `null` for `null`.
 * @throws RangeError `ERR_OUT_OF_RANGE` for a timeout that is too small, with the smallest possible one
 *   (about 8 s with three probes); TypeError for a wrong argument. Nothing was set then.
 * @throws SocketOptionError for a socket that is not TCP or not open, and for a refused call.
 * @see tcp(7), RFC 9293 section 3.8.3 and 3.8.4
 */
export function setDeadPeerTimeout(
  socketOrServer: SocketLike,
  timeout: number,
  options?: DeadPeerOptions,
): DeadPeerPlan;
export function setDeadPeerTimeout(socketOrServer: SocketLike, timeout: null): null;
export function setDeadPeerTimeout(
  socketOrServer: SocketLike,
  timeout: number | null,
  options?: DeadPeerOptions,
): DeadPeerPlan | null;
export function setDeadPeerTimeout(
  socketOrServer: SocketLike,
  timeout: number | null,
  options?: DeadPeerOptions,
): DeadPeerPlan | null {
  return parts.setDeadPeerTimeout(socketOrServer, timeout, options);
}

/**
 * What {@link setDeadPeerTimeout} would set, on this or another system, and the bounds that follow; asks
 * and changes nothing, and works without the addon. `planDeadPeerTimeout(20_000, { platform: 'win32' })`.
 *
 * With a `lossRate` also the price of a small timeout: the chance per hour that a living, idle peer is
 * taken for dead on a path that loses this share of the packets.
 *
 * Linux: measured. macOS, FreeBSD, Windows, gVisor: by their documents and source (`measured: false`).
 * @throws RangeError, TypeError as {@link setDeadPeerTimeout}.
 */
export function planDeadPeerTimeout(timeout: number, options?: PlanOptions): DeadPeerPlan {
  return parts.planDeadPeerTimeout(timeout, options);
}

/**
 * Within which time a socket fails if its peer vanishes now, by what the kernel holds, whoever set it:
 * `idle`, `busy` (data in flight) and `worst`, in milliseconds; Infinity is an answer. `warnings` says
 * in words what is wrong with them, and what was assumed because it could not be read (no /proc, no
 * retransmission timeout). Of a listening socket: for the connections that it accepts.
 *
 * Times count from the last segment of the peer, and of `busy` from the write. The kernel's timers may
 * be an eighth late, from about 16 s on.
 * @throws SocketOptionError for a socket that is not TCP or not open.
 */
export function getDeadPeerBounds(socket: SocketLike): DeadPeerReport {
  return parts.getDeadPeerBounds(socket);
}

/**
 * What an error of a connection says of its peer: whether it vanished, was reset, had closed, or cannot
 * be reached; as a word (`peer`) and in words (`message`): `explainDisconnect(error).peer`.
 *
 * It looks into `cause` and `errors` too: fetch() and database drivers wrap the error of the socket, and Node
 * gives an AggregateError where each address of a name was tried. Of several the most telling decides. Codes
 * of Linux, macOS, FreeBSD, Windows, Node and undici are known; what says nothing of a peer is `'unknown'`.
 *
 * With `socket`, it also reports the last counters, if the socket can still be read. Node closes a socket before
 * it emits the error, so this is for descriptors of other owners. Without counters, `ETIMEDOUT` of a socket with
 * a user timeout is `'vanished'`, although the peer may live and not have read for that long.
 * @throws TypeError `ERR_INVALID_ARG_TYPE` for what is no object.
 */
export function explainDisconnect(error: unknown, socket?: SocketLike): DisconnectExplanation {
  return parts.explainDisconnect(error, socket);
}

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
  return parts.tuneSockets(options);
}
