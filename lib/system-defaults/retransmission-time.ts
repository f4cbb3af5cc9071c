// How long Linux sends unacknowledged data again before it gives the connection up.

/**
 * The least time, in ms, after which a write fails that nobody acknowledges and no user timeout
 * bounds: that of `retries` retransmissions (net.ipv4.tcp_retries2) if the first came after the
 * shortest time-out and each next one after twice the time, up to the longest. A slower path takes
 * longer. Settings that make no sense, as files that are mounted over the kernel's may have them, count as
 * the nearest that do.
 * @see tcp_model_timeout() in net/ipv4/tcp_timer.c, ip-sysctl tcp_retries2
 */
export function retransmissionTime(retries: number, shortest: number, longest: number): number {
  const times = Math.max(0, retries);
  const first = Math.max(1, shortest);
  const last = Math.max(first, longest);
  // The kernel counts doublings with the integer logarithm, so that the last is never cut short.
  const doublings = Math.floor(Math.log2(last / first));
  const doubled = Math.min(times, doublings);
  return (2 ** (doubled + 1) - 1) * first + (times - doubled) * last;
}
