// Lists and closes the connections of Windows, by GetExtendedTcpTable(TCP_TABLE_OWNER_PID_ALL) and SetTcpEntry.
// There is one table for each address family: a count, and rows of a fixed size (tcpmib.h).

import { formatAddress, parseAddress } from '../core/address';
import { SocketOptionError } from '../core/errors';
import { validateNumber, valueError } from '../core/validate';
import { tcpStates } from '../tcp-info/states';
import type { Connection } from './connection';
import { type EndpointView, matchesFilter, type ParsedFilter } from './filter';
import type { ConnectionIdentity, ConnectionPlatform, ConnectionQuery } from './platform';

const AF_INET = 2;
const AF_INET6 = 23;

/** The state that makes SetTcpEntry close a connection. */
const MIB_TCP_STATE_DELETE_TCB = 12;

/** Offsets in a row, in bytes. A port is in the first two bytes of its member, in network order. */
interface RowLayout {
  readonly family: 'IPv4' | 'IPv6';
  readonly size: number;
  readonly addressSize: 4 | 16;
  readonly state: number;
  readonly localAddress: number;
  readonly localPort: number;
  readonly remoteAddress: number;
  readonly remotePort: number;
  readonly pid: number;
}

/** `MIB_TCPROW_OWNER_PID`. */
const IPV4: RowLayout = {
  family: 'IPv4',
  size: 24,
  addressSize: 4,
  state: 0,
  localAddress: 4,
  localPort: 8,
  remoteAddress: 12,
  remotePort: 16,
  pid: 20,
};

/** `MIB_TCP6ROW_OWNER_PID`. Each address is followed by its scope. */
const IPV6: RowLayout = {
  family: 'IPv6',
  size: 56,
  addressSize: 16,
  localAddress: 0,
  localPort: 20,
  remoteAddress: 24,
  remotePort: 44,
  state: 48,
  pid: 52,
};

/** The connections in a table that match the filter. The count is not trusted beyond the bytes that there are. */
export function decodeTcpTable(
  bytes: Uint8Array,
  family: 'IPv4' | 'IPv6',
  filter: ParsedFilter,
): Connection[] {
  const layout = family === 'IPv4' ? IPV4 : IPV6;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes.length < 4 ? 0 : view.getUint32(0, true);
  const found: Connection[] = [];
  for (let row = 0, at = 4; row < count && at + layout.size <= bytes.length; row++) {
    // `MIB_TCP_STATE` has the order of `tcpStates`, and counts from 1.
    const stateIndex = view.getUint32(at + layout.state, true) - 1;
    const endpoints: EndpointView = {
      stateIndex,
      addressSize: layout.addressSize,
      localPort: view.getUint16(at + layout.localPort),
      remotePort: view.getUint16(at + layout.remotePort),
      bytes,
      localAt: at + layout.localAddress,
      remoteAt: at + layout.remoteAddress,
    };
    const pid = view.getUint32(at + layout.pid, true);
    at += layout.size;
    if (tcpStates[stateIndex] === undefined || !matchesFilter(filter, endpoints)) continue;
    if (filter.ownProcess && pid !== process.pid) continue;
    found.push(connectionFromRow(endpoints, layout, pid, filter.owners));
  }
  return found;
}

function connectionFromRow(
  endpoints: EndpointView,
  layout: RowLayout,
  pid: number,
  owners: boolean,
): Connection {
  return {
    family: layout.family,
    state: tcpStates[endpoints.stateIndex] as Connection['state'],
    localAddress: formatAddress(endpoints.bytes, endpoints.localAt, layout.addressSize),
    localPort: endpoints.localPort,
    remoteAddress: formatAddress(endpoints.bytes, endpoints.remoteAt, layout.addressSize),
    // Windows leaves an undefined value here for a listening socket.
    remotePort: tcpStates[endpoints.stateIndex] === 'LISTEN' ? 0 : endpoints.remotePort,
    timer: null,
    receiveQueue: null,
    sendQueue: null,
    uid: null,
    inode: null,
    cookie: null,
    interfaceIndex: null,
    mptcp: null,
    congestionControl: null,
    tcpInfo: null,
    owners: owners ? [{ pid, name: null, fd: null }] : null,
    problems: null,
  };
}

class TcpTableQuery implements ConnectionQuery {
  readonly request: Uint8Array;
  readonly errno = 0;
  readonly interrupted = false;
  readonly complete = true;
  readonly optional = false;
  private readonly family: 'IPv4' | 'IPv6';
  private readonly filter: ParsedFilter;

  constructor(family: 'IPv4' | 'IPv6', filter: ParsedFilter) {
    this.request = Uint8Array.of(family === 'IPv4' ? AF_INET : AF_INET6);
    this.family = family;
    this.filter = filter;
  }

  parseAll(bytes: Uint8Array): Connection[] {
    return decodeTcpTable(bytes, this.family, this.filter);
  }
}

export const win32: ConnectionPlatform = {
  syscall: 'GetExtendedTcpTable',

  queries(filter) {
    return (['IPv4', 'IPv6'] as const)
      .filter((family) => filter.family === undefined || filter.family === family)
      .map((family) => () => new TcpTableQuery(family, filter));
  },

  *attachOwners(found) {
    yield found;
  },

  destroyRequest(connection) {
    return windowsDestroyRequest(connection);
  },

  explainError(code, operation) {
    if (operation === 'destroy' && code === 'EPERM') {
      return 'closing a connection requires an elevated process';
    }
    if (operation === 'watch') return 'Windows does not report closed connections';
    return undefined;
  },
};

/** A `MIB_TCPROW` whose state makes SetTcpEntry close the connection. */
export function windowsDestroyRequest(connection: ConnectionIdentity): Uint8Array {
  const { family, localAddress, remoteAddress, localPort, remotePort } = connection;
  if (family !== 'IPv4') {
    throw new SocketOptionError('ENOTSUP: Windows can only close IPv4 connections, SetTcpEntry', {
      code: 'ENOTSUP',
      syscall: 'SetTcpEntry',
    });
  }
  const row = new Uint8Array(20);
  const view = new DataView(row.buffer);
  view.setUint32(0, MIB_TCP_STATE_DELETE_TCB, true);
  for (const [name, text, at] of [
    ['localAddress', localAddress, 4],
    ['remoteAddress', remoteAddress, 12],
  ] as const) {
    const bytes = typeof text === 'string' ? parseAddress(text) : undefined;
    if (bytes?.length !== 4) {
      throw valueError(`connection.${name}`, 'must be an IPv4 address', text);
    }
    row.set(bytes, at);
  }
  for (const [name, port, at] of [
    ['localPort', localPort, 8],
    ['remotePort', remotePort, 16],
  ] as const) {
    validateNumber(port, `connection.${name}`, { integer: true, min: 0, max: 65_535 });
    view.setUint16(at, port);
  }
  return row;
}
