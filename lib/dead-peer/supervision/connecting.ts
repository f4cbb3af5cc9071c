// Bounds connecting: ends a socket that is not connected within its time, over all addresses that are tried.

import { isIP, type Socket } from 'node:net';
import { errnoOf } from '../../core/errors';
import { descriptorOfHandle, tcpHandleOf } from '../../core/socket';
import { throwUncaught } from '../../core/throw-uncaught';
import { Slots } from './slots';

/** An address that is tried. A member is `undefined` where Node does not report it (before 20.12). */
export interface Address {
  readonly address: string | undefined;
  readonly port: number | undefined;
}

/** Whether a socket may be ended that is still trying these addresses. */
type MayEnd = (socket: Socket, addresses: readonly Address[]) => boolean;

/** How long connecting may take, and whether that counts for this socket. */
export interface Bound {
  readonly timeout: number;
  readonly mayEnd: MayEnd;
}

interface Attempt extends Address {
  /** Why it failed; `undefined` as long as there is no answer. */
  readonly error: Error | undefined;
}

/** One call of `connect()`: from the first address that is tried to the last. */
interface Phase {
  /** Weak, because the phase is kept until its last bound is over. */
  readonly socket: WeakRef<Socket>;
  readonly port: number | undefined;
  /** Bounds that begin with the first address. `undefined`: it was tried already. */
  waiting: Bound[] | undefined;
  /** The bound that the program has chosen for this socket. Then no other one counts. */
  chosen: Bound | undefined;
  /** The addresses that were tried, by their text. */
  readonly attempts: Map<string, Attempt>;
}

type ConnectionAttemptFailed = [address: string, port: number, family: number, error: Error];

const phases = new WeakMap<Socket, Phase>();

const slots = new Slots<{ readonly phase: Phase; readonly bound: Bound }>((due) => {
  // After a poll phase: a blocked event loop may not have seen yet that the socket is connected.
  setImmediate(() => {
    for (const { phase, bound } of due) endIfConnecting(phase, bound);
  });
});

/** Bounds a socket whose `connect()` is about to be called, with the host and the port of its arguments. */
export function followConnecting(
  socket: Socket,
  { host, port }: { readonly host: unknown; readonly port: unknown },
  bounds: Bound[],
): void {
  const phase = newPhase(socket, Number(port) || undefined, bounds);
  // No name look-up comes first.
  if (isIP(String(host)) !== 0) onAttempt.call(socket, String(host), phase.port);
}

/**
 * Ends the socket with `ETIMEDOUT` unless it is connected within a time: from now, or from the first address if the name
 * look-up is still running. `isChosen`: this bound replaces all others of the socket.
 */
export function boundConnecting(socket: Socket, bound: Bound, isChosen: boolean): void {
  const phase = phases.get(socket) ?? adoptPhase(socket);
  if (isChosen) phase.chosen = bound;
  if (phase.waiting === undefined) startBound(phase, bound);
  else phase.waiting.push(bound);
}

/** Removes all bounds of a socket that is connecting. */
export function unboundConnecting(socket: Socket): void {
  if (phases.has(socket)) stop.call(socket);
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

function newPhase(socket: Socket, port: number | undefined, waiting: Bound[]): Phase {
  // Another call of connect(), perhaps before the first one has failed.
  if (phases.has(socket)) stop.call(socket);
  const attempts = new Map<string, Attempt>();
  const phase = { socket: new WeakRef(socket), port, waiting, chosen: undefined, attempts };
  phases.set(socket, phase);
  socket.on('lookup', onLookup);
  socket.on('connectionAttempt', onAttempt);
  socket.on('connectionAttemptFailed', onFailure);
  socket.on('connect', stop);
  socket.on('close', stop);
  return phase;
}

/** Follows a socket whose `connect()` was called before. Node reports tried addresses afterwards only if there were several. */
function adoptPhase(socket: Socket): Phase {
  const phase = newPhase(socket, undefined, []);
  for (const tried of socket.autoSelectFamilyAttemptedAddresses ?? []) {
    const colon = tried.lastIndexOf(':');
    onAttempt.call(socket, tried.slice(0, colon), Number(tried.slice(colon + 1)));
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

function begin(phase: Phase): void {
  const { waiting } = phase;
  phase.waiting = undefined;
  for (const bound of waiting ?? []) startBound(phase, bound);
}

function startBound(phase: Phase, bound: Bound): void {
  slots.add({ phase, bound }, performance.now() + bound.timeout);
}

/** Node before 20.12 reports the end of the look-up, and not the attempts. */
function onLookup(this: Socket, error: Error | null): void {
  const phase = phases.get(this);
  if (phase !== undefined && !error) begin(phase);
}

function onAttempt(this: Socket, address: string, port: number | undefined): void {
  const phase = phases.get(this);
  if (phase === undefined) return;
  phase.attempts.set(`${address} ${port}`, { address, port, error: undefined });
  begin(phase);
}

function onFailure(this: Socket, ...[address, port, , error]: ConnectionAttemptFailed): void {
  phases.get(this)?.attempts.set(`${address} ${port}`, { address, port, error });
}

function stop(this: Socket): void {
  phases.delete(this);
  this.off('lookup', onLookup);
  this.off('connectionAttempt', onAttempt);
  this.off('connectionAttemptFailed', onFailure);
  this.off('connect', stop);
  this.off('close', stop);
}

function endIfConnecting(phase: Phase, bound: Bound): void {
  const socket = phase.socket.deref();
  if (socket === undefined || phases.get(socket) !== phase) return;
  if (phase.chosen !== undefined && phase.chosen !== bound) return;
  if (!socket.connecting || socket.destroyed) return;
  const attempts = [...phase.attempts.values()];
  const unknown = { address: undefined, port: phase.port };
  try {
    if (!bound.mayEnd(socket, attempts.length > 0 ? attempts : [unknown])) return;
    stop.call(socket);
    socket.destroy(errorOf(attempts));
  } catch (error) {
    throwUncaught(error);
  }
}

/** Returns the error as Node makes it: an AggregateError if several addresses were tried. */
function errorOf(attempts: readonly Attempt[]): Error {
  if (attempts.length === 0) return timeoutError();
  const errors = attempts.map(({ error, address, port }) => error ?? timeoutError(address, port));
  if (errors.length === 1) return errors[0] as Error;
  return Object.assign(new AggregateError(errors), { code: 'ETIMEDOUT' });
}

function timeoutError(address?: string, port?: number): Error {
  const place = address === undefined ? '' : ` ${address}:${port}`;
  return Object.assign(new Error(`connect ETIMEDOUT${place}`), {
    errno: errnoOf('ETIMEDOUT'),
    code: 'ETIMEDOUT',
    syscall: 'connect',
    ...(address === undefined ? {} : { address, port }),
  });
}
