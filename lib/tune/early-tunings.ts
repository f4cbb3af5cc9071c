// Sets the options of tunings that have to be set before the first packet: for each address that a client tries, and before a
// server is bound.

import type { Socket } from 'node:net';
import type { SocketOptions } from '../catalogue/catalogue';
import {
  beforeBind,
  type EarlyHandle,
  type Family,
  hasEarlyHandles,
  isOpen,
  isTcpHandle,
  openHandle,
  typeFor,
} from '../open/early-handle';
import { type ListeningServer, type ListenMethod, listenAfter } from '../open/listen-method';
import type { SocketSide } from './new-sockets';
import type { Tuner } from './tuner';

/** Handles that were prepared before they were bound. Their attempt to connect finds a descriptor already. */
const prepared = new WeakSet<EarlyHandle>();

interface WithHandle {
  readonly _handle?: EarlyHandle | null;
}

/** A client tries an address: `args` are those of 'connectionAttempt'. */
export function prepareAttempt(
  tuners: readonly Tuner[],
  socket: Socket,
  [address, port, family]: readonly unknown[],
): void {
  const { _handle: handle } = socket as unknown as WithHandle;
  if (!isTcpHandle(handle)) return;
  const target = { address: address as string, port: port as number };
  const wanted = withEarlyOptions(tuners, 'client')
    .filter((tuner) => tuner.hasFilter || !prepared.has(handle))
    .filter((tuner) => tuner.wantsToConnect(socket, target));
  prepare(wanted, 'client', handle, family as Family, socket);
}

/**
 * A client may be bound to a local address before it tries an address. Some options act only before that. A filter cannot be
 * asked then: Node has not reported the address yet.
 */
export function prepareLocalAddress(tuners: readonly Tuner[], socket: Socket): void {
  if (!tuners.some((tuner) => tuner.setsBeforeBind)) return;
  const { _handle: handle } = socket as unknown as WithHandle;
  if (!isTcpHandle(handle) || isOpen(handle)) return;
  beforeBind(handle, (_handle, family) => {
    prepared.add(handle);
    const wanted = withEarlyOptions(tuners, 'client').filter((tuner) => !tuner.hasFilter);
    return prepare(wanted, 'client', handle, family, socket);
  });
}

/** Listens, and sets the options before the server is bound. A filter cannot be asked: it takes a socket that has a peer. */
export function prepareListening(
  tuners: readonly Tuner[],
  server: ListeningServer,
  method: ListenMethod,
  args: readonly unknown[],
): void {
  const wanted = withEarlyOptions(tuners, 'server').filter((tuner) => !tuner.hasFilter);
  if (wanted.length === 0) {
    Reflect.apply(method, server, args);
    return;
  }
  // From another process of the cluster, or from the program: it is bound already.
  const fd: unknown = server._handle?.fd ?? args[FD];
  if (typeof fd === 'number' && fd >= 0) {
    for (const tuner of wanted) tuner.setEarly(fd, 'server', undefined);
  }
  listenAfter(
    (handle, family) => prepare(wanted, 'server', handle, family, undefined),
    server,
    method,
    args,
  );
}

/** The place of the descriptor among the arguments: address, port, type of the address, backlog, descriptor, flags. */
const FD = 4;

function withEarlyOptions(tuners: readonly Tuner[], side: SocketSide): Tuner[] {
  if (!hasEarlyHandles()) return [];
  return tuners.filter((tuner) => tuner.isOpen && tuner.earlyOptions(side) !== undefined);
}

/**
 * Sets the options of the tunings. Of two that set the same option, the later one wins. Returns whether the socket is for IPv6
 * alone.
 */
function prepare(
  tuners: readonly Tuner[],
  side: SocketSide,
  handle: EarlyHandle,
  family: Family,
  socket: Socket | undefined,
): boolean {
  if (tuners.length === 0) return false;
  const setAll = (fd: number): void => {
    for (const tuner of tuners) tuner.setEarly(fd, side, socket);
  };
  const all: SocketOptions = Object.assign({}, ...tuners.map((tuner) => tuner.earlyOptions(side)));
  try {
    if (isOpen(handle)) setAll(handle.fd);
    else openHandle(handle, typeFor('tcp', family, all), setAll);
  } catch (error) {
    // Node opens its own socket then.
    tuners.at(-1)?.report(error, socket, side);
  }
  return all.ipv6Only === true;
}
