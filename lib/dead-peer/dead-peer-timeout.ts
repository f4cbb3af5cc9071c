// setDeadPeerTimeout: makes the plan for a socket or for the connections of a server, sets its options, and has the socket
// supervised.

import type { Server, Socket } from 'node:net';
import type { Platform } from '../catalogue/row';
import { builtins } from '../core/builtins';
import type { SocketOptionError } from '../core/errors';
import { isGvisor } from '../core/gvisor';
import { SharedMap } from '../core/shared-map';
import type { SocketLike } from '../core/socket';
import { descriptorOf, tcpHandleOf } from '../core/socket';
import { validateOptions } from '../core/validate';
import { getTcpInfo } from '../tcp-info/get-tcp-info';
import { applyOptions, initialOptions } from './apply-options';
import { noteChoice } from './choices';
import type { DeadPeerOptions, DeadPeerPlan } from './plan';
import { FRESH, planForSystem, progressOf, setPlan } from './socket-plan';
import {
  boundChosen,
  changeBound,
  connectingSocketOf,
  isConnecting,
  unboundConnecting,
} from './supervision/connecting';
import { isSupervised, stopSupervision, supervise } from './supervision/supervisor';
import type { SupervisedSocket } from './supervision/verdict';
import { isMptcp } from './system-of';
import {
  type ChosenOptions,
  DEAD_PEER_OPTIONS,
  PATHS,
  validatePlanOptions,
  validateTimeout,
} from './validate-options';

/**
 * Makes a socket fail within `timeout` milliseconds after its peer vanished (power, cable or router lost).
 *
 * The kernel probes the peer, and this package looks at the socket a few times within the timeout. The socket is
 * destroyed with `ETIMEDOUT` if nothing came from the peer for `timeout` and at least `minProbes` segments in a row are
 * unanswered. That holds in every state: idle, data in flight, writing, the peer's window closed, paused, not read,
 * half-closed. A peer whose system answers is not ended, however long its program is busy or does not read.
 *
 * A socket that is still connecting fails if it is not connected within `timeout`: from now, or from the first address
 * if the name look-up is still running. On a server the timeout applies to all connections that it accepts, also those
 * that wait in its queue. On Linux later ones inherit the values, without a system call; those of a cluster worker do
 * not.
 *
 * A bare descriptor, and a socket with `supervise: false`, is not looked at. Then only the kernel's timers end the
 * connection. The returned plan has the bounds, and `warnings` about everything that it cannot keep.
 *
 * A socket whose peer is dead loses the data that the program has not read. The supervision does not keep the process
 * running. While a socket is supervised, its keepalive options belong to this package: it sets them again when the peer
 * has been silent for half of the timeout.
 * @example
 * ```ts
 * setDeadPeerTimeout(socket, 20_000);
 * socket.on('error', (error) => console.error(error)); // read ETIMEDOUT (nothing came from the peer ...
 * ```
 * @param socketOrServer The TCP socket, or a server for all connections that it accepts.
 * @param timeout The time in milliseconds: 4 000 (more with more than three probes) to 2^31 - 1. `null` ends the
 *   supervision and restores the values of a new socket; for a destroyed socket it does nothing.
 * @param options The number of probes, and what else a plan has to keep. Default: three probes.
 * @returns The plan: the values that were set and the bounds that follow, frozen; `null` for `null`.
 * @throws RangeError `ERR_OUT_OF_RANGE` for a timeout that no socket could keep: less than 4 s with three probes. Its
 *   `smallestTimeout` is the smallest possible one, in milliseconds, and its `reason` says why. Nothing was set.
 * @throws TypeError, RangeError for another wrong argument. Nothing was set.
 * @throws SocketOptionError for a socket that is not TCP or not open, and for a call that the kernel refused.
 * @systems Linux: `SO_KEEPALIVE`, `TCP_KEEPIDLE`, `TCP_KEEPINTVL`, `TCP_KEEPCNT`, `TCP_USER_TIMEOUT`, `TCP_RTO_MAX_MS`
 *   (6.15), `TCP_INFO`; Multipath TCP without `TCP_USER_TIMEOUT` and `TCP_RTO_MAX_MS`. macOS: the first four and
 *   `TCP_CONNECTION_INFO`. FreeBSD, gVisor and Windows report no sign of life: their kernel gives the verdict. It was
 *   not run on macOS, FreeBSD and Windows.
 * @see tcp(7), RFC 9293 section 3.8.3 and 3.8.4; docs/dead-peers.md has the rules
 */
export function setDeadPeerTimeout(
  socketOrServer: SocketLike,
  timeout: number,
  options?: DeadPeerOptions,
): DeadPeerPlan;
/**
 * Ends the supervision of a socket or server, and restores the values of a new socket. For a destroyed socket it does
 * nothing.
 */
export function setDeadPeerTimeout(socketOrServer: SocketLike, timeout: null): null;
/** Makes a socket fail within `timeout` milliseconds after its peer vanished, or ends that for `null`. */
export function setDeadPeerTimeout(
  socketOrServer: SocketLike,
  timeout: number | null,
  options?: DeadPeerOptions,
): DeadPeerPlan | null;
export function setDeadPeerTimeout(
  socketOrServer: SocketLike,
  timeout: number | null,
  options: DeadPeerOptions = {},
): DeadPeerPlan | null {
  const members = validateOptions(options, 'options', DEAD_PEER_OPTIONS);
  const chosen = validatePlanOptions(members, 'options');
  if (timeout !== null) validateTimeout(timeout, chosen.minProbes, PATHS.timeout, 'null');
  noteChoice(socketOrServer);
  if (timeout === null) {
    // A socket that has ended already needs nothing: programs call this when they clean up.
    if (!(socketOrServer instanceof builtins.net.Socket && socketOrServer.destroyed))
      restore(socketOrServer);
    return null;
  }
  if (socketOrServer instanceof builtins.net.Server)
    return tuneServer(socketOrServer, timeout, chosen);
  if (socketOrServer instanceof builtins.net.Socket && isConnecting(socketOrServer)) {
    return tuneWhenConnected(socketOrServer, timeout, chosen);
  }
  if (socketOrServer instanceof builtins.net.Socket) changeBound(socketOrServer, timeout);
  return tuneConnection(socketOrServer, timeout, chosen, false);
}

/** Tunes a connection. `isFresh`: it was established just now. Not public. */
export function tuneConnection(
  socket: SocketLike,
  timeout: number,
  chosen: ChosenOptions,
  isFresh: boolean,
): DeadPeerPlan {
  const supervised = chosen.supervise && isSupervisable(socket) ? socket : undefined;
  // Read once: a getter may return another descriptor the next time.
  const fd = descriptorOf(socket);
  const progress = isFresh ? FRESH : progressOf(fd);
  const wanted = { ...chosen, supervise: supervised !== undefined };
  const plan = setPlan(fd, timeout, wanted, progress);
  if (supervised !== undefined) {
    supervise(supervised, plan, chosen, isFresh ? undefined : progress.silence);
  } else if (isSupervisable(socket)) {
    stopSupervision(socket);
  }
  return plan;
}

/** Bare descriptors and `{ fd }` cannot be supervised, nor an http2 session of Bun, which has no handle. */
function isSupervisable(socket: SocketLike): socket is SupervisedSocket {
  const isStream =
    socket instanceof builtins.net.Socket ||
    typeof (socket as { goaway?: unknown } | null)?.goaway === 'function';
  return isStream && tcpHandleOf(socket as SupervisedSocket) !== undefined;
}

/** Bounds connecting, and tunes the connection as soon as there is one. */
function tuneWhenConnected(socket: Socket, timeout: number, chosen: ChosenOptions): DeadPeerPlan {
  boundChosen(connectingSocketOf(socket), timeout);
  if (!(waiting.get(socket) instanceof Choice)) socket.prependOnceListener('connect', tuneNow);
  waiting.set(socket, new Choice(timeout, chosen));
  return planForSystem(timeout, chosen);
}

/** A class, because each copy of this package has its own: a copy leaves the choice of another one alone. */
class Choice {
  constructor(
    readonly timeout: number,
    readonly chosen: ChosenOptions,
  ) {}
}

/** What was chosen for sockets that are still connecting. The last call wins, in whichever copy of this package. */
const waiting = new SharedMap<Socket, unknown>('waiting');

function tuneNow(this: Socket): void {
  const wanted = waiting.get(this);
  if (!(wanted instanceof Choice)) return;
  waiting.delete(this);
  if (this.destroyed) return;
  try {
    tuneConnection(this, wanted.timeout, wanted.chosen, true);
  } catch (error) {
    // The connection was reset meanwhile: the socket itself emits that error.
    if (!this.destroyed) this.destroy(error as Error);
  }
}

/**
 * On Linux, accepted connections inherit the values of the listening socket. In gVisor they do not, and Node replaces those of
 * keepalive if the server has its option `keepAlive`.
 */
function inheritsValues(server: Server): boolean {
  const { keepAlive } = server as { readonly keepAlive?: boolean };
  return (process.platform as Platform) === 'linux' && !isGvisor() && !keepAlive;
}

function tuneServer(server: Server, timeout: number, chosen: ChosenOptions): DeadPeerPlan {
  const fd = listeningDescriptor(server);
  const plan =
    fd === undefined ? planForSystem(timeout, chosen) : setPlan(fd, timeout, chosen, FRESH);
  // These are tuned one by one.
  const isInherited = fd !== undefined && inheritsValues(server);
  let withoutValues = isInherited ? queueLength(fd) : Infinity;
  const onConnection = (socket: Socket): void => {
    // An earlier listener, or tuneSockets(), has chosen a plan for this connection.
    const isChosen = isSupervised(socket);
    try {
      if (withoutValues > 0 && !isChosen) tuneConnection(socket, timeout, chosen, false);
      else if (chosen.supervise && !isChosen) supervise(socket, plan, chosen, undefined);
    } catch {
      // The connection was reset before it was accepted, and emits this error itself.
    }
    withoutValues -= 1;
  };
  replaceListener(server, { plan, onConnection });
  return plan;
}

/**
 * Returns the descriptor of a server; `undefined` in a cluster worker, whose primary process has it, accepts the connections
 * and hands them over.
 */
function listeningDescriptor(server: Server): number | undefined {
  try {
    return descriptorOf(server);
  } catch (error) {
    const { code } = error as SocketOptionError;
    if (code === 'ERR_SOCKET_NO_DESCRIPTOR' && isNode) return undefined;
    throw error;
  }
}

/** Other runtimes do not report the descriptors of the accepted connections either. */
const isNode = process.versions.bun === undefined && process.versions.deno === undefined;

/** How many connections were made before the listening socket had its values, and wait to be accepted. At most. */
function queueLength(fd: number): number {
  try {
    return getTcpInfo(fd).acceptQueue ?? Infinity;
  } catch {
    return Infinity;
  }
}

/** What a server's accepted connections get, by the last call in any copy of this package. */
interface TunedServer {
  readonly plan: DeadPeerPlan;
  readonly onConnection: (socket: Socket) => void;
}

const tunedServers = new SharedMap<Server, TunedServer>('tuned-server');

/** Returns the plan of a server's accepted connections. Not public. */
export function planOfServer(server: unknown): DeadPeerPlan | undefined {
  return server instanceof builtins.net.Server ? tunedServers.get(server)?.plan : undefined;
}

function replaceListener(server: Server, tuned: TunedServer | undefined): void {
  const before = tunedServers.get(server);
  if (before !== undefined) server.off('connection', before.onConnection);
  tunedServers.delete(server);
  if (tuned === undefined) return;
  tunedServers.set(server, tuned);
  server.prependListener('connection', tuned.onConnection);
}

function restore(socketOrServer: SocketLike): void {
  if (socketOrServer instanceof builtins.net.Socket && isConnecting(socketOrServer)) {
    waiting.delete(socketOrServer);
    socketOrServer.off('connect', tuneNow);
    unboundConnecting(connectingSocketOf(socketOrServer));
    return;
  }
  if (socketOrServer instanceof builtins.net.Socket) changeBound(socketOrServer, undefined);
  const fd =
    socketOrServer instanceof builtins.net.Server
      ? listeningDescriptor(socketOrServer)
      : descriptorOf(socketOrServer);
  if (isSupervisable(socketOrServer)) stopSupervision(socketOrServer);
  if (socketOrServer instanceof builtins.net.Server) replaceListener(socketOrServer, undefined);
  if (fd !== undefined) restoreOptions(fd);
}

function restoreOptions(fd: number): void {
  try {
    applyOptions(fd, initialOptions(false));
  } catch (error) {
    if (!isMptcp(fd)) throw error;
    applyOptions(fd, initialOptions(true));
  }
}
