// The state of a connection as a row of numbers: what many are read into, and one again and again,
// without allocating anything.

import { type TcpInfo, tcpStates } from './tcp-info';

/** The fields of a `Row`, in their order. */
export const rowFields = [
  'state',
  'rtt',
  'rttVariance',
  'minRtt',
  'rto',
  'mss',
  'pathMtu',
  'congestionWindow',
  'slowStartThreshold',
  'sendWindow',
  'receiveWindow',
  'bytesSent',
  'bytesReceived',
  'bytesAcked',
  'bytesRetransmitted',
  'bytesInFlight',
  'unsentBytes',
  'segmentsSent',
  'segmentsReceived',
  'segmentsRetransmitted',
  'segmentsReceivedOutOfOrder',
  'unackedSegments',
  'lostSegments',
  'deliveryRate',
  'pacingRate',
  'busyTime',
  'receiveWindowLimitedTime',
  'sendBufferLimitedTime',
  'timeSinceLastDataSent',
  'timeSinceLastDataReceived',
  'timeSinceLastAckReceived',
  'probes',
  'backoff',
  'consecutiveTimeouts',
  'totalTimeouts',
  'acceptQueue',
  'acceptQueueLimit',
] as const satisfies readonly (keyof TcpInfo)[];

/** All fields of one connection as numbers, NaN for null; of the state, the index in `tcpStates`. */
export type Row = Float64Array;

export function newRow(): Row {
  return new Float64Array(rowFields.length).fill(NaN);
}

/** Fills a row from an object: for systems and structures that have no faster way. */
export function fillFrom(info: TcpInfo, row: Row): void {
  row[0] = info.state === null ? NaN : tcpStates.indexOf(info.state);
  rowFields.forEach((field, index) => {
    if (field !== 'state') row[index] = info[field] ?? NaN;
  });
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

/** A row as an object. */
export function tcpInfoOfRow(row: Row): TcpInfo {
  return {
    state: tcpStates[row[0] as number] ?? null,
    rtt: orNull(row[1] as number),
    rttVariance: orNull(row[2] as number),
    minRtt: orNull(row[3] as number),
    rto: orNull(row[4] as number),
    mss: orNull(row[5] as number),
    pathMtu: orNull(row[6] as number),
    congestionWindow: orNull(row[7] as number),
    slowStartThreshold: orNull(row[8] as number),
    sendWindow: orNull(row[9] as number),
    receiveWindow: orNull(row[10] as number),
    bytesSent: orNull(row[11] as number),
    bytesReceived: orNull(row[12] as number),
    bytesAcked: orNull(row[13] as number),
    bytesRetransmitted: orNull(row[14] as number),
    bytesInFlight: orNull(row[15] as number),
    unsentBytes: orNull(row[16] as number),
    segmentsSent: orNull(row[17] as number),
    segmentsReceived: orNull(row[18] as number),
    segmentsRetransmitted: orNull(row[19] as number),
    segmentsReceivedOutOfOrder: orNull(row[20] as number),
    unackedSegments: orNull(row[21] as number),
    lostSegments: orNull(row[22] as number),
    deliveryRate: orNull(row[23] as number),
    pacingRate: orNull(row[24] as number),
    busyTime: orNull(row[25] as number),
    receiveWindowLimitedTime: orNull(row[26] as number),
    sendBufferLimitedTime: orNull(row[27] as number),
    timeSinceLastDataSent: orNull(row[28] as number),
    timeSinceLastDataReceived: orNull(row[29] as number),
    timeSinceLastAckReceived: orNull(row[30] as number),
    probes: orNull(row[31] as number),
    backoff: orNull(row[32] as number),
    consecutiveTimeouts: orNull(row[33] as number),
    totalTimeouts: orNull(row[34] as number),
    acceptQueue: orNull(row[35] as number),
    acceptQueueLimit: orNull(row[36] as number),
  };
}

/** What is known of a connection of which nothing is. */
export const NOTHING: TcpInfo = tcpInfoOfRow(newRow());
