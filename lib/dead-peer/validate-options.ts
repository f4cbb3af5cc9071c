// Checks the timeout and the options of planDeadPeerTimeout(), setDeadPeerTimeout() and tuneSockets().

import { rangeError, validateBoolean, validateNumber, validateOneOf } from '../core/validate';
import type { DeadPeerOptions, PlanRequest, ZeroWindow } from './plan';
import { smallestSupervisedTimeout } from './supervised-values';

/** The names of the arguments in errors. */
export interface ArgumentPaths {
  readonly timeout: string;
  readonly options: string;
}

export const PATHS: ArgumentPaths = { timeout: 'timeout', options: 'options' };

/** Largest 32-bit number of milliseconds, 24.8 days: every kernel accepts it in its own unit. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;
/** TCP_KEEPCNT of Linux. */
const MOST_PROBES = 127;
/** The unit of keepalive times is one second, and the timer may be late by an eighth. */
const SHORTEST_SILENCE = 2_000;
const ZERO_WINDOW: readonly ZeroWindow[] = ['fail', 'tolerate'];

/**
 * Checks a timeout. Throws for one that no socket of any system could keep. For callers that try a larger one, the error has
 * the members `smallestTimeout`, in milliseconds, and `reason`.
 * @param or Another allowed value, shown in the error: `'null'`.
 */
export function validateTimeout(
  timeout: unknown,
  minProbes: number,
  path: string,
  or?: string,
): number {
  const smallestTimeout = smallestSupervisedTimeout(minProbes);
  if (typeof timeout !== 'number' || !(timeout < smallestTimeout)) {
    const range = { min: smallestTimeout, max: LONGEST_TIMEOUT, milliseconds: true };
    return validateNumber(timeout, path, or === undefined ? range : { ...range, or });
  }
  const reason = `${minProbes} unanswered ${minProbes === 1 ? 'probe' : 'probes'}, and the kernel's unit of keepalive times is one second`;
  // Seconds, probably.
  const hint =
    timeout < 1_000 && timeout * 1_000 >= smallestTimeout
      ? `; ${timeout} s are ${timeout * 1_000} ms`
      : '';
  const words = `>= ${smallestTimeout} ms${or === undefined ? '' : `, or ${or}`} (${reason}${hint})`;
  throw Object.assign(rangeError(path, words, timeout), { smallestTimeout, reason });
}

/** Checks how long connecting may take. */
export function validateConnectTimeout(timeout: unknown, path: string): number {
  return validateNumber(timeout, path, { min: 1, max: LONGEST_TIMEOUT, milliseconds: true });
}

/** The members of `DeadPeerOptions`. */
export const DEAD_PEER_OPTIONS = ['minProbes', 'zeroWindow', 'maxSilence', 'supervise'] as const;

/** What the caller chose, with the defaults in place of `undefined`. */
export type ChosenOptions = Pick<
  PlanRequest,
  'minProbes' | 'zeroWindow' | 'maxSilence' | 'supervise'
>;

/** Checks the members. */
export function validatePlanOptions(
  { minProbes = 3, zeroWindow = 'tolerate', maxSilence, supervise = true }: DeadPeerOptions,
  path: string,
): ChosenOptions {
  const probes = { integer: true, min: 1, max: MOST_PROBES };
  const silence = { min: SHORTEST_SILENCE, max: LONGEST_TIMEOUT, milliseconds: true };
  return {
    minProbes: validateNumber(minProbes, `${path}.minProbes`, probes),
    zeroWindow: validateOneOf(zeroWindow, `${path}.zeroWindow`, ZERO_WINDOW),
    maxSilence:
      maxSilence === undefined
        ? undefined
        : validateNumber(maxSilence, `${path}.maxSilence`, silence),
    supervise: validateBoolean(supervise, `${path}.supervise`),
  };
}
