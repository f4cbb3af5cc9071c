// Checks the timeout and the options of planDeadPeerTimeout(), setDeadPeerTimeout() and tuneSockets().

import { rangeError, validateNumber, validateOneOf, valueError } from '../core/validate';
import {
  type DeadPeerOptions,
  keepAliveSuffices,
  type PlanRequest,
  smallestTimeout,
  type ZeroWindow,
} from './plan';
import type { DeadPeerPlatform } from './rules';

/** The names of the arguments in errors. */
export interface ArgumentPaths {
  readonly timeout: string;
  readonly options: string;
}

/** Largest 32-bit number of milliseconds, 24.8 days: every kernel accepts it in its own unit. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;
/** TCP_KEEPCNT of Linux. */
const MOST_PROBES = 127;
const ZERO_WINDOW: readonly ZeroWindow[] = ['fail', 'tolerate'];

export function validateTimeout(timeout: unknown, path: string): number {
  return validateNumber(timeout, path, { above: 0, max: LONGEST_TIMEOUT, milliseconds: true });
}

/** The members of `DeadPeerOptions`. */
export const DEAD_PEER_OPTIONS = ['minProbes', 'zeroWindow'] as const;

/** Checks the members, and returns them with the defaults in place of `undefined`. */
export function validatePlanOptions(
  { minProbes = 3, zeroWindow = 'fail' }: DeadPeerOptions,
  path: string,
): Pick<PlanRequest, 'minProbes' | 'zeroWindow'> {
  const range = { integer: true, min: 1, max: MOST_PROBES };
  return {
    minProbes: validateNumber(minProbes, `${path}.minProbes`, range),
    zeroWindow: validateOneOf(zeroWindow, `${path}.zeroWindow`, ZERO_WINDOW),
  };
}

/** Throws where `'tolerate'` is not possible. It needs another bound for data than the user timeout. */
export function validateTolerance(
  platform: DeadPeerPlatform,
  zeroWindow: ZeroWindow,
  path: string,
): void {
  if (zeroWindow === 'tolerate' && (platform === 'win32' || platform === 'gvisor')) {
    const reason = `cannot be 'tolerate' on ${platform}, where only the user timeout bounds data`;
    throw valueError(`${path}.zeroWindow`, reason, zeroWindow);
  }
}

/**
 * The error for a timeout that no plan can keep. For callers that try a larger one, it has the members
 * `smallestTimeout`, in milliseconds, and `reason`.
 */
export function timeoutTooSmallError(
  timeout: number,
  request: PlanRequest,
  paths: ArgumentPaths,
): Error {
  const { platform, minProbes, retransmission } = request;
  const smallest = smallestTimeout(request);
  if (smallest > LONGEST_TIMEOUT) {
    // A kernel accepts any number for this setting, and nothing else here is without a bound.
    const reason = `cannot be 'tolerate' here, because ${retransmission.retries} retransmissions (net.ipv4.tcp_retries2) take longer than any timeout`;
    return valueError(`${paths.options}.zeroWindow`, reason, request.zeroWindow);
  }
  const probes = `${minProbes} unanswered ${minProbes === 1 ? 'probe' : 'probes'}`;
  // Where keepalive alone decides, the retransmission timeout does not count.
  const reason = keepAliveSuffices(platform)
    ? probes
    : `${probes}, retransmission timeout ${retransmission.timeout} ms`;
  const error = rangeError(paths.timeout, `>= ${smallest} ms (${reason})`, timeout);
  return Object.assign(error, { smallestTimeout: smallest, reason });
}
