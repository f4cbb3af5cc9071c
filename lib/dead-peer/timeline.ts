// Lists the events after a peer fell silent, for drawings.

import type { DeadPeerPlan } from './plan';

/** An event on a timeline. */
interface TimelineEvent {
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

/** Returns the events for each bound of a plan, in their order. */
export function timelinesOf(plan: DeadPeerPlan): Timelines {
  const { idle, busy, worst } = plan.bounds;
  const end = (at: number): TimelineEvent => ({ at, what: 'end' });
  const probes = probesUntil(plan, idle);
  if (worst === idle) {
    // Probes and retransmissions run at the same time, so their times do not add up.
    const both = (write: number, until: number) =>
      [...probesUntil(plan, until), ...writeAndRetransmissions(plan, write, until)].sort(
        (a, b) => a.at - b.at,
      );
    return {
      idle: [SILENCE, ...probes, end(idle)],
      busy: [SILENCE, ...both(0, busy), end(busy)],
      worst: [SILENCE, ...both(idle / 2, worst), end(worst)],
    };
  }
  return {
    idle: [SILENCE, ...probes, end(idle)],
    busy: [SILENCE, ...writeAndRetransmissions(plan, 0, busy), end(busy)],
    worst: [SILENCE, ...probes, ...writeAndRetransmissions(plan, idle, worst), end(worst)],
  };
}

function probesUntil({ options, probes }: DeadPeerPlan, end: number): TimelineEvent[] {
  const { keepAliveInitialDelay, keepAliveInterval } = options as Record<string, number>;
  return Array.from({ length: probes }, (_, sent) => ({
    at: (keepAliveInitialDelay as number) + sent * (keepAliveInterval as number),
    what: 'probe' as const,
  })).filter(({ at }) => at < end);
}

/** A write at a time, and its retransmissions, each after twice the time. */
function writeAndRetransmissions(plan: DeadPeerPlan, at: number, end: number): TimelineEvent[] {
  const longest = (plan.options.retransmissionTimeoutMax as number | undefined) ?? 120_000;
  const events: TimelineEvent[] = [{ at, what: 'write' }];
  let wait = plan.retransmissionTimeout;
  for (let next = at + wait; next < end; next += wait) {
    events.push({ at: next, what: 'retransmission' });
    wait = Math.min(2 * wait, longest);
  }
  return events;
}
