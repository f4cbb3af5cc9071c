// Of the connections of a registry: which state the kernel has them in, and which of them it shows alive.

import type { Duplex } from 'node:stream';
import { kernelColumns, kernelColumnsAsync, tcpStateAt } from '../heartbeat/kernel';
import type { TcpInfoColumns } from '../index';

/** How many connections a registry has. */
export interface PeerCounts {
  readonly identities: number;
  readonly connections: number;
  /** How many were superseded so far. */
  readonly superseded: number;
  /** How many were refused so far. */
  readonly refused: number;
  /** ESTABLISHED, and not half-open as far as the kernel knows. */
  readonly established: number | null;
  /**
   * ESTABLISHED, but the peer does not answer: two keepalive probes, or two retransmissions, in a row. A dead
   * peer to whom nothing is sent, no keepalive probe either, cannot be told from a silent one.
   *
   * Linux `tcpi_probes`, `tcpi_retransmits`; `null` on other systems, which do not tell them.
   */
  readonly halfOpen: number | null;
  /** CLOSE-WAIT: the peer has closed its side, and this program has not. */
  readonly closeWait: number | null;
  /** In another state. */
  readonly other: number | null;
  /** Of whom no kernel tells a state: without an addon or a descriptor, closed, or no socket at all. */
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

/** Of each stream. Where nothing is known of it: `false`. */
export function isShownAlive(streams: readonly Duplex[], within: number): boolean[] {
  const columns = kernelColumns(streams, FIELDS);
  return streams.map((_, row) => {
    if (columns === null || tcpStateAt(columns.state[row] as number) !== 'ESTABLISHED')
      return false;
    const { timeSinceLastDataReceived, timeSinceLastAckReceived } = columns;
    const heard = [timeSinceLastDataReceived[row], timeSinceLastAckReceived[row]] as number[];
    return unanswered(columns, row) === 0 && heard.some((time) => time <= within);
  });
}

/** Probes or retransmissions in a row; NaN where they are not told. */
function unanswered({ probes, consecutiveTimeouts }: NonNullable<Columns>, row: number): number {
  return Math.max(probes[row] as number, consecutiveTimeouts[row] as number);
}

/** One may be lost on any path. */
const HALF_OPEN = 2;

function countStates(columns: Columns, count: number): States {
  if (columns === null) {
    return { established: null, halfOpen: null, closeWait: null, other: null, unknown: count };
  }
  let [established, halfOpen, closeWait, other, unknown] = [0, 0, 0, 0, 0];
  let isTold = true;
  for (let row = 0; row < count; row++) {
    const state = tcpStateAt(columns.state[row] as number);
    if (state === null) unknown++;
    else if (state === 'CLOSE-WAIT') closeWait++;
    else if (state !== 'ESTABLISHED') other++;
    else if (unanswered(columns, row) >= HALF_OPEN) halfOpen++;
    else {
      established++;
      isTold &&= !Number.isNaN(unanswered(columns, row));
    }
  }
  return { established, halfOpen: isTold ? halfOpen : null, closeWait, other, unknown };
}
