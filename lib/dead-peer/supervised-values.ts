// The kernel values of a supervised socket. They only make the kernel probe often enough.

import { retransmissionTime } from '../system-defaults/retransmission-time';
import type { PlanRequest } from './plan';
import { latest, surelyWithin } from './timer-lateness';

/** The kernels' unit of keepalive times. */
const SECOND = 1_000;
/** The maximum of TCP_KEEPIDLE and TCP_KEEPINTVL of Linux. Other systems have a larger one. */
const LONGEST_DELAY = 32_767 * SECOND;
/** The maximum of TCP_KEEPCNT of Linux. */
const MOST_PROBES = 127;
/** The range of TCP_RTO_MAX_MS. */
export const SHORTEST_TIMEOUT_MAX = 1_000;
const LONGEST_TIMEOUT_MAX = 120_000;
/** A timer of Linux may be late by an eighth: kernel/time/timer.c. */
export const LATENESS = 1.125;
/** The share of the timeout at which the last attempt must have been made: a younger one may still be answered. */
const LAST_ATTEMPT = 7 / 8;
/** Probes that supervision itself asks for within the timeout. The kernel counts them too. */
const OWN_PROBES = 4;

/** The smallest timeout of a supervised socket: the kernel's unit is one second, and `minProbes` probes must fit. */
export function smallestSupervisedTimeout(minProbes: number): number {
  if (minProbes <= 3) return 4 * SECOND;
  // While data is in flight, supervision cannot ask for probes.
  if (minProbes === 4) return 5 * SECOND;
  return Math.ceil((minProbes * LATENESS) / LAST_ATTEMPT) * SECOND;
}

export interface Values {
  readonly initialDelay: number;
  readonly interval: number;
  readonly count: number;
  /** `null`: the connection has no TCP_RTO_MAX_MS. */
  readonly timeoutMax: number | null;
}

export function valuesFor(
  { platform, minProbes, maxSilence, hasTimeoutMax }: PlanRequest,
  timeout: number,
): Values {
  // The time in which the probes must be sent, if each timer is as late as possible.
  const room = (timeout * LAST_ATTEMPT) / LATENESS;
  const longest = maxSilence === undefined ? LONGEST_DELAY : surelyWithin(maxSilence);
  // After an answered probe, Linux checks the connection an interval later, even if the initial delay is shorter.
  const interval = wholeSeconds(Math.min(timeout / 10, room / minProbes, longest));
  const rest = room - (minProbes - 1) * interval;
  const fifth = Math.round(timeout / 5 / SECOND) * SECOND;
  const longestDelay = wholeSeconds(Math.min(fifth, rest));
  const initialDelay = wholeSeconds(Math.min(longestDelay, longest));
  // Without supervision, as while the event loop is blocked, the kernel ends the connection after about 1.5 timeouts.
  const probes = Math.ceil((1.5 * timeout - initialDelay) / interval) + OWN_PROBES;
  // Data may be written just before the first probe, and a tail-loss probe is not always counted.
  const pause = Math.min(longestDelay, (room - longestDelay) / minProbes);
  return {
    initialDelay,
    interval,
    // The end of one subflow by keepalive is not the end of a Multipath TCP connection.
    count: platform === 'mptcp' ? MOST_PROBES : Math.min(Math.max(minProbes, probes), MOST_PROBES),
    timeoutMax: hasTimeoutMax
      ? Math.floor(Math.min(Math.max(pause, SHORTEST_TIMEOUT_MAX), LONGEST_TIMEOUT_MAX))
      : null,
  };
}

function wholeSeconds(milliseconds: number): number {
  const rounded = Math.floor(milliseconds / SECOND) * SECOND;
  return Math.min(Math.max(rounded, SECOND), LONGEST_DELAY);
}

/** The longest silence of an idle connection. */
export function silenceOf({ initialDelay, interval }: Values): number {
  return latest(Math.max(initialDelay, interval));
}

export function probesOf({ initialDelay, interval, count }: Values, timeout: number): number {
  return Math.min(count, Math.floor((timeout - initialDelay) / interval));
}

/** Returns when the kernel itself gives up on data in flight: on Linux after net.ipv4.tcp_retries2 retransmissions. */
export function givesUpAfter({ timeoutMax }: Values, { retransmission }: PlanRequest): number {
  const { retries, timeoutMin } = retransmission;
  return retransmissionTime(retries, timeoutMin, timeoutMax ?? retransmission.timeoutMax);
}

/** The user timeout of `zeroWindow: 'fail'`. The kernel checks it when a window probe is due, so it ends earlier. */
export const userTimeoutOf = (timeout: number): number => Math.floor(timeout * 0.75);
