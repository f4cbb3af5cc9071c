// The options of one side of tuneSockets(), and their checks.

import { type OpeningOptions, type Row, rows, type SocketOptions } from '../catalogue/catalogue';
import { isOptions, typeError, valueError } from '../core/validate';
import type { DeadPeerOptions } from '../dead-peer/plan';
import {
  type ChosenOptions,
  DEAD_PEER_OPTIONS,
  validateConnectTimeout,
  validatePlanOptions,
  validateTimeout,
} from '../dead-peer/validate-options';
import { copyOptions, validateSide } from '../open/opening-options';
import { type KeepAliveName, keepAliveNames } from '../options/keepalive-options';
import { validateOptionName } from '../options/option';
import { validateOpeningOptions } from '../options/options';

/**
 * Options of `setOptions`, those that are chosen when a socket is opened, and a timeout of `setDeadPeerTimeout` with
 * its options. An option that is `undefined` is not set.
 */
export type Tuning = OpeningOptions &
  DeadPeerOptions & {
    /**
     * Within how many milliseconds the socket fails after its peer vanished: 4 000 to 2^31 - 1, see
     * `setDeadPeerTimeout`. Default: no timeout.
     */
    readonly deadPeerTimeout?: number | undefined;
    /**
     * Within how many milliseconds a socket must be connected: 1 to 2^31 - 1, from the first address that is tried to
     * the last, without the name look-up. Default: `deadPeerTimeout`. The socket fails up to 0.15 s later. The error is
     * `ETIMEDOUT` with the syscall `connect`, as Node's own; Node before 20.12 does not report the address that a name
     * has. For `client` only.
     */
    readonly connectTimeout?: number | undefined;
  };

/** A checked copy of a {@link Tuning}. */
export interface CheckedTuning {
  readonly deadPeerTimeout: number | undefined;
  readonly deadPeer: ChosenOptions;
  /** Within how many milliseconds a client must be connected. */
  readonly connectTimeout: number | undefined;
  readonly options: OpeningOptions;
  /** The options among them that act on the first packet, or only before it. */
  readonly early: OpeningOptions;
  /** The options among them that can be set on a connected socket. */
  readonly late: SocketOptions;
  /** The keepalive options among `options`. */
  readonly keepAlive: readonly KeepAliveName[];
}

/** The options of a {@link Tuning} beside those of the catalogue. */
const TUNING_OPTIONS = ['deadPeerTimeout', 'connectTimeout', ...DEAD_PEER_OPTIONS];

/** Returns a checked copy of the tuning of one side. */
export function validateTuning(
  tuning: Tuning | undefined,
  side: 'client' | 'server',
): CheckedTuning | undefined {
  if (tuning === undefined) return undefined;
  const path = `options.${side}`;
  if (!isOptions(tuning)) throw typeError(path, 'an object of options', tuning);
  // A copy has own members only, as in every options object.
  const { deadPeerTimeout, connectTimeout, ...others } = { ...tuning };
  const { minProbes, zeroWindow, maxSilence, supervise, ...given } = others;
  const options = copyOptions(given);
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    if (name === 'socketOptions') {
      throw valueError(
        `${path}.socketOptions`,
        `has no effect: its members belong in ${path}`,
        value,
      );
    }
    validateOptionName(name, path, TUNING_OPTIONS);
  }
  const deadPeer = validatePlanOptions({ minProbes, zeroWindow, maxSilence, supervise }, path);
  if (deadPeerTimeout !== undefined) {
    validateTimeout(deadPeerTimeout, deadPeer.minProbes, `${path}.deadPeerTimeout`);
  } else {
    for (const [name, value] of Object.entries({ minProbes, zeroWindow, maxSilence, supervise })) {
      if (value === undefined) continue;
      throw valueError(`${path}.${name}`, 'has no effect without deadPeerTimeout', value);
    }
  }
  if (connectTimeout !== undefined) {
    validateConnectTimeout(connectTimeout, `${path}.connectTimeout`);
    if (side === 'server') {
      const reason = 'is for clients only: a server does not connect';
      throw valueError(`${path}.connectTimeout`, reason, connectTimeout);
    }
  }
  validateOpeningOptions(options, path);
  validateSide(options, side, path);
  const keepAlive = keepAliveNames(options);
  return {
    deadPeerTimeout,
    deadPeer,
    connectTimeout: connectTimeout ?? deadPeerTimeout,
    options,
    early: pick(options, (row) => row.firstPacket === true || isEarlyOnly(row)),
    late: pick(options, (row) => !isEarlyOnly(row)),
    keepAlive,
  };
}

/** Whether an option has no effect on a socket that is connected. */
export function isEarlyOnly({ before, access }: Row): boolean {
  return before !== undefined || access === 'open';
}

function pick(options: OpeningOptions, isWanted: (row: Row) => boolean): OpeningOptions {
  return Object.fromEntries(
    Object.entries(options).filter(
      ([name, value]) => value !== undefined && isWanted(rows()[name] as Row),
    ),
  );
}
