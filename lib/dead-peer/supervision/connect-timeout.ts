// The error of a socket that was not connected in time, as Node makes it.

import type { Socket } from 'node:net';
import { errnoOf } from '../../core/errors';

/** An address that is tried. A member is `undefined` where Node does not report it (before 20.12). */
export interface Address {
  readonly address: string | undefined;
  readonly port: number | undefined;
}

export interface Attempt extends Address {
  /** Why it failed; `undefined` as long as there is no answer. */
  error: Error | undefined;
}

/** The message of the channel `socket-options:connect-timeout`: a socket was not connected in time. */
export interface ConnectTimeoutMessage {
  /** The socket that was destroyed. */
  readonly socket: Socket;
  /** The error that the socket was destroyed with. */
  readonly error: Error;
  /** The time that connecting was allowed to take, in milliseconds. */
  readonly timeout: number;
}

/** Returns the error as Node makes it: an AggregateError if several addresses were tried. */
export function errorOf(attempts: readonly Attempt[]): Error {
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
