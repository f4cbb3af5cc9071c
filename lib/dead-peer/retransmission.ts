// The rules of Linux for data that is not acknowledged: when it is sent again, and when the connection fails. Times are in
// milliseconds, count from the write, and include timers that are as late as possible.

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
 * Returns when an unacknowledged write fails with a user timeout. It counts from the first retransmission. The last wait is
 * shortened to its end.
 * @see retransmits_timed_out() and tcp_clamp_rto_to_user_timeout() in net/ipv4/tcp_timer.c
 */
export function untilWriteFails(userTimeout: number, retransmission: Retransmission): number {
  const longest = Math.max(1, retransmission.timeoutMax);
  let waited = 0;
  let wait = Math.min(2 * timeoutOf(retransmission), longest);
  let longestWait = 0;
  while (waited + wait < userTimeout && wait < longest) {
    waited += wait;
    longestWait = wait;
    wait = Math.min(2 * wait, longest);
  }
  longestWait = Math.max(longestWait, Math.min(wait, userTimeout - waited));
  return firstRetransmissionAt(retransmission) + userTimeout + timerLateness(longestWait);
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
