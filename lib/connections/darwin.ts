// The connections of macOS, by the sysctl net.inet.tcp.pcblist_n: a head (`xinpgen`), then for each
// socket six records that each begin with their length and kind, padded to 8 bytes. The structures are
// packed to 4 bytes (bsd/netinet/in_pcb.h, bsd/sys/socketvar.h, bsd/netinet/tcp_var.h of xnu).
// Since macOS 27 a process that is not root's sees its own sockets only. TIME-WAIT is not in it.

import { SocketOptionError } from '../core/errors';
import { bsdStates, tcpStates } from '../tcp-info/states';
import { addressText } from './address';
import type { Connection } from './connection';
import { type Conditions, type Ends, matches } from './filter';
import type { ConnectionSystem, Query } from './platform';

// Kinds of records.
const XSO_SOCKET = 0x001;
const XSO_RCVBUF = 0x002;
const XSO_SNDBUF = 0x004;
const XSO_INPCB = 0x010;
const XSO_TCPCB = 0x020;
const ALL = XSO_SOCKET | XSO_RCVBUF | XSO_SNDBUF | XSO_INPCB | XSO_TCPCB;

/** How much of a record is read, in bytes: that much it has to have. */
const NEEDED: Readonly<Record<number, number>> = {
  [XSO_SOCKET]: 68,
  [XSO_RCVBUF]: 12,
  [XSO_SNDBUF]: 12,
  [XSO_INPCB]: 80,
  [XSO_TCPCB]: 40,
};

/** `inp_vflag`: a socket of IPv4. */
const INP_IPV4 = 0x1;

/** The connections of a table. Pure; ends at the first record that cannot be one. */
export function darwinConnections(bytes: Uint8Array, conditions: Conditions): Connection[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: Connection[] = [];
  if (bytes.length < 24) return found;
  // Where the records of a socket are, by kind.
  let records: Record<number, number> = {};
  let seen = 0;
  let at = padded(view.getUint32(0, true));
  while (at >= 8 && at + 8 <= bytes.length) {
    const length = view.getUint32(at, true);
    const kind = view.getUint32(at + 4, true);
    // The table ends with a head again.
    if (length < 8 || at + length > bytes.length || (length === 24 && kind > XSO_TCPCB)) break;
    // The first record of the next socket.
    if ((seen & kind) !== 0) {
      records = {};
      seen = 0;
    }
    if (length >= (NEEDED[kind] ?? Number.POSITIVE_INFINITY)) {
      records[kind] = at;
      seen |= kind;
    }
    if ((seen & ALL) === ALL) {
      const connection = connectionOf(view, bytes, records, conditions);
      if (connection !== undefined) found.push(connection);
      records = {};
      seen = 0;
    }
    at += padded(length);
  }
  return found;
}

function padded(length: number): number {
  return (length + 7) & ~7;
}

function connectionOf(
  view: DataView,
  bytes: Uint8Array,
  records: Readonly<Record<number, number>>,
  conditions: Conditions,
): Connection | undefined {
  const socket = records[XSO_SOCKET] as number;
  const inpcb = records[XSO_INPCB] as number;
  const isIPv4 = ((bytes[inpcb + 44] as number) & INP_IPV4) !== 0;
  // An IPv4 address is at the end of the room for one of IPv6.
  const inside = isIPv4 ? 12 : 0;
  const state = bsdStates[view.getInt32((records[XSO_TCPCB] as number) + 36, true)];
  const ends: Ends = {
    stateIndex: state === undefined ? -1 : tcpStates.indexOf(state),
    addressSize: isIPv4 ? 4 : 16,
    remotePort: view.getUint16(inpcb + 16),
    localPort: view.getUint16(inpcb + 18),
    bytes,
    remoteAt: inpcb + 48 + inside,
    localAt: inpcb + 64 + inside,
  };
  if (state === undefined || !matches(conditions, ends)) return undefined;
  const listens = state === 'LISTEN';
  return {
    family: isIPv4 ? 'IPv4' : 'IPv6',
    state,
    localAddress: addressText(bytes, ends.localAt, ends.addressSize),
    localPort: ends.localPort,
    remoteAddress: addressText(bytes, ends.remoteAt, ends.addressSize),
    remotePort: ends.remotePort,
    timer: null,
    // so_qlen and so_qlimit of a listening socket, else sb_cc of the buffers.
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
  };
}

class Table implements Query {
  readonly request = new Uint8Array(0);
  readonly errno = 0;
  readonly interrupted = false;
  readonly complete = true;
  readonly optional = false;
  private readonly conditions: Conditions;

  constructor(conditions: Conditions) {
    this.conditions = conditions;
  }

  whole(bytes: Uint8Array): Connection[] {
    return darwinConnections(bytes, this.conditions);
  }
}

export const darwin: ConnectionSystem = {
  syscall: 'sysctl',

  queries(conditions) {
    if (conditions.ownProcess) {
      throw new SocketOptionError(
        'ENOTSUP: macOS does not tell which process a connection belongs to, filter.ownProcess',
        { code: 'ENOTSUP' },
      );
    }
    return [() => new Table(conditions)];
  },

  // biome-ignore lint/correctness/useYield: nothing more has to be asked, so that there are no steps.
  *own(found) {
    return found;
  },

  destroyRequest() {
    return new Uint8Array(0);
  },

  meaning(_code, call) {
    if (call === 'destroy') return 'macOS does not end connections of others';
    if (call === 'watch') return 'macOS does not tell of connections that end';
    return undefined;
  },
};
