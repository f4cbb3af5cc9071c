// The connections of Linux: those of this process's network namespace, by sock_diag(7).

import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { rangeError, typeError, valueError } from '../../core/validate';
import { decodeLinux } from '../../tcp-info/generated/linux';
import { addressBytes, addressText } from '../address';
import type { Connection, ConnectionTimer } from '../connection';
import { ALL_STATES, type Conditions, matches } from '../filter';
import type { ConnectionName, ConnectionSystem, Query } from '../platform';
import { AF_INET, AF_INET6, DiagMessages, IPPROTO_MPTCP, IPPROTO_TCP } from './messages';
import { own } from './owners';
import { destroyRequest, dumpRequest, type SocketId } from './request';

const TIMERS = ['', 'retransmission', 'keepalive', 'time-wait', 'persist', 'delayed-ack'] as const;

/** The socket that a message is about. */
export function connectionOf(
  message: DiagMessages,
  tcpInfo: boolean,
  mptcp: Connection['mptcp'],
): Connection {
  const size = message.addressSize;
  const withInfo = tcpInfo && message.infoLength > 0;
  return {
    family: size === 4 ? 'IPv4' : 'IPv6',
    state: message.state,
    localAddress: addressText(message.bytes, message.localAt, size),
    localPort: message.localPort,
    remoteAddress: addressText(message.bytes, message.remoteAt, size),
    remotePort: message.remotePort,
    timer: timerOf(message),
    receiveQueue: message.receiveQueue,
    sendQueue: message.sendQueue,
    // The kernel writes 0, which is root, for those that no process has (any more).
    uid: message.inode === 0 ? null : message.uid,
    inode: message.inode,
    cookie: message.cookie,
    interfaceIndex: message.interfaceIndex,
    mptcp,
    congestionControl: tcpInfo ? message.congestionControl : null,
    tcpInfo: withInfo ? decodeLinux(message.words, message.infoAt >> 2, message.infoLength) : null,
    owners: null,
  };
}

const TIME_WAIT_TIMER = TIMERS.indexOf('time-wait');

/** False of what the kernel keeps in short form: a connection in `TIME-WAIT`, or one that is not open yet. */
function isWhole(message: DiagMessages): boolean {
  return message.timer !== TIME_WAIT_TIMER && message.state !== 'SYN-RECEIVED';
}

function timerOf(message: DiagMessages): ConnectionTimer | null {
  const { timer } = message;
  if (timer === 0) return null;
  const kind = TIMERS[timer] || 'unknown';
  return { kind, expires: message.expires, count: message.retransmits };
}

/** What is known of Multipath TCP in this network namespace: of which families there are sockets. */
interface Multipath {
  readonly families: readonly number[];
  /** Connections by their keys, once they were asked for. */
  readonly keys: Set<string>;
}

/**
 * The address families that may have sockets of Multipath TCP: now, or with `ever` at any time. A list of these
 * sockets takes five times as long as a short list of TCP, so this asks for the kernel's own count first.
 */
export function multipathFamilies(ever = false): number[] {
  let protocols: string;
  try {
    protocols = readFileSync('/proc/net/protocols', 'latin1');
  } catch {
    return [AF_INET, AF_INET6];
  }
  const inUse = (name: string) => new RegExp(`^${name} +\\d+ +(-?\\d+)`, 'm').exec(protocols)?.[1];
  // Every kernel that has sockets of TCP has this row: without it the file is hidden, as in containers.
  if (inUse('TCP') === undefined) return [AF_INET, AF_INET6];
  const families: number[] = [];
  for (const [name, family] of [
    ['MPTCP', AF_INET],
    ['MPTCPv6', AF_INET6],
  ] as const) {
    const count = inUse(name);
    if (count !== undefined && (count !== '0' || ever || !countsMultipath())) families.push(family);
  }
  return families;
}

/** Before Linux 6.3 it counts none of them. */
function countsMultipath(): boolean {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  return major > 6 || (major === 6 && minor >= 3);
}

function mptcpOf(message: DiagMessages, { families, keys }: Multipath): boolean | null {
  if (message.multipath || (keys.size > 0 && keys.has(message.key))) return true;
  if (families.length === 0) return false;
  // A further subflow has addresses of its own. With CAP_NET_ADMIN the kernel would have told of it,
  // where there is a whole socket.
  return message.privileged && isWhole(message) ? false : null;
}

/** The connections of one family. */
class Dump implements Query {
  readonly request: Uint8Array;
  readonly optional = false;
  private readonly messages = new DiagMessages();
  private readonly conditions: Conditions;
  private readonly multipath: Multipath;

  constructor(family: number, conditions: Conditions, multipath: Multipath) {
    this.request = dumpRequest(family, IPPROTO_TCP, conditions);
    this.conditions = conditions;
    this.multipath = multipath;
  }

  parse(bytes: Uint8Array): Connection[] {
    const { messages, conditions, multipath } = this;
    const found: Connection[] = [];
    messages.read(bytes);
    while (messages.next()) {
      if (!matches(conditions, messages)) continue;
      found.push(connectionOf(messages, conditions.tcpInfo, mptcpOf(messages, multipath)));
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

/** The connections of Multipath TCP of one family: only which there are. */
class MultipathDump implements Query {
  readonly request: Uint8Array;
  readonly optional = true;
  readonly interrupted = false;
  readonly complete = true;
  private readonly messages = new DiagMessages();
  private readonly keys: Set<string>;

  constructor(family: number, conditions: Conditions, keys: Set<string>) {
    this.request = dumpRequest(family, IPPROTO_MPTCP, conditions);
    this.keys = keys;
  }

  parse(bytes: Uint8Array): Connection[] {
    this.messages.read(bytes);
    while (this.messages.next()) this.keys.add(this.messages.key);
    return [];
  }

  get errno(): number {
    return this.messages.errno;
  }
}

/** The families in which the conditions can be true of anything. */
function familiesOf(conditions: Conditions): number[] {
  const { family, states, port, localPort, remotePort, localAddress, remoteAddress } = conditions;
  const nothing = [port, localPort, remotePort].some((ports) => ports?.size === 0);
  if (states === 0 || nothing) return [];
  const ipv6Only = [localAddress, remoteAddress].some((prefix) => prefix?.bytes.length === 16);
  return [
    ...(family === 'IPv6' || ipv6Only ? [] : [AF_INET]),
    ...(family === 'IPv4' ? [] : [AF_INET6]),
  ];
}

/** What names a connection that was listed; a caller may have kept it, copied it, or made it up. */
function identify(connection: ConnectionName): SocketId {
  const { family, cookie } = connection;
  const size = family === 'IPv6' ? 16 : 4;
  if (typeof cookie !== 'string') {
    const expected = 'a string of decimal digits, as listConnections() returns it';
    throw typeError('connection.cookie', expected, cookie);
  }
  if (!/^[1-9]\d{0,19}$/.test(cookie)) {
    throw valueError('connection.cookie', 'must be decimal digits without leading zeros', cookie);
  }
  // All ones is the kernel's word for "any".
  if (BigInt(cookie) >= 2n ** 64n - 1n) {
    throw rangeError('connection.cookie', '>= 1 and < 2^64 - 1', cookie);
  }
  const address = (name: 'localAddress' | 'remoteAddress') => {
    const bytes = typeof connection[name] === 'string' ? addressBytes(connection[name]) : undefined;
    if (bytes?.length === size) return bytes;
    throw valueError(`connection.${name}`, `must be an ${family} address`, connection[name]);
  };
  const integer = (name: 'localPort' | 'remotePort' | 'interfaceIndex', largest: number) => {
    const value: unknown = connection[name] ?? (name === 'interfaceIndex' ? 0 : undefined);
    if (typeof value !== 'number') throw typeError(`connection.${name}`, 'a number', value);
    if (Number.isInteger(value) && value >= 0 && value <= largest) return value;
    throw rangeError(`connection.${name}`, `an integer >= 0 and <= ${largest}`, value);
  };
  if (family !== 'IPv4' && family !== 'IPv6') {
    throw valueError('connection.family', "must be 'IPv4' or 'IPv6'", family);
  }
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

export const linux: ConnectionSystem = {
  syscall: 'sock_diag',

  queries(conditions) {
    const families = familiesOf(conditions);
    const multipath = {
      families: families.length > 0 ? multipathFamilies() : [],
      keys: new Set<string>(),
    };
    // A state of Multipath TCP is not that of the connection below it.
    const all = { ...conditions, tcpInfo: false, states: ALL_STATES };
    return [
      ...multipath.families
        .filter((family) => families.includes(family))
        .map((family) => () => new MultipathDump(family, all, multipath.keys)),
      ...families.map((family) => () => new Dump(family, conditions, multipath)),
    ];
  },

  own,

  destroyRequest(connection) {
    return destroyRequest(identify(connection));
  },

  meaning(code, call, failedCall) {
    switch (code) {
      case 'EBADF':
        return 'this program has closed a descriptor that it did not open';
      case 'EPROTO':
        return "the kernel's answer has no end, or is not one that this package can read";
      case 'EPROTONOSUPPORT':
      case 'ENOENT':
        if (code === 'ENOENT' && call === 'destroy') return 'there is no such connection any more';
        return 'this kernel has no sock_diag for TCP (CONFIG_INET_DIAG), as in gVisor';
      case 'EAFNOSUPPORT':
      case 'EACCES':
      case 'EPERM':
        if (failedCall === 'socket') {
          return 'sockets of AF_NETLINK are denied to this process, as by RestrictAddressFamilies of systemd';
        }
        return code === 'EPERM' && call === 'destroy' && failedCall === null
          ? 'it takes CAP_NET_ADMIN in the network namespace'
          : undefined;
      case 'ENOTSUP':
      case 'EOPNOTSUPP':
        return 'this kernel cannot end connections of others (CONFIG_INET_DIAG_DESTROY)';
      default:
        return undefined;
    }
  },
};
