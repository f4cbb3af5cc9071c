// Calls tuneSockets() once in each thread, as the environment variable SOCKET_OPTIONS says.

import { inspect } from 'node:util';
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads';
import type { TuneSocketsOptions } from '../index';
import { ConfigurationError, parseConfiguration } from './configuration';

const VARIABLE = 'SOCKET_OPTIONS';
/** The exit code of Node itself for a wrong option on its command line or in NODE_OPTIONS. */
const EXIT_CODE = 9;
const EXAMPLE = '{"client":{"deadPeerTimeout":"20s"},"server":{"deadPeerTimeout":"20s"}}';
const ALLOWED = `Allowed: a duration such as 20s, 4500ms, 2m or 20000 (milliseconds), which is the deadPeerTimeout of client and server; the options of tuneSockets() as JSON, such as ${EXAMPLE}; or off.`;

/** In the registry of symbols, because a program may preload two copies of the package: a global and a local one. */
const REGISTERED = Symbol.for('socket-options:registered');

/** The key of the warning in the environment data of worker threads. */
const WARNED = 'socket-options:warned';

/** Bun does not report the sockets that its HTTP servers accept, so tuneSockets() refuses servers there. */
const CAN_TUNE_SERVERS = process.versions.bun === undefined;

/**
 * Tunes the sockets of this thread.
 *
 * - Without a value nothing is tuned, and there is a warning. How long an outage of the network may last is a decision: a
 *   timeout that was chosen here would end connections that survive today, also in every program that inherits NODE_OPTIONS.
 * - A wrong value ends the process before the program starts: the person who wrote it is there to read the message.
 * - Without the addon the program runs as it did before, and there is a warning: it may be missing on one machine of many,
 *   months later.
 */
export function register(): void {
  if (Object.hasOwn(globalThis, REGISTERED)) return;
  Object.defineProperty(globalThis, REGISTERED, { value: true });
  const text = process.env[VARIABLE]?.trim() ?? '';
  if (text === 'off') return;
  if (text === '') {
    warn(
      `nothing is tuned, because the environment variable ${VARIABLE} is not set or empty. ${ALLOWED}`,
    );
    return;
  }
  try {
    tune(parseConfiguration(text, CAN_TUNE_SERVERS));
  } catch (error) {
    refuse(text, reasonOf(error));
  }
}

function tune(options: TuneSocketsOptions): void {
  // Only here, so that 'off' helps against a broken file of the addon, too.
  const { internalBinding, internalKeepConnect, tuneSockets } =
    require('../index') as typeof import('../index');
  try {
    internalBinding();
  } catch (error) {
    warn(`nothing is tuned. ${(error as Error).message}`);
    return;
  }
  // What the program calls later must not use the connect() that tuneSockets() puts in the place of Node's.
  internalKeepConnect();
  tuneSockets(options);
  if (!CAN_TUNE_SERVERS && options.server === undefined) {
    warn(
      'only connections that the program opens are tuned: Bun does not report those that its HTTP servers accept.',
    );
  }
}

/** Returns why a value cannot be used. Any other error is one of this package. */
function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined && !(error instanceof ConfigurationError)) throw error;
  return message.replaceAll('"options.', '"');
}

/** Ends the process with a message. An uncaught error would print lines of this package above it. */
function refuse(text: string, reason: string): void {
  const started = isMainThread ? 'program' : 'thread';
  const message = `socket-options/register: the environment variable ${VARIABLE} is wrong, so the ${started} was not started.
${reason}
Given: ${inspect(text)}
${ALLOWED}`;
  // A worker must not end the process: the thread that started it gets the error.
  if (!isMainThread) throw new Error(message);
  process.stderr.write(`${message}\n`);
  process.exit(EXIT_CODE);
}

/** Warns once for a process: workers inherit the environment data of the thread that starts them. */
function warn(message: string): void {
  if (getEnvironmentData(WARNED) === message) return;
  setEnvironmentData(WARNED, message);
  process.emitWarning(`socket-options/register: ${message}`, {
    type: 'SocketOptionsWarning',
    code: 'SOCKET_OPTIONS_NOT_REGISTERED',
  });
}
