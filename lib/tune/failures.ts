// Reports what a tuning could not set: to the function of the program, or once for each kind as a process warning.

import type { Socket } from 'node:net';
import { inspect } from 'node:util';
import { channels, publish } from '../core/channels';
import type { SocketOptionErrorDetails } from '../core/errors';
import { throwUncaught } from '../core/throw-uncaught';
import type { SocketSide } from './new-sockets';

type OnError = (error: Error, socket: Socket | undefined) => void;

/** The message of the channel `socket-options:tuning-failed`: a tuning could not set an option. */
export interface TuningFailedMessage {
  /** The reason: an Error, unless a filter threw something else. */
  readonly error: unknown;
  /**
   * The socket that was not tuned. `undefined` for a socket of native code, and for the socket of a server that
   * listens.
   */
  readonly socket: Socket | undefined;
  /** Whether this thread has opened the connection or accepted it. */
  readonly side: SocketSide;
}

export class Failures {
  readonly #onError: OnError | undefined;
  /** The kinds of failure for which there was a warning. */
  readonly #warned = new Set<string>();

  constructor(onError: OnError | undefined) {
    this.#onError = onError;
  }

  /**
   * Reports an error. `place` names the socket in a warning, where its addresses do not. `source`: whose error it is, if it is
   * not that of an option. It never throws: the caller is Node, within a call of a library.
   */
  report(
    error: unknown,
    socket: Socket | undefined,
    side: SocketSide,
    place?: string,
    source?: string,
  ): void {
    publish(channels.tuningFailed, (): TuningFailedMessage => ({ error, socket, side }));
    try {
      if (this.#onError === undefined) {
        this.#warn(error, side, source ?? kindOf(error), place ?? namesOf(socket));
      } else {
        const result: unknown = this.#onError(error as Error, socket);
        if (typeof result === 'object') Promise.resolve(result).catch(throwUncaught);
      }
    } catch (thrown) {
      throwUncaught(thrown);
    }
  }

  #warn(error: unknown, side: SocketSide, kind: string, place: string): void {
    const key = `${kind} ${side}`;
    if (this.#warned.has(key)) return;
    this.#warned.add(key);
    // A filter may throw anything.
    const message = error instanceof Error ? String(error.message) : inspect(error);
    process.emitWarning(
      `tuneSockets() could not tune a ${side} socket (${place}): ${message} [only the first failure of this kind is reported; the function onError gets all of them]`,
      { type: 'SocketOptionsWarning', code: 'SOCKET_OPTIONS_TUNING_FAILED' },
    );
  }
}

/** A getter of the socket may throw anything. */
function kindOf(error: unknown): string {
  const { code, name, option } = Object(error) as Error & Partial<SocketOptionErrorDetails>;
  return `${inspect(code ?? name)} ${option}`;
}

function namesOf(socket: Socket | undefined): string {
  if (socket === undefined) return 'of native code';
  const { localAddress, localPort, remoteAddress, remotePort } = socket;
  return `${localAddress} port ${localPort}, peer ${remoteAddress} port ${remotePort}`;
}
