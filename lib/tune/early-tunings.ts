// Sets the options of tunings that have to be set before the first packet: for each address that a client tries, and before a
// server is bound.

import type { Socket } from 'node:net';
import type { OpeningOptions } from '../catalogue/catalogue';
import { builtins } from '../core/builtins';
import { SocketOptionError } from '../core/errors';
import { noteFastOpen } from '../dead-peer/supervision/connecting';
import {
  beforeBind,
  canSetBefore,
  chosenFor,
  type EarlyHandle,
  type Family,
  handleOf,
  holds,
  isOpen,
  isTcpHandle,
  openHandle,
  type Prepare,
  typeFor,
} from '../open/early-handle';
import { type ListeningServer, type ListenMethod, listenAfter } from '../open/listen-method';
import type { SocketSide } from './new-sockets';
import type { EarlySocket, Tuner } from './tuner';

/** A client tries an address: `args` are those of 'connectionAttempt'. */
export function prepareAttempt(
  tuners: readonly Tuner[],
  socket: Socket,
  [address, port, family]: readonly unknown[],
): void {
  const handle = handleOf(socket);
  if (!isTcpHandle(handle)) return;
  const target = { address: address as string, port: port as number };
  const wanted = withEarlyOptions(tuners, 'client').filter(
    (tuner) => !tuner.hasPrepared(handle) && tuner.wantsToConnect(socket, target),
  );
  const place = `connecting to ${address} port ${port}`;
  prepare(wanted, family as Family, { handle, side: 'client', owner: socket, socket, place });
}

/**
 * A client may be bound to a local address before it tries an address. Some options act only before that. A filter cannot be
 * asked then: Node has not reported the address yet.
 */
export function prepareLocalAddress(tuners: readonly Tuner[], socket: Socket): void {
  if (!tuners.some((tuner) => tuner.setsBeforeBind)) return;
  const handle = handleOf(socket);
  // It was done at the look-up, which may have called back within connect().
  if (!isTcpHandle(handle) || isOpen(handle) || Object.hasOwn(handle, 'bind')) return;
  beforeBind(handle, (_handle, family) => {
    const wanted = withEarlyOptions(tuners, 'client').filter((tuner) => !tuner.hasFilter);
    return prepare(wanted, family, {
      ...{ handle, side: 'client', owner: socket, socket },
      place: 'before it is bound',
    });
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
  const about = {
    ...({ side: 'server', owner: server, socket: undefined } as const),
    place: 'before it listens',
  };
  // From another process of the cluster, or from the program: it is bound already.
  const { _handle: given } = server;
  if (given && given.fd === undefined && builtins.cluster.isWorker) {
    const error = new SocketOptionError(SHARED, { code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM' });
    for (const tuner of wanted) tuner.reportLater(error, undefined, 'server', about.place);
  }
  const fd: unknown = given?.fd ?? args[FD];
  if (typeof fd === 'number' && fd >= 0) {
    for (const tuner of wanted) tuner.setEarly({ ...about, fd, handle: given ?? server });
  }
  const prepareHandle: Prepare = (handle, family) => prepare(wanted, family, { ...about, handle });
  listenAfter(prepareHandle, server, method, args);
}

const SHARED =
  'The primary process of a cluster opens the shared sockets of its workers: call tuneSockets() there for options that act before bind or listen';

/** The place of the descriptor among the arguments: address, port, type of the address, backlog, descriptor, flags. */
const FD = 4;

function withEarlyOptions(tuners: readonly Tuner[], side: SocketSide): Tuner[] {
  if (!canSetBefore(side === 'client' ? 'connect' : 'listen')) return [];
  return tuners.filter((tuner) => tuner.isOpen && tuner.earlyOptions(side) !== undefined);
}

/**
 * Sets the options of the tunings. Of two that set the same option, the later one wins. Returns whether the socket is for IPv6
 * alone.
 */
function prepare(
  tuners: readonly Tuner[],
  family: Family,
  about: Omit<EarlySocket, 'fd' | 'handle'> & { readonly handle: EarlyHandle },
): boolean | undefined {
  const { handle, side, socket, place, owner } = about;
  if (tuners.length === 0) return undefined;
  const setAll = (fd: number): void => {
    for (const tuner of tuners) tuner.setEarly({ ...about, fd });
  };
  const tuned: OpeningOptions[] = tuners.map((tuner) => tuner.earlyOptions(side) ?? {});
  const all: OpeningOptions = Object.assign({}, ...tuned, chosenFor(owner));
  if (socket && all.fastOpenConnect) noteFastOpen(socket);
  try {
    if (isOpen(handle)) setAll(handle.fd);
    else {
      const isAlive = (): boolean => socket === undefined || holds(socket, handle);
      openHandle(handle, typeFor('tcp', family, all), setAll, isAlive);
    }
  } catch (error) {
    // Node opens its own socket then.
    tuners.at(-1)?.reportLater(error, socket, side, place);
  }
  return all.ipv6Only;
}
