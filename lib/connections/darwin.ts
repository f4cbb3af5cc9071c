// Lists the connections of macOS, by the sysctl net.inet.tcp.pcblist_n.
//
// The table is a header (`xinpgen`), six records for each socket, and a header again. A record begins with its
// length and kind, and is padded to 8 bytes. Structures are packed to 4 bytes (xnu: bsd/netinet/in_pcb.h,
// bsd/sys/socketvar.h, bsd/netinet/tcp_var.h). Connections in TIME-WAIT are not in the table. Since macOS 27,
// a process of another user than root only sees its own sockets.

import { formatAddress } from '../core/address';
import { SocketOptionError } from '../core/errors';
import { bsdStates, tcpStates } from '../tcp-info/states';
import type { Connection } from './connection';
import { type EndpointView, matchesFilter, type ParsedFilter } from './filter';
import type { ConnectionPlatform, ConnectionQuery } from './platform';

// Kinds of records.
const XSO_SOCKET = 0x001;
const XSO_RCVBUF = 0x002;
const XSO_SNDBUF = 0x004;
const XSO_INPCB = 0x010;
const XSO_TCPCB = 0x020;
const ALL_KINDS = XSO_SOCKET | XSO_RCVBUF | XSO_SNDBUF | XSO_INPCB | XSO_TCPCB;

/** The least length of a record of each kind, in bytes: this much of it is read. */
const MIN_LENGTHS: Readonly<Record<number, number>> = {
  [XSO_SOCKET]: 68,
  [XSO_RCVBUF]: 12,
  [XSO_SNDBUF]: 12,
  [XSO_INPCB]: 80,
  [XSO_TCPCB]: 40,
};

/** The bit of `inp_vflag` for IPv4. */
const INP_IPV4 = 0x1;

/** The connections in a table that match the filter. Stops at the first malformed record. */
export function decodePcbList(bytes: Uint8Array, filter: ParsedFilter): Connection[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: Connection[] = [];
  if (bytes.length < 24) return found;
  // The offsets of the records of the current socket, by kind.
  let records: Record<number, number> = {};
  let seenKinds = 0;
  let at = padded(view.getUint32(0, true));
  while (at >= 8 && at + 8 <= bytes.length) {
    const length = view.getUint32(at, true);
    const kind = view.getUint32(at + 4, true);
    // The header at the end of the table.
    if (length < 8 || at + length > bytes.length || (length === 24 && kind > XSO_TCPCB)) break;
    // A kind repeats: this is the first record of the next socket.
    if ((seenKinds & kind) !== 0) {
      records = {};
      seenKinds = 0;
    }
    if (length >= (MIN_LENGTHS[kind] ?? Number.POSITIVE_INFINITY)) {
      records[kind] = at;
      seenKinds |= kind;
    }
    if ((seenKinds & ALL_KINDS) === ALL_KINDS) {
      const connection = connectionFromRecords(view, bytes, records, filter);
      if (connection !== undefined) found.push(connection);
      records = {};
      seenKinds = 0;
    }
    at += padded(length);
  }
  return found;
}

function padded(length: number): number {
  return (length + 7) & ~7;
}

function connectionFromRecords(
  view: DataView,
  bytes: Uint8Array,
  records: Readonly<Record<number, number>>,
  filter: ParsedFilter,
): Connection | undefined {
  const socket = records[XSO_SOCKET] as number;
  const inpcb = records[XSO_INPCB] as number;
  const isIPv4 = ((bytes[inpcb + 44] as number) & INP_IPV4) !== 0;
  // An IPv4 address is in the last 4 of 16 bytes.
  const addressOffset = isIPv4 ? 12 : 0;
  const state = bsdStates[view.getInt32((records[XSO_TCPCB] as number) + 36, true)];
  const endpoints: EndpointView = {
    stateIndex: state === undefined ? -1 : tcpStates.indexOf(state),
    addressSize: isIPv4 ? 4 : 16,
    remotePort: view.getUint16(inpcb + 16),
    localPort: view.getUint16(inpcb + 18),
    bytes,
    remoteAt: inpcb + 48 + addressOffset,
    localAt: inpcb + 64 + addressOffset,
  };
  if (state === undefined || !matchesFilter(filter, endpoints)) return undefined;
  const listens = state === 'LISTEN';
  return {
    family: isIPv4 ? 'IPv4' : 'IPv6',
    state,
    localAddress: formatAddress(bytes, endpoints.localAt, endpoints.addressSize),
    localPort: endpoints.localPort,
    remoteAddress: formatAddress(bytes, endpoints.remoteAt, endpoints.addressSize),
    remotePort: endpoints.remotePort,
    timer: null,
    // so_qlen and so_qlimit for a listening socket, otherwise sb_cc of the buffers.
    receiveQueue: listens
      ? view.getUint16(socket + 44, true)
      : view.getUint32((records[XSO_RCVBUF] as number) + 8, true),
    sendQueue: listens
      ? view.getUint16(socket + 48, true)
      : view.getUint32((records[XSO_SNDBUF] as number) + 8, true),
    uid: view.getUint32(socket + 64, true),
    inode: null,
    cookie: null,
    interfaceIndex: null,
    mptcp: null,
    congestionControl: null,
    tcpInfo: null,
    owners: null,
    problems: null,
  };
}

class PcbListQuery implements ConnectionQuery {
  readonly request = new Uint8Array(0);
  readonly errno = 0;
  readonly interrupted = false;
  readonly complete = true;
  readonly optional = false;
  private readonly filter: ParsedFilter;

  constructor(filter: ParsedFilter) {
    this.filter = filter;
  }

  parseAll(bytes: Uint8Array): Connection[] {
    return decodePcbList(bytes, this.filter);
  }
}

export const darwin: ConnectionPlatform = {
  syscall: 'sysctl',

  queries(filter) {
    if (filter.ownProcess) {
      throw new SocketOptionError(
        'ENOTSUP: filter.ownProcess is not supported: macOS does not report the processes of connections',
        { code: 'ENOTSUP' },
      );
    }
    return [() => new PcbListQuery(filter)];
  },

  *attachOwners(found) {
    yield found;
  },

  destroyRequest() {
    return new Uint8Array(0);
  },

  explainError(_code, operation) {
    if (operation === 'destroy') return 'macOS cannot close connections of other processes';
    if (operation === 'watch') return 'macOS does not report closed connections';
    return undefined;
  },
};
