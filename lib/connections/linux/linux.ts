// Lists and closes the connections of this network namespace on Linux, by sock_diag(7).

import { readFileSync } from 'node:fs';
import { parseAddress } from '../../core/address';
import { SocketOptionError } from '../../core/errors';
import { isLinuxAtLeast } from '../../core/linux-release';
import {
  rangeError,
  validateNumber,
  validateOneOf,
  validateString,
  valueError,
} from '../../core/validate';
import { decodeLinux } from '../../tcp-info/generated/linux';
import type { Connection } from '../connection';
import { ALL_STATES, matchesFilter, type ParsedFilter } from '../filter';
import type { ConnectionIdentity, ConnectionPlatform, ConnectionQuery } from '../platform';
import { AF_INET, AF_INET6, DiagMessages, IPPROTO_MPTCP, IPPROTO_TCP } from './messages';
import { attachOwners } from './owners';
import { readProc } from './proc';
import { destroyRequest, dumpRequest, dumpTcpRequest, type SocketId } from './request';
import { TIME_WAIT_TIMER, timerFrom } from './timer';

/** The connection that the current message describes. */
export function connectionFromMessage(
  message: DiagMessages,
  tcpInfo: boolean,
  mptcp: Connection['mptcp'],
): Connection {
  const withInfo = tcpInfo && message.infoLength > 0;
  return {
    family: message.addressSize === 4 ? 'IPv4' : 'IPv6',
    state: message.state,
    localAddress: message.localAddress,
    localPort: message.localPort,
    remoteAddress: message.remoteAddress,
    remotePort: message.remotePort,
    timer: timerFrom(message.timer, message.expires, message.retransmits),
    receiveQueue: message.receiveQueue,
    sendQueue: message.sendQueue,
    // For a socket that no process holds, the kernel writes 0, which would be root.
    uid: message.inode === 0 ? null : message.uid,
    inode: message.inode,
    cookie: message.cookie,
    interfaceIndex: message.interfaceIndex,
    mptcp,
    congestionControl: tcpInfo ? message.congestionControl : null,
    tcpInfo: withInfo ? decodeLinux(message.words, message.infoAt >> 2, message.infoLength) : null,
    owners: null,
    problems: null,
  };
}

/**
 * Whether the kernel keeps a full socket (`sk_fullsock`): it does not in `TIME-WAIT` and `SYN-RECEIVED`, and
 * reports fewer attributes then.
 */
function isFullSocket(message: DiagMessages): boolean {
  return message.timer !== TIME_WAIT_TIMER && message.state !== 'SYN-RECEIVED';
}

/** The sockets of Multipath TCP in this network namespace. */
interface MultipathSockets {
  /** The address families that may have some. */
  readonly families: readonly number[];
  /** Their `endpointKey`s, filled by the queries that come first. */
  readonly keys: Set<string>;
}

/**
 * The address families that may have sockets of Multipath TCP now, or with `ever` at any time. Listing these
 * sockets takes five times as long as a short list of TCP, so this reads the kernel's count first.
 */
export function multipathFamilies(ever = false): number[] {
  let protocols: string;
  try {
    protocols = readFileSync('/proc/net/protocols', 'latin1');
  } catch {
    return [AF_INET, AF_INET6];
  }
  const socketCount = (name: string) =>
    new RegExp(`^${name} +\\d+ +(-?\\d+)`, 'm').exec(protocols)?.[1];
  // Every kernel with TCP has this row. Without it, the file is hidden, as in some containers.
  if (socketCount('TCP') === undefined) return [AF_INET, AF_INET6];
  const families: number[] = [];
  for (const [name, family] of [
    ['MPTCP', AF_INET],
    ['MPTCPv6', AF_INET6],
  ] as const) {
    const count = socketCount(name);
    if (count !== undefined && (count !== '0' || ever || !kernelCountsMultipath()))
      families.push(family);
  }
  return families;
}

/** Before Linux 6.3, the count in /proc/net/protocols is always 0 for Multipath TCP. */
function kernelCountsMultipath(): boolean {
  return isLinuxAtLeast(6, 3);
}

/** `null`: not known. */
function isMultipath(message: DiagMessages, { families, keys }: MultipathSockets): boolean | null {
  if (message.multipath || (keys.size > 0 && keys.has(message.endpointKey))) return true;
  if (families.length === 0) return false;
  // An additional subflow has other endpoints than its connection. The kernel marks it, but only for full
  // sockets and with CAP_NET_ADMIN.
  return message.privileged && isFullSocket(message) ? false : null;
}

/** Lists the TCP sockets of one address family, or of both. */
class TcpQuery implements ConnectionQuery {
  readonly request: Uint8Array;
  readonly optional = false;
  private readonly messages = new DiagMessages();
  private readonly filter: ParsedFilter;
  private readonly multipath: MultipathSockets;

  constructor(families: readonly number[], filter: ParsedFilter, multipath: MultipathSockets) {
    // The kernel marks subflows only along with TCP_INFO: inet_sk_diag_fill() in net/ipv4/inet_diag.c.
    const tcpInfo = filter.tcpInfo || multipath.families.length > 0;
    const wanted = { ...filter, tcpInfo };
    const [family = AF_INET] = families;
    this.request =
      families.length === 1 ? dumpRequest(family, IPPROTO_TCP, wanted) : dumpTcpRequest(wanted);
    this.filter = filter;
    this.multipath = multipath;
  }

  parseChunk(bytes: Uint8Array): Connection[] {
    const { messages, filter, multipath } = this;
    const found: Connection[] = [];
    messages.load(bytes);
    while (messages.next()) {
      if (!matchesFilter(filter, messages)) continue;
      found.push(connectionFromMessage(messages, filter.tcpInfo, isMultipath(messages, multipath)));
    }
    return found;
  }

  get errno(): number {
    return this.messages.errno;
  }
  get interrupted(): boolean {
    return this.messages.interrupted || !this.messages.done;
  }
  get complete(): boolean {
    return this.messages.done;
  }
}

/** Collects the endpoints of the Multipath TCP sockets of one address family; returns no connections. */
class MultipathQuery implements ConnectionQuery {
  readonly request: Uint8Array;
  readonly optional = true;
  readonly interrupted = false;
  readonly complete = true;
  private readonly messages = new DiagMessages();
  private readonly keys: Set<string>;

  constructor(family: number, filter: ParsedFilter, keys: Set<string>) {
    this.request = dumpRequest(family, IPPROTO_MPTCP, filter);
    this.keys = keys;
  }

  parseChunk(bytes: Uint8Array): Connection[] {
    this.messages.load(bytes);
    while (this.messages.next()) this.keys.add(this.messages.endpointKey);
    return [];
  }

  get errno(): number {
    return this.messages.errno;
  }
}

/** The address families that can have a match. */
function familiesToQuery(filter: ParsedFilter): number[] {
  const { family, states, port, localPort, remotePort, localAddress, remoteAddress } = filter;
  const addresses = [localAddress, remoteAddress];
  const hasEmptyList =
    [port, localPort, remotePort].some((ports) => ports?.size === 0) ||
    addresses.some((prefixes) => prefixes?.length === 0);
  if (states === 0 || hasEmptyList) return [];
  const ipv6Only = addresses.some((prefixes) =>
    prefixes?.every(({ bytes }) => bytes.length === 16),
  );
  return [
    ...(family === 'IPv6' || ipv6Only ? [] : [AF_INET]),
    ...(family === 'IPv4' ? [] : [AF_INET6]),
  ];
}

/** Checks what identifies a connection: the caller may have kept it, copied it, or made it up. */
function parseSocketId(connection: ConnectionIdentity): SocketId {
  const { family } = connection;
  const size = family === 'IPv6' ? 16 : 4;
  if (connection.cookie === null) throw noCookieError();
  const digits = 'a string of decimal digits, as listConnections() returns it';
  const cookie = validateString(connection.cookie, 'connection.cookie', digits);
  if (!/^[1-9]\d*$/.test(cookie)) {
    throw valueError('connection.cookie', 'must be decimal digits without leading zeros', cookie);
  }
  // INET_DIAG_NOCOOKIE, all ones, would mean any socket with these addresses.
  if (cookie.length > 20 || BigInt(cookie) >= 2n ** 64n - 1n) {
    throw rangeError('connection.cookie', '>= 1 and < 2^64 - 1', cookie);
  }
  const address = (name: 'localAddress' | 'remoteAddress') => {
    const bytes = typeof connection[name] === 'string' ? parseAddress(connection[name]) : undefined;
    if (bytes?.length === size) return bytes;
    throw valueError(`connection.${name}`, `must be an ${family} address`, connection[name]);
  };
  const integer = (name: 'localPort' | 'remotePort' | 'interfaceIndex', largest: number) => {
    const value: unknown = connection[name] ?? (name === 'interfaceIndex' ? 0 : undefined);
    return validateNumber(value, `connection.${name}`, { integer: true, min: 0, max: largest });
  };
  validateOneOf(family, 'connection.family', ['IPv4', 'IPv6']);
  return {
    family: size === 16 ? AF_INET6 : AF_INET,
    localPort: integer('localPort', 65_535),
    remotePort: integer('remotePort', 65_535),
    localAddress: address('localAddress'),
    remoteAddress: address('remoteAddress'),
    interfaceIndex: integer('interfaceIndex', 2 ** 31 - 1),
    cookie: BigInt(cookie),
  };
}

/** Rows of /proc/net/tcp have no cookie. */
function noCookieError(): SocketOptionError {
  return new SocketOptionError(
    'ENOTSUP: the connection has no cookie that identifies it: it was listed from /proc/net/tcp, or on another system',
    { code: 'ENOTSUP' },
  );
}

const NO_SOCK_DIAG =
  'this kernel has no sock_diag for TCP (gVisor, or built without CONFIG_INET_DIAG)';

export const linux: ConnectionPlatform = {
  syscall: 'sock_diag',

  queries(filter) {
    const families = familiesToQuery(filter);
    const multipath = {
      families: families.length > 0 ? multipathFamilies() : [],
      keys: new Set<string>(),
    };
    // A Multipath TCP socket and its subflow have states of their own: all states are queried.
    const all = { ...filter, tcpInfo: false, states: ALL_STATES };
    return [
      ...multipath.families
        .filter((family) => families.includes(family))
        .map((family) => () => new MultipathQuery(family, all, multipath.keys)),
      ...(families.length > 0 ? [() => new TcpQuery(families, filter, multipath)] : []),
    ];
  },

  readFallback: (filter) => readProc(filter),

  attachOwners,

  destroyRequest(connection) {
    return destroyRequest(parseSocketId(connection));
  },

  explainError(code, operation, failedCall) {
    switch (code) {
      case 'EBADF':
        return 'this program closed a descriptor that belongs to socket-options';
      case 'EPROTO':
        return "the kernel's reply is incomplete or malformed";
      case 'EPROTONOSUPPORT':
      case 'ENOENT':
        if (code === 'ENOENT' && operation === 'destroy')
          return 'the connection does not exist any more';
        return NO_SOCK_DIAG;
      case 'EAFNOSUPPORT':
      case 'EACCES':
      case 'EPERM':
        if (failedCall === 'socket') {
          return 'this process may not open AF_NETLINK sockets (for example by RestrictAddressFamilies of systemd)';
        }
        return code === 'EPERM' && operation === 'destroy' && failedCall === null
          ? 'closing a connection requires CAP_NET_ADMIN in the network namespace'
          : undefined;
      case 'ENOTSUP':
      case 'EOPNOTSUPP':
        if (operation === 'list') return NO_SOCK_DIAG;
        return 'this kernel cannot close connections (it was built without CONFIG_INET_DIAG_DESTROY)';
      default:
        return undefined;
    }
  },
};
