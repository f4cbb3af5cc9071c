// The options of one side of tuneSockets(), and their checks.

import type { SocketOptions } from '../catalogue/catalogue';
import { isOptions, typeError } from '../core/validate';
import { makePlan } from '../dead-peer/dead-peer-timeout';
import type { DeadPeerOptions } from '../dead-peer/plan';
import { DEAD_PEER_OPTIONS, validatePlanOptions } from '../dead-peer/validate-options';
import { validateOptionName } from '../options/option';
import { validateSocketOptions } from '../options/options';

/** Options of `setOptions`, and a timeout of `setDeadPeerTimeout` with its options. */
export type Tuning = SocketOptions &
  DeadPeerOptions & {
    /** Within how many milliseconds the socket fails after its peer vanished: see `setDeadPeerTimeout`. */
    readonly deadPeerTimeout?: number | undefined;
  };

export const KEEP_ALIVE = [
  'keepAlive',
  'keepAliveInitialDelay',
  'keepAliveInterval',
  'keepAliveCount',
] as const;
export type KeepAliveName = (typeof KEEP_ALIVE)[number];

/** A checked copy of a {@link Tuning}. */
export interface CheckedTuning {
  readonly deadPeerTimeout: number | undefined;
  readonly deadPeer: DeadPeerOptions;
  readonly options: SocketOptions;
  /** The keepalive options among `options`. */
  readonly keepAlive: readonly KeepAliveName[];
}

/**
 * The retransmission timeout on loopback and in most networks. A dead-peer timeout that is too small for it is too small
 * for every socket.
 */
const SHORTEST_RETRANSMISSION_TIMEOUT = 200;

/** The options of a {@link Tuning} beside those of the catalogue. */
const TUNING_OPTIONS = ['deadPeerTimeout', ...DEAD_PEER_OPTIONS];

/** Returns a checked copy. `path` is its place in the arguments, for errors. */
export function validateTuning(
  tuning: Tuning | undefined,
  path: string,
): CheckedTuning | undefined {
  if (tuning === undefined) return undefined;
  if (!isOptions(tuning)) throw typeError(path, 'an object of options', tuning);
  const { deadPeerTimeout, minProbes, zeroWindow, ...given } = tuning;
  const options = withLingerCopy(given);
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined) validateOptionName(name, path, TUNING_OPTIONS);
  }
  const deadPeer = validatePlanOptions({ minProbes, zeroWindow }, path);
  if (deadPeerTimeout !== undefined) {
    makePlan(
      deadPeerTimeout,
      { ...deadPeer, retransmissionTimeout: SHORTEST_RETRANSMISSION_TIMEOUT },
      { timeout: `${path}.deadPeerTimeout`, options: path },
    );
  }
  validateSocketOptions(options, path);
  const keepAlive = KEEP_ALIVE.filter((name) => options[name] !== undefined);
  return { deadPeerTimeout, deadPeer, options, keepAlive };
}

/** Copies the value of `linger`, which is an object of the caller. */
function withLingerCopy(options: SocketOptions): SocketOptions {
  const { linger } = options;
  if (typeof linger !== 'object' || linger === null) return options;
  const { enable, timeout } = linger;
  return { ...options, linger: { enable, timeout } };
}
