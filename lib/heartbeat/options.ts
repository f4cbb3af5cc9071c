// The options of a heartbeat, and their checks.

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
   * So often, in milliseconds, a ping leaves, and the peer is expected to say something. 50 to
   * 2 147 483 647. The first ping may leave sooner: those of many heartbeats do not leave together.
   */
  readonly interval: number;
  /**
   * The peer is dead when it gave no sign of life for so many milliseconds: more than `interval`, up to
   * 2 147 483 647. Twice the interval without it. `null`: the peer is not expected to say anything, and this
   * side only sends.
   */
  readonly timeout?: number | null | undefined;
  /**
   * The protocol's ping: bytes, text (UTF-8), or a function that sends it. Without it this side only
   * watches. Not sent while data before it waits to be sent. Bytes are copied.
   *
   * A function that throws, or returns a promise that is rejected, ends its socket with that error; the ping does
   * not count.
   */
  readonly send?: Uint8Array | string | ((socket: Stream) => void) | undefined;
  /**
   * Which of the chunks that come are a sign of life. A chunk may have a part of a message, or several.
   * Without it any bytes are; `false`: none, only calls of `recordActivity()` and `answer()` are. The first sign after
   * a ping is taken for its answer, unless `answer()` tells answers.
   *
   * The function must return `true` or `false` at once, and cannot be asynchronous. If it returns anything else, the
   * socket is destroyed with a TypeError (`ERR_INVALID_RETURN_VALUE`); if it throws, with that error. The stream gets the
   * chunk first. For asynchronous work use `isAlive: false`, and call `recordActivity()`. Then the time from the arrival of a
   * message until `recordActivity()` counts as silence, unless the message still waits in the stream: call `recordActivity()` on
   * receipt, or choose a `timeout` that is longer than the work.
   */
  readonly isAlive?: ((chunk: Buffer) => boolean) | false | undefined;
  /**
   * What to do with a dead peer in place of destroying its socket with an error of code `'ETIMEDOUT'`. If it
   * throws, or returns a promise that is rejected, the socket is destroyed with that error.
   */
  readonly onDead?: ((death: PeerDeath, socket: Stream) => void) | undefined;
  /** Ends the heartbeat, not the socket, when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** What a heartbeat needs of its options. */
export interface CheckedOptions<Stream extends Duplex> extends Rhythm {
  readonly send: Send | undefined;
  readonly isAlive: IsAlive;
  readonly onDead: HeartbeatOptions<Stream>['onDead'];
  readonly signal: AbortSignal | undefined;
}

const MEMBERS = ['interval', 'timeout', 'send', 'isAlive', 'onDead', 'signal'] as const;

/** A few ticks. */
const SHORTEST_INTERVAL = 50;
const LONGEST = 2_147_483_647;

/** Whether it is still open is another question. */
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
): CheckedOptions<Stream> {
  const { interval, timeout, send, isAlive, onDead, signal } = validateOptions(
    options,
    'options',
    MEMBERS,
  );
  validateDuration('interval', interval, SHORTEST_INTERVAL);
  const silence = validateTimeout(timeout, interval);
  if (silence === Number.POSITIVE_INFINITY && send === undefined) {
    throw valueError('options.timeout', 'must not be null where nothing is sent either', null);
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
  // A monitor calls it with the stream that it was given for.
  if (typeof send === 'function') return send as Send;
  if (typeof send !== 'string' && !types.isUint8Array(send)) {
    throw typeError('options.send', 'a Buffer, a string or a function', send);
  }
  // A copy: the caller may change his bytes.
  const bytes = Buffer.from(send as Uint8Array);
  if (bytes.length > 0) return bytes;
  throw valueError('options.send', 'must not be empty: it would send nothing', send);
}
