// What happens after a peer has fallen silent, moment by moment: for drawings.

import type { DeadPeerPlan } from './plan';

export interface TimelineEvent {
  /** Milliseconds since the peer's last segment. */
  readonly at: number;
  readonly what: 'silence' | 'write' | 'probe' | 'retransmission' | 'end';
}

/** One timeline for each bound of a plan. */
export interface Timelines {
  readonly idle: readonly TimelineEvent[];
  readonly busy: readonly TimelineEvent[];
  readonly worst: readonly TimelineEvent[];
}

const SILENCE: TimelineEvent = { at: 0, what: 'silence' };

export function timelinesOf(plan: DeadPeerPlan): Timelines {
  const { idle, busy, worst } = plan.bounds;
  const end = (at: number): TimelineEvent => ({ at, what: 'end' });
  const probes = probesUntil(plan, idle);
  if (worst === idle) {
    // Keepalive goes on beside the retransmissions, so that nothing adds up.
    const both = (write: number, until: number) =>
      [...probesUntil(plan, until), ...written(plan, write, until)].sort((a, b) => a.at - b.at);
    return {
      idle: [SILENCE, ...probes, end(idle)],
      busy: [SILENCE, ...both(0, busy), end(busy)],
      worst: [SILENCE, ...both(idle / 2, worst), end(worst)],
    };
  }
  return {
    idle: [SILENCE, ...probes, end(idle)],
    busy: [SILENCE, ...written(plan, 0, busy), end(busy)],
    worst: [SILENCE, ...probes, ...written(plan, idle, worst), end(worst)],
  };
}

function probesUntil({ options, probes }: DeadPeerPlan, end: number): TimelineEvent[] {
  const { keepAliveInitialDelay, keepAliveInterval } = options as Record<string, number>;
  return Array.from({ length: probes }, (_, sent) => ({
    at: (keepAliveInitialDelay as number) + sent * (keepAliveInterval as number),
    what: 'probe' as const,
  })).filter(({ at }) => at < end);
}

/** Data written at some moment, and sent again after twice the time each time. */
function written(plan: DeadPeerPlan, at: number, end: number): TimelineEvent[] {
  const longest = (plan.options.retransmissionTimeoutMax as number | undefined) ?? 120_000;
  const events: TimelineEvent[] = [{ at, what: 'write' }];
  let wait = plan.retransmissionTimeout;
  for (let next = at + wait; next < end; next += wait) {
    events.push({ at: next, what: 'retransmission' });
    wait = Math.min(2 * wait, longest);
  }
  return events;
}
