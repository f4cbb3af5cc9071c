// Orders and groups of connections, and what is kept of a long list.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Top } from '../../lib/cli/top';
import { orderBy, SORT_KEYS } from '../../lib/cli/view/connection-order';
import { formatGroupTable, Groups } from '../../lib/cli/view/group-table';
import type { Connection } from '../../lib/connections/connection';
import { listener, make, many, timer } from '../support/made-up-connections';

describe('orderBy', () => {
  const named = (port: number, more: Partial<Connection> = {}, info = {}) =>
    make({ remotePort: port, ...more }, info);
  const list = [
    named(1, { receiveQueue: 10 }, { rtt: 1, segmentsRetransmitted: 9, bytesSent: 5 }),
    named(2, { sendQueue: 10, ...timer('retransmission', 5) }, { rtt: 3, unackedSegments: 1 }),
    named(3, { state: 'FIN-WAIT-1' }, { rtt: 2, timeSinceLastAckReceived: 9_000 }),
    named(4, { tcpInfo: null, remoteAddress: '10.0.0.1' }, {}),
    named(5, {}, { bytesReceived: 7, rtt: null }),
  ];
  test.each([
    ['problems', [2, 1, 4, 5, 3]],
    ['alive', [3, 1, 2, 5, 4]],
    ['rtt', [2, 3, 1, 4, 5]],
    ['retrans', [2, 1, 3, 5, 4]],
    ['unread', [1, 2, 3, 4, 5]],
    ['unacked', [2, 1, 3, 4, 5]],
    ['received', [5, 1, 2, 3, 4]],
    ['sent', [1, 2, 3, 5, 4]],
    ['state', [1, 2, 4, 5, 3]],
    ['peer', [4, 1, 2, 3, 5]],
  ] as const)('%s: the greatest first, connections without a value last', (key, ports) => {
    const sorted = [...list].sort(orderBy(key)).map(({ remotePort }) => remotePort);
    // Connections that are equal in the key are ordered by their ends.
    expect(sorted).toEqual(ports);
  });

  test('is the same whatever the sequence was', () => {
    for (const key of SORT_KEYS) {
      const order = orderBy(key);
      expect([...list].reverse().sort(order)).toEqual([...list].sort(order));
    }
  });

  test('puts critical problems before warnings, and both before information', () => {
    const closing = make({ state: 'CLOSE-WAIT' }, { timeSinceLastAckReceived: 90_000 });
    const suspect = make({ state: 'LAST-ACK', ...timer('retransmission', 5) });
    const sorted = [make(), closing, suspect].sort(orderBy('problems'));
    expect(sorted.map(({ state }) => state)).toEqual(['LAST-ACK', 'CLOSE-WAIT', 'ESTABLISHED']);
  });
});

test('Top keeps the same as a sorted list that is cut, and never more than twice as many', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50)), fc.integer({ min: 1, max: 20 }), (numbers, limit) => {
      const top = new Top<number>(limit, (a, b) => a - b);
      for (const number of numbers) {
        top.add(number);
        expect(top.size).toBeLessThanOrEqual(2 * limit);
      }
      expect(top.sorted()).toEqual(numbers.sort((a, b) => a - b).slice(0, limit));
    }),
  );
});

describe('Groups', () => {
  const groupsOf = (connections: readonly Connection[], key: 'peer' | 'state' | 'process') => {
    const groups = new Groups(key);
    for (const connection of connections) groups.add(connection);
    return groups.list();
  };
  const to = (remoteAddress: string, more: Partial<Connection> = {}, info = {}) =>
    make({ remoteAddress, ...more }, info);

  test('counts states and problems, with the worst silence and the median round-trip time', () => {
    const list = [
      to('192.0.2.8', { receiveQueue: 100 }, { rtt: 4, timeSinceLastAckReceived: 70_000 }),
      to('192.0.2.8', timer('keepalive', 3), { rtt: 1 }),
      to('192.0.2.8', { state: 'CLOSE-WAIT', sendQueue: 7 }, { rtt: 3 }),
      to('192.0.2.8', { tcpInfo: null, state: 'TIME-WAIT' }),
      to('192.0.2.9'),
    ];
    expect(groupsOf(list, 'peer')).toEqual([
      {
        ...{ group: '192.0.2.8', connections: 4, marked: 1, worstSilence: 70_000, medianRtt: 3 },
        states: { ESTABLISHED: 2, 'CLOSE-WAIT': 1, 'TIME-WAIT': 1 },
        problems: { 'half-open': 1, 'close-wait': 1, 'no-keepalive': 1 },
        ...{ unread: 100, unacked: 7 },
      },
      expect.objectContaining({ group: '192.0.2.9', connections: 1, marked: 0 }),
    ]);
  });

  test.each([
    ['alive', ['b', 'c', 'a']],
    ['rtt', ['c', 'b', 'a']],
    ['unread', ['a', 'c', 'b']],
    ['unacked', ['c', 'a', 'b']],
    ['peer', ['a', 'b', 'c']],
    ['problems', ['c', 'a', 'b']],
  ] as const)('are sorted by %s', (key, names) => {
    const groups = new Groups('peer');
    groups.add(to('a', { receiveQueue: 5 }, { rtt: 1 }));
    groups.add(to('b', {}, { rtt: 2, timeSinceLastAckReceived: 9_000 }));
    groups.add(to('c', { sendQueue: 5, ...timer('persist', 2) }, { rtt: 3 }));
    groups.add(to('c', { receiveQueue: 1 }, { rtt: 3 }));
    expect(groups.list(key).map(({ group }) => group)).toEqual(names);
  });

  test('groups by state and by process', () => {
    const owners = [{ pid: 7, name: 'api', fd: 3 }];
    const list = [make({ owners }), make({ owners: [] }), make(), listener(600, 511)];
    const names = (key: 'state' | 'process') => groupsOf(list, key).map(({ group }) => group);
    expect(names('state')).toEqual(['LISTEN', 'ESTABLISHED']);
    // The problem is the accept queue's.
    expect(names('process')).toEqual(['(not known)', '(none)', 'api (7)']);
  });

  test('a peer of IPv4 and IPv6 sockets is one group', () => {
    expect(groupsOf([to('192.0.2.8'), to('::ffff:192.0.2.8'), to('::ffff:0:8')], 'peer')).toEqual([
      expect.objectContaining({ group: '192.0.2.8', connections: 2 }),
      expect.objectContaining({ group: '::ffff:0:8', connections: 1 }),
    ]);
  });

  test.each([
    [200, /^ {2}PEER +COUNT +PROBLEMS +SILENCE +RTT +UNREAD +STATES$/],
    [80, /^ {2}PEER +COUNT +PROBLEMS +SILENCE$/],
    [50, /^ {2}PEER +COUNT +PROBLEMS$/],
    [40, /^ {2}PEER +COUNT +PROBLEMS$/],
  ])('in %d columns the count and the problems stay', (width, titles) => {
    const list = [
      to('2001:db8:1234:5678:9abc:def0:1234:5678', timer('keepalive', 3)),
      to('192.0.2.9', { receiveQueue: 9 }),
    ];
    const lines = formatGroupTable(groupsOf(list, 'peer'), 'peer', { width, unicode: true });
    expect(lines[0]).toMatch(titles);
    expect(lines[1]).toMatch(width < 80 ? /^! 2001.*….*:5678 +1 +1 half-open/ : /^! 2001:db8:1234/);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
  });

  test('a column that is empty in all rows is left out', () => {
    const lines = formatGroupTable(
      groupsOf([make({ state: 'TIME-WAIT', tcpInfo: null })], 'peer'),
      'peer',
      {
        ...{ width: Infinity, unicode: true },
      },
    );
    expect(lines[0]).toBe('  PEER       COUNT  STATES');
  });

  test('the queues of a listening socket are no bytes', () => {
    expect(groupsOf([listener(600, 511)], 'state')).toEqual([
      expect.objectContaining({ unread: null, unacked: null, worstSilence: null, medianRtt: null }),
    ]);
  });

  test.each([200, 80, 50, 40])('the table fits into %d columns, and escapes names', (width) => {
    const owners = [{ pid: 7, name: 'no\u001b[2Jde', fd: 3 }];
    const list = [make({ owners, ...timer('keepalive', 3) }), ...many(9, () => make())];
    const lines = formatGroupTable(groupsOf(list, 'process'), 'process', { width, unicode: true });
    expect(lines[0]).toMatch(/^ {2}PROCESS +COUNT +PROBLEMS/);
    expect(lines[1]).toMatch(/^! no\\x1b\[2Jde \(7\) +1 +1 half-/);
    expect(lines[2]).toMatch(/^ {2}\(not known\) +9 +9 no-/);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
  });
});
