// When a connection whose peer has fallen silent fails: the rules of each system, as formulas. All
// times in milliseconds, counted from the last segment that the peer sent.

import type { Platform } from '../catalogue/row';
import { retransmissionTime } from '../system-defaults/retransmission-time';

/** A system with rules of its own. gVisor calls itself Linux, and differs. */
export type DeadPeerPlatform = Platform | 'gvisor';

/** What a socket has that decides. */
export interface DeadPeerValues {
  readonly keepAlive: boolean;
  readonly keepAliveInitialDelay: number;
  readonly keepAliveInterval: number;
  readonly keepAliveCount: number;
  /** 0 is off. */
  readonly userTimeout: number;
}

/** How the system sends unacknowledged data again. */
export interface Retransmission {
  /** The time until the first retransmission: the connection's retransmission timeout. */
  readonly timeout: number;
  readonly timeoutMin: number;
  readonly timeoutMax: number;
  /** How often, where no user timeout decides: on Linux net.ipv4.tcp_retries2. */
  readonly retries: number;
}

/** Within which time a connection fails after its peer fell silent. Infinity: it never does. */
export interface DeadPeerBounds {
  /** Nothing is unacknowledged, and nothing is written: keepalive decides. */
  readonly idle: number;
  /** Data was on its way when the peer fell silent, or is written at once. */
  readonly busy: number;
  /** Whatever the application does: data may be written just before keepalive would have ended it. */
  readonly worst: number;
}

/** Keepalive probes that have to go unanswered until the connection fails. */
export function probesOf(system: DeadPeerPlatform, values: DeadPeerValues): number {
  const { keepAliveInitialDelay, keepAliveInterval, keepAliveCount, userTimeout } = values;
  if (userTimeout === 0 || (system !== 'linux' && system !== 'gvisor')) return keepAliveCount;
  // Linux looks at the user timeout whenever a probe is due and another one is out, and then no more
  // at the count; gVisor looks at both. net/ipv4/tcp_timer.c, tcp_keepalive_timer().
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

export function boundsOf(
  system: DeadPeerPlatform,
  values: DeadPeerValues,
  retransmission: Retransmission,
): DeadPeerBounds {
  const idle = idleBound(system, values);
  if (system === 'darwin' || system === 'freebsd') {
    // Their keepalive runs while data is unacknowledged too: tcp_timer.c of xnu and FreeBSD.
    const busy = Math.min(idle, dataBoundOfBsd(values, retransmission));
    return { idle, busy, worst: idle };
  }
  const busy = dataBound(values, retransmission);
  // While data is unacknowledged Linux sends no probe; so a write in the midst of them starts anew.
  return { idle, busy, worst: idle + busy };
}

/** Unacknowledged data, where the last wait is cut short to end when the user timeout does. */
function dataBound({ userTimeout }: DeadPeerValues, retransmission: Retransmission): number {
  // Counted from the first retransmission: net/ipv4/tcp_timer.c, retransmits_timed_out().
  return userTimeout > 0 ? retransmission.timeout + userTimeout : givesUpAfter(retransmission);
}

/** The same where the user timeout is looked at only when a retransmission is due. */
function dataBoundOfBsd({ userTimeout }: DeadPeerValues, retransmission: Retransmission): number {
  const byCount = givesUpAfter(retransmission);
  if (userTimeout === 0) return byCount;
  return Math.min(byCount, retransmission.timeout + userTimeout + retransmission.timeoutMax);
}

/**
 * When a write fails that nobody acknowledges and no user timeout bounds: at the first retransmission
 * that is due after as long as `retries` of them would take from the shortest timeout on.
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
  // From here on each wait is the longest.
  const rest = Math.max(0, Math.ceil((limit - waited) / longest));
  return timeout + waited + rest * longest;
}

/**
 * The chance that a living peer of an idle connection is taken for dead within an hour, on a path
 * that loses this share of the packets, in each direction and independently of each other.
 */
export function falseAlarmsPerHour(
  system: DeadPeerPlatform,
  values: DeadPeerValues,
  lossRate: number,
): number {
  if (!values.keepAlive) return 0;
  const probes = probesOf(system, values);
  // A probe goes unanswered where it is lost, or its answer.
  const unanswered = 1 - (1 - lossRate) ** 2;
  // A round begins with silence, and ends with the first answer, or with all probes unanswered.
  let round = values.keepAliveInitialDelay;
  for (let sent = 1; sent < probes; sent++) round += unanswered ** sent * values.keepAliveInterval;
  const rounds = 3_600_000 / round;
  return -Math.expm1(rounds * Math.log1p(-(unanswered ** probes)));
}

/** Ticks per second of kernels as they are built. */
const TICK_RATES = [100, 250, 300, 1_000];

/**
 * How much later than asked for a timer of Linux may fire: its timer wheel keeps 64 places for each
 * granularity, and is eight times coarser on each further level.
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
