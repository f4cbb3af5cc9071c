// Lists connections by /proc/net/tcp and /proc/net/tcp6 (proc(5)), for systems that refuse sock_diag(7): gVisor, and
// containers whose seccomp filter does not allow AF_NETLINK. Source: net/ipv4/tcp_ipv4.c, net/ipv6/tcp_ipv6.c.

import { closeSync, openSync, readSync } from 'node:fs';
import { formatAddress } from '../../core/address';
import { isLittleEndian } from '../../core/byte-order';
import { isGvisor } from '../../core/gvisor';
import { linuxStateIndex, tcpStates } from '../../tcp-info/states';
import type { Connection, ConnectionTimer } from '../connection';
import { type EndpointView, matchesFilter, type ParsedFilter } from '../filter';
import { timerFrom } from './timer';

/** The kernel returns at most a page for each read(2). */
const READ_SIZE = 16 * 1024;

/**
 * Yields the connections of both files that match the filter, a part of a file at a time; `undefined` if the first file
 * cannot be opened. A system without IPv6 has no second file.
 */
export function readProc(
  filter: ParsedFilter,
  directory = '/proc/net',
  hasQueues = !isGvisor(),
): Generator<readonly Connection[], undefined> | undefined {
  const first = tryOpen(`${directory}/tcp`);
  if (first === undefined) return undefined;
  const seen = new Set<string>();
  const parse = (line: string) => {
    const row = parseRow(line, filter, hasQueues);
    if (row === undefined) return undefined;
    // The kernel finds its place in a table that changes by counting, so that a row may come again: tcp_seek_last_pos().
    const { localAddress, localPort, remoteAddress, remotePort, inode } = row;
    const key = `${localAddress} ${localPort} ${remoteAddress} ${remotePort} ${inode}`;
    if (seen.has(key)) return undefined;
    seen.add(key);
    return row;
  };
  return readFiles(first, `${directory}/tcp6`, parse);
}

type Parse = (line: string) => Connection | undefined;

function* readFiles(
  first: number,
  path: string,
  parse: Parse,
): Generator<readonly Connection[], undefined> {
  yield* readRows(first, parse);
  const second = tryOpen(path);
  if (second !== undefined) yield* readRows(second, parse);
}

function tryOpen(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch {
    return undefined;
  }
}

function* readRows(file: number, parse: Parse): Generator<readonly Connection[], undefined> {
  const buffer = Buffer.alloc(READ_SIZE);
  let rest = '';
  try {
    for (let size = readSync(file, buffer); size > 0; size = readSync(file, buffer)) {
      const lines = `${rest}${buffer.toString('latin1', 0, size)}`.split('\n');
      rest = lines.pop() as string;
      yield lines.flatMap((line) => parse(line) ?? []);
    }
  } finally {
    closeSync(file);
  }
}

const HEX = '([0-9A-F]+)';
/** `sl local remote st tx:rx tr:when retrnsmt uid probes inode`; the title has no numbers. */
const ROW = new RegExp(
  `^ *\\d+: ${HEX}:${HEX} ${HEX}:${HEX} ${HEX} ${HEX}:${HEX} ${HEX}:${HEX} ${HEX} +(\\d+) +(\\d+) +(\\d+)`,
);

/** Clock ticks of proc(5), which are 10 ms on every architecture that Node runs on. */
const TICK = 10;

/**
 * The connection in a row; `undefined` if it does not match the filter, and for a line that is no row. `hasQueues`: gVisor
 * writes zeros for queues and timers (netTCPData in pkg/sentry/fsimpl/proc/task_net.go).
 */
function parseRow(line: string, filter: ParsedFilter, hasQueues: boolean): Connection | undefined {
  const fields = ROW.exec(line);
  if (fields === null) return undefined;
  const [, localHex = '', localPort, remoteHex = '', remotePort, state, sent, received] = fields;
  const [timer, expires, retransmits] = fields.slice(8, 11);
  const [uid = 0, probes = 0, inode = 0] = fields.slice(11).map(Number);
  const size = localHex.length / 2;
  const view: EndpointView = {
    stateIndex: linuxStateIndex(fromHex(state)),
    addressSize: size,
    ...{ localPort: fromHex(localPort), remotePort: fromHex(remotePort) },
    ...{ bytes: addressBytes(localHex + remoteHex), localAt: 0, remoteAt: size },
  };
  if (!matchesFilter(filter, view)) return undefined;
  const name = tcpStates[view.stateIndex] ?? 'CLOSED';
  return {
    family: size === 4 ? 'IPv4' : 'IPv6',
    state: name,
    localAddress: formatAddress(view.bytes, 0, size),
    localPort: view.localPort,
    remoteAddress: formatAddress(view.bytes, size, size),
    remotePort: view.remotePort,
    timer: timerOf(fromHex(timer), fromHex(expires) * TICK, fromHex(retransmits), probes),
    receiveQueue: hasQueues ? fromHex(received) : null,
    // The file does not have the limit of an accept queue.
    sendQueue: hasQueues && name !== 'LISTEN' ? fromHex(sent) : null,
    uid: inode === 0 ? null : uid,
    inode,
    ...{ cookie: null, interfaceIndex: null, mptcp: null, congestionControl: null },
    ...{ tcpInfo: null, owners: null, problems: null },
  };
}

const fromHex = (text = '') => Number.parseInt(text, 16);

/** A retransmission timer counts retransmissions; the others count probes, in another column. */
function timerOf(
  number: number,
  expires: number,
  retransmits: number,
  probes: number,
): ConnectionTimer | null {
  const timer = timerFrom(number, expires, retransmits);
  const countsProbes = timer?.kind === 'keepalive' || timer?.kind === 'persist';
  return timer !== null && countsProbes ? { ...timer, count: probes } : timer;
}

/** Addresses are written in words of 32 bits, as numbers of this machine. */
function addressBytes(hex: string): Uint8Array {
  const bytes = Buffer.from(hex, 'hex');
  return isLittleEndian ? bytes.swap32() : bytes;
}
