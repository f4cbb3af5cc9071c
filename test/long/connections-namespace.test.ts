// The functions for connections in network namespaces: compared with ss(8), with vanishing peers, with many
// connections, without privileges, and with lost descriptors.

import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Connection, ConnectionFilter } from '../../dist/index.js';
import { inNamespace, needsNamespace } from '../support/namespace';
import { needsStrace } from '../support/strace';

/** On Linux every connection has a cookie. */
type Listed = Connection & { readonly cookie: string };

interface Report {
  readonly ports: Readonly<Record<string, number>>;
  readonly pid: number;
  readonly other: { readonly pid: number; readonly port: number; readonly uid: number };
  readonly list: readonly Listed[];
  readonly ss: string;
  readonly timers: readonly Listed[];
  readonly ssTimers: string;
  readonly all: readonly string[];
  readonly asynchronous: readonly string[];
  readonly filtered: readonly { readonly filter: ConnectionFilter; readonly found: string[] }[];
  readonly ownInodes: readonly number[];
  readonly agreement: { compared: number; kept: number; disagreements: readonly unknown[] };
}

/** The states that ss(8) names differently. */
const SS_STATES: Readonly<Record<string, string>> = {
  ESTAB: 'ESTABLISHED',
  'SYN-RECV': 'SYN-RECEIVED',
  UNCONN: 'CLOSED',
};

interface SsRow {
  readonly state: string;
  readonly receiveQueue: number;
  readonly sendQueue: number;
  readonly local: string;
  readonly remote: string;
  /** The words `name:value` after the addresses. */
  readonly details: ReadonlyMap<string, string>;
  readonly words: readonly string[];
}

/** The lines of `ss -O`, by cookie. */
function parseSs(text: string): Map<string, SsRow> {
  const rows = new Map<string, SsRow>();
  for (const line of text.trim().split('\n')) {
    const [state = '', receive, send, local = '', remote = '', ...words] = line.trim().split(/\s+/);
    const details = new Map(
      words.map((word) => {
        const [, name = word, value = ''] = /^([^:]+):(.*)$/.exec(word) ?? [];
        return [name, value];
      }),
    );
    rows.set(String(Number.parseInt(details.get('sk') as string, 16)), {
      state: SS_STATES[state] ?? state,
      receiveQueue: Number(receive),
      sendQueue: Number(send),
      local,
      remote,
      details,
      words,
    });
  }
  return rows;
}

/** An endpoint as ss(8) writes it. A socket of both families has `*` for `::`. */
function ssEndpoint(address: string, port: number, family: string): string[] {
  const host = family === 'IPv6' ? `[${address}]` : address;
  const number = port === 0 ? '*' : port;
  return address === '::' ? [`${host}:${number}`, `*:${number}`] : [`${host}:${number}`];
}

/** Parses `1min59sec`, `29sec`, `9.908ms` (9.908 seconds) or `204ms` into ms, with its precision. */
function parseSsTime(text: string): { ms: number; exact: number } {
  const [, min, sec, ms] = /^(?:(\d+)min)?(?:(\d+)(?:sec|\.))?(?:(\d+)ms)?$/.exec(text) ?? [];
  const total = Number(min ?? 0) * 60_000 + Number(sec ?? 0) * 1_000 + Number(ms ?? 0);
  return { ms: total, exact: ms !== undefined ? 1 : sec !== undefined ? 1_000 : 60_000 };
}

/** The time between the two samples of the fixture, in ms. */
const SAMPLING_TIME = 150;

describe('listConnections compared with ss(8)', { timeout: 60_000 }, () => {
  beforeEach(needsNamespace);

  let report: Report;
  let rows: Map<string, SsRow>;
  const named = (name: string) => report.ports[name] as number;
  const having = (test: (one: Listed) => boolean) => report.list.filter(test);

  test('the fixture has sockets in every state that can be made', async () => {
    report = await inNamespace<Report>('connections/list.mjs');
    rows = parseSs(report.ss);
    expect(new Set(report.list.map(({ state }) => state))).toEqual(
      new Set([
        ...['LISTEN', 'ESTABLISHED', 'SYN-SENT', 'SYN-RECEIVED'],
        ...['FIN-WAIT-2', 'CLOSE-WAIT', 'TIME-WAIT'],
      ]),
    );
  });

  test('lists each socket of ss once, with the same state, addresses, queues, uid and inode', () => {
    expect(report.list.map(({ cookie }) => cookie).sort()).toEqual([...rows.keys()].sort());
    for (const one of report.list) {
      const row = rows.get(one.cookie) as SsRow;
      expect(one).toMatchObject({
        state: row.state,
        receiveQueue: row.receiveQueue,
        sendQueue: row.sendQueue,
        inode: Number(row.details.get('ino') ?? 0),
        uid: one.inode === 0 ? null : Number(row.details.get('uid') ?? 0),
        interfaceIndex: 0,
        mptcp: false,
      });
      expect(ssEndpoint(one.localAddress, one.localPort, one.family)).toContain(row.local);
      expect(ssEndpoint(one.remoteAddress, one.remotePort, one.family)).toContain(row.remote);
    }
  });

  test('queues are unread bytes, or connections that wait to be accepted', () => {
    const { receiveQueue, sendQueue } =
      having(({ localPort }) => localPort === named('full'))[0] ?? {};
    expect([receiveQueue, sendQueue]).toEqual([9, 8]);
    const unread = having(
      ({ localPort, state }) => localPort === named('v4') && state !== 'LISTEN',
    );
    expect(unread.map((one) => one.receiveQueue).sort()).toEqual([0, 3_000]);
  });

  test('has the same timers as ss', () => {
    const KINDS: Readonly<Record<string, string>> = {
      on: 'retransmission',
      timewait: 'time-wait',
      keepalive: 'keepalive',
      persist: 'persist',
    };
    const timed = parseSs(report.ssTimers);
    const kinds = new Set<string>();
    for (const one of report.timers) {
      const text = /^\((\w+),([^,]+),(\d+)\)$/.exec(
        timed.get(one.cookie)?.details.get('timer') ?? '',
      );
      expect(one.timer === null, `${one.state} ${one.cookie}`).toBe(text === null);
      if (one.timer === null || text === null) continue;
      kinds.add(one.timer.kind);
      const { ms, exact } = parseSsTime(text[2] as string);
      expect(one.timer.kind).toBe(KINDS[text[1] as string]);
      expect(one.timer.count).toBe(Number(text[3]));
      // A timer that was due meanwhile may have been set anew.
      if (one.timer.kind === 'retransmission') continue;
      expect(Math.abs(one.timer.expires - ms)).toBeLessThan(exact + SAMPLING_TIME);
    }
    expect([...kinds].sort()).toEqual(['keepalive', 'retransmission', 'time-wait']);
  });

  test('has the same tcpInfo as ss for full sockets', () => {
    const ONE_ELEMENT = (text = '') => Number(text.split('/')[0]);
    let compared = 0;
    for (const { state, tcpInfo, congestionControl, cookie } of report.list) {
      const { details, words } = rows.get(cookie) as SsRow;
      const of = (name: string) => (details.has(name) ? Number(details.get(name)) : undefined);
      if (state === 'TIME-WAIT' || state === 'SYN-RECEIVED') {
        expect([tcpInfo, congestionControl]).toEqual([null, null]);
        continue;
      }
      // FIN-WAIT-2 may be the short form of a connection that nobody holds any more.
      if (tcpInfo === null) {
        expect(details.has('cwnd')).toBe(false);
        continue;
      }
      expect(words).toContain(congestionControl);
      expect(tcpInfo.state).toBe(state);
      if (state === 'LISTEN') {
        expect([tcpInfo.acceptQueue ?? 0, tcpInfo.rtt]).toEqual([of('unacked') ?? 0, null]);
        continue;
      }
      compared++;
      const mss = of('mss') as number;
      expect(tcpInfo).toMatchObject({
        mss,
        rto: of('rto'),
        rtt: details.has('rtt') ? ONE_ELEMENT(details.get('rtt')) : null,
        pathMtu: of('pmtu') ?? null,
        congestionWindow: (of('cwnd') as number) * mss,
        bytesSent: of('bytes_sent') ?? 0,
        bytesAcked: of('bytes_acked') ?? 0,
        bytesReceived: of('bytes_received') ?? 0,
        segmentsSent: of('segs_out') ?? 0,
        segmentsReceived: of('segs_in') ?? 0,
        unackedSegments: of('unacked') ?? 0,
        sendWindow: of('snd_wnd') ?? 0,
        minRtt: of('minrtt') ?? null,
      });
    }
    expect(compared).toBeGreaterThan(20);
  });

  test('writes IPv4 peers of an IPv6 socket as Node does', () => {
    const accepted = having(
      ({ localPort, state }) => localPort === named('dual') && state === 'ESTABLISHED',
    );
    expect(
      accepted.map(({ family, remoteAddress }) => `${family} ${remoteAddress}`).sort(),
    ).toEqual(['IPv6 ::1', 'IPv6 ::ffff:10.1.2.3', 'IPv6 ::ffff:127.0.0.1', 'IPv6 fd00::1']);
  });

  test('listConnectionsAsync and an empty filter return the same list', () => {
    const keys = report.list.map((one) =>
      [
        ...[one.family, one.localAddress, one.localPort, one.remoteAddress, one.remotePort],
        one.state,
      ].join(' '),
    );
    expect(report.all).toEqual(keys);
    expect(report.asynchronous).toEqual(keys);
  });

  test('each filter returns the matching part of the whole list', () => {
    const { list } = report;
    const among = <T>(value: T, wanted: T | readonly T[] | undefined) =>
      wanted === undefined || (Array.isArray(wanted) ? wanted.includes(value) : wanted === value);
    /** The prefixes of the fixture, by their first characters. */
    const BLOCKS: Readonly<Record<string, (address: string) => boolean>> = {
      '127.0.0.0/8': (address) => /^(::ffff:)?127\./.test(address),
      '10.0.0.0/8': (address) => /^(::ffff:)?10\./.test(address),
      '0.0.0.0/0': (address) => address.includes('.'),
      '128.0.0.0/1': () => false,
      '::/0': (address) => address.includes(':'),
      'fd00::/8': (address) => address.startsWith('fd'),
      'fc00::/7': (address) => address.startsWith('fd'),
      '::ffff:0:0/96': (address) => address.startsWith('::ffff:'),
    };
    const isIn = (address: string, block: string) =>
      BLOCKS[block]?.(address) ?? (address === block || address === `::ffff:${block}`);
    const within = (address: string, blocks: string | readonly string[] | undefined) =>
      blocks === undefined || [blocks].flat().some((block) => isIn(address, block));
    const counts: number[] = [];
    for (const { filter, found } of report.filtered) {
      const expected = list.filter(
        (one) =>
          among(one.state, filter.state) &&
          among(one.family, filter.family) &&
          (among(one.localPort, filter.port) || among(one.remotePort, filter.port)) &&
          among(one.localPort, filter.localPort) &&
          among(one.remotePort, filter.remotePort) &&
          within(one.localAddress, filter.localAddress) &&
          within(one.remoteAddress, filter.remoteAddress) &&
          (filter.ownProcess !== true || report.ownInodes.includes(one.inode as number)),
      );
      expect(found, JSON.stringify(filter)).toEqual(
        expected.map((one) =>
          [
            ...[one.family, one.localAddress, one.localPort, one.remoteAddress, one.remotePort],
            one.state,
          ].join(' '),
        ),
      );
      counts.push(found.length);
    }
    // Most filters match some connections, but not all.
    expect(counts.filter((count) => count > 0 && count < list.length).length).toBeGreaterThan(20);
  });

  test('the bytecode in the kernel and matchesFilter agree', () => {
    expect(report.agreement.disagreements).toEqual([]);
    expect(report.agreement.kept).toBeGreaterThan(500);
  });

  test('finds this process, a process of another user, and its child with the same socket as owners', () => {
    const [listening] = having(({ localPort }) => localPort === report.other.port);
    expect(listening).toMatchObject({ uid: report.other.uid, state: 'LISTEN' });
    expect(listening?.owners).toMatchObject([
      { pid: report.other.pid, name: 'stranger' },
      { name: 'cat', fd: 3 },
    ]);
    for (const { inode, owners } of report.list) {
      const mine = owners?.filter(({ pid }) => pid === report.pid) ?? [];
      expect(mine.length > 0).toBe(report.ownInodes.includes(inode as number));
      for (const { name, fd } of mine) expect([name, typeof fd]).toEqual(['node', 'number']);
      if (inode === 0) expect(owners).toEqual([]);
    }
  });
});

interface Timed {
  readonly timer: Connection['timer'];
  readonly sendQueue: number;
  /** By TCP_INFO. */
  readonly retransmits: number;
  readonly probes: number;
}

interface Sample {
  readonly at: number;
  readonly timers: Readonly<Record<'keepalive' | 'retransmission' | 'persist' | 'none', Timed>>;
}

interface Multipath {
  readonly ours: boolean;
  readonly state: string;
  readonly mptcp: boolean | null;
  readonly held: boolean;
}

interface TimersReport {
  readonly before: Sample;
  readonly samples: readonly Sample[];
  readonly mptcp: {
    readonly privileged: readonly Multipath[];
    readonly unprivileged?: readonly Multipath[];
  } | null;
}

describe('timers of connections whose peer vanishes', { timeout: 60_000 }, () => {
  beforeEach(needsNamespace);

  let report: TimersReport;

  test('the fixture runs', async () => {
    report = await inNamespace<TimersReport>('connections/timers.mjs');
    expect(report.samples.length).toBeGreaterThan(20);
  });

  test('before the peer vanishes, only keepalive and a closed window have timers', () => {
    const { keepalive, persist, retransmission, none } = report.before.timers;
    expect(keepalive.timer).toMatchObject({ kind: 'keepalive', count: 0 });
    expect(keepalive.timer?.expires).toBeGreaterThan(0);
    expect(keepalive.timer?.expires).toBeLessThanOrEqual(1_004);
    expect(persist.timer?.kind).toBe('persist');
    expect(persist.sendQueue).toBeGreaterThan(60_000);
    expect([retransmission.timer, none.timer]).toEqual([null, null]);
  });

  test.each([
    ['keepalive', 'probes', 2],
    ['retransmission', 'retransmits', 2],
    ['persist', 'probes', 2],
  ] as const)(
    '%s: the count equals tcpi_%s, and the timer expires as reported',
    (name, counter, least) => {
      const series = report.samples.map(({ at, timers }) => ({ at, ...timers[name] }));
      expect(series.at(-1)?.timer?.count).toBeGreaterThanOrEqual(least);
      let steps = 0;
      for (const [i, { at, timer, ...info }] of series.entries()) {
        expect(timer?.kind).toBe(name);
        // The list is read between the TCP_INFO of the previous sample and that of its own.
        expect([info[counter], series[i - 1]?.[counter]]).toContain(timer?.count);
        const last = series[i - 1];
        if (timer == null || last?.timer == null || last.timer.count !== timer.count) continue;
        const passed = last.timer.expires - timer.expires;
        // The timer was restarted without a count: at the first transmission, or for a tail loss probe.
        if (passed < 0) continue;
        steps++;
        expect(Math.abs(passed - (at - last.at))).toBeLessThan(60);
      }
      expect(steps).toBeGreaterThan(10);
    },
  );

  test('an idle connection without keepalive has no timer', () => {
    for (const { timers } of report.samples) expect(timers.none.timer).toBeNull();
  });

  test('marks Multipath TCP; without CAP_NET_ADMIN, other connections are not known', ({
    skip,
  }) => {
    const { mptcp } = report;
    skip(mptcp === null, 'this kernel has no Multipath TCP');
    if (mptcp === null) return;
    for (const { ours, mptcp: marked, state } of mptcp.privileged) {
      expect(marked, state).toBe(ours);
    }
    expect(mptcp.privileged.filter(({ ours, held }) => ours && held)).toHaveLength(3);
    for (const { ours, mptcp: marked } of mptcp.unprivileged ?? []) {
      expect(marked).toBe(ours ? true : null);
    }
  });
});

interface ManyReport {
  readonly kernel: number;
  readonly listed: readonly number[];
  readonly asynchronous: readonly number[];
  readonly own: number;
  readonly ownPorts: boolean;
  readonly listening: number;
  readonly sync: number;
  readonly turns: number;
  readonly descriptors: number;
}

describe('ten thousand connections', { timeout: 60_000 }, () => {
  beforeEach(needsNamespace);

  let report: ManyReport;

  test('lists each end once, at once and in slices, ten thousand of them of this process', async () => {
    report = await inNamespace<ManyReport>('connections/many.mjs');
    expect(report).toMatchObject({
      kernel: 20_001,
      listed: [20_001, 20_001, 20_001],
      asynchronous: [20_001, 20_001],
      own: 10_000,
      ownPorts: true,
      listening: 1,
      descriptors: 0,
    });
  });

  test('slices let other work run in between', () => {
    // Turns are counted instead of timed, because the machine is shared: at least one per 1000 connections.
    expect(report.turns).toBeGreaterThan(20);
  });
});

interface Outcome {
  readonly name: string;
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  readonly message: string;
}

interface DestroyReport {
  readonly ended: Readonly<
    Record<
      string,
      {
        family: string;
        impostor: Outcome;
        aliveAfterImpostor: number;
        result: Outcome | null;
        errors: (string | null)[];
        left: number;
        again: Outcome;
        bystander: boolean;
      }
    >
  >;
  readonly timeWait: { found: string; result: Outcome | null; left: number };
  readonly listener: { result: Outcome | null; left: number };
  readonly unprivileged: { result: Outcome; alive: boolean } | null;
}

describe('destroyConnection', { timeout: 60_000 }, () => {
  beforeEach(needsNamespace);

  let report: DestroyReport;
  const gone = {
    name: 'SocketOptionError',
    code: 'ENOENT',
    errno: -2,
    syscall: 'sock_diag',
    message: 'ENOENT: the connection does not exist any more, sock_diag',
  };

  test('the fixture runs', async () => {
    report = await inNamespace<DestroyReport>('connections/destroy.mjs');
    expect(Object.keys(report.ended)).toEqual(['IPv4', 'IPv6', 'mapped']);
  });

  test.each([
    ['IPv4', 'IPv4'],
    ['IPv6', 'IPv6'],
    ['mapped', 'IPv6'],
  ])('%s: closes that connection and no other one', (name, family) => {
    expect(report.ended[name]).toEqual({
      family,
      impostor: gone,
      aliveAfterImpostor: 2,
      result: null,
      errors: ['ECONNABORTED', 'ECONNRESET'],
      left: 1,
      again: gone,
      bystander: false,
    });
  });

  test('closes a connection in TIME-WAIT and a listening socket', () => {
    expect(report.timeWait).toEqual({ found: 'TIME-WAIT', result: null, left: 0 });
    expect(report.listener).toEqual({ result: null, left: 0 });
  });

  test('names the missing privilege', ({ skip }) => {
    skip(report.unprivileged === null, 'no other user in this user namespace');
    expect(report.unprivileged).toEqual({
      result: {
        name: 'SocketOptionError',
        code: 'EPERM',
        errno: -1,
        syscall: 'sock_diag',
        message:
          'EPERM: closing a connection requires CAP_NET_ADMIN in the network namespace, sock_diag',
      },
      alive: true,
    });
  });
});

type Reported = Listed & { readonly id: string };

interface WatchReport {
  readonly threads: readonly number[];
  readonly before: readonly { id: string; ours: boolean; bytesSent: number }[];
  readonly port: number;
  readonly reported: readonly Reported[];
  readonly reportedClients: readonly string[];
  readonly losses: readonly number[];
  readonly narrow: { reported: number; dropped: number; all: number; later: number };
  readonly throwing: { seen: number; thrown: number };
  readonly closedWithin: number;
  readonly ends: string;
  readonly waits: string;
  readonly overrun: { reported: number; dropped: number; overruns: number; ended: number };
}

describe('watchClosedConnections', { timeout: 60_000 }, () => {
  beforeEach(needsNamespace);

  let report: WatchReport;
  const cookies = (ids: readonly string[]) => ids.map((id) => id.split(' ')[0] as string);

  test('reports each closed socket once, with the cookie that was listed', async () => {
    report = await inNamespace<WatchReport>('connections/watch.mjs');
    const reported = cookies(report.reported.map(({ id }) => id));
    expect(new Set(reported).size).toBe(reported.length);
    expect(reported).toEqual(expect.arrayContaining(cookies(report.before.map(({ id }) => id))));
    // And both ends of the child's connection, and one refused connection.
    expect(reported).toHaveLength(report.before.length + 3);
    expect(report.losses).toEqual([0, 0]);
  });

  test('reports addresses and last counters, unless the connection was reset locally', () => {
    const last = new Map(report.reported.map((one) => [one.cookie, one]));
    let reset = 0;
    for (const { id, bytesSent } of report.before) {
      const [cookie = '', localPort] = id.split(' ');
      const one = last.get(cookie) as Reported;
      expect(one).toMatchObject({
        state: 'CLOSED',
        localPort: Number(localPort),
        inode: 0,
        uid: null,
        timer: null,
        tcpInfo: { state: 'CLOSED' },
        // Not known of a closed connection, except if the kernel has no Multipath TCP.
        mptcp: /^MPTCP/m.test(readFileSync('/proc/net/protocols', 'latin1')) ? null : false,
      });
      if (one.remotePort === 0) reset++;
      else expect([one.id, one.tcpInfo?.bytesSent]).toEqual([id, bytesSent]);
    }
    expect(reset).toBe(3);
  });

  test('reports only connections that match the filter', () => {
    const clients = report.reported.filter(({ remotePort }) => remotePort === report.port);
    expect(report.reportedClients).toEqual(clients.map(({ id }) => id));
    expect(clients.length).toBe(12 - 3 + 1);
  });

  test('drops and counts connections beyond the limit, and continues', () => {
    const { reported, dropped, all, later } = report.narrow;
    // Both ends of twenty connections, and the listening socket.
    expect([reported + dropped, all]).toEqual([41, 41]);
    // The kernel closes some later, when there may be room again: how many depends on how busy the machine is.
    expect(reported).toBeGreaterThanOrEqual(5);
    expect(dropped).toBeGreaterThan(0);
    expect(later).toBe(reported + 2);
  });

  test('counts drops by the kernel as overruns', () => {
    const { reported, dropped, overruns, ended } = report.overrun;
    expect(reported).toBeGreaterThan(0);
    expect(reported + dropped).toBeLessThan(ended);
    expect(overruns).toBeGreaterThan(0);
  });

  test('an exception of a listener is uncaught, and no event is lost', () => {
    expect(report.throwing).toEqual({ seen: 6, thrown: 6 });
  });

  test('emits no event after close() in a listener', () => {
    expect(report.closedWithin).toBe(1);
  });

  test('a watch has a thread that ends with the watch, its worker or the process', () => {
    // None; two; closed; one; disposed; one in a worker; worker terminated; worker ended.
    expect(report.threads).toEqual([0, 2, 0, 1, 0, 1, 0, 0]);
    expect(report.ends).toBe('ended by itself');
    expect(report.waits).toBe('was kept');
  });
});

/** For each socket: whether each owner is this process; `null` if the owners are not known. */
type Owners = readonly (readonly boolean[] | null)[];

interface Unread {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  readonly message: string;
  readonly ours: boolean;
}

interface OwnersReport {
  readonly readable: readonly Owners[];
  readonly unprivileged: { readonly theirs: Owners; readonly own: Owners } | null;
  readonly mptcp: Readonly<Record<'shown' | 'hidden', readonly Connection['mptcp'][]>>;
  readonly hidden: boolean;
  readonly without: readonly Owners[];
  readonly own: Unread;
  readonly ownAsync: Unread;
  readonly list: number;
}

describe('owners that this process may not see', { timeout: 60_000 }, () => {
  beforeEach(needsNamespace);

  let report: OwnersReport;

  test('an open socket has an owner, a connection in TIME-WAIT has none', async () => {
    report = await inNamespace<OwnersReport>('connections/owners.mjs');
    expect(report.readable).toEqual([[[true]], [[]]]);
  });

  test('a process of another user is reported as not known', ({ skip }) => {
    skip(report.unprivileged === null, 'no other user in this user namespace');
    expect(report.unprivileged).toEqual({ theirs: [null], own: [[true]] });
  });

  test('without the count of Multipath TCP sockets, mptcp is not known', () => {
    const { shown, hidden } = report.mptcp;
    expect(hidden).toEqual([null]);
    // Before Linux 6.3, the count is always 0.
    expect([[false], [null]]).toContainEqual(shown);
  });

  test('without /proc, the owners of an open socket are not known', () => {
    expect(report.hidden).toBe(true);
    expect(report.without).toEqual([[null], [[]]]);
    expect(report.list).toBe(1);
  });

  test('without /proc, ownProcess throws', () => {
    const expected = {
      code: 'ENOENT',
      errno: -2,
      syscall: 'opendir',
      message: 'ENOENT: filter.ownProcess needs /proc/self/fd, which cannot be read, opendir',
      ours: true,
    };
    expect([report.own, report.ownAsync]).toEqual([expected, expected]);
  });
});

interface LostReport {
  readonly closed: { errors: readonly object[]; threads: number; closing: number };
  readonly reused: {
    numbers: number;
    taken: number;
    received: readonly number[];
    errors: readonly { code: string }[];
    closing: number;
  };
  readonly replaced: {
    sameNumbers: boolean;
    untouched: boolean;
    threads: number;
    closing: number;
  };
  readonly alone: readonly {
    taken: boolean;
    errors: readonly object[];
    threads: number;
    closing: number;
    left: readonly number[];
  }[];
  readonly list: { first: boolean; second: number; taken: boolean; received: string };
  readonly forged: {
    ports: number;
    sent: readonly number[];
    reported: readonly boolean[];
    errors: readonly object[];
  };
  readonly listed: number;
}

/** close() returns within this time, in ms, if something wakes the thread immediately. */
const IMMEDIATELY = 4_000;

describe('descriptors that the program closes and reuses', { timeout: 60_000 }, () => {
  beforeEach(needsNamespace);

  let report: LostReport;
  const lost = {
    code: 'EBADF',
    message: 'EBADF: this program closed a descriptor that belongs to socket-options, getsockopt',
  };

  test('a watch whose socket was closed ends with one error, and so does its thread', async () => {
    report = await inNamespace<LostReport>('connections/watch-lost.mjs');
    expect(report.closed).toMatchObject({ errors: [lost], threads: 0 });
    expect(report.closed.closing).toBeLessThan(IMMEDIATELY);
  });

  test('connections that reuse its descriptors receive all their messages and stay open', () => {
    const { numbers, taken, received, errors, closing } = report.reused;
    expect([numbers, taken]).toEqual([3, 3]);
    expect(received).toEqual([201, 201, 201]);
    expect(errors).toEqual([lost]);
    expect(closing).toBeLessThan(IMMEDIATELY);
  });

  test('close() returns, and closes no socket of the program', () => {
    expect(report.replaced).toMatchObject({ sameNumbers: true, untouched: true, threads: 0 });
    expect(report.replaced.closing).toBeLessThan(IMMEDIATELY);
    expect(report.alone.map(({ left }) => left)).toEqual([[0], [1], [2]]);
    for (const { taken, errors, threads, closing } of report.alone) {
      expect([taken, errors, threads]).toEqual([true, [], 0]);
      expect(closing).toBeLessThan(IMMEDIATELY);
    }
  });

  test('a list does not continue on a reused descriptor', () => {
    const EBADF = -9;
    expect(report.list).toEqual({
      first: true,
      second: EBADF,
      taken: true,
      received: 'still here',
    });
    expect(report.listed).toBe(1);
  });

  test('ignores messages of other processes', () => {
    const { ports, sent, reported, errors } = report.forged;
    // One to the watch itself, one to its multicast groups.
    expect([ports, sent]).toEqual([1, [88, 88]]);
    expect(reported.length).toBeGreaterThanOrEqual(2);
    expect([reported.filter(Boolean), errors]).toEqual([[], []]);
  });
});

interface Refused {
  readonly events: readonly string[];
  readonly ended: boolean;
  readonly overruns: number;
  readonly threads: number;
  readonly closing: number;
  readonly calls: number;
}

interface RefusedReport {
  readonly passing: Readonly<Record<string, Refused>>;
  readonly lasting: Readonly<Record<string, Refused>>;
  readonly inTheMiddle: Refused;
  readonly takenAsleep: { taken: number; threads: number; closing: number };
}

describe('system calls of a watch that fail', { timeout: 120_000 }, () => {
  beforeEach((context) => {
    needsNamespace(context);
    needsStrace(context);
  });

  let report: RefusedReport;

  test('continues after EINTR, ENOBUFS, EMSGSIZE and EAGAIN', async () => {
    report = await inNamespace<RefusedReport>('connections/watch-refused.mjs');
    const { passing } = report;
    expect(Object.keys(passing)).toEqual([
      ...['EINTR', 'ENOBUFS', 'EMSGSIZE', 'EAGAIN'],
      'poll EINTR',
    ]);
    for (const [code, { events, ended, overruns, threads }] of Object.entries(passing)) {
      expect([events, ended, threads], code).toEqual([['closed'], false, 0]);
      expect(overruns, code).toBe(code === 'ENOBUFS' || code === 'EMSGSIZE' ? 7 : 0);
    }
  });

  test('ends with one of these errors after 1000 attempts', () => {
    for (const name of ['EINTR', 'ENOBUFS', 'EMSGSIZE', 'EAGAIN', 'poll EINTR']) {
      const { events, ended, calls } = report.lasting[name] as Refused;
      expect([events, ended, calls], name).toEqual([[name.replace('poll ', '')], true, 1_000]);
    }
  });

  test('ends at once with any other error', () => {
    for (const name of ['EPERM', 'EBADF', 'ENOMEM', 'ENOSYS', 'poll EPERM', 'poll EINVAL']) {
      const { events, ended, calls } = report.lasting[name] as Refused;
      expect([events, ended, calls], name).toEqual([[name.replace('poll ', '')], true, 1]);
    }
  });

  test('reports waiting connections before the error', () => {
    expect(report.inTheMiddle.events).toEqual(['closed', 'EPERM']);
  });

  test('close() returns even if the thread polls sockets of the program', () => {
    expect(report.takenAsleep).toMatchObject({ taken: 3, threads: 0 });
    // The thread wakes every 5 s.
    expect(report.takenAsleep.closing).toBeLessThan(5_000 + IMMEDIATELY);
  });
});
