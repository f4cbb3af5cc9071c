// Computes how long Linux sends unacknowledged data again before it ends the connection.

/**
 * Returns the shortest time, in milliseconds, after which an unacknowledged write fails without a user timeout. It is the
 * time of `retries` retransmissions (net.ipv4.tcp_retries2): the first after the shortest timeout, each further one after
 * twice the time, up to the longest timeout. A slower path takes longer. A setting that is out of range counts as the
 * nearest possible value: files that are mounted over the kernel's may have any content.
 * @see tcp_model_timeout() in net/ipv4/tcp_timer.c, ip-sysctl tcp_retries2
 */
export function retransmissionTime(retries: number, shortest: number, longest: number): number {
  const times = Math.max(0, retries);
  const first = Math.max(1, shortest);
  const last = Math.max(first, longest);
  // The kernel counts the doublings with an integer logarithm, so the last doubling is never cut off.
  const doublings = Math.floor(Math.log2(last / first));
  const doubled = Math.min(times, doublings);
  return (2 ** (doubled + 1) - 1) * first + (times - doubled) * last;
}
