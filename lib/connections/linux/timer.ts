// The timer of a connection, as sock_diag(7) and proc(5) number it.

import type { ConnectionTimer } from '../connection';

/** `idiag_timer`, and `tr` of /proc/net/tcp: the index is the kernel's number, 0 for no timer. */
const TIMER_KINDS = [
  '',
  'retransmission',
  'keepalive',
  'time-wait',
  'persist',
  'delayed-ack',
] as const;

export const TIME_WAIT_TIMER = TIMER_KINDS.indexOf('time-wait');

/** `expires` in milliseconds. */
export function timerFrom(number: number, expires: number, count: number): ConnectionTimer | null {
  return number === 0 ? null : { kind: TIMER_KINDS[number] || 'unknown', expires, count };
}
