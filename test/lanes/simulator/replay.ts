// Replays what a kernel reported of real connections, and compares the rule's verdict with what happened. The recorder writes
// JSON lines, each with the name of its connection in `c`: { c, cell: { timeout } } when the timeout is set,
// { c, t, state, ... } for a report, and { c, fault, lastArrival, told, code } at the end. `told` is null for a living peer.

import type { Report } from '../../../lib/dead-peer/supervision/report';
import { GRACE, judge, newMemory, type Terms } from '../../../lib/dead-peer/supervision/rule';
import { LATEST_LOOK } from '../../../lib/dead-peer/supervision/slots';
import { tcpStates } from '../../../lib/tcp-info/states';

type Fields = Readonly<Record<string, number | null>>;

/** A report of the recorder, under the names of readTcpInfos(). */
type Row = Fields & { readonly t: number; readonly state: (typeof tcpStates)[number] };

interface Recorded {
  readonly name: string;
  timeout: number;
  minProbes: number;
  readonly rows: Row[];
  /** When the last segment of the peer arrived. */
  lastArrival: number;
  /** When the program was told, by which code; `null`: never. */
  told: number | null;
  code: string | null;
}

export interface Replayed {
  readonly name: string;
  readonly recorded: 'dead' | 'closed' | 'alive';
  readonly replayed: 'dead' | 'closed' | 'alive';
  /** How much later than the program the rule knew, in milliseconds. NaN if no peer was ended. */
  readonly later: number;
  readonly agrees: boolean;
  /** The machine paused the recorder just before the end: no report is young enough for a verdict. */
  readonly isCut: boolean;
}

/** How far apart the two verdicts may be, above the pace of the recorder: slots, and both timers. */
const TOLERANCE = 400;

/** Replays all connections of a recording. */
export function replay(lines: string): Replayed[] {
  const connections = new Map<string, Recorded>();
  for (const line of lines.split('\n')) {
    if (line === '') continue;
    const { c, ...entry } = JSON.parse(line) as { c: string } & Record<string, never>;
    readEntry(connections, c, entry);
  }
  // The rule says nothing about connections that were never established.
  const established = [...connections.values()].filter(({ rows }) =>
    rows.some(({ state }) => state !== 'SYN-SENT'),
  );
  return established.map(replayOne);
}

function readEntry(
  connections: Map<string, Recorded>,
  name: string,
  entry: Readonly<Record<string, unknown>>,
): void {
  const known = connections.get(name);
  if ('cell' in entry) {
    const { timeout, minProbes = 3 } = entry.cell as { timeout: number; minProbes?: number };
    connections.set(name, {
      name,
      timeout,
      minProbes,
      rows: [],
      lastArrival: 0,
      told: null,
      code: null,
    });
  } else if (known === undefined) {
    throw new Error(`connection ${name} has no cell`);
  } else if ('t' in entry) {
    known.rows.push(entry as unknown as Row);
  } else {
    known.lastArrival = (entry.lastArrival as number | undefined) ?? 0;
    known.told = (entry.told as number | null | undefined) ?? null;
    known.code = (entry.code as string | null | undefined) ?? null;
  }
}

function replayOne(recording: Recorded): Replayed {
  const { name, timeout, minProbes, rows, lastArrival, told, code } = recording;
  const first = rows[0] as Row;
  const terms: Terms = { evidence: 'clock', timeout: timeout - LATEST_LOOK, minProbes };
  const memory = newMemory(first.t, Number.NEGATIVE_INFINITY);
  const pace = rows.length > 1 ? ((rows.at(-1) as Row).t - first.t) / (rows.length - 1) : 0;
  let replayed: Replayed['replayed'] = 'alive';
  let at = Number.NaN;
  let lookAt = first.t;
  for (const row of rows) {
    if (row.t < lookAt) continue;
    const decision = judge(memory, reportOf(row), row.t, terms);
    if (decision.verdict !== 'alive') {
      replayed = decision.verdict;
      at = row.t;
      break;
    }
    lookAt = decision.lookAt;
  }
  // The kernel itself ends some earlier, as after a reset. Then the rule had no verdict yet.
  const isEarly = told !== null && told - lastArrival < terms.timeout - TOLERANCE;
  const isByKernel = told !== null && (code !== 'ETIMEDOUT' || isEarly);
  const recorded = told === null ? 'alive' : isByKernel ? 'closed' : 'dead';
  // The recorder sees nothing of a socket that is destroyed: then the next look would have been the verdict.
  if (replayed === 'alive' && recorded === 'dead' && lookAt >= memory.lifeAt + terms.timeout - 1) {
    replayed = 'dead';
    at = lookAt;
  }
  const later = at - (told ?? Number.NaN);
  // A retransmission between two looks may count for the one and not for the other: then one more is needed. Plans for these
  // timeouts set the longest pause between two of them to a quarter of the timeout at most.
  const isSending = (rows.at(-1) as Row).unackedSegments !== 0;
  const near = TOLERANCE + 2 * pace + (isSending ? timeout / 4 : 0);
  const isNear = Number.isNaN(later) || Math.abs(later) <= near;
  const isJudged = replayed === 'dead' && code === 'ETIMEDOUT' && isNear;
  const agrees = isJudged || (isByKernel ? replayed !== 'dead' : recorded === replayed && isNear);
  const isCut = told !== null && told - (rows.at(-1) as Row).t > terms.timeout * GRACE - pace;
  return { name, recorded, replayed, later, agrees, isCut };
}

function reportOf(row: Row): Report {
  const field = (name: string): number => (row as Fields)[name] ?? Number.NaN;
  const ack = field('timeSinceLastAckReceived');
  const data = field('timeSinceLastDataReceived');
  return {
    state: tcpStates.indexOf(row.state),
    silence: data < ack ? data : ack,
    dataSilence: data,
    segmentsSent: field('segmentsSent'),
    segmentsReceived: field('segmentsReceived'),
    unackedSegments: field('unackedSegments'),
    unsentBytes: field('unsentBytes'),
    timeouts: field('consecutiveTimeouts'),
    probes: field('probes'),
  };
}
