// Counts connections by their TCP state, and finds those whose peer is known to be alive.

import type { Duplex } from 'node:stream';
import { kernelColumns, kernelColumnsAsync, tcpStateAt } from '../heartbeat/kernel';
import type { TcpInfoColumns } from '../index';

/** The connections of a registry, counted: the result of {@link PeerRegistry.counts}. */
export interface PeerCounts {
  /** Number of identities with a connection. */
  readonly identities: number;
  /** Number of registered connections. */
  readonly connections: number;
  /** Number of connections superseded so far. */
  readonly superseded: number;
  /** Number of connections refused so far. */
  readonly refused: number;
  /** Number of connections in the state ESTABLISHED that are not known to be half-open. `null`: there is no addon. */
  readonly established: number | null;
  /**
   * Number of connections in the state ESTABLISHED whose peer did not answer two keepalive probes, or two
   * retransmissions, in a row. Without data and keepalive probes, a dead peer looks like a silent one.
   *
   * Linux `tcpi_probes`, `tcpi_retransmits`. `null` on other systems, which do not report them.
   */
  readonly halfOpen: number | null;
  /**
   * Number of connections in the state CLOSE-WAIT: the peer has closed its side, and this program has not. `null`:
   * there is no addon.
   */
  readonly closeWait: number | null;
  /** Number of connections in any other state. `null`: there is no addon. */
  readonly other: number | null;
  /**
   * Number of connections whose state is unknown: there is no addon or no descriptor, the socket is closed, or the
   * stream is not a socket.
   */
  readonly unknown: number;
}

type States = Pick<PeerCounts, 'established' | 'halfOpen' | 'closeWait' | 'other' | 'unknown'>;

const FIELDS = [
  'state',
  'probes',
  'consecutiveTimeouts',
  'timeSinceLastDataReceived',
  'timeSinceLastAckReceived',
] as const;

type Columns = TcpInfoColumns<(typeof FIELDS)[number]> | null;

export function stateCounts(streams: readonly Duplex[]): States {
  return countStates(kernelColumns(streams, FIELDS), streams.length);
}

export async function stateCountsAsync(streams: readonly Duplex[]): Promise<States> {
  return countStates(await kernelColumnsAsync(streams, FIELDS), streams.length);
}

/** Returns for each stream whether its peer's system sent or acknowledged something in the last `within` milliseconds. Unknown: `false`. */
export function peersKnownAlive(streams: readonly Duplex[], within: number): boolean[] {
  const columns = kernelColumns(streams, FIELDS);
  return streams.map((_, row) => {
    if (columns === null || tcpStateAt(columns.state[row] as number) !== 'ESTABLISHED')
      return false;
    const { timeSinceLastDataReceived, timeSinceLastAckReceived } = columns;
    const heard = [timeSinceLastDataReceived[row], timeSinceLastAckReceived[row]] as number[];
    return unanswered(columns, row) === 0 && heard.some((time) => time <= within);
  });
}

/** Returns the number of unanswered probes or retransmissions in a row. NaN: the system does not report them. */
function unanswered({ probes, consecutiveTimeouts }: NonNullable<Columns>, row: number): number {
  return Math.max(probes[row] as number, consecutiveTimeouts[row] as number);
}

/** Two unanswered in a row, because a path may lose one. */
const HALF_OPEN = 2;

function countStates(columns: Columns, count: number): States {
  if (columns === null) {
    return { established: null, halfOpen: null, closeWait: null, other: null, unknown: count };
  }
  let [established, halfOpen, closeWait, other, unknown] = [0, 0, 0, 0, 0];
  let isReported = true;
  for (let row = 0; row < count; row++) {
    const state = tcpStateAt(columns.state[row] as number);
    if (state === null) unknown++;
    else if (state === 'CLOSE-WAIT') closeWait++;
    else if (state !== 'ESTABLISHED') other++;
    else if (unanswered(columns, row) >= HALF_OPEN) halfOpen++;
    else {
      established++;
      isReported &&= !Number.isNaN(unanswered(columns, row));
    }
  }
  return { established, halfOpen: isReported ? halfOpen : null, closeWait, other, unknown };
}
