// The rules of Linux for data that is not acknowledged and for closed windows: when the connection fails. Times are in
// milliseconds, count from the write or the peer's last segment, and include timers that are as late as possible.

import { retransmissionTime } from '../system-defaults/retransmission-time';
import { latest, timerLateness } from './timer-lateness';

/** How a system sends unacknowledged data again. */
export interface Retransmission {
  /** The connection's retransmission timeout (RTO): how long it waits for an acknowledgement. */
  readonly timeout: number;
  readonly timeoutMin: number;
  readonly timeoutMax: number;
  /** How many times, without a user timeout: net.ipv4.tcp_retries2 on Linux. */
  readonly retries: number;
}

/** The pauses between probes of a closed window double so many times at most: tcp_probe0_when() in include/net/tcp.h. */
const MOST_DOUBLINGS = 10;

/** The retransmission timeout that is in effect: TCP_RTO_MAX_MS limits it. */
function timeoutOf({ timeout, timeoutMax }: Retransmission): number {
  return Math.max(1, Math.min(timeout, timeoutMax));
}

/**
 * Returns when data is sent again by the first retransmission timeout. Before that comes a tail-loss probe, after at most
 * one retransmission timeout, and the wait begins anew. Only then the kernel notes when retransmissions began, from which
 * it counts.
 * @see tcp_schedule_loss_probe(), tcp_send_loss_probe() and tcp_retransmit_skb() in net/ipv4/tcp_output.c
 */
function firstRetransmissionAt(retransmission: Retransmission): number {
  return 2 * latest(timeoutOf(retransmission));
}

/**
 * Returns when an unacknowledged write fails with a user timeout. It counts from the first retransmission.
 * @see retransmits_timed_out() and tcp_clamp_rto_to_user_timeout() in net/ipv4/tcp_timer.c
 */
export function untilWriteTimesOut(userTimeout: number, retransmission: Retransmission): number {
  const { timeoutMax } = retransmission;
  return (
    firstRetransmissionAt(retransmission) +
    lateUserTimeout(userTimeout, timeoutOf(retransmission), timeoutMax)
  );
}

/**
 * Adds to a user timeout how late its last timer may be. Each wait takes twice the time of the one before, and the last
 * one is shortened to the end of the user timeout.
 */
function lateUserTimeout(userTimeout: number, firstWait: number, longest: number): number {
  let waited = 0;
  let wait = Math.min(2 * firstWait, longest);
  let longestWait = 0;
  while (waited + wait < userTimeout && wait < longest) {
    waited += wait;
    longestWait = wait;
    wait = Math.min(2 * wait, longest);
  }
  return userTimeout + timerLateness(Math.max(longestWait, Math.min(wait, userTimeout - waited)));
}

/**
 * Returns when an unacknowledged write fails without a user timeout: at the first retransmission that is due after the
 * time that `retries` retransmissions would take, starting with the shortest timeout.
 * @see retransmits_timed_out() and tcp_model_timeout() in net/ipv4/tcp_timer.c
 */
export function untilGivenUp(retransmission: Retransmission): number {
  const { timeoutMin, timeoutMax, retries } = retransmission;
  const limit = retransmissionTime(retries, timeoutMin, timeoutMax);
  const longest = Math.max(1, timeoutMax);
  let wait = timeoutOf(retransmission);
  let waited = 0;
  let waitedLatest = 0;
  while (waited < limit && wait < longest) {
    wait = Math.min(2 * wait, longest);
    waited += wait;
    waitedLatest += latest(wait);
  }
  // All further waits have the maximum length.
  const rest = Math.max(0, Math.ceil((limit - waited) / longest));
  const byWaits = waitedLatest + rest * latest(longest);
  // If late timers make fewer waits enough, the one before the last ended before the limit.
  const byLimit = limit + latest(rest > 0 ? longest : wait);
  return firstRetransmissionAt(retransmission) + Math.min(byWaits, byLimit);
}

/** @see tcp_probe0_base() in include/net/tcp.h */
function firstWindowProbeAt({ timeout, timeoutMin, timeoutMax }: Retransmission): number {
  return Math.max(1, Math.min(timeoutMax, Math.max(timeout, timeoutMin)));
}

/**
 * Returns when the probes of a closed window end with a user timeout. It counts from the first probe, and answers do not
 * restart it, so the window was closed just before the peer fell silent.
 * @see tcp_probe_timer() in net/ipv4/tcp_timer.c
 */
export function untilProbesTimeOut(userTimeout: number, retransmission: Retransmission): number {
  const first = firstWindowProbeAt(retransmission);
  return latest(first) + lateUserTimeout(userTimeout, first, retransmission.timeoutMax);
}

/**
 * Returns when the probes of a closed window end without a user timeout, if it was closed for so long that their pauses
 * have doubled up to the longest one. The connection fails when another probe is due after `retries` unanswered ones.
 * @param runningPause The pause that has begun already. It is longer if `retries` was larger before.
 * @see tcp_probe_timer() in net/ipv4/tcp_timer.c, tcp_send_probe0() in net/ipv4/tcp_output.c
 */
export function untilProbesEnd(retransmission: Retransmission, runningPause = 0): number {
  const retries = Math.max(0, retransmission.retries);
  const pause = firstWindowProbeAt(retransmission) * 2 ** Math.min(retries, MOST_DOUBLINGS);
  const longest = Math.min(Math.max(pause, runningPause), retransmission.timeoutMax);
  return (retries + 1) * latest(longest);
}

/**
 * Returns when `count` segments in a row have been sent, the write included, at the latest: if the tail-loss probe comes only
 * after a whole retransmission timeout, and one segment is not counted.
 */
export function untilAttempts(count: number, retransmission: Retransmission): number {
  const { timeoutMax } = retransmission;
  const first = timeoutOf(retransmission);
  let waited = latest(first);
  for (let doublings = 0; doublings < count; doublings++) {
    waited += latest(Math.min(first * 2 ** doublings, timeoutMax));
  }
  return waited;
}
