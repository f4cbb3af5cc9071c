// Bounds connecting: ends a socket that is not connected within its time, over all addresses that are tried.

import type { Socket } from 'node:net';
import { builtins } from '../../core/builtins';
import { channels, publish } from '../../core/channels';
import { isSynSent } from '../../core/record-buffer';
import { SharedMap } from '../../core/shared-map';
import { descriptorOfHandle, tcpHandleOf } from '../../core/socket';
import { throwUncaught } from '../../core/throw-uncaught';
import { type Address, type Attempt, type ConnectTimeoutMessage, errorOf } from './connect-timeout';
import { Slots } from './slots';

/** Whether a socket may be ended that is still trying these addresses. */
type MayEnd = (socket: Socket, addresses: readonly Address[]) => boolean;

/** How long connecting may take, and whether that counts for this socket. */
export interface Bound {
  readonly timeout: number;
  readonly mayEnd: MayEnd;
}

/** One call of `connect()`: from the first address that is tried to the last. */
interface Phase extends Bounder {
  readonly socket: Socket;
  readonly port: number | undefined;
  /** Bounds that begin with the first address. `undefined`: it was tried already. */
  waiting: readonly Bound[] | undefined;
  readonly deadlines: Deadline[];
  /** The bound that the program has chosen for this socket. Then no other one counts. */
  chosen: Bound | undefined;
  /** The addresses that were tried. */
  readonly attempts: Attempt[];
  isListening: boolean;
}

interface Deadline {
  /** `undefined` when the phase is over: a slot keeps this object until its time. */
  phase: Phase | undefined;
  readonly bound: Bound;
}

const phases = new WeakMap<Socket, Phase>();

/** A copy of this package that bounds a socket. */
interface Bounder {
  /** Whether one of its bounds counts for the addresses that the socket tries. */
  readonly counts: (addresses: readonly Address[]) => boolean;
}

/**
 * Which copy bounds a socket: the one in which the program has chosen a timeout for it, else the one whose tunings were opened last,
 * which is the first to follow it.
 */
const bounders = new SharedMap<Socket, Bounder>('connecting');

/** Sockets for whose call of `connect()` the program has removed all bounds, of every copy. */
const unbound = new SharedMap<Socket, true>('connecting-unbound');

const slots = new Slots<Deadline>((due) => {
  // After a poll phase: a blocked event loop may not have seen yet that the socket is connected.
  setImmediate(() => {
    for (const { phase, bound } of due) if (phase !== undefined) endIfConnecting(phase, bound);
  });
});

/**
 * Bounds a socket whose `connect()` is about to be called, with the host and the port of its arguments. The caller passes all
 * events of the socket to {@link noteConnecting}.
 */
export function followConnecting(
  socket: Socket,
  { host, port }: { readonly host: unknown; readonly port: unknown },
  bounds: readonly Bound[],
): void {
  unbound.delete(socket);
  const phase = newPhase(socket, Number(port) || undefined, bounds);
  if (bounders.get(socket) === undefined) bounders.set(socket, phase);
  // No name look-up comes first.
  if (builtins.net.isIP(String(host)) !== 0) noteAttempt(phase, String(host), phase.port);
}

/**
 * Ends the socket with `ETIMEDOUT` unless it is connected within a time: from now, or from the first address if the name
 * look-up is still running. `isChosen`: this bound replaces all others of the socket.
 */
export function boundConnecting(socket: Socket, bound: Bound, isChosen: boolean): void {
  const phase = phases.get(socket) ?? adoptPhase(socket);
  if (isChosen) {
    phase.chosen = bound;
    bounders.set(socket, phase);
  }
  if (phase.waiting === undefined) startBound(phase, bound);
  else phase.waiting = [...phase.waiting, bound];
  listen(phase);
}

/** As {@link boundConnecting}, for a timeout that the program has chosen for this socket. It replaces all other bounds. */
export function boundChosen(socket: Socket, timeout: number): void {
  unbound.delete(socket);
  boundConnecting(socket, { timeout, mayEnd: () => true }, true);
}

/** Removes all bounds of a socket that is connecting. */
export function unboundConnecting(socket: Socket): void {
  stop(socket);
  unbound.set(socket, true);
}

/**
 * Changes the bound of a socket, or of the one below a TLS socket, that is still bounded after 'connect' because of Fast Open.
 * `undefined` removes it.
 */
export function changeBound(socket: Socket, timeout: number | undefined): void {
  let below = socket as Socket & { readonly _parent?: Socket | null };
  while (below._parent) below = below._parent;
  if (!phases.has(below) && !isFastOpening(below)) return;
  if (timeout === undefined) stop(below);
  else boundChosen(below, timeout);
}

/** Whether the socket is connecting by TCP. A pipe has no address. */
export function isConnecting(socket: Socket): boolean {
  if (!socket.connecting) return false;
  // In Bun, no handle shows the kind of a socket that has no address yet.
  return (
    process.versions.bun !== undefined || tcpHandleOf(connectingSocketOf(socket)) !== undefined
  );
}

/** Returns the socket that connects: the one below, if a TLS socket is over it. */
export function connectingSocketOf(socket: Socket): Socket {
  let below = socket as Socket & { readonly _parent?: Socket | null };
  while (below._parent?.connecting) below = below._parent;
  return below;
}

/** What Node reports of a socket that is connecting. It reports attempts since 20.12. */
export type ConnectingEvent =
  | 'lookup'
  | 'connectionAttempt'
  | 'connectionAttemptFailed'
  | 'connect'
  | 'close';

/** Notes an event of a socket, with its arguments. */
export function noteConnecting(
  socket: Socket,
  event: ConnectingEvent,
  args: readonly unknown[],
): void {
  const phase = phases.get(socket);
  if (phase === undefined) return;
  const [first, second, , fourth] = args;
  switch (event) {
    case 'lookup':
      // The look-up has not failed.
      if (!first) begin(phase);
      return;
    case 'connectionAttempt':
      noteAttempt(phase, first as string, second as number);
      return;
    case 'connectionAttemptFailed':
      attemptOf(phase, first as string, second as number).error = fourth as Error;
      return;
    default:
      if (event === 'connect' && fastOpening.get(socket)) return;
      stop(socket);
  }
}

/**
 * Sockets that connect with TCP Fast Open. Node emits 'connect' before their first packet, if the kernel knows the server: the
 * bound counts until the server answers.
 */
const fastOpening = new SharedMap<Socket, true>('fast-opening');

/** Notes that a socket connects with TCP Fast Open. */
export function noteFastOpen(socket: Socket): void {
  fastOpening.set(socket, true);
}

function isUnanswered(socket: Socket): boolean {
  return socket.connecting || isFastOpening(socket);
}

/** Whether the server has not answered yet, although Node has emitted 'connect'. */
function isFastOpening(socket: Socket): boolean {
  const handle = fastOpening.get(socket) ? tcpHandleOf(socket) : undefined;
  return handle !== undefined && isSynSent(descriptorOfHandle(handle));
}

function newPhase(socket: Socket, port: number | undefined, waiting: readonly Bound[]): Phase {
  // Another call of connect(), perhaps before the first one has failed.
  stop(socket);
  const phase: Phase = {
    ...{ socket, port, waiting, deadlines: [], chosen: undefined, attempts: [] },
    isListening: false,
    counts: (addresses) => isBounded(phase, addresses),
  };
  phases.set(socket, phase);
  return phase;
}

function isBounded(
  { socket, chosen, waiting = [], deadlines }: Phase,
  addresses: readonly Address[],
): boolean {
  const bounds = [...waiting, ...deadlines.map(({ bound }) => bound)];
  return chosen !== undefined || bounds.some(({ mayEnd }) => mayEnd(socket, addresses));
}

/** Follows a socket whose `connect()` was called before. Node reports tried addresses afterwards only if there were several. */
function adoptPhase(socket: Socket): Phase {
  const phase = newPhase(socket, undefined, []);
  for (const tried of socket.autoSelectFamilyAttemptedAddresses ?? []) {
    const colon = tried.lastIndexOf(':');
    noteAttempt(phase, tried.slice(0, colon), Number(tried.slice(colon + 1)));
  }
  const beginIfTried = (): void => {
    const handle = tcpHandleOf(socket);
    if (handle !== undefined && descriptorOfHandle(handle) >= 0) begin(phase);
  };
  beginIfTried();
  // Without a name look-up, Node tries the address in the next tick after connect().
  if (phase.waiting !== undefined) process.nextTick(beginIfTried);
  return phase;
}

/** Notes the events of a socket by listeners. */
function listen(phase: Phase): void {
  if (phase.isListening) return;
  phase.isListening = true;
  for (const [event, listener] of Object.entries(listeners)) phase.socket.on(event, listener);
}

const listenerOf = (event: ConnectingEvent) =>
  function (this: Socket, ...args: unknown[]): void {
    noteConnecting(this, event, args);
  };
const listeners = {
  lookup: listenerOf('lookup'),
  connectionAttempt: listenerOf('connectionAttempt'),
  connectionAttemptFailed: listenerOf('connectionAttemptFailed'),
  connect: listenerOf('connect'),
  close: listenerOf('close'),
};

function begin(phase: Phase): void {
  const { waiting } = phase;
  if (waiting === undefined) return;
  phase.waiting = undefined;
  for (const bound of waiting) startBound(phase, bound);
}

function startBound(phase: Phase, bound: Bound): void {
  const deadline = { phase, bound };
  phase.deadlines.push(deadline);
  slots.add(deadline, performance.now() + bound.timeout);
}

function noteAttempt(phase: Phase, address: string, port: number | undefined): void {
  attemptOf(phase, address, port);
  begin(phase);
}

function attemptOf(phase: Phase, address: string, port: number | undefined): Attempt {
  const known = phase.attempts.find((one) => one.address === address && one.port === port);
  if (known !== undefined) return known;
  const attempt = { address, port, error: undefined };
  phase.attempts.push(attempt);
  return attempt;
}

function stop(socket: Socket): void {
  const phase = phases.get(socket);
  if (phase === undefined) return;
  phases.delete(socket);
  if (bounders.get(socket) === phase) bounders.delete(socket);
  for (const deadline of phase.deadlines) deadline.phase = undefined;
  if (!phase.isListening) return;
  for (const [event, listener] of Object.entries(listeners)) socket.off(event, listener);
}

function endIfConnecting(phase: Phase, bound: Bound): void {
  const { socket, attempts } = phase;
  if (phases.get(socket) !== phase) return;
  if (phase.chosen !== undefined && phase.chosen !== bound) return;
  if (socket.destroyed || !isUnanswered(socket) || unbound.get(socket)) {
    stop(socket);
    return;
  }
  const tried = attempts.length > 0 ? attempts : [{ address: undefined, port: phase.port }];
  const bounder = bounders.get(socket);
  try {
    if (bounder !== undefined && bounder !== phase && bounder.counts(tried)) return;
    if (!bound.mayEnd(socket, tried)) return;
    stop(socket);
    const error = errorOf(attempts);
    const { timeout } = bound;
    publish(channels.connectTimeout, (): ConnectTimeoutMessage => ({ socket, error, timeout }));
    socket.destroy(error);
  } catch (error) {
    throwUncaught(error);
  }
}
