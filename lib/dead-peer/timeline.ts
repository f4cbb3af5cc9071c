// Lists the events after a peer fell silent, for drawings. Timers are on time here; the ends are the bounds.

import { keepAliveSuffices } from './kernel-rules';
import type { DeadPeerPlan } from './plan';

/** An event on a timeline. */
interface TimelineEvent {
  /** Milliseconds since the peer's last segment. */
  readonly at: number;
  readonly what: 'silence' | 'write' | 'probe' | 'retransmission' | 'end';
}

type Timeline = readonly TimelineEvent[];

/** One timeline for each bound of a plan. */
export interface Timelines {
  readonly idle: Timeline;
  readonly busy: Timeline;
  readonly closedWindow: Timeline;
  readonly worst: Timeline;
}

const SILENCE: TimelineEvent = { at: 0, what: 'silence' };
/** TCP_RTO_MAX of Linux. */
const LONGEST_PAUSE = 120_000;
/** More events do not make a drawing clearer. */
const MOST_EVENTS = 1_000;

/** Returns the events for each bound of a plan, in their order. */
export function timelinesOf(plan: DeadPeerPlan): Timelines {
  const { idle, busy, closedWindow, worst } = plan.bounds;
  return {
    idle: timeline(idle, probesUntil(plan, idle)),
    busy: timeline(busy, writeAt(plan, 0, busy)),
    closedWindow: timeline(closedWindow, windowProbes(plan, closedWindow)),
    worst: timeline(worst, worstCase(plan)),
  };
}

function timeline(end: number, events: Timeline): Timeline {
  const sorted = events.filter(({ at }) => at < end).sort((a, b) => a.at - b.at);
  return [SILENCE, ...sorted, { at: end, what: 'end' }];
}

function worstCase(plan: DeadPeerPlan): Timeline {
  const { idle, busy, closedWindow, worst } = plan.bounds;
  if (worst > idle && worst === closedWindow) return windowProbes(plan, worst);
  // The kernel's waits add up. With supervision a write in the middle of the probes changes nothing.
  const write = worst === idle + busy ? idle : worst / 2;
  return [...probesUntil(plan, write), ...writeAt(plan, write, worst)];
}

function probesUntil({ options, probes }: DeadPeerPlan, end: number): TimelineEvent[] {
  const { keepAliveInitialDelay, keepAliveInterval } = options as Record<string, number>;
  return Array.from({ length: Math.min(probes, MOST_EVENTS) }, (_, sent) => ({
    at: (keepAliveInitialDelay as number) + sent * (keepAliveInterval as number),
    what: 'probe' as const,
  })).filter(({ at }) => at < end);
}

/**
 * A write, and its retransmissions. The first is a tail-loss probe, which restarts the retransmission timeout. Then each
 * wait takes twice the time of the one before. Where keepalive runs meanwhile, probes are sent, too.
 */
function writeAt(plan: DeadPeerPlan, at: number, end: number): TimelineEvent[] {
  const longest = longestPause(plan);
  const timeout = Math.min(plan.retransmissionTimeout, longest);
  const events: TimelineEvent[] = [{ at, what: 'write' }];
  let wait = timeout;
  for (let next = at + timeout; next < end && events.length < MOST_EVENTS; next += wait) {
    events.push({ at: next, what: 'retransmission' });
    if (events.length > 2) wait = Math.min(2 * wait, longest);
  }
  if (!keepAliveSuffices(plan.platform)) return events;
  return [...events, ...probesUntil(plan, end).filter((probe) => probe.at > at)];
}

/** The probes of a window that was closed for long, so that their pauses are longest. */
function windowProbes(plan: DeadPeerPlan, end: number): TimelineEvent[] {
  if (keepAliveSuffices(plan.platform)) return probesUntil(plan, end);
  const longest = longestPause(plan);
  const events: TimelineEvent[] = [];
  // A user timeout does not let it be closed for long.
  let wait = plan.options.userTimeout ? plan.retransmissionTimeout : longest;
  for (let next = wait; next < end && events.length < MOST_EVENTS; next += wait) {
    events.push({ at: next, what: 'probe' });
    wait = Math.min(2 * wait, longest);
  }
  return events;
}

function longestPause({ options }: DeadPeerPlan): number {
  return (options.retransmissionTimeoutMax as number | undefined) ?? LONGEST_PAUSE;
}
