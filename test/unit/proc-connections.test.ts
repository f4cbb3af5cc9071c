// Lists of connections from made-up files like /proc/net/tcp.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Connection, ConnectionFilter } from '../../lib/connections/connection';
import { parseFilter } from '../../lib/connections/filter';
import { readProc } from '../../lib/connections/linux/proc';
import { keepAliveByTimer } from '../../lib/connections/problems';
import { isLittleEndian } from '../../lib/core/byte-order';

const TITLE =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';

/** Words of an address as the kernel writes them on this machine. */
const words = (hex: string) =>
  (hex.match(/.{8}/g) ?? [])
    .map((word) => (isLittleEndian ? (word.match(/../g) ?? []).reverse().join('') : word))
    .join('');

interface Row {
  readonly local?: string;
  readonly localPort?: number;
  readonly peer?: string;
  readonly peerPort?: number;
  readonly state?: number;
  readonly queues?: string;
  readonly timer?: string;
  readonly rest?: string;
}

/** A row: 192.0.2.1:5432, 192.0.2.7:40001, ESTABLISHED, idle, without a timer. */
function row({
  local = 'C0000201',
  localPort = 5_432,
  peer = 'C0000207',
  peerPort = 40_001,
  state = 1,
  queues = '00000000:00000000',
  timer = '00:00000000 00000000',
  rest = ' 1000        0 4242 1 0000000000000000 20 4 30 10 -1',
}: Row = {}): string {
  const hex = (value: number, digits: number) =>
    value.toString(16).toUpperCase().padStart(digits, '0');
  const end = (address: string, port: number) => `${words(address)}:${hex(port, 4)}`;
  return `   0: ${end(local, localPort)} ${end(peer, peerPort)} ${hex(state, 2)} ${queues} ${timer} ${rest}`;
}

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'socket-options-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function list(rows: readonly string[], rows6?: readonly string[], filter: ConnectionFilter = {}) {
  const write = (name: string, lines: readonly string[]) =>
    writeFileSync(join(directory, name), `${[TITLE, ...lines].join('\n')}\n`);
  write('tcp', rows);
  if (rows6 !== undefined) write('tcp6', rows6);
  const found: Connection[] = [];
  for (const batch of readProc(parseFilter(filter, 'filter'), directory) ?? []) {
    found.push(...batch);
  }
  return found;
}

describe('a row', () => {
  test('has ends, queues, owner and inode; the rest is null', () => {
    expect(list([row({ queues: '00000007:000000FF' })])).toEqual([
      {
        ...{ family: 'IPv4', state: 'ESTABLISHED', timer: null, receiveQueue: 255, sendQueue: 7 },
        ...{ localAddress: '192.0.2.1', localPort: 5_432 },
        ...{ remoteAddress: '192.0.2.7', remotePort: 40_001, uid: 1_000, inode: 4_242 },
        ...{ cookie: null, interfaceIndex: null, mptcp: null, congestionControl: null },
        ...{ tcpInfo: null, owners: null, problems: null },
      },
    ]);
  });

  test.each<[string, Row, Connection['timer']]>([
    [
      'a retransmission, which counts retransmissions',
      { timer: '01:00000014 00000003' },
      { kind: 'retransmission', expires: 200, count: 3 },
    ],
    [
      'a keepalive timer, which counts probes',
      { timer: '02:000004B0 00000000', rest: '    0        2 1 1' },
      { kind: 'keepalive', expires: 12_000, count: 2 },
    ],
    [
      'a persist timer, which counts probes',
      { timer: '04:00000001 00000000', rest: '    0       12 1 1' },
      { kind: 'persist', expires: 10, count: 12 },
    ],
    [
      'TIME-WAIT',
      { timer: '03:00001770 00000000' },
      { kind: 'time-wait', expires: 60_000, count: 0 },
    ],
    [
      'a newer timer',
      { timer: '09:00000001 00000000' },
      { kind: 'unknown', expires: 10, count: 0 },
    ],
  ])('has a timer: %s', (_, more, timer) => {
    expect(list([row(more)])[0]?.timer).toEqual(timer);
  });

  test('a listening socket has the length of its accept queue, and no limit', () => {
    const listening = { peer: '00000000', peerPort: 0, state: 10, queues: '00000000:00000003' };
    expect(list([row(listening)])[0]).toMatchObject({
      ...{ state: 'LISTEN', receiveQueue: 3, sendQueue: null },
    });
  });

  test('a connection that is being accepted counts the SYN-ACKs that were sent again', () => {
    const accepting = { state: 3, timer: '01:000000A9 00000002', rest: '    0        0 0 0 1' };
    expect(list([row(accepting), row({ ...accepting, peerPort: 40_002 })])).toEqual(
      [40_001, 40_002].map((remotePort) =>
        expect.objectContaining({
          ...{ state: 'SYN-RECEIVED', remotePort, uid: null, inode: 0 },
          timer: { kind: 'retransmission', expires: 1_690, count: 2 },
        }),
      ),
    );
  });

  test('a socket that no process holds belongs to no user', () => {
    expect(list([row({ state: 6, rest: '    0        0 0 3' })])[0]).toMatchObject({
      ...{ state: 'TIME-WAIT', uid: null, inode: 0 },
    });
  });

  test.each([
    ['00000000000000000000000000000001', '::1'],
    ['00000000000000000000FFFFC0000207', '::ffff:192.0.2.7'],
    ['20010DB8000000000000000000000007', '2001:db8::7'],
  ])('of IPv6 has the address %s', (peer, remoteAddress) => {
    const local = '20010DB8000000000000000000000001';
    expect(list([], [row({ local, peer })])).toEqual([
      expect.objectContaining({ family: 'IPv6', localAddress: '2001:db8::1', remoteAddress }),
    ]);
  });

  test.each([
    '',
    TITLE,
    '   0: 0201:0F',
    row().replace('C0', 'XX').replace('0100', 'ZZ00'),
    '\u0000\u0001',
  ])('that is none is ignored: %j', (line) => {
    expect(list([line, row()])).toHaveLength(1);
  });
});

describe('a filter', () => {
  const rows = [
    row(),
    row({ localPort: 80, peer: '0A000001', state: 8 }),
    row({ localPort: 443, peerPort: 5_432, state: 10 }),
  ];
  const rows6 = [row({ local: '00'.repeat(16), peer: '00000000000000000000FFFF0A000009' })];
  test.each<[ConnectionFilter, number[]]>([
    [{}, [5_432, 80, 443, 5_432]],
    [{ state: 'CLOSE-WAIT' }, [80]],
    [{ state: ['LISTEN', 'ESTABLISHED'] }, [5_432, 443, 5_432]],
    [{ family: 'IPv6' }, [5_432]],
    [{ port: 5_432 }, [5_432, 443, 5_432]],
    [{ localPort: [80, 443] }, [80, 443]],
    [{ remotePort: 5_432 }, [443]],
    [{ localAddress: '192.0.2.1' }, [5_432, 80, 443]],
    [{ remoteAddress: '10.0.0.0/8' }, [80, 5_432]],
    [{ remoteAddress: ['10.0.0.1', '192.0.2.7'] }, [5_432, 80, 443]],
    [{ remoteAddress: [] }, []],
    [{ state: [] }, []],
  ])('%j selects the same as of netlink', (filter, ports) => {
    expect(list(rows, rows6, filter).map(({ localPort }) => localPort)).toEqual(ports);
  });
});

test('a file of any size is read whole, in parts', () => {
  const rows = Array.from({ length: 5_000 }, (_, index) => row({ peerPort: 1 + index }));
  const ports = list(rows).map(({ remotePort }) => remotePort);
  expect(ports).toEqual(rows.map((_, index) => 1 + index));
  const parts = [...(readProc(parseFilter({}, 'filter'), directory) ?? [])];
  expect(Math.max(...parts.map(({ length }) => length))).toBeLessThan(200);
});

test('a row that comes again, because the table changed meanwhile, is listed once', () => {
  const other = ' 1000        0 4243 1 0000000000000000 20 4 30 10 -1';
  const rows = [row(), row({ peerPort: 7 }), row(), row({ rest: other })];
  expect(list(rows).map(({ remotePort, inode }) => [remotePort, inode])).toEqual([
    [40_001, 4_242],
    [7, 4_242],
    // Listening sockets may share an address and a port.
    [40_001, 4_243],
  ]);
});

test('gVisor reports no queues and timers: its zeros say nothing about keepalive', () => {
  list([row()]);
  const [[one] = []] = [...(readProc(parseFilter({}, 'filter'), directory, false) ?? [])];
  expect(one).toMatchObject({ receiveQueue: null, sendQueue: null, timer: null, inode: 4_242 });
  expect(keepAliveByTimer(one as Connection, 'linux')).toBeNull();
});

test('a system without the first file has no list; one without IPv6 has no second file', () => {
  expect(readProc(parseFilter({}, 'filter'), join(directory, 'none'))).toBeUndefined();
  expect(list([row()])).toHaveLength(1);
});
