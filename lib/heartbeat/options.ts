// The options of a heartbeat, and their validation.

import type { Duplex } from 'node:stream';
import { types } from 'node:util';
import {
  rangeError,
  typeError,
  validateAbortSignal,
  validateFunction,
  validateNumber,
  validateOptions,
  valueError,
} from '../core/validate';
import { SocketOptionError } from '../index';
import type { PeerDeath } from './peer-death';
import type { Send } from './pinger';
import type { Rhythm } from './rhythm';
import type { IsAlive } from './stream-adapter';

/** Options of a {@link Heartbeat}. */
export interface HeartbeatOptions<Stream extends Duplex = Duplex> {
  /**
   * Time between two pings, in milliseconds: 50 to 2 147 483 647. Without `send`, the time between two messages of the
   * peer. The first ping may leave earlier, so that many heartbeats do not ping at once.
   */
  readonly interval: number;
  /**
   * Silence after which the peer is dead, in milliseconds: more than `interval`, up to 2 147 483 647. Default: twice the
   * interval. `null`: this side only sends, and does not watch the peer. `null` needs `send`.
   */
  readonly timeout?: number | null | undefined;
  /**
   * The protocol's ping: bytes (copied), text (UTF-8), or a function that sends it. Default: none, so that this side only
   * watches.
   * A ping is skipped while earlier data waits to be sent.
   *
   * If the function throws, or returns a promise that is rejected, the ping does not count, and the socket is
   * destroyed with that error.
   */
  readonly send?: Uint8Array | string | ((socket: Stream) => void) | undefined;
  /**
   * Returns whether a received chunk is a sign of life. A chunk may have a part of a message, or several messages.
   * Default: any bytes are. `false`: only calls of `recordActivity()` and `answer()` are. The first sign of life after
   * a ping counts as its answer, unless the program calls `answer()`.
   *
   * The function must return `true` or `false` synchronously. If it returns anything else, the socket is destroyed with
   * a TypeError (`ERR_INVALID_RETURN_VALUE`). If it throws, the socket is destroyed with that error. The stream gets
   * the chunk first. For asynchronous work use `isAlive: false`, and call `recordActivity()`. Then the time from the
   * arrival of a message until `recordActivity()` counts as silence, unless the message still waits in the stream. Call
   * `recordActivity()` on receipt, or choose a `timeout` longer than the work.
   */
  readonly isAlive?: ((chunk: Buffer) => boolean) | false | undefined;
  /**
   * Called for a dead peer, instead of destroying its socket with an error of code `'ETIMEDOUT'`, which is the default.
   * It must close the socket. If it throws, or returns a promise that is rejected, the socket is reset with that error.
   * If the kernel has closed the connection (`death.state` is `'CLOSED'`), a socket that it leaves open is destroyed
   * with the error.
   */
  readonly onDead?: ((death: PeerDeath, socket: Stream) => void) | undefined;
  /** Ends the heartbeat when it is aborted. The socket stays open. Default: none. */
  readonly signal?: AbortSignal | undefined;
}

/** The options after validation. `timeout` is Infinity for `null`. */
export interface ValidatedOptions<Stream extends Duplex> extends Rhythm {
  readonly send: Send | undefined;
  readonly isAlive: IsAlive;
  readonly onDead: HeartbeatOptions<Stream>['onDead'];
  readonly signal: AbortSignal | undefined;
}

const MEMBERS = ['interval', 'timeout', 'send', 'isAlive', 'onDead', 'signal'] as const;

/** In milliseconds: a few ticks of the schedule. */
const SHORTEST_INTERVAL = 50;
const LONGEST = 2_147_483_647;

/** Checks that it is a Duplex, not that it is open. */
export function validateStream(stream: unknown): void {
  const { write, push, destroy, once } = (stream ?? {}) as Partial<Duplex>;
  if (![write, push, destroy, once].every((method) => typeof method === 'function')) {
    throw typeError('socket', 'a net.Socket, a tls.TLSSocket or another stream.Duplex', stream);
  }
}

export function validateOpen(stream: Duplex): void {
  if (!stream.destroyed) return;
  throw new SocketOptionError('The socket is closed', { code: 'ERR_SOCKET_CLOSED' });
}

export function validateHeartbeatOptions<Stream extends Duplex>(
  options: HeartbeatOptions<Stream>,
): ValidatedOptions<Stream> {
  const { interval, timeout, send, isAlive, onDead, signal } = validateOptions(
    options,
    'options',
    MEMBERS,
  );
  validateDuration('interval', interval, SHORTEST_INTERVAL);
  const silence = validateTimeout(timeout, interval);
  if (silence === Number.POSITIVE_INFINITY && send === undefined) {
    throw valueError('options.timeout', 'must not be null without `send`', null);
  }
  if (isAlive !== undefined && isAlive !== false) validateFunction(isAlive, 'options.isAlive');
  if (onDead !== undefined) validateFunction(onDead, 'options.onDead');
  if (signal !== undefined) validateAbortSignal(signal, 'options.signal');
  return { interval, timeout: silence, send: validateSend<Stream>(send), isAlive, onDead, signal };
}

export function validateDuration(name: string, value: unknown, least: number): void {
  validateNumber(value, `options.${name}`, { min: least, max: LONGEST, milliseconds: true });
}

function validateTimeout(timeout: unknown, interval: number): number {
  if (timeout === null) return Number.POSITIVE_INFINITY;
  if (timeout === undefined) return Math.min(2 * interval, LONGEST);
  validateDuration('timeout', timeout, 0);
  if ((timeout as number) > interval) return timeout as number;
  throw rangeError('options.timeout', `> ${interval} ms, the interval`, timeout);
}

function validateSend<Stream extends Duplex>(
  send: HeartbeatOptions<Stream>['send'],
): Send | undefined {
  if (send === undefined) return undefined;
  // The monitor calls it with the stream of its heartbeat, which has the type Stream.
  if (typeof send === 'function') return send as Send;
  if (typeof send !== 'string' && !types.isUint8Array(send)) {
    throw typeError('options.send', 'a Buffer, a string or a function', send);
  }
  // A copy: the caller may change the bytes.
  const bytes = Buffer.from(send as Uint8Array);
  if (bytes.length > 0) return bytes;
  throw valueError('options.send', 'must not be empty: it would send nothing', send);
}
