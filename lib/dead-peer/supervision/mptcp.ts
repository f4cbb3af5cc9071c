// Corrects the report of a Multipath TCP connection. Its TCP_INFO is that of the first subflow only, which may be closed
// while the connection lives on another one.

import type { SocketOptions } from '../../catalogue/catalogue';
import { isLittleEndian } from '../../core/byte-order';
import type { SocketLike } from '../../core/socket';
import { getRawOption } from '../../options/raw';
import { CLOSED, ESTABLISHED, type Report } from './report';

/** include/uapi/linux/mptcp.h. */
const SOL_MPTCP = 284;
const MPTCP_INFO = 1;
/** Offsets of `struct mptcp_info`. The first counts the subflows beside the first one. The times are in milliseconds. */
const SUBFLOWS = 0;
const SUBFLOWS_TOTAL = 80;
const LAST_DATA_RECEIVED = 88;
const LAST_ACK_RECEIVED = 92;
/** With the times, which Linux has since 6.10. */
const LENGTH = 96;

/** Returns the report of the whole connection. A connection that fell back to TCP has only its TCP_INFO. */
export function mptcpReport(socket: SocketLike, report: Report, options: SocketOptions): Report {
  const info = readInfo(socket);
  if (info === undefined) return report;
  if (info.byteLength < LENGTH) {
    // Nothing shows whether the other subflows are silent. Without a subflow the kernel ends the connection.
    const isOpen = report.state === CLOSED && info.getUint8(SUBFLOWS) > 0;
    return isOpen ? { ...report, state: ESTABLISHED, silence: 0 } : report;
  }
  const subflows = info.getUint8(SUBFLOWS_TOTAL);
  const ack = info.getUint32(LAST_ACK_RECEIVED, isLittleEndian);
  const data = info.getUint32(LAST_DATA_RECEIVED, isLittleEndian);
  const silence = Math.min(ack, data);
  if (report.state !== CLOSED) return { ...report, silence };
  // Without a subflow the kernel waits for a new one (net.mptcp.close_timeout, 60 s). The peer is gone.
  if (subflows === 0) return report;
  // The counters of a closed subflow show no attempts. The kernel has probed each other subflow by the same options.
  const { keepAliveInitialDelay, keepAliveInterval } = options as Record<string, number>;
  const probed = silence - (keepAliveInitialDelay as number);
  const probes = Math.max(0, Math.floor(probed / (keepAliveInterval as number) + 1));
  return { ...report, state: ESTABLISHED, silence, unackedSegments: 0, unsentBytes: 0, probes };
}

function readInfo(socket: SocketLike): DataView | undefined {
  try {
    const bytes = getRawOption(socket, SOL_MPTCP, MPTCP_INFO, LENGTH);
    return bytes.length === 0
      ? undefined
      : new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  } catch {
    return undefined;
  }
}
