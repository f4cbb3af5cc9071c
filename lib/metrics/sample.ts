// What one read of TCP_INFO reports about a connection, taken from the columns of readTcpInfos().

import type { ConnectionTimer } from '../connections/connection';
import type { Evidence } from '../connections/problems';
import { type TcpInfoColumns, type TcpInfoField, type TcpState, tcpStates } from '../index';

export const SAMPLED_FIELDS = [
  ...(['state', 'rtt', 'rto', 'minRtt', 'deliveryRate', 'deliveryRateAppLimited'] as const),
  ...(['dataSegmentsSent', 'segmentsRetransmitted', 'spuriousRetransmissions'] as const),
  ...(['bytesSent', 'bytesRetransmitted', 'bytesReceived', 'unsentBytes'] as const),
  ...(['unackedSegments', 'consecutiveTimeouts', 'probes', 'backoff', 'sendWindow'] as const),
  ...(['timeSinceLastDataReceived', 'timeSinceLastAckReceived'] as const),
] as const satisfies readonly TcpInfoField[];

export type SampleColumns = TcpInfoColumns<(typeof SAMPLED_FIELDS)[number]>;

/** NaN: this system does not report it, or it has no value yet. Times are in milliseconds. */
export interface Sample {
  readonly state: TcpState;
  /** Whether the peer has closed, as far as it is known. */
  readonly hasFin: boolean;
  readonly rtt: number;
  readonly minRtt: number;
  readonly deliveryRate: number;
  readonly deliveryRateAppLimited: number;
  readonly packetsSent: number;
  readonly packetsRetransmitted: number;
  readonly packetsSpuriouslyRetransmitted: number;
  readonly bytesSent: number;
  readonly bytesRetransmitted: number;
  readonly bytesReceived: number;
  readonly unsentBytes: number;
  readonly consecutiveTimeouts: number;
  /** The same for the rules of problems. */
  readonly evidence: NonNullable<Evidence['tcpInfo']>;
}

/**
 * Returns a row of the columns as a sample.
 * @param bytesRead What Node has read from the connection.
 * @param hadFin Whether an earlier sample had the FIN of the peer.
 */
export function sampleAt(
  columns: SampleColumns,
  row: number,
  bytesRead: unknown,
  hadFin: boolean,
): Sample {
  const number = (name: (typeof SAMPLED_FIELDS)[number]) => columns[name][row] as number;
  const orNull = (name: (typeof SAMPLED_FIELDS)[number]) => {
    const value = number(name);
    return Number.isNaN(value) ? null : value;
  };
  const state = tcpStates[number('state')] ?? 'CLOSED';
  const bytesReceived = number('bytesReceived');
  // A closed connection does not show whether there was a FIN, but Node may have read everything before it.
  const hasFin =
    hadFin || HAS_FIN.has(state) || (state === 'CLOSED' && bytesReceived - 1 === bytesRead);
  return {
    state,
    hasFin,
    rtt: number('rtt'),
    minRtt: number('minRtt'),
    deliveryRate: number('deliveryRate'),
    deliveryRateAppLimited: number('deliveryRateAppLimited'),
    packetsSent: number('dataSegmentsSent'),
    packetsRetransmitted: number('segmentsRetransmitted'),
    packetsSpuriouslyRetransmitted: number('spuriousRetransmissions'),
    bytesSent: number('bytesSent'),
    bytesRetransmitted: number('bytesRetransmitted'),
    bytesReceived: hasFin ? bytesReceived - FIN_BYTES : bytesReceived,
    unsentBytes: number('unsentBytes'),
    consecutiveTimeouts: number('consecutiveTimeouts'),
    evidence: {
      rtt: orNull('rtt'),
      rto: orNull('rto'),
      timeSinceLastDataReceived: orNull('timeSinceLastDataReceived'),
      timeSinceLastAckReceived: orNull('timeSinceLastAckReceived'),
      unackedSegments: orNull('unackedSegments'),
      consecutiveTimeouts: orNull('consecutiveTimeouts'),
      probes: orNull('probes'),
      backoff: orNull('backoff'),
      sendWindow: orNull('sendWindow'),
      bytesSent: orNull('bytesSent'),
      bytesRetransmitted: orNull('bytesRetransmitted'),
    },
  };
}

const HAS_FIN: ReadonlySet<TcpState> = new Set(['CLOSE-WAIT', 'LAST-ACK', 'CLOSING', 'TIME-WAIT']);

/** Linux counts the FIN of the peer as one byte. */
const FIN_BYTES = process.platform === 'linux' ? 1 : 0;

/**
 * TCP_INFO has no timers, but shows the one of a closed window: data waits, and none is in flight. Without it, a probe of the
 * window would count as a keepalive probe, and a living peer as lost.
 */
export function timerOf({ evidence, unsentBytes }: Sample): ConnectionTimer | null {
  const isWindowClosed = unsentBytes > 0 && evidence.unackedSegments === 0;
  return isWindowClosed ? { kind: 'persist', expires: 0, count: evidence.probes ?? 0 } : null;
}
