// Bounds connecting: ends a socket that is not connected within its time, over all addresses that are tried.

import type { Socket } from 'node:net';
import { errnoOf } from '../../core/errors';
import { Slots } from './slots';

/** One phase of connecting of a socket, from the first address to the last. */
interface Attempt {
  readonly socket: WeakRef<Socket>;
  readonly timeout: number;
  readonly since: number;
  /** Addresses without an answer yet, as text and as the parts of Node's errors. */
  readonly pending: Map<string, Address>;
  /** The errors of the addresses that failed. */
  readonly errors: Error[];
  readonly stop: () => void;
}

interface Address {
  readonly address: string;
  readonly port: number;
}

const attempts = new WeakMap<Socket, Attempt>();

const slots = new Slots<Attempt>((due) => {
  for (const attempt of due) endIfConnecting(attempt);
});

/**
 * Ends the socket with `ETIMEDOUT` unless it is connected within `timeout` milliseconds from now. A second call for the same
 * phase does nothing. `first`: the address that is being tried.
 */
export function boundConnecting(socket: Socket, timeout: number, first?: Address): void {
  if (attempts.has(socket)) return;
  const pending = new Map<string, Address>();
  const errors: Error[] = [];
  const onAttempt = (address: string, port: number): void => {
    pending.set(`${address} ${port}`, { address, port });
  };
  const onFailure = (address: string, port: number, _family: number, error: Error): void => {
    pending.delete(`${address} ${port}`);
    errors.push(error);
  };
  const stop = (): void => {
    attempts.delete(socket);
    socket.off('connectionAttempt', onAttempt);
    socket.off('connectionAttemptFailed', onFailure);
    socket.off('connect', stop);
    socket.off('close', stop);
  };
  if (first !== undefined) onAttempt(first.address, first.port);
  socket.on('connectionAttempt', onAttempt);
  socket.on('connectionAttemptFailed', onFailure);
  socket.on('connect', stop);
  socket.on('close', stop);
  const since = performance.now();
  const attempt = { socket: new WeakRef(socket), timeout, since, pending, errors, stop };
  attempts.set(socket, attempt);
  slots.add(attempt, since + timeout);
}

function endIfConnecting(attempt: Attempt): void {
  const socket = attempt.socket.deref();
  if (socket === undefined || attempts.get(socket) !== attempt) return;
  attempt.stop();
  if (!socket.connecting || socket.destroyed) return;
  socket.destroy(errorOf(attempt));
}

/** Returns the error as Node makes it: an AggregateError if several addresses were tried. */
function errorOf({ pending, errors }: Attempt): Error {
  const all = [...errors, ...[...pending.values()].map(timeoutError)];
  if (all.length === 0) return timeoutError();
  if (all.length === 1) return all[0] as Error;
  return Object.assign(new AggregateError(all), { code: 'ETIMEDOUT' });
}

function timeoutError(at?: Address): Error {
  const place = at === undefined ? '' : ` ${at.address}:${at.port}`;
  const error = new Error(`connect ETIMEDOUT${place}`);
  return Object.assign(error, {
    errno: errnoOf('ETIMEDOUT'),
    code: 'ETIMEDOUT',
    syscall: 'connect',
    ...at,
  });
}
