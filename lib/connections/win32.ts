// The connections of Windows, by GetExtendedTcpTable(TCP_TABLE_OWNER_PID_ALL): one table for each
// address family, a count and rows of a fixed size (tcpmib.h). The whole machine's, of every process.

import { SocketOptionError } from '../core/errors';
import { rangeError, valueError } from '../core/validate';
import { tcpStates } from '../tcp-info/states';
import { addressBytes, addressText } from './address';
import type { Connection } from './connection';
import { type Conditions, type Ends, matches } from './filter';
import type { ConnectionName, ConnectionSystem, Query } from './platform';

const AF_INET = 2;
const AF_INET6 = 23;

/** `MIB_TCP_STATE`, from 1 on -> index in `tcpStates`; what comes after is MIB_TCP_STATE_DELETE_TCB. */
const STATES = [
  'CLOSED',
  'LISTEN',
  'SYN-SENT',
  'SYN-RECEIVED',
  'ESTABLISHED',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'CLOSE-WAIT',
  'CLOSING',
  'LAST-ACK',
  'TIME-WAIT',
] as const;
const DELETE_TCB = 12;

/** Where the members of a row are, in bytes. Ports are in the first two bytes, in network order. */
interface Layout {
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
const IPV4: Layout = {
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

/** `MIB_TCP6ROW_OWNER_PID`, whose addresses are each followed by a scope. */
const IPV6: Layout = {
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

/** The rows of a table, whatever its count says: no more than there are bytes. Pure. */
export function windowsConnections(
  bytes: Uint8Array,
  family: 'IPv4' | 'IPv6',
  conditions: Conditions,
): Connection[] {
  const layout = family === 'IPv4' ? IPV4 : IPV6;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes.length < 4 ? 0 : view.getUint32(0, true);
  const found: Connection[] = [];
  for (let row = 0, at = 4; row < count && at + layout.size <= bytes.length; row++) {
    const stateIndex = tcpStates.indexOf(
      STATES[view.getUint32(at + layout.state, true) - 1] ?? ('' as never),
    );
    const ends: Ends = {
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
    if (stateIndex < 0 || !matches(conditions, ends)) continue;
    if (conditions.ownProcess && pid !== process.pid) continue;
    found.push(connectionOf(ends, layout, pid, conditions.owners));
  }
  return found;
}

function connectionOf(ends: Ends, layout: Layout, pid: number, owners: boolean): Connection {
  return {
    family: layout.family,
    state: tcpStates[ends.stateIndex] as Connection['state'],
    localAddress: addressText(ends.bytes, ends.localAt, layout.addressSize),
    localPort: ends.localPort,
    remoteAddress: addressText(ends.bytes, ends.remoteAt, layout.addressSize),
    // Of a listening socket Windows leaves something there.
    remotePort: tcpStates[ends.stateIndex] === 'LISTEN' ? 0 : ends.remotePort,
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
  };
}

class Table implements Query {
  readonly request: Uint8Array;
  readonly errno = 0;
  readonly interrupted = false;
  readonly complete = true;
  readonly optional = false;
  private readonly family: 'IPv4' | 'IPv6';
  private readonly conditions: Conditions;

  constructor(family: 'IPv4' | 'IPv6', conditions: Conditions) {
    this.request = Uint8Array.of(family === 'IPv4' ? AF_INET : AF_INET6);
    this.family = family;
    this.conditions = conditions;
  }

  whole(bytes: Uint8Array): Connection[] {
    return windowsConnections(bytes, this.family, this.conditions);
  }
}

export const win32: ConnectionSystem = {
  syscall: 'GetExtendedTcpTable',

  queries(conditions) {
    return (['IPv4', 'IPv6'] as const)
      .filter((family) => conditions.family === undefined || conditions.family === family)
      .map((family) => () => new Table(family, conditions));
  },

  // biome-ignore lint/correctness/useYield: nothing more has to be asked, so that there are no steps.
  *own(found) {
    return found;
  },

  destroyRequest(connection) {
    return windowsDestroyRequest(connection);
  },

  meaning(code, call) {
    if (call === 'destroy' && code === 'EPERM') return 'it takes an elevated process';
    if (call === 'watch') return 'Windows does not tell of connections that end';
    return undefined;
  },
};

/** A `MIB_TCPROW` whose state says that the connection is to be deleted. Pure. */
export function windowsDestroyRequest(connection: ConnectionName): Uint8Array {
  const { family, localAddress, remoteAddress, localPort, remotePort } = connection;
  if (family !== 'IPv4') {
    throw new SocketOptionError('ENOTSUP: Windows ends connections of IPv4 only, SetTcpEntry', {
      code: 'ENOTSUP',
      syscall: 'SetTcpEntry',
    });
  }
  const row = new Uint8Array(20);
  const view = new DataView(row.buffer);
  view.setUint32(0, DELETE_TCB, true);
  for (const [name, text, at] of [
    ['localAddress', localAddress, 4],
    ['remoteAddress', remoteAddress, 12],
  ] as const) {
    const bytes = typeof text === 'string' ? addressBytes(text) : undefined;
    if (bytes?.length !== 4) {
      throw valueError(`connection.${name}`, 'must be an IPv4 address', text);
    }
    row.set(bytes, at);
  }
  for (const [name, port, at] of [
    ['localPort', localPort, 8],
    ['remotePort', remotePort, 16],
  ] as const) {
    if (!Number.isInteger(port) || port < 0 || port > 65_535) {
      throw rangeError(`connection.${name}`, 'an integer >= 0 and <= 65535', port);
    }
    view.setUint16(at, port);
  }
  return row;
}
