// The rules by which each system ends a connection whose peer fell silent, as formulas. All times are in milliseconds,
// count from the last segment of the peer, and include timers that are as late as possible.

import type { Platform } from '../catalogue/row';
import {
  type Retransmission,
  untilGivenUp,
  untilProbesEnd,
  untilProbesTimeOut,
  untilWriteTimesOut,
} from './retransmission';
import { latest } from './timer-lateness';

/** A system with rules of its own. gVisor reports that it is Linux, but its rules differ. 'mptcp': Multipath TCP of Linux. */
export type DeadPeerPlatform = Platform | 'gvisor' | 'mptcp';

/** The values of a socket that decide when it fails. */
export interface DeadPeerValues {
  readonly keepAlive: boolean;
  readonly keepAliveInitialDelay: number;
  readonly keepAliveInterval: number;
  readonly keepAliveCount: number;
  /** 0 is off. */
  readonly userTimeout: number;
}

/** How long it takes until a connection fails after its peer fell silent, in milliseconds. Infinity: it never fails. */
export interface DeadPeerBounds {
  /** Milliseconds if nothing is unacknowledged or written: keepalive ends the connection. Infinity: never. */
  readonly idle: number;
  /** Milliseconds if data is in flight when the peer falls silent, or is written at this moment. Infinity: never. */
  readonly busy: number;
  /**
   * Milliseconds if the peer's window is closed when it falls silent, and may have been closed for long. Infinity:
   * never.
   */
  readonly closedWindow: number;
  /**
   * Milliseconds in the worst case: data is written just before keepalive would end the connection, or the window is
   * closed.
   */
  readonly worst: number;
}

/** An MPTCP connection outlives its last subflow by net.mptcp.close_timeout, by default: net/mptcp/protocol.c. */
export const MPTCP_CLOSE_TIMEOUT = 60_000;
/** The kernel's unit of time, at most. A user timeout is rounded up to it. */
const TICK = 10;

/** Whether keepalive alone detects a dead peer in every state, without a user timeout. */
export function keepAliveSuffices(platform: DeadPeerPlatform): boolean {
  return platform === 'darwin' || platform === 'freebsd';
}

/** Whether the user timeout takes the place of the probe count. gVisor checks both, Windows neither of them together. */
function isCountIgnored(system: DeadPeerPlatform, { userTimeout }: DeadPeerValues): boolean {
  return system === 'linux' && userTimeout > 0;
}

/**
 * Returns when the first probe is sent, at the latest. An answered probe does not restart the timer, so with an interval
 * above the initial delay the interval decides: net/ipv4/tcp_timer.c, tcp_keepalive_timer().
 */
function firstProbeAt({ keepAliveInitialDelay, keepAliveInterval }: DeadPeerValues): number {
  return latest(Math.max(keepAliveInitialDelay, keepAliveInterval));
}

/** Returns how many keepalive probes must be unanswered until the connection fails, at least, if all timers are late. */
export function probesOf(system: DeadPeerPlatform, values: DeadPeerValues): number {
  const { keepAliveInterval, keepAliveCount, userTimeout } = values;
  if (userTimeout === 0 || (system !== 'linux' && system !== 'gvisor')) return keepAliveCount;
  // After the first probe, Linux checks the user timeout whenever the next one is due, and ignores the count. gVisor checks
  // both. net/ipv4/tcp_timer.c, tcp_keepalive_timer().
  const room = userTimeout - firstProbeAt(values);
  const untilUserTimeout = room > 0 ? Math.max(1, Math.ceil(room / latest(keepAliveInterval))) : 1;
  return isCountIgnored(system, values)
    ? untilUserTimeout
    : Math.min(keepAliveCount, untilUserTimeout);
}

function idleBound(system: DeadPeerPlatform, values: DeadPeerValues): number {
  const { keepAliveInitialDelay, keepAliveInterval, keepAliveCount, userTimeout } = values;
  const first = firstProbeAt(values);
  // A time that could not be read is infinite.
  if (!values.keepAlive || first === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
  const interval = latest(keepAliveInterval);
  const byCount = first + keepAliveCount * interval;
  if (userTimeout === 0 || (system !== 'linux' && system !== 'gvisor')) return byCount;
  // The probes if no timer is late. Later timers leave room for fewer probes, and then the last one was before the timeout.
  const probes = Math.max(1, Math.ceil((userTimeout - keepAliveInitialDelay) / keepAliveInterval));
  const byProbes = first + probes * interval;
  const byUserTimeout = Math.max(first, userTimeout + TICK) + interval;
  const bound = Math.min(byProbes, byUserTimeout);
  return isCountIgnored(system, values) ? bound : Math.min(byCount, bound);
}

/** Returns the bounds that follow from the values of a socket. */
export function boundsOf(
  system: DeadPeerPlatform,
  values: DeadPeerValues,
  retransmission: Retransmission,
): DeadPeerBounds {
  const idle = idleBound(system, values);
  switch (system) {
    case 'darwin':
    case 'freebsd': {
      // Keepalive also runs while data is unacknowledged, and while the window is closed: tcp_timer.c of xnu and FreeBSD.
      const busy = Math.min(idle, dataBoundOfBsd(values, retransmission));
      return { idle, busy, closedWindow: idle, worst: idle };
    }
    case 'mptcp':
      return addUp(
        idle + MPTCP_CLOSE_TIMEOUT,
        untilGivenUp(retransmission) + MPTCP_CLOSE_TIMEOUT,
        untilProbesEnd(retransmission) + MPTCP_CLOSE_TIMEOUT,
      );
    case 'gvisor':
    case 'linux':
    case 'win32': {
      const { userTimeout } = values;
      const byCount = untilProbesEnd(retransmission);
      if (userTimeout === 0) return addUp(idle, untilGivenUp(retransmission), byCount);
      const byTime = untilProbesTimeOut(userTimeout + TICK, retransmission);
      // The user timeout of gVisor counts from the write (measured).
      const busy =
        system === 'gvisor' ? byTime : untilWriteTimesOut(userTimeout + TICK, retransmission);
      // Unanswered probes of a closed window are counted, too.
      return addUp(idle, busy, Math.min(byTime, byCount));
    }
  }
}

/** Linux sends no keepalive probe while data is unacknowledged, so a write between probes starts a new wait. */
function addUp(idle: number, busy: number, closedWindow: number): DeadPeerBounds {
  return { idle, busy, closedWindow, worst: Math.max(idle + busy, closedWindow) };
}

/** macOS and FreeBSD check the user timeout only when a retransmission is due. */
function dataBoundOfBsd({ userTimeout }: DeadPeerValues, retransmission: Retransmission): number {
  const byCount = untilGivenUp(retransmission);
  if (userTimeout === 0) return byCount;
  const { timeout, timeoutMax } = retransmission;
  return Math.min(byCount, latest(timeout) + userTimeout + latest(timeoutMax));
}

/**
 * Returns the chance that a living peer of an idle connection counts as dead within an hour, on a path that loses this
 * share of the packets in each direction. The losses are assumed to be independent.
 */
export function falseAlarmsPerHour(
  system: DeadPeerPlatform,
  values: DeadPeerValues,
  lossRate: number,
): number {
  if (!values.keepAlive) return 0;
  const probes = probesOf(system, values);
  // A probe is unanswered if the probe or its answer is lost.
  const unanswered = 1 - (1 - lossRate) ** 2;
  // A round begins with silence. It ends with the first answer or with the last unanswered probe.
  let round = values.keepAliveInitialDelay;
  for (let sent = 1; sent < probes; sent++) round += unanswered ** sent * values.keepAliveInterval;
  const rounds = 3_600_000 / round;
  return -Math.expm1(rounds * Math.log1p(-(unanswered ** probes)));
}
