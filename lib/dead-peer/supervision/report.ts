// What supervision reads of a connection, and how far each system reports it.

import type { Platform } from '../../catalogue/row';
import type { TcpInfoColumns } from '../../tcp-info/columns';
import { tcpStates } from '../../tcp-info/states';
import type { TcpInfo } from '../../tcp-info/tcp-info';

/** One report of the kernel about a connection. Times are in milliseconds. NaN: the system does not report it. */
export interface Report {
  /** The index in `tcpStates`. */
  readonly state: number;
  /** The time since the peer's last acknowledgement or data, whichever is later. */
  readonly silence: number;
  /** The time since the peer's last data. */
  readonly dataSilence: number;
  /** All segments: data, retransmissions, probes, acknowledgements. Linux counts modulo 2^32. */
  readonly segmentsSent: number;
  readonly segmentsReceived: number;
  /** Segments in flight. */
  readonly unackedSegments: number;
  /** Data that was never sent, in bytes. */
  readonly unsentBytes: number;
  /** Retransmission timeouts in a row. */
  readonly timeouts: number;
  /** Unanswered keepalive or window probes. */
  readonly probes: number;
}

/** What shows that a peer is alive. */
export type Evidence =
  /** The kernel reports the time of the peer's last answer: Linux. */
  | 'clock'
  /** It counts segments, without a time: macOS. */
  | 'counters'
  /** It reports neither how many segments were sent nor what was answered: Windows, FreeBSD, gVisor. */
  | 'state';

const EVIDENCE: Readonly<Record<Platform | 'gvisor' | 'mptcp', Evidence>> = {
  linux: 'clock',
  mptcp: 'clock',
  darwin: 'counters',
  freebsd: 'state',
  win32: 'state',
  gvisor: 'state',
};

export function evidenceOf(system: keyof typeof EVIDENCE): Evidence {
  return EVIDENCE[system];
}

/** The fields of {@link TcpInfoColumns} that a report needs. */
export const REPORT_FIELDS = [
  'state',
  'timeSinceLastAckReceived',
  'timeSinceLastDataReceived',
  'segmentsSent',
  'segmentsReceived',
  'unackedSegments',
  'unsentBytes',
  'consecutiveTimeouts',
  'probes',
] as const;

export type ReportColumns = TcpInfoColumns<(typeof REPORT_FIELDS)[number]>;

/** Returns the report in a row of the columns. */
export function reportAt(columns: ReportColumns, row: number): Report {
  const ack = columns.timeSinceLastAckReceived[row] as number;
  const data = columns.timeSinceLastDataReceived[row] as number;
  return {
    state: columns.state[row] as number,
    // Linux refreshes the first with each acceptable acknowledgement, the second with data in order.
    silence: data < ack ? data : ack,
    dataSilence: data,
    segmentsSent: columns.segmentsSent[row] as number,
    segmentsReceived: columns.segmentsReceived[row] as number,
    unackedSegments: columns.unackedSegments[row] as number,
    unsentBytes: columns.unsentBytes[row] as number,
    timeouts: columns.consecutiveTimeouts[row] as number,
    probes: columns.probes[row] as number,
  };
}

/** Returns the report in the TCP information of a subflow. */
export function reportOf(info: TcpInfo): Report {
  const known = (value: number | null) => value ?? Number.NaN;
  const ack = known(info.timeSinceLastAckReceived);
  const data = known(info.timeSinceLastDataReceived);
  return {
    state: info.state === null ? Number.NaN : tcpStates.indexOf(info.state),
    silence: data < ack ? data : ack,
    dataSilence: data,
    segmentsSent: known(info.segmentsSent),
    segmentsReceived: known(info.segmentsReceived),
    unackedSegments: known(info.unackedSegments),
    unsentBytes: known(info.unsentBytes),
    timeouts: known(info.consecutiveTimeouts),
    probes: known(info.probes),
  };
}

export const CLOSED = tcpStates.indexOf('CLOSED');
export const SYN_SENT = tcpStates.indexOf('SYN-SENT');
