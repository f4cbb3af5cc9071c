// What `socket-options connections` prints about made-up connections.

import { describe, expect, test } from 'vitest';
import { orderBy } from '../../lib/cli/view/connection-order';
import { formatConnectionTable, layOutTable } from '../../lib/cli/view/connection-table';
import { formatConnection, formatTimer, formatUnread } from '../../lib/cli/view/connection-text';
import { formatStateCounts, Warnings } from '../../lib/cli/view/connection-warnings';
import { appendBounded, BARS, sparkline } from '../../lib/cli/view/sparkline';
import {
  formatLatency,
  formatTable,
  supportsUnicode,
  toJson,
  toPrintable,
  truncate,
  truncateMiddle,
} from '../../lib/cli/view/text';
import type { Connection } from '../../lib/connections/connection';
import { findState } from '../../lib/connections/state-names';
import { formatAge, formatBytes, plural } from '../../lib/core/text';
import { tcpStates } from '../../lib/tcp-info/states';
import { listener, make, many, timer } from '../support/made-up-connections';

describe('formatTimer', () => {
  test.each<[string, Partial<Connection>]>([
    ['off', {}],
    ['off', { state: 'CLOSE-WAIT' }],
    // With data to send, whether keepalive is on is not known.
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
    expect(formatTimer(make(connection, sendWindow), 'linux')).toBe(words);
  });

  test('a persist timer with an open window is an attempt to send, not a window probe', () => {
    expect(formatTimer(make(timer('persist', 3)), 'linux')).toBe('attempt 4 to send in 1.6 s');
  });

  test('does not call keepalive off on systems that report no timers', () => {
    expect(formatTimer(make(), 'darwin')).toBe('');
    expect(formatTimer(make(), 'win32')).toBe('');
  });
});

test.each([
  ['', 'CLOSE-WAIT', 1],
  ['4 B', 'CLOSE-WAIT', 5],
  ['5 B', 'ESTABLISHED', 5],
  ['', 'LISTEN', 5],
] as const)(
  'UNREAD is %j in %s with a queue of %d: the FIN of the peer is no byte',
  (text, state, receiveQueue) => {
    expect(formatUnread(make({ state, receiveQueue }))).toBe(text);
  },
);

describe('formatConnectionTable', () => {
  const options = { width: Infinity, unicode: true, platform: 'linux' } as const;
  const busy = make(
    { localAddress: '2001:db8::1', receiveQueue: 5_000, sendQueue: 1_234_567 },
    { segmentsRetransmitted: 12, consecutiveTimeouts: 1, bytesReceived: 10, bytesSent: 2_000 },
  );

  const ALL = 'STATE LOCAL PEER ALIVE RTT TREND RETRANS UNREAD UNACKED RECEIVED SENT TIMER'.split(
    ' ',
  );

  test('puts each value under the title of its column', () => {
    expect(formatConnectionTable([busy, make()], options)).toEqual([
      '  STATE        LOCAL               PEER             ALIVE   RTT      RETRANS  UNREAD  UNACKED  RECEIVED  SENT    TIMER',
      '  ESTABLISHED  [2001:db8::1]:5432  192.0.2.7:40001  0.4 s   1.50 ms  1/12     5.0 kB  1.2 MB   10 B      2.0 kB',
      '  ESTABLISHED  192.0.2.1:5432      192.0.2.7:40001  0.4 s   1.50 ms                                              off',
    ]);
  });

  test('leaves out empty columns', () => {
    expect(formatConnectionTable([make()], options)[0]).toBe(
      '  STATE        LOCAL           PEER             ALIVE   RTT      TIMER',
    );
    expect(formatConnectionTable([make({ tcpInfo: null })], options)[0]).not.toMatch(/ALIVE|RTT/);
    expect(formatConnectionTable([make({ sendQueue: 1 })], options)[0]).not.toMatch(/TIMER/);
    // They stay in a table that is updated in place.
    const live = { ...options, trend: () => '' };
    expect(formatConnectionTable([make({ tcpInfo: null, sendQueue: 1 })], live)[0]).toMatch(
      /ALIVE +UNACKED +TIMER$/,
    );
  });

  test.each([
    [80, / TIMER +PROCESS$/, / probe 4 in 0\.4 s +worker \(4711\)$/],
    [50, / TIMER +PROCESS$/, /\d, 0\.4 s +4711$/],
    [47, / TIMER +PROCESS$/, /^! 192\.0.*….* probe 4, 0\.4 s +4711$/],
    [40, / ALIVE +TIMER$/, /2\.4 s +probe 4/],
  ])('shows ALIVE, TIMER and the mark in %d columns with processes', (width, titles, line) => {
    const owners = [{ pid: 4_711, name: 'worker', fd: 3 }];
    const suspect = make(
      { ...timer('keepalive', 3, 400), owners },
      { timeSinceLastAckReceived: 2_400 },
    );
    const lines = formatConnectionTable([suspect], { ...options, width, owners: true });
    expect(lines[0]).toMatch(titles);
    expect(lines[1]).toMatch(line);
    expect(lines[1]).toMatch(/^! /);
    for (const one of lines) expect(one.length).toBeLessThanOrEqual(width);
    const { leavesOutProcesses } = layOutTable([suspect], { ...options, width, owners: true });
    expect(leavesOutProcesses).toBe(width === 40);
  });

  test('leaves out columns one by one in a narrow terminal, but never the diagnosis', () => {
    const gone: string[] = [];
    for (let width = 140; width >= 30; width--) {
      const lines = formatConnectionTable([busy], {
        ...options,
        width,
        trend: () => '▁▂',
      });
      for (const title of ALL) {
        if (!gone.includes(title) && !lines[0]?.includes(title)) gone.push(title);
      }
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
    }
    expect(gone).toEqual([
      ...['RECEIVED', 'SENT', 'TREND', 'RTT', 'UNREAD', 'UNACKED', 'RETRANS'],
      ...['STATE', 'LOCAL'],
    ]);
  });

  test.each([
    [
      60,
      '  STATE  LOCAL  PEER             ALIVE   TIMER',
      '! ESTAB  :5432  192.0.2.7:40001  2.4 s   probe 4 in 0.4 s',
    ],
    [
      52,
      '  LOCAL  PEER             ALIVE   TIMER',
      '! :5432  192.0.2.7:40001  2.4 s   probe 4 in 0.4 s',
    ],
    [45, '  PEER             ALIVE   TIMER', '! 192.0.2.7:40001  2.4 s   probe 4 in 0.4 s'],
    [38, '  PEER          ALIVE   TIMER', '! 192.0.…40001  2.4 s   probe 4, 0.4 s'],
  ])('keeps peer, silence and timer readable in %d columns', (width, titles, line) => {
    const suspect = make(timer('keepalive', 3, 400), { timeSinceLastAckReceived: 2_400 });
    expect(formatConnectionTable([suspect], { ...options, width })).toEqual([titles, line]);
  });

  const suspects: [string, Partial<Connection>][] = [
    ['retransmission 7 in 1.6 s', timer('retransmission', 6)],
    ['window probe 4 in 1.6 s', timer('persist', 3)],
    ['probe 4 in 0.4 s', timer('keepalive', 3, 400)],
  ];
  const peers = ['192.0.2.7', '2001:db8:1234:5678:9abc:def0:1234:5678'];
  test.each([200, 80, 50, 40])('shows ALIVE and TIMER whole in %d columns', (width) => {
    for (const [text, state] of suspects) {
      for (const remoteAddress of peers) {
        const suspect = make(
          { ...state, remoteAddress, sendQueue: 5_000_000, receiveQueue: 12_000 },
          { sendWindow: 0, timeSinceLastAckReceived: 59_000, segmentsRetransmitted: 12 },
        );
        const [titles, line = ''] = formatConnectionTable([suspect], { ...options, width });
        expect(titles).toMatch(/PEER.*ALIVE.*TIMER/);
        expect(line).toMatch(/^! .*59 s/);
        expect(line).toMatch(width > 80 ? text : / \w+ \d( in|,) [01]\.\d s$/);
        expect(line).not.toMatch(/…$/);
        expect(line.length).toBeLessThanOrEqual(width);
      }
    }
  });

  test('cuts a long list of processes at the edge, without leaving out a column for it', () => {
    const owners = Array.from({ length: 20 }, (_, pid) => ({ pid, name: 'worker', fd: 3 }));
    const lines = formatConnectionTable([make({ owners })], {
      ...{ ...options, width: 100, owners: true },
    });
    expect(lines[0]).toMatch(/^ {2}STATE +LOCAL +PEER +ALIVE +RTT +TIMER +PROCESS$/);
    expect(lines[1]).toMatch(/worker \(0\), .*…$/);
    expect(lines[1]).toHaveLength(100);
  });

  test('fits healthy connections into 80 columns', () => {
    const lines = formatConnectionTable([make()], {
      ...options,
      width: 80,
      trend: () => '▁▁▁▁▁▁▁▁',
    });
    expect(lines[0]).toMatch(/RTT +TREND +TIMER$/);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  });

  test('shows the accept queue of a listening socket, and no data queues', () => {
    expect(formatConnectionTable([listener(3, 511)], options)).toEqual([
      '  STATE   LOCAL         PEER',
      '  LISTEN  192.0.2.1:80  accept queue 3/511',
    ]);
  });

  test('marks suspects and puts them first', () => {
    const suspect = make({ state: 'CLOSE-WAIT', ...timer('keepalive', 3) });
    const other = make({ state: 'FIN-WAIT-1', localPort: 1 });
    const lines = formatConnectionTable(
      [make(), other, suspect].sort(orderBy('problems')),
      options,
    );
    expect(lines.map((line) => line.slice(0, 13).trim())).toEqual([
      'STATE',
      '! CLOSE-WAIT',
      'ESTABLISHED',
      'FIN-WAIT-1',
    ]);
  });

  test('shows processes only if asked to, with control characters escaped in their names', () => {
    const owners = [
      { pid: 7, name: 'no\u001b[2Jde', fd: 3 },
      { pid: 8, name: 'sh\u009b\u202e', fd: null },
    ];
    const owned = make({ owners });
    expect(formatConnectionTable([owned], options)[1]).not.toMatch(/\(7\)/);
    expect(formatConnectionTable([owned], { ...options, owners: true })[1]).toMatch(
      / no\\x1b\[2Jde \(7\), sh\\x9b\\u\{202e\} \(8\)$/,
    );
  });

  test('formatConnection puts all facts with their names into one line', () => {
    expect(formatConnection(busy, options)).toBe(
      'ESTABLISHED [2001:db8::1]:5432 192.0.2.7:40001; alive 0.4 s; rtt 1.50 ms; retransmissions 1/12; unread 5.0 kB; unacked 1.2 MB',
    );
    expect(formatConnection(listener(0, 511), options)).toBe(
      'LISTEN 192.0.2.1:80 accept queue 0/511',
    );
  });

  test('formatStateCounts counts connections by state, in the order of the states', () => {
    const counts = new Map([['TIME-WAIT', 2] as const, ['ESTABLISHED', 1] as const]);
    expect(formatStateCounts(counts)).toBe('1 ESTABLISHED, 2 TIME-WAIT');
    expect(formatStateCounts(new Map())).toBe('');
  });
});

describe('Warnings', () => {
  const closing = (more: Partial<Connection>) => make({ state: 'CLOSE-WAIT', ...more });
  const warningsFor = (connections: readonly Connection[], hidden: readonly Connection[] = []) => {
    const warnings = new Warnings();
    for (const connection of connections) warnings.add(connection);
    for (const connection of hidden) warnings.add(connection, false);
    return warnings.sentences(true);
  };
  const hintsFor = (connections: readonly Connection[]) => {
    const warnings = new Warnings();
    for (const connection of connections) warnings.add(connection);
    expect(warnings.sentences(true)).toEqual([]);
    return warnings.hints(true);
  };

  test('names the endpoints of a connection and the reason', () => {
    expect(warningsFor([make(), make(timer('keepalive', 3))])).toEqual([
      '192.0.2.1:5432 - 192.0.2.7:40001: the peer may be gone: 3 keepalive probes are unanswered, its last sign of life came 0.4 s ago',
    ]);
  });

  test('puts critical problems before warnings', () => {
    const unread = make({ receiveQueue: 5_000 }, { timeSinceLastDataReceived: 20_000 });
    expect(warningsFor([unread, make(timer('keepalive', 3))])).toEqual([
      expect.stringContaining('the peer may be gone'),
      expect.stringContaining(
        'the program here reads slowly or not at all: 5.0 kB wait, the newest for 20 s',
      ),
    ]);
  });

  test('describes twenty problems and counts the rest', () => {
    const sentences = warningsFor(many(25, () => make(timer('keepalive', 3))));
    expect(sentences).toHaveLength(21);
    expect(sentences.at(-1)).toBe('5 more problems are marked with ! in the table');
  });

  test('describes one connection in CLOSE-WAIT by itself, and a leak only once', () => {
    const old = { timeSinceLastAckReceived: 90_000, timeSinceLastDataReceived: null };
    const one = (port: number) => make({ state: 'CLOSE-WAIT', localPort: port }, old);
    expect(warningsFor([one(80)])).toEqual([
      '192.0.2.1:80 - 192.0.2.7:40001: the peer has closed the connection, the program here has not for 90 s',
    ]);
    expect(warningsFor([one(1), one(2), one(3)])).toEqual([
      expect.stringMatching(/^3 connections to 192\.0\.2\.7:40001 are in CLOSE-WAIT/),
    ]);
  });

  test('groups connections in CLOSE-WAIT by the port of a server', () => {
    expect(
      hintsFor(many(3, (index) => closing({ localPort: 80, remotePort: 1_000 + index }))),
    ).toEqual([
      '3 connections on local port 80 are in CLOSE-WAIT: the peer has closed them, the program here has not',
    ]);
  });

  test('groups connections in CLOSE-WAIT by the peer of a client', () => {
    expect(
      hintsFor(many(4, (index) => closing({ localPort: 1_000 + index, remotePort: 80 }))),
    ).toEqual([
      '4 connections to 192.0.2.7:80 are in CLOSE-WAIT: the peer has closed them, the program here has not',
    ]);
  });

  test('groups connections in CLOSE-WAIT by process if it is known', () => {
    const owners = [{ pid: 7, name: 'node', fd: 3 }];
    expect(
      hintsFor(many(3, (index) => closing({ owners, localPort: index, remotePort: index }))),
    ).toEqual([
      '3 connections of node (7) are in CLOSE-WAIT: the peer has closed them, the program here has not',
    ]);
  });

  test('does not report fewer than three connections in CLOSE-WAIT as a leak', () => {
    expect(hintsFor(many(2, () => closing({})))).toEqual([]);
    expect(hintsFor(many(3, (port) => closing({ localPort: port, remotePort: port })))).toEqual([]);
  });

  test('a group in CLOSE-WAIT is a warning only if the row of one is marked', () => {
    const owners = [{ pid: 7, name: 'node', fd: 3 }];
    for (const more of [{}, { owners }]) {
      const young = many(3, (port) => closing({ localPort: 80, remotePort: port, ...more }));
      const old = make(
        { state: 'CLOSE-WAIT', localPort: 80, remotePort: 9, ...more },
        { timeSinceLastAckReceived: 90_000, timeSinceLastDataReceived: null },
      );
      expect(warningsFor(young)).toEqual([]);
      expect(warningsFor([...young, old])).toEqual([
        expect.stringMatching(/^4 connections .* are in CLOSE-WAIT/),
      ]);
    }
  });

  test('reports an accept queue beyond its limit, also of a socket that is left out', () => {
    const full =
      '192.0.2.1:80: the accept queue is full (512 connections wait, the limit is 511): the program does not accept fast enough';
    expect(warningsFor([], [listener(511, 511), listener(512, 511)])).toEqual([full]);
    expect(warningsFor([listener(512, 511)])).toEqual([full]);
    expect(warningsFor([make({ state: 'LISTEN', receiveQueue: null, sendQueue: null })])).toEqual(
      [],
    );
  });
});

describe('sparkline', () => {
  test.each<[string, (number | null)[], number]>([
    ['▁▂▃▄▅▆▇█', [10, 20, 30, 40, 50, 60, 70, 80], 8],
    ['  ▁▁', [5, 5], 4],
    // The highest bar is twice the smallest value: a change by half looks like one.
    ['▁▁▂▅', [100, 101, 113, 150], 4],
    ['▁ █', [1, null, 9], 3],
    ['   ', [null, null], 3],
    ['   ', [], 3],
    ['▁▁', [0, 0], 2],
    ['▁█', [9, 9, 1, 2], 2],
  ])('%j', (bars, values, width) => {
    expect(sparkline(values, width)).toBe(bars);
  });

  test('appendBounded drops the oldest values', () => {
    expect(appendBounded([1, 2], 3, 3)).toEqual([1, 2, 3]);
    expect(appendBounded([1, 2, 3], 4, 3)).toEqual([2, 3, 4]);
  });

  test('draws bars in ASCII', () => {
    expect(sparkline([1, 2, 3, 4, 5, 6, 7, 8], 8, BARS.ascii)).toBe('_.:-=+*#');
  });
});

describe('findState', () => {
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
  ])('finds %s as %s', (name, state) => {
    expect(findState(name)).toBe(state);
  });

  test.each(['', 'open', 'est', 'wait', 'constructor'])('finds no state for %j', (name) => {
    expect(findState(name)).toBeUndefined();
  });
});

describe('text', () => {
  test.each([
    [0, '0.0 s'],
    [404, '0.4 s'],
    [9_999, '9.9 s'],
    [10_000, '10 s'],
    [119_999, '119 s'],
    [120_000, '2 min'],
    [7_199_999, '119 min'],
    [7_200_000, '2 h'],
    [172_799_999, '47 h'],
    [172_800_000, '2 d'],
  ])('formatAge(%d) is %s', (milliseconds, words) => {
    expect(formatAge(milliseconds)).toBe(words);
  });

  test.each([
    [0.04, '0.04 ms'],
    [9.994, '9.99 ms'],
    [9.996, '10.0 ms'],
    [99.94, '99.9 ms'],
    [99.96, '100 ms'],
    [1_234, '1234 ms'],
  ])('formatLatency(%d) is %s', (milliseconds, words) => {
    expect(formatLatency(milliseconds)).toBe(words);
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
  ])('formatBytes(%d) is %s', (bytes, words) => {
    expect(formatBytes(bytes)).toBe(words);
  });

  test('plural adds an s for every amount but 1', () => {
    expect([plural(1, 'probe'), plural(2, 'probe')]).toEqual(['1 probe', '2 probes']);
  });

  test('truncate cuts between characters and adds an ellipsis', () => {
    expect(truncate('abcdef', 6, true)).toBe('abcdef');
    expect(truncate('abcdef', 5, true)).toBe('abcd…');
    expect(truncate('abcdef', 5, false)).toBe('abcd~');
    expect(truncate('abc', 1, true)).toBe('…');
    expect(truncate('abc', 0, true)).toBe('');
    expect(truncate('a😀😀b', 3, true)).toBe('a😀…');
    expect(truncate('😀😀', 2, true)).toBe('😀😀');
  });

  test('toPrintable escapes what a terminal would obey and keeps everything else', () => {
    expect(toPrintable('a\u001b]0;x\u0007\u009b\n\r\t\u200f\u2028\ud800é', true)).toBe(
      'a\\x1b]0;x\\x07\\x9b\\x0a\\x0d\\x09\\u{200f}\\u{2028}\\u{d800}é',
    );
    expect(toPrintable('é😀a\u001b’', false)).toBe("\\xe9\\u{1f600}a\\x1b'");
    expect(toPrintable('déjà 東京 😀 \\x1b', true)).toBe('déjà 東京 😀 \\x1b');
  });

  const range = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, index) => from + index);
  const UNSAFE = {
    'C0, DEL and C1': [...range(0, 0x1f), ...range(0x7f, 0x9f)],
    'characters that change the direction of writing': [
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
    'line and paragraph separators': [0x2028, 0x2029],
    'unpaired surrogates': range(0xd800, 0xdfff),
    'private and unassigned characters': [0xe000, 0x378, 0x10ffff, 0xfff9],
  };
  test.each(Object.entries(UNSAFE))('toPrintable escapes %s', (_, codes) => {
    for (const code of codes) {
      const hex = code.toString(16);
      const escaped = code < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`;
      // The neighbours stay as they are.
      const text = `a${String.fromCodePoint(code)}b`;
      expect(toPrintable(text, true)).toBe(`a${escaped}b`);
      expect(toPrintable(text, false)).toBe(`a${escaped}b`);
    }
  });

  test('toPrintable leaves escaped text as it is', () => {
    const once = toPrintable('a\u001b[2J\u202e', true);
    expect(toPrintable(once, true)).toBe(once);
  });

  test('toJson writes ASCII that parses to the same value', () => {
    const value = { 'a\u009b\u202e’': ['\u001b[2J\n\u007f\ud800', null, 0.5] };
    expect(toJson(value)).toMatch(/^[ -~]*$/);
    expect(JSON.parse(toJson(value, 2))).toEqual({
      'a\u009b\u202e’': ['\u001b[2J\n\u007f\ud800', null, 0.5],
    });
  });

  test('truncateMiddle keeps the end', () => {
    expect(truncateMiddle('[2001:db8::1]:5432', 18, true)).toBe('[2001:db8::1]:5432');
    expect(truncateMiddle('[2001:db8::1]:5432', 12, true)).toBe('[2001:…:5432');
    expect(truncateMiddle('[2001:db8::1]:5432', 12, false)).toBe('[2001:~:5432');
  });

  test('supportsUnicode follows LC_ALL, LC_CTYPE and LANG, and is true on Windows', () => {
    expect(supportsUnicode({ LANG: 'C.UTF-8' }, 'linux')).toBe(true);
    expect(supportsUnicode({ LANG: 'de_DE.utf8', LC_ALL: '' }, 'linux')).toBe(true);
    expect(supportsUnicode({ LANG: 'de_DE.utf8', LC_ALL: 'C' }, 'linux')).toBe(false);
    expect(supportsUnicode({}, 'linux')).toBe(false);
    expect(supportsUnicode({}, 'win32')).toBe(true);
  });

  test('formatTable keeps the minimum width of a column', () => {
    expect(formatTable([['a', 'b']], [3])).toBe('a    b');
  });
});
