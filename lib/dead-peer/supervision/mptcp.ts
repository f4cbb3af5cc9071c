// Judges a Multipath TCP connection by its subflows: the peer is dead if it is dead on each of them. The TCP_INFO of the
// connection itself is that of the first subflow, whose path may be cut while the peer answers on another one.

import { readSubflows } from '../../mptcp/subflows';
import { CLOSED, type Report, reportOf, SYN_SENT } from './report';
import { attemptsOf, type Decision, judge, type Memory, newMemory, type Terms } from './rule';

/** What is known of the subflows of a connection, by their endpoints. */
export type SubflowMemories = Map<string, Memory>;

/** A decision, and the unanswered segments that it is based on. */
export interface Judgement {
  readonly decision: Decision;
  readonly attempts: number;
}

/** When the kernel was asked, and the time now: as for {@link judge}. */
export interface LookTimes {
  readonly now: number;
  readonly readAt: number;
}

/**
 * Judges the connection of a descriptor, and notes in `memory` and `memories` what it shows. Returns `undefined` if only the
 * TCP_INFO of the connection counts: it fell back to TCP, or it has no open subflow.
 */
export function judgeMptcp(
  fd: number,
  memory: Memory,
  memories: SubflowMemories,
  times: LookTimes,
  terms: Terms,
): Judgement | undefined {
  const found = readSubflows(fd);
  if (typeof found === 'number') return undefined;
  const reports = found.map(
    ({ endpointKey, subflow }) => [endpointKey, reportOf(subflow.tcpInfo)] as const,
  );
  return judgeSubflows(new Map(reports), memory, memories, times, terms);
}

/** The same by reports of the subflows. */
export function judgeSubflows(
  reports: ReadonlyMap<string, Report>,
  memory: Memory,
  memories: SubflowMemories,
  { now, readAt }: LookTimes,
  terms: Terms,
): Judgement | undefined {
  const open = carriers(reports);
  // Without a subflow the kernel waits for a new one (net.mptcp.close_timeout, 60 s). The peer is gone.
  if (open.length === 0) return undefined;
  // A subflow that was added later has not been asked anything before now.
  const since = memories.size === 0 ? memory.since : now;
  for (const key of memories.keys()) if (!reports.has(key)) memories.delete(key);
  const judged = open.map(([key, report]) => {
    const own = memories.get(key) ?? newMemory(since, memory.connectedAt);
    memories.set(key, own);
    const decision = judge(own, report, now, terms, readAt);
    // A subflow that is closed later was life of the connection, too.
    memory.lifeAt = Math.max(memory.lifeAt, own.lifeAt);
    return { decision, attempts: attemptsOf(own, report) };
  });
  const attempts = Math.min(...judged.map((one) => one.attempts));
  const decisions = judged.map(({ decision }) => decision);
  const alive = decisions.filter(({ verdict }) => verdict === 'alive');
  const quietAt = memory.lifeAt + terms.timeout;
  if (alive.length === 0 && now >= quietAt) {
    return { decision: decisions[0] as Decision, attempts };
  }
  const lookAt = alive.length === 0 ? quietAt : Math.min(...alive.map((one) => one.lookAt));
  const isAsking = alive.some(({ request }) => request === 'keepalive');
  const request = isAsking ? 'keepalive' : 'nothing';
  return { decision: { verdict: 'alive', lookAt, request }, attempts };
}

/** The subflows that can carry data; if there is none, those that are being opened. */
function carriers(reports: ReadonlyMap<string, Report>): (readonly [string, Report])[] {
  const open = [...reports].filter(([, { state }]) => state !== CLOSED);
  const connected = open.filter(([, { state }]) => state !== SYN_SENT);
  return connected.length > 0 ? connected : open;
}
