// The rules by which each system ends a connection whose peer fell silent, as formulas. All times are in milliseconds and
// count from the last segment of the peer.

import type { Platform } from '../catalogue/row';
import { retransmissionTime } from '../system-defaults/retransmission-time';

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

/** How a system sends unacknowledged data again. */
export interface Retransmission {
  /** The time until the first retransmission: the connection's retransmission timeout. */
  readonly timeout: number;
  readonly timeoutMin: number;
  readonly timeoutMax: number;
  /** How many times, without a user timeout: net.ipv4.tcp_retries2 on Linux. */
  readonly retries: number;
}

/** How long it takes until a connection fails after its peer fell silent, in milliseconds. Infinity: it never fails. */
export interface DeadPeerBounds {
  /** Nothing is unacknowledged or written: keepalive ends the connection. */
  readonly idle: number;
  /** Data is in flight when the peer falls silent, or is written at this moment. */
  readonly busy: number;
  /** The peer's window is closed when it falls silent. */
  readonly closedWindow: number;
  /** The worst case: data is written just before keepalive would end the connection. */
  readonly worst: number;
}

/** Whether keepalive alone detects a dead peer in every state, without a user timeout. */
export function keepAliveSuffices(platform: DeadPeerPlatform): boolean {
  return platform === 'darwin' || platform === 'freebsd';
}

/** Returns how many keepalive probes must be unanswered until the connection fails. */
export function probesOf(system: DeadPeerPlatform, values: DeadPeerValues): number {
  const { keepAliveInitialDelay, keepAliveInterval, keepAliveCount, userTimeout } = values;
  if (userTimeout === 0 || (system !== 'linux' && system !== 'gvisor')) return keepAliveCount;
  // While a probe is unanswered, Linux checks the user timeout whenever the next one is due, and ignores the count. gVisor
  // checks both. net/ipv4/tcp_timer.c, tcp_keepalive_timer().
  const untilUserTimeout = Math.max(
    1,
    Math.ceil((userTimeout - keepAliveInitialDelay) / keepAliveInterval),
  );
  return system === 'linux' ? untilUserTimeout : Math.min(keepAliveCount, untilUserTimeout);
}

function idleBound(system: DeadPeerPlatform, values: DeadPeerValues): number {
  if (!values.keepAlive) return Number.POSITIVE_INFINITY;
  const { keepAliveInitialDelay, keepAliveInterval } = values;
  return keepAliveInitialDelay + keepAliveInterval * probesOf(system, values);
}

/** Returns the bounds that follow from the values of a socket. */
export function boundsOf(
  system: DeadPeerPlatform,
  values: DeadPeerValues,
  retransmission: Retransmission,
): DeadPeerBounds {
  const idle = idleBound(system, values);
  if (system === 'darwin' || system === 'freebsd') {
    // Keepalive also runs while data is unacknowledged: tcp_timer.c of xnu and FreeBSD.
    const busy = Math.min(idle, dataBoundOfBsd(values, retransmission));
    return { idle, busy, closedWindow: idle, worst: idle };
  }
  const busy = dataBound(values, retransmission);
  // Linux sends no probe while data is unacknowledged, so a write between probes starts a new wait.
  return { idle, busy, closedWindow: busy, worst: idle + busy };
}

/** The bound of unacknowledged data. Linux shortens the last wait to the end of the user timeout. */
function dataBound({ userTimeout }: DeadPeerValues, retransmission: Retransmission): number {
  // It counts from the first retransmission: net/ipv4/tcp_timer.c, retransmits_timed_out().
  return userTimeout > 0 ? retransmission.timeout + userTimeout : givesUpAfter(retransmission);
}

/** The same for macOS and FreeBSD, which check the user timeout only when a retransmission is due. */
function dataBoundOfBsd({ userTimeout }: DeadPeerValues, retransmission: Retransmission): number {
  const byCount = givesUpAfter(retransmission);
  if (userTimeout === 0) return byCount;
  return Math.min(byCount, retransmission.timeout + userTimeout + retransmission.timeoutMax);
}

/**
 * Returns when an unacknowledged write fails without a user timeout: at the first retransmission that is due after the
 * time that `retries` retransmissions would take, starting with the shortest timeout.
 * @see retransmits_timed_out() in net/ipv4/tcp_timer.c
 */
export function givesUpAfter({ timeout, timeoutMin, timeoutMax, retries }: Retransmission): number {
  const limit = retransmissionTime(retries, timeoutMin, timeoutMax);
  const longest = Math.max(1, timeoutMax);
  let wait = Math.max(1, timeout);
  let waited = 0;
  while (waited < limit && wait < longest) {
    wait = Math.min(2 * wait, longest);
    waited += wait;
  }
  // All further waits have the maximum length.
  const rest = Math.max(0, Math.ceil((limit - waited) / longest));
  return timeout + waited + rest * longest;
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

/** The ticks per second with which Linux is built. */
const TICK_RATES = [100, 250, 300, 1_000];

/**
 * Returns how late a timer of Linux may fire. The timer wheel has 64 slots for each granularity, and each further level
 * is eight times coarser.
 * @see kernel/time/timer.c
 */
export function timerLateness(duration: number): number {
  return Math.max(
    ...TICK_RATES.map((rate) => {
      let granularity = 1000 / rate;
      while (duration >= 63 * granularity) granularity *= 8;
      return granularity;
    }),
  );
}
