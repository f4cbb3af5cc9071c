// Parses the environment variable SOCKET_OPTIONS: a duration, or what tuneSockets() takes as JSON. tuneSockets() checks the
// options in it.

import { parseDuration } from '../core/duration';
import { isOptions, unknownOption } from '../core/validate';
import type { TuneSocketsOptions } from '../index';

/** The value of the variable cannot be used. The message says why. */
export class ConfigurationError extends Error {}

/** What JSON can have of the options of tuneSockets(): `filter` and `onError` are functions. */
const MEMBERS = ['client', 'server', 'adopt'];

/** Options of a side that may be written as a duration. */
const DURATIONS = ['deadPeerTimeout', 'connectTimeout', 'maxSilence'];

/**
 * Returns the options for tuneSockets(). A duration is the `deadPeerTimeout` of both sides, or of clients alone where
 * servers cannot be tuned.
 * @throws ConfigurationError, and TypeError for an unknown option.
 */
export function parseConfiguration(text: string, canTuneServers: boolean): TuneSocketsOptions {
  if (text.startsWith('{')) return parseOptions(text);
  const deadPeerTimeout = millisecondsOf(text);
  if (deadPeerTimeout === undefined) {
    throw new ConfigurationError('It is neither a duration nor a JSON object.');
  }
  return canTuneServers
    ? { client: { deadPeerTimeout }, server: { deadPeerTimeout } }
    : { client: { deadPeerTimeout } };
}

function parseOptions(text: string): TuneSocketsOptions {
  const { client, server, ...others } = parseJson(text);
  const unknown = Object.keys(others).find((name) => !MEMBERS.includes(name));
  if (unknown !== undefined) {
    const list = `known: ${MEMBERS.join(', ')}; options of sockets belong in client or server`;
    throw unknownOption('options', unknown, MEMBERS, { list });
  }
  // tuneSockets() refuses what is no object.
  const isEmpty = [client, server].every(
    (side) => side === undefined || (isOptions(side) && Object.keys(side).length === 0),
  );
  if (isEmpty) {
    throw new ConfigurationError('Neither "client" nor "server" has an option.');
  }
  return {
    ...others,
    client: readDurations(client, 'client'),
    server: readDurations(server, 'server'),
  } as TuneSocketsOptions;
}

function parseJson(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    const { message } = error as SyntaxError;
    throw new ConfigurationError(
      `It is not valid JSON: ${message}. A shell removes double quotes: write single quotes around the JSON.`,
    );
  }
}

function readDurations(side: unknown, path: string): unknown {
  // tuneSockets() refuses it.
  if (!isOptions(side)) return side;
  const members = Object.entries(side).map(([name, value]) => [
    name,
    DURATIONS.includes(name) && typeof value === 'string'
      ? durationOf(value, `${path}.${name}`)
      : value,
  ]);
  return Object.fromEntries(members);
}

function durationOf(text: string, path: string): number {
  const milliseconds = millisecondsOf(text);
  if (milliseconds !== undefined) return milliseconds;
  throw new ConfigurationError(`"${path}" is not a duration: ${JSON.stringify(text)}.`);
}

/** A number without a unit is milliseconds, as in JSON and everywhere in this package. */
function millisecondsOf(text: string): number | undefined {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : parseDuration(text);
}
