// socket-options connections: what is said of a connection, with made-up ones.

import { describe, expect, test } from 'vitest';
import { counts, warnings } from '../../lib/cli/connection-summary';
import {
  bySuspicion,
  connectionLine,
  connectionTable,
  identity,
  timerWords,
} from '../../lib/cli/connection-table';
import { ConnectionView } from '../../lib/cli/connection-view';
import { BARS, remember, sparkline } from '../../lib/cli/sparkline';
import { stateOf } from '../../lib/cli/states';
import { observe, silence, suspicion } from '../../lib/cli/suspicion';
import {
  count,
  cut,
  cutMiddle,
  json,
  latency,
  printable,
  roughly,
  showsUnicode,
  size,
  table,
} from '../../lib/cli/text';
import type { Connection, ConnectionTimer } from '../../lib/connections/connection';
import { tcpStates } from '../../lib/tcp-info/states';
import type { TcpInfo } from '../../lib/tcp-info/tcp-info';
import normal from '../fixtures/connection.json';

/** Established, idle and well, except for what is given. */
function make(more: Partial<Connection> = {}, info: Partial<TcpInfo> = {}): Connection {
  const { tcpInfo, ...connection } = normal as unknown as Connection;
  return { ...connection, tcpInfo: { ...(tcpInfo as TcpInfo), ...info }, ...more };
}

const timer = (kind: ConnectionTimer['kind'], count: number, expires = 1_600) => ({
  timer: { kind, count, expires },
});

const listener = (receiveQueue: number, sendQueue: number) =>
  make({
    ...{ state: 'LISTEN', localPort: 80, remoteAddress: '0.0.0.0', remotePort: 0 },
    ...{ receiveQueue, sendQueue, tcpInfo: null },
  });

describe('the timer in words', () => {
  test.each<[string, Partial<Connection>]>([
    ['off', {}],
    ['off', { state: 'CLOSE-WAIT' }],
    // With something to send, nothing can be said of keepalive.
    ['', { sendQueue: 1 }],
    ['', { state: 'SYN-SENT' }],
    ['', { state: 'LISTEN' }],
    ['first probe in 12 s', timer('keepalive', 0, 12_345)],
    ['probe 2 in 0.4 s', timer('keepalive', 1, 404)],
    ['ACK due in 0.2 s', timer('retransmission', 0, 200)],
    ['retransmission 3 in 1.6 s', timer('retransmission', 2)],
    ['window probe 1 in 0.2 s', timer('persist', 0, 216)],
    ['removed in 42 s', { state: 'TIME-WAIT', ...timer('time-wait', 0, 42_000) }],
    ['removed in 42 s', { state: 'FIN-WAIT-2', inode: 0, ...timer('keepalive', 0, 42_000) }],
    ['first probe in 42 s', { state: 'FIN-WAIT-2', ...timer('keepalive', 0, 42_000) }],
    ['delayed ACK in 0.0 s', timer('delayed-ack', 0, 40)],
    ['unknown timer in 1.6 s', timer('unknown', 0)],
  ])('%s', (words, connection) => {
    const sendWindow = { sendWindow: connection.timer?.kind === 'persist' ? 0 : 65_536 };
    expect(timerWords(make(connection, sendWindow), 'linux')).toBe(words);
  });

  test('data that this system itself cannot send is not the peer’s closed window', () => {
    expect(timerWords(make(timer('persist', 3)), 'linux')).toBe('attempt 4 to send in 1.6 s');
  });

  test('where the system shows no timers, none is called off', () => {
    expect(timerWords(make(), 'darwin')).toBe('');
    expect(timerWords(make(), 'win32')).toBe('');
  });
});

test('the last sign of life is the later of data and acknowledgement', () => {
  const at = (timeSinceLastDataReceived: number | null, timeSinceLastAckReceived: number | null) =>
    silence(make({}, { timeSinceLastDataReceived, timeSinceLastAckReceived }));
  expect(at(100, 200)).toBe(100);
  expect(at(300, 200)).toBe(200);
  expect(at(null, 200)).toBe(200);
  expect(at(300, null)).toBe(300);
  expect(at(0, 200)).toBe(0);
  expect(at(null, null)).toBeNull();
  expect(silence(make({ tcpInfo: null }))).toBeNull();
});

describe('suspicion', () => {
  const UNACKED = { unackedSegments: 1, bytesInFlight: 1_000, timeSinceLastAckReceived: 12_000 };

  test.each<[string, Partial<Connection>, Partial<TcpInfo>]>([
    [
      'half-open? 1 keepalive probe unanswered, last sign of life 2.4 s ago',
      timer('keepalive', 1),
      { timeSinceLastAckReceived: 2_400 },
    ],
    ['half-open? 2 keepalive probes unanswered, last sign of life 0.4 s ago', {}, { probes: 2 }],
    [
      'half-open? 3 retransmissions unanswered, last sign of life 12 s ago',
      timer('retransmission', 3),
      UNACKED,
    ],
    [
      'half-open? 2 retransmissions unanswered, last sign of life 12 s ago',
      {},
      { ...UNACKED, consecutiveTimeouts: 2 },
    ],
    [
      'half-open? 2 retransmissions unanswered, last sign of life 12 s ago',
      {},
      { ...UNACKED, backoff: 2 },
    ],
    [
      'half-open? data unacknowledged for 7.0 s',
      timer('retransmission', 1),
      { ...UNACKED, timeSinceLastDataSent: 7_000 },
    ],
    [
      'half-open? 2 probes unanswered, last sign of life 0.4 s ago',
      timer('persist', 2),
      { sendWindow: 0 },
    ],
    [
      'no answer to the handshake, sent 3 times',
      { state: 'SYN-SENT', ...timer('retransmission', 2) },
      {},
    ],
    [
      'no answer to the handshake, sent 4 times',
      { state: 'SYN-RECEIVED', tcpInfo: null, ...timer('retransmission', 3) },
      {},
    ],
    [
      'half-open? 2 retransmissions unanswered',
      { state: 'LAST-ACK', tcpInfo: null, ...timer('retransmission', 2) },
      {},
    ],
  ])('%s', (words, connection, info) => {
    expect(suspicion(make(connection, info))).toBe(words);
  });

  test.each<[string, Partial<Connection>, Partial<TcpInfo>]>([
    ['idle for a day, keepalive off', {}, { timeSinceLastAckReceived: 86_400_000 }],
    ['idle, keepalive on', timer('keepalive', 0), {}],
    [
      'data sent a moment ago after a long silence',
      timer('retransmission', 0),
      { ...UNACKED, timeSinceLastAckReceived: 3_600_000, timeSinceLastDataSent: 5 },
    ],
    ['one retransmission', timer('retransmission', 1), { ...UNACKED, consecutiveTimeouts: 1 }],
    ['losses of long ago', {}, { segmentsRetransmitted: 12 }],
    // The pause between probes is doubled, too; each of them was answered.
    [
      'a peer that reads slowly and answers',
      timer('persist', 0),
      { sendWindow: 0, backoff: 5, unackedSegments: 1 },
    ],
    ['a peer that is asked about its window now', timer('persist', 1), { probes: 1 }],
    ['one that listens', { state: 'LISTEN' }, { probes: 3 }],
    ['one that is over', { state: 'TIME-WAIT', tcpInfo: null, ...timer('time-wait', 0) }, {}],
    // What a field of a system without it says.
    [
      'one of which little is known',
      {},
      { probes: null, unackedSegments: null, consecutiveTimeouts: null, backoff: null },
    ],
  ])('none of %s', (_, connection, info) => {
    expect(suspicion(make(connection, info))).toBeNull();
  });
});

describe('the table', () => {
  const options = { width: Infinity, unicode: true, platform: 'linux' } as const;
  const busy = make(
    { localAddress: '2001:db8::1', receiveQueue: 5_000, sendQueue: 1_234_567 },
    { segmentsRetransmitted: 12, consecutiveTimeouts: 1, bytesReceived: 10, bytesSent: 2_000 },
  );

  const ALL = 'STATE LOCAL PEER ALIVE RTT TREND RETRANS UNREAD UNACKED RECEIVED SENT TIMER'.split(
    ' ',
  );

  test('all columns, each under its name', () => {
    expect(connectionTable([observe(busy), observe(make())], options)).toEqual([
      '  STATE        LOCAL               PEER             ALIVE   RTT      RETRANS  UNREAD  UNACKED  RECEIVED  SENT    TIMER',
      '  ESTABLISHED  [2001:db8::1]:5432  192.0.2.7:40001  0.4 s   1.50 ms  1/12     5.0 kB  1.2 MB   10 B      2.0 kB',
      '  ESTABLISHED  192.0.2.1:5432      192.0.2.7:40001  0.4 s   1.50 ms                                              off',
    ]);
  });

  test('a column that says nothing is left out', () => {
    expect(connectionTable([observe(make())], options)[0]).toBe(
      '  STATE        LOCAL           PEER             ALIVE   RTT      TIMER',
    );
    expect(connectionTable([observe(make({ tcpInfo: null }))], options)[0]).not.toMatch(/RTT/);
  });

  test('columns go one by one where there is no room, the diagnosis never', () => {
    const gone: string[] = [];
    for (let width = 140; width >= 30; width--) {
      const lines = connectionTable([observe(busy)], { ...options, width, trend: () => '▁▂' });
      for (const title of ALL) {
        if (!gone.includes(title) && !lines[0]?.includes(title)) gone.push(title);
      }
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
    }
    const last = ['STATE', 'LOCAL'];
    expect(gone).toEqual([
      ...['RECEIVED', 'SENT', 'TREND', 'RTT', 'UNREAD', 'UNACKED', 'RETRANS'],
      ...last,
    ]);
  });

  test.each([
    [
      60,
      '  STATE  LOCAL  PEER             ALIVE   TIMER',
      '! ESTAB  :5432  192.0.2.7:40001  2.4 s   probe 3 in 0.4 s',
    ],
    [
      52,
      '  LOCAL  PEER             ALIVE   TIMER',
      '! :5432  192.0.2.7:40001  2.4 s   probe 3 in 0.4 s',
    ],
    [45, '  PEER             ALIVE   TIMER', '! 192.0.2.7:40001  2.4 s   probe 3 in 0.4 s'],
    [40, '  PEER          ALIVE   TIMER', '! 192.0.…40001  2.4 s   probe 3 in 0.4 s'],
  ])('%d columns: peer, silence and timer stay readable', (width, titles, line) => {
    const suspect = make(timer('keepalive', 2, 400), { timeSinceLastAckReceived: 2_400 });
    expect(connectionTable([observe(suspect)], { ...options, width })).toEqual([titles, line]);
  });

  test('a long list of processes ends at the edge, and takes no column away', () => {
    const owners = Array.from({ length: 20 }, (_, pid) => ({ pid, name: 'worker', fd: 3 }));
    const lines = connectionTable([observe(make({ owners }))], {
      ...{ ...options, width: 100, owners: true },
    });
    expect(lines[0]).toMatch(/^ {2}STATE +LOCAL +PEER +ALIVE +RTT +TIMER +PROCESS$/);
    expect(lines[1]).toMatch(/worker \(0\), .*…$/);
    expect(lines[1]).toHaveLength(100);
  });

  test('80 columns are enough for connections that are well', () => {
    const lines = connectionTable([observe(make())], {
      ...options,
      width: 80,
      trend: () => '▁▁▁▁▁▁▁▁',
    });
    expect(lines[0]).toMatch(/RTT +TREND +TIMER$/);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  });

  test('a listening socket has its queue of connections, and no other', () => {
    expect(connectionTable([observe(listener(3, 511))], options)).toEqual([
      '  STATE   LOCAL         PEER                ALIVE   TIMER',
      '  LISTEN  192.0.2.1:80  accept queue 3/511',
    ]);
  });

  test('the suspicious have a mark, and come first', () => {
    const suspect = make({ state: 'CLOSE-WAIT', ...timer('keepalive', 2) });
    const other = make({ state: 'FIN-WAIT-1', localPort: 1 });
    const lines = connectionTable(
      [observe(make()), observe(other), observe(suspect)].sort(bySuspicion),
      options,
    );
    expect(lines.map((line) => line.slice(0, 13).trim())).toEqual([
      'STATE',
      '! CLOSE-WAIT',
      'ESTABLISHED',
      'FIN-WAIT-1',
    ]);
  });

  test('processes, if asked for, with control characters escaped in their names', () => {
    const owners = [
      { pid: 7, name: 'no\u001b[2Jde', fd: 3 },
      { pid: 8, name: 'sh\u009b\u202e', fd: null },
    ];
    const owned = observe(make({ owners }));
    expect(connectionTable([owned], options)[1]).not.toMatch(/\(7\)/);
    expect(connectionTable([owned], { ...options, owners: true })[1]).toMatch(
      / no\\x1b\[2Jde \(7\), sh\\x9b\\u\{202e\} \(8\)$/,
    );
  });

  test('a line for a file', () => {
    expect(connectionLine(observe(busy), options)).toBe(
      'ESTABLISHED [2001:db8::1]:5432 192.0.2.7:40001; alive 0.4 s; rtt 1.50 ms; retransmissions 1/12; unread 5.0 kB; unacked 1.2 MB',
    );
    expect(connectionLine(observe(listener(0, 511)), options)).toBe(
      'LISTEN 192.0.2.1:80 accept queue 0/511',
    );
  });

  test('how many are in which state', () => {
    expect(counts([make({ state: 'TIME-WAIT' }), make(), make({ state: 'TIME-WAIT' })])).toBe(
      '1 ESTABLISHED, 2 TIME-WAIT',
    );
    expect(counts([])).toBe('');
  });
});

describe('warnings', () => {
  const closing = (more: Partial<Connection>) => make({ state: 'CLOSE-WAIT', ...more });
  const told = (connections: readonly Connection[], listening: readonly Connection[] = []) =>
    warnings(connections.map(observe), listening, true);
  const many = (size: number, one: (index: number) => Connection) =>
    Array.from({ length: size }, (_, index) => one(index));

  test('of a suspect: its ends, and why', () => {
    expect(told([make(), make(timer('keepalive', 1))])).toEqual([
      '192.0.2.1:5432 - 192.0.2.7:40001: half-open? 1 keepalive probe unanswered, last sign of life 0.4 s ago',
    ]);
  });

  test('of many suspects: twenty, and how many more there are', () => {
    const sentences = told(many(25, () => make(timer('keepalive', 1))));
    expect(sentences).toHaveLength(21);
    expect(sentences.at(-1)).toBe('5 more suspects are marked with ! in the table');
  });

  test('CLOSE-WAIT by the port of a server', () => {
    expect(told(many(3, (index) => closing({ localPort: 80, remotePort: 1_000 + index })))).toEqual(
      [
        '3 connections on local port 80 are in CLOSE-WAIT: the peer has closed them, the program here has not',
      ],
    );
  });

  test('CLOSE-WAIT by the peer of a client', () => {
    expect(told(many(4, (index) => closing({ localPort: 1_000 + index, remotePort: 80 })))).toEqual(
      [
        '4 connections to 192.0.2.7:80 are in CLOSE-WAIT: the peer has closed them, the program here has not',
      ],
    );
  });

  test('CLOSE-WAIT by its process, where that is known', () => {
    const owners = [{ pid: 7, name: 'node', fd: 3 }];
    expect(
      told(many(3, (index) => closing({ owners, localPort: index, remotePort: index }))),
    ).toEqual([
      '3 connections of node (7) are in CLOSE-WAIT: the peer has closed them, the program here has not',
    ]);
  });

  test('a few in CLOSE-WAIT are no heap', () => {
    expect(told(many(2, () => closing({})))).toEqual([]);
    expect(told(many(3, (port) => closing({ localPort: port, remotePort: port })))).toEqual([]);
  });

  test('a full accept queue', () => {
    expect(told([], [listener(511, 511), listener(512, 511)])).toEqual([
      '192.0.2.1:80: the accept queue is full (512 connections wait, the limit is 511): the program does not accept fast enough',
    ]);
    expect(told([], [make({ state: 'LISTEN', receiveQueue: null, sendQueue: null })])).toEqual([]);
  });
});

describe('the watch', () => {
  const view = () =>
    new ConnectionView('connections', { unicode: true, platform: 'linux', keys: true });
  const sample = (connections: readonly Connection[]) => ({
    time: new Date(2026, 0, 2, 3, 4, 5),
    observed: connections.map(observe),
    listening: [],
    leftOut: [],
  });
  const text = (watch: ConnectionView, columns = 120, rows = 24) =>
    watch.frame(columns, rows).map((line) => line.text.trimEnd());
  const connection = (port: number, info: Partial<TcpInfo> = {}, more: Partial<Connection> = {}) =>
    make({ remotePort: port, cookie: String(port), ...more }, info);
  const ports = (watch: ConnectionView) =>
    text(watch).flatMap((line) => /192\.0\.2\.7:(\d+) .*(?:off|probe)/.exec(line)?.[1] ?? []);

  test('the newest first, the suspicious before them, the others in place', () => {
    const watch = view();
    watch.update(sample([connection(3), connection(1), connection(2)]));
    expect(ports(watch)).toEqual(['1', '2', '3']);
    watch.update(sample([connection(4), connection(3), connection(2), connection(1)]));
    expect(ports(watch)).toEqual(['4', '1', '2', '3']);
    const suspect = connection(2, {}, timer('keepalive', 1));
    watch.update(sample([connection(4), connection(3), suspect, connection(1)]));
    expect(ports(watch)).toEqual(['2', '4', '1', '3']);
  });

  test('a trend belongs to its connection, is bounded, and is forgotten with it', () => {
    const watch = view();
    const trend = () => text(watch)[3]?.match(/[▁-█]+/)?.[0];
    for (let look = 0; look < 20; look++) watch.update(sample([connection(1, { rtt: 1 })]));
    expect(trend()).toBe('▁▁▁▁▁▁▁▁');
    watch.update(sample([connection(1, { rtt: 2 })]));
    expect(trend()).toBe('▁▁▁▁▁▁▁█');
    // The same ends, but another connection.
    watch.update(sample([connection(1, { rtt: 2 }, { cookie: '99' })]));
    expect(trend()).toBe('▁');
    watch.update(sample([]));
    watch.update(sample([connection(1, { rtt: 1 })]));
    expect(trend()).toBe('▁');
  });

  test('without cookies a connection is known by its ends', () => {
    expect(identity(make())).toBe('192.0.2.1:5432 192.0.2.7:40001');
    expect(identity(make({ cookie: '5' }))).toBe('5');
  });

  test('a frame is never larger than the screen', () => {
    const watch = view();
    const suspects = Array.from({ length: 50 }, (_, port) =>
      connection(port + 1, {}, timer('keepalive', 1)),
    );
    watch.update(sample(suspects));
    for (const rows of [6, 10, 24, 100]) {
      const lines = text(watch, 80, rows);
      expect(lines).toHaveLength(rows);
      expect(lines[0]).toMatch(/^connections {2}03:04:05/);
      expect(lines.filter((line) => line.startsWith('! ESTABLISHED')).length).toBeGreaterThan(0);
    }
    // A quarter of it for warnings.
    const lines = text(watch, 80, 24);
    expect(lines.filter((line) => line.startsWith('! 192'))).toHaveLength(4);
    expect(lines.at(-1)).toBe('! and 17 more warnings');
  });

  test('scrolling ends at the ends, also when connections go', () => {
    const watch = view();
    const all = Array.from({ length: 100 }, (_, port) => connection(port + 1));
    const rows = () => text(watch)[0]?.match(/rows (\S+) of/)?.[1];
    watch.update(sample(all));
    expect(rows()).toBe('1-21');
    expect(watch.press('x')).toBe(false);
    expect(watch.press('toString')).toBe(false);
    for (const [key, expected] of [
      ['k', '1-21'],
      ['down', '2-22'],
      ['pagedown', '23-43'],
      ['end', '80-100'],
      ['j', '80-100'],
      ['up', '79-99'],
      ['home', '1-21'],
    ] as const) {
      expect(watch.press(key)).toBe(true);
      expect(rows(), key).toBe(expected);
    }
    watch.press('end');
    expect(rows()).toBe('80-100');
    watch.update(sample(all.slice(0, 30)));
    expect(rows()).toBe('10-30');
    watch.update(sample(all.slice(0, 3)));
    expect(rows()).toBeUndefined();
  });
});

describe('sparkline', () => {
  test.each<[string, (number | null)[], number]>([
    ['▁▂▃▄▅▆▇█', [10, 20, 30, 40, 50, 60, 70, 80], 8],
    ['  ▁▁', [5, 5], 4],
    // Less than twice is not made to look like all there is.
    ['▁▁▂▅', [100, 101, 113, 150], 4],
    ['▁ █', [1, null, 9], 3],
    ['   ', [null, null], 3],
    ['   ', [], 3],
    ['▁▁', [0, 0], 2],
    ['▁█', [9, 9, 1, 2], 2],
  ])('%j', (bars, values, width) => {
    expect(sparkline(values, width)).toBe(bars);
  });

  test('remembers no more than it has to', () => {
    expect(remember([1, 2], 3, 3)).toEqual([1, 2, 3]);
    expect(remember([1, 2, 3], 4, 3)).toEqual([2, 3, 4]);
  });

  test('in ASCII', () => {
    expect(sparkline([1, 2, 3, 4, 5, 6, 7, 8], 8, BARS.ascii)).toBe('_.:-=+*#');
  });
});

describe('states as people write them', () => {
  test.each<readonly [string, string]>([
    ...tcpStates.map((state) => [state, state] as const),
    ...tcpStates.map((state) => [state.toLowerCase().replaceAll('-', '_'), state] as const),
    ['estab', 'ESTABLISHED'],
    ['syn-recv', 'SYN-RECEIVED'],
    ['SYN_RCVD', 'SYN-RECEIVED'],
    ['FIN_WAIT1', 'FIN-WAIT-1'],
    ['fin-wait-2', 'FIN-WAIT-2'],
    ['listening', 'LISTEN'],
    ['unconn', 'CLOSED'],
    ['Time-Wait', 'TIME-WAIT'],
  ])('%s is %s', (name, state) => {
    expect(stateOf(name)).toBe(state);
  });

  test.each(['', 'open', 'est', 'wait', 'constructor'])('%j is none', (name) => {
    expect(stateOf(name)).toBeUndefined();
  });
});

describe('words', () => {
  test.each([
    [0, '0.0 s'],
    [404, '0.4 s'],
    [9_999, '9.9 s'],
    [10_000, '10 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [3_599_999, '59 min'],
    [3_600_000, '1 h'],
    [172_799_999, '47 h'],
    [172_800_000, '2 d'],
  ])('%d ms is roughly %s', (milliseconds, words) => {
    expect(roughly(milliseconds)).toBe(words);
  });

  test.each([
    [0.04, '0.04 ms'],
    [9.994, '9.99 ms'],
    [9.996, '10.0 ms'],
    [99.94, '99.9 ms'],
    [99.96, '100 ms'],
    [1_234, '1234 ms'],
  ])('%d ms is a latency of %s', (milliseconds, words) => {
    expect(latency(milliseconds)).toBe(words);
  });

  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [1_000, '1.0 kB'],
    [9_949, '9.9 kB'],
    [9_951, '10 kB'],
    [999_499, '999 kB'],
    [999_500, '1.0 MB'],
    [2 ** 53, '9.0 PB'],
  ])('%d bytes are %s', (bytes, words) => {
    expect(size(bytes)).toBe(words);
  });

  test('one and many', () => {
    expect([count(1, 'probe'), count(2, 'probe')]).toEqual(['1 probe', '2 probes']);
  });

  test('cut at a character, with an ellipsis', () => {
    expect(cut('abcdef', 6, true)).toBe('abcdef');
    expect(cut('abcdef', 5, true)).toBe('abcd…');
    expect(cut('abcdef', 5, false)).toBe('abcd~');
    expect(cut('abc', 1, true)).toBe('…');
    expect(cut('abc', 0, true)).toBe('');
    expect(cut('a😀😀b', 3, true)).toBe('a😀…');
    expect(cut('😀😀', 2, true)).toBe('😀😀');
  });

  test('nothing that a terminal obeys, and everything that was there', () => {
    expect(printable('a\u001b]0;x\u0007\u009b\n\r\t\u200f\u2028\ud800é', true)).toBe(
      'a\\x1b]0;x\\x07\\x9b\\x0a\\x0d\\x09\\u{200f}\\u{2028}\\u{d800}é',
    );
    expect(printable('é😀a\u001b’', false)).toBe("\\xe9\\u{1f600}a\\x1b'");
    expect(printable('déjà 東京 😀 \\x1b', true)).toBe('déjà 東京 😀 \\x1b');
  });

  const range = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, index) => from + index);
  const UNSAFE = {
    'C0, DEL and C1': [...range(0, 0x1f), ...range(0x7f, 0x9f)],
    'characters that turn the direction of writing': [
      ...[0x61c, 0x200e, 0x200f],
      ...range(0x202a, 0x202e),
      ...range(0x2066, 0x2069),
    ],
    'characters without a width': [
      ...[0xad, 0x34f, 0x115f, 0x180e, 0x3164, 0xfeff, 0xfe0f],
      ...range(0x200b, 0x200d),
      ...range(0x2060, 0x2064),
      ...range(0xe0000, 0xe007f),
    ],
    'separators of lines and paragraphs': [0x2028, 0x2029],
    'unpaired surrogates': range(0xd800, 0xdfff),
    'private and unassigned characters': [0xe000, 0x378, 0x10ffff, 0xfff9],
  };
  test.each(Object.entries(UNSAFE))('%s are escaped', (_, codes) => {
    for (const code of codes) {
      const hex = code.toString(16);
      const escaped = code < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`;
      // The letters beside it stay, a surrogate is not joined with them.
      const text = `a${String.fromCodePoint(code)}b`;
      expect(printable(text, true)).toBe(`a${escaped}b`);
      expect(printable(text, false)).toBe(`a${escaped}b`);
    }
  });

  test('escaping twice is escaping once', () => {
    const once = printable('a\u001b[2J\u202e', true);
    expect(printable(once, true)).toBe(once);
  });

  test('JSON in ASCII, which is the same value', () => {
    const value = { 'a\u009b\u202e’': ['\u001b[2J\n\u007f\ud800', null, 0.5] };
    expect(json(value)).toMatch(/^[ -~]*$/);
    expect(JSON.parse(json(value, 2))).toEqual({
      'a\u009b\u202e’': ['\u001b[2J\n\u007f\ud800', null, 0.5],
    });
  });

  test('cut in the middle, where the end matters', () => {
    expect(cutMiddle('[2001:db8::1]:5432', 18, true)).toBe('[2001:db8::1]:5432');
    expect(cutMiddle('[2001:db8::1]:5432', 12, true)).toBe('[2001:…:5432');
    expect(cutMiddle('[2001:db8::1]:5432', 12, false)).toBe('[2001:~:5432');
  });

  test('whether the locale has more than ASCII', () => {
    expect(showsUnicode({ LANG: 'C.UTF-8' }, 'linux')).toBe(true);
    expect(showsUnicode({ LANG: 'de_DE.utf8', LC_ALL: '' }, 'linux')).toBe(true);
    expect(showsUnicode({ LANG: 'de_DE.utf8', LC_ALL: 'C' }, 'linux')).toBe(false);
    expect(showsUnicode({}, 'linux')).toBe(false);
    expect(showsUnicode({}, 'win32')).toBe(true);
  });

  test('columns that are as wide as they have to be', () => {
    expect(table([['a', 'b']], [3])).toBe('a    b');
  });
});
