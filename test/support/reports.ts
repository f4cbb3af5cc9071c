// Made-up reports of a kernel for tests of the rule of supervision, and looks at them in turn.

import type { Report } from '../../lib/dead-peer/supervision/report';
import { judge, newMemory, type Terms } from '../../lib/dead-peer/supervision/rule';
import { tcpStates } from '../../lib/tcp-info/states';

const ESTABLISHED = tcpStates.indexOf('ESTABLISHED');

/** A timeout whose eighth is a second. */
export const TERMS: Terms = { evidence: 'clock', timeout: 8_000, minProbes: 3 };

/** A report of an idle connection without data, with these differences. */
export function report(members: Partial<Report>): Report {
  return {
    state: ESTABLISHED,
    silence: 0,
    dataSilence: Number.NaN,
    segmentsSent: 100,
    segmentsReceived: 100,
    unackedSegments: 0,
    unsentBytes: 0,
    timeouts: 0,
    probes: 0,
    ...members,
  };
}

export type Row = readonly [time: number, members: Partial<Report>];

/** Judges reports in turn. Returns the first verdict that is not 'alive', and when supervision asked for probes. */
export function judgeAll(
  rows: readonly Row[],
  terms: Terms = TERMS,
  since = 0,
  connectedAt = -Infinity,
) {
  const memory = newMemory(since, connectedAt);
  const asked: number[] = [];
  let lookAt = since;
  for (const [time, members] of rows) {
    const decision = judge(memory, report(members), time, terms);
    if (decision.verdict !== 'alive') return { verdict: decision.verdict, time, asked };
    if (decision.request === 'keepalive') asked.push(time);
    lookAt = decision.lookAt;
  }
  return { verdict: 'alive', lookAt, asked };
}

/** The looks at a silence that begins at 0, without a change after the last row. */
export function silentFrom(rows: readonly Row[], until: number): Row[] {
  const looks = [...rows];
  for (const time of [4_000, 5_000, 6_000, 7_000, 8_000, 8_250, 8_500, 9_000, 12_000, 20_000]) {
    const last = looks.at(-1) as Row;
    if (time > last[0] && time <= until) looks.push([time, { ...last[1], silence: time }]);
  }
  return looks;
}
