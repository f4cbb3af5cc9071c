// TcpMetrics without a network: labels of the program, text, buckets, the rule of sampling, and the outputs.

import { channel } from 'node:diagnostics_channel';
import { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { TcpMetrics } from '../../dist/metrics';
import { exposeText } from '../../lib/metrics/exposition';
import { FollowedConnection } from '../../lib/metrics/followed-connection';
import { Histogram } from '../../lib/metrics/histogram';
import { PeerGroup } from '../../lib/metrics/peer-group';
import { PeerGroups } from '../../lib/metrics/peer-groups';
import { PercentileCounts } from '../../lib/metrics/percentiles';
import { sampleAt, timerOf } from '../../lib/metrics/sample';
import { Sampler } from '../../lib/metrics/sampler';
import { seriesOf } from '../support/metrics-text';

const socket = new Socket();

function groups(
  peer: unknown,
  { filter, maxPeers = 100 }: { filter?: unknown; maxPeers?: number } = {},
) {
  const grouping = { peer, filter, maxPeers } as ConstructorParameters<typeof PeerGroups>[0];
  return new PeerGroups(grouping, () => {});
}

describe('peer groups', () => {
  test.each([
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
    [
      'throws something that is no error',
      () => {
        throw null;
      },
    ],
    ['returns nothing', () => undefined],
    ['returns a number', () => 7],
    ['returns an object', () => ({ toString: () => 'a' })],
    ['returns a promise', () => Promise.reject(new Error('ignored'))],
    [
      'returns a thenable that throws',
      () =>
        Object.defineProperty({}, 'then', {
          get() {
            throw new Error('ignored');
          },
        }),
    ],
    ['returns an empty string', () => ''],
    ['returns a long string', () => 'x'.repeat(65)],
    ['returns a huge string', () => 'x'.repeat(10_000_000)],
    ['returns a line feed', () => 'a\nb'],
    ['returns a control character', () => 'a\u0000'],
    ['returns a line separator', () => 'a\u2028'],
    ['returns half a character', () => 'a\ud800'],
    ['is no string, but a String', () => new String('a')],
  ])('a function that %s makes the peer "other", and counts', (_what, peer) => {
    const all = groups(peer);
    expect(all.groupOf(socket)?.peer).toBe('other');
    expect(all.errors).toMatchObject({ peer: 1, filter: 0 });
  });

  test.each(['a', 'x'.repeat(64), 'Zürich "db" \\ 1', '日本語', '💾'])('takes %j', (name) => {
    const all = groups(() => name);
    expect(all.groupOf(socket)?.peer).toBe(name);
    expect(all.errors.peer).toBe(0);
  });

  test('names after the limit are "other", and those before it stay', () => {
    let name = '';
    const all = groups(() => name, { maxPeers: 2 });
    const peers = ['a', 'b', 'c', 'other', 'a', 'd', 'b'].map((each) => {
      name = each;
      return all.groupOf(socket)?.peer;
    });
    expect(peers).toEqual(['a', 'b', 'other', 'other', 'a', 'other', 'b']);
    expect([...all.all].map(({ peer }) => peer)).toEqual(['other', 'a', 'b']);
    expect(all.errors.peer).toBe(0);
  });

  test('an error does not use up a place', () => {
    let name: unknown = 1;
    const all = groups(() => name, { maxPeers: 1 });
    all.groupOf(socket);
    name = 'a';
    expect(all.groupOf(socket)?.peer).toBe('a');
  });

  test('a filter leaves out with false only', () => {
    const byFilter = (filter: unknown) => {
      const all = groups(undefined, { filter });
      return [all.groupOf(socket) !== undefined, all.errors.filter];
    };
    expect(byFilter(() => false)).toEqual([false, 0]);
    expect(byFilter(() => true)).toEqual([true, 0]);
    expect(byFilter(() => 0)).toEqual([true, 1]);
    expect(byFilter(async () => false)).toEqual([true, 1]);
    expect(
      byFilter(() => {
        throw new Error('no');
      }),
    ).toEqual([true, 1]);
  });
});

describe('text', () => {
  const family = (help: string, labels: Record<string, string>) =>
    [{ name: 'a_total', type: 'counter', help, points: [{ labels, value: 1 }] }] as const;

  test('escapes labels and help', () => {
    expect(exposeText(family('a\\b\nc "d"', { peer: 'a\\b"c\nd' }), 'prometheus')).toBe(
      '# HELP a_total a\\\\b\\nc "d"\n# TYPE a_total counter\na_total{peer="a\\\\b\\"c\\nd"} 1\n',
    );
  });

  test('writes counters, units and the end as OpenMetrics wants them', () => {
    const bytes = { name: 'a_bytes_total', type: 'counter', help: 'say "b"', points: [] } as const;
    expect(exposeText([bytes, ...family('', {})], 'openmetrics')).toBe(
      [
        ...['# HELP a_bytes say \\"b\\"', '# TYPE a_bytes counter', '# UNIT a_bytes bytes'],
        ...['# HELP a ', '# TYPE a counter', 'a_total 1', '# EOF', ''],
      ].join('\n'),
    );
  });

  test('writes histograms with cumulative buckets', () => {
    const histogram = new Histogram([1, 2.5]);
    for (const value of [0.5, 1, 2, 100]) histogram.record(value);
    const points = [{ labels: { peer: 'a' }, value: histogram }];
    const histograms = [{ name: 'h', type: 'histogram', help: 'x', points }] as const;
    expect(exposeText(histograms, 'prometheus').split('\n').slice(2, -1)).toEqual([
      'h_bucket{peer="a",le="1"} 2',
      'h_bucket{peer="a",le="2.5"} 3',
      'h_bucket{peer="a",le="+Inf"} 4',
      'h_sum{peer="a"} 103.5',
      'h_count{peer="a"} 4',
    ]);
    expect(exposeText(histograms, 'openmetrics')).toContain('le="1.0"');
  });

  test('writes what is not a finite number as Prometheus does', () => {
    const points = [Infinity, -Infinity, NaN, 1e21].map((value) => ({ labels: {}, value }));
    const text = exposeText([{ name: 'g', type: 'gauge', help: '', points }], 'prometheus');
    expect(text.split('\n').slice(2, -1)).toEqual(['g +Inf', 'g -Inf', 'g NaN', 'g 1e+21']);
  });
});

describe('percentiles', () => {
  test('are within 3 %, also after times were removed', () => {
    const counts = new PercentileCounts();
    const add = (time: number) => counts.change(PercentileCounts.bucketOf(time), 1);
    expect(counts.percentile(0.5)).toBeUndefined();
    for (let time = 1; time <= 100; time++) add(time);
    for (let i = 0; i < 50; i++) add(60_000);
    for (let i = 0; i < 50; i++) counts.change(PercentileCounts.bucketOf(60_000), -1);
    for (const [share, time] of [
      [0.5, 50],
      [0.9, 90],
      [0.99, 99],
    ] as const) {
      expect(counts.percentile(share)).toBeGreaterThan(time * 0.97);
      expect(counts.percentile(share)).toBeLessThan(time * 1.03);
    }
  });

  test('take any time, and leave out those that are not known', () => {
    const counts = new PercentileCounts();
    for (const time of [0, 1e-9, 1e12, Infinity]) counts.change(PercentileCounts.bucketOf(time), 1);
    counts.change(PercentileCounts.bucketOf(NaN), 1);
    expect(counts.percentile(0.5)).toBeCloseTo(0.001);
  });
});

/** Columns with one row; 0 where nothing is given. */
function columnsOf(row: Record<string, number>): Parameters<typeof sampleAt>[0] {
  return new Proxy({}, { get: (_target, name) => [row[name as string] ?? 0] }) as never;
}

describe('a followed connection', () => {
  const ESTABLISHED = 4;

  /** `server`: accepted by this process. */
  function follow(isFresh: boolean, server: object | null = {}) {
    const group = new PeerGroup(undefined, () => {});
    const handle = { bytesRead: 0, getpeername() {} };
    const open = Object.assign(new Socket(), { _handle: handle, server });
    const connection = new FollowedConnection(open, handle, group, isFresh);
    const record = (row: Record<string, number>, last = false) => {
      const sample = sampleAt(
        columnsOf({ state: ESTABLISHED, ...row }),
        0,
        handle.bytesRead,
        connection.hasFin,
      );
      if (last) connection.recordLast(sample);
      else connection.record(sample);
    };
    const number = (name: Parameters<PeerGroup['pointsOf']>[0]) =>
      group.pointsOf(name, 'prometheus', {})[0]?.value;
    return { connection, socket: open, handle, record, number };
  }

  test('counts differences, and over the wrap of 32 bits', () => {
    const { record, number } = follow(true);
    record({ bytesSent: 100, dataSegmentsSent: 4_294_967_290 });
    record({ bytesSent: 150, dataSegmentsSent: 4 });
    expect(number('bytesSent')).toBe(150);
    expect(number('packetsSent')).toBe(4_294_967_300);
  });

  test('that was open before counts from its first sample', () => {
    const { record, number } = follow(false);
    record({ bytesSent: 100 });
    expect(number('bytesSent')).toBe(0);
    record({ bytesSent: 130 });
    expect(number('bytesSent')).toBe(30);
    expect(number('connectionsCreated')).toBe(0);
  });

  test('leaves nothing behind in the gauges', () => {
    const { connection, record, number } = follow(true);
    record({ rtt: 5, unsentBytes: 7, bytesReceived: 9 });
    expect([number('connectionCount'), number('bytesUnsent'), number('bytesUnread')]).toEqual([
      ...[1, 7, 9],
    ]);
    connection.leave();
    expect([number('connectionCount'), number('bytesUnsent'), number('bytesUnread')]).toEqual([
      ...[0, 0, 0],
    ]);
    expect(number('rttPercentiles')).toBeUndefined();
  });

  test('counts what the system does not report as nothing', () => {
    const { record, number } = follow(true);
    record({ bytesSent: NaN, rtt: NaN, unsentBytes: NaN });
    record({ bytesSent: NaN, rtt: NaN, unsentBytes: NaN, consecutiveTimeouts: NaN }, true);
    expect(number('bytesSent')).toBe(0);
    expect(number('bytesUnsent')).toBe(0);
    expect(number('recurringRetransmits')).toBe(0);
  });

  test('takes the rate only if the path was the limit', () => {
    const { record, number } = follow(true);
    record({ deliveryRate: 1e6, deliveryRateAppLimited: 1 });
    record({ deliveryRate: 1e6, deliveryRateAppLimited: NaN });
    record({ deliveryRate: 2e6, deliveryRateAppLimited: 0 });
    expect((number('deliveryRate') as Histogram).sum).toBe(2e6);
  });

  test('does not count the FIN of the peer as payload', () => {
    const CLOSE_WAIT = 7;
    const sample = sampleAt(columnsOf({ state: CLOSE_WAIT, bytesReceived: 11 }), 0, 10, false);
    expect(sample.bytesReceived).toBe(process.platform === 'linux' ? 10 : 11);
  });

  test('does not count the FIN after the connection left CLOSE-WAIT', () => {
    const CLOSE_WAIT = 7;
    const CLOSED = 0;
    const { record, number } = follow(true);
    record({ state: CLOSE_WAIT, bytesReceived: 11 });
    const payload = process.platform === 'linux' ? 10 : 11;
    expect(number('bytesReceived')).toBe(payload);
    record({ state: CLOSED, bytesReceived: 11 });
    expect(number('bytesReceived')).toBe(payload);
  });

  test('has nothing unread after it was passed to another process', () => {
    const { socket: passed, record, number } = follow(true);
    record({ bytesReceived: 9 });
    expect(number('bytesUnread')).toBe(9);
    Object.assign(passed, { _handle: null });
    record({ bytesReceived: 12 });
    expect(number('bytesUnread')).toBe(0);
  });

  test('taken from another process has nothing unread that this one may have read', () => {
    const before = Object.getOwnPropertyDescriptor(process, 'channel');
    Object.defineProperty(process, 'channel', { value: {}, configurable: true });
    const { handle, record, number } = follow(true, null);
    if (before === undefined) Reflect.deleteProperty(process, 'channel');
    else Object.defineProperty(process, 'channel', before);
    record({ bytesReceived: 500 });
    expect(number('bytesUnread')).toBe(0);
    handle.bytesRead = 100;
    record({ bytesReceived: 607 });
    expect(number('bytesUnread')).toBe(7);
  });

  test('behind a closed window has the timer that TCP_INFO does not report', () => {
    const closed = sampleAt(columnsOf({ unsentBytes: 5, probes: 3 }), 0, 0, false);
    expect(timerOf(closed)).toEqual({ kind: 'persist', expires: 0, count: 3 });
    expect(
      timerOf(sampleAt(columnsOf({ unsentBytes: 5, unackedSegments: 1 }), 0, 0, false)),
    ).toBeNull();
    expect(timerOf(sampleAt(columnsOf({ unsentBytes: 0 }), 0, 0, false))).toBeNull();
  });
});

describe('sampling', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'setImmediate'] });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  test.each([
    [0, 1_000],
    [0.5, 6_000],
    [0.999_9, 11_000],
  ])(
    'of an interval of 10 s comes, at a random number of %d, after %d ms or in the next slot',
    (random, delay) => {
      vi.spyOn(Math, 'random').mockReturnValue(random);
      const due: number[] = [];
      // It has no descriptor, so each sample fails.
      const onFailure = () => due.push(performance.now());
      const sampler = new Sampler(10_000, { onSample: () => {}, onFailure });
      const group = new PeerGroup(undefined, () => {});
      const connection = new FollowedConnection(socket, {}, group, true);
      const start = performance.now();
      sampler.plan(connection);
      vi.advanceTimersByTime(20_000);
      expect(due).toHaveLength(1);
      expect((due[0] as number) - start).toBeGreaterThanOrEqual(delay - 1);
      expect((due[0] as number) - start).toBeLessThanOrEqual(delay + 10_000 / 32);
    },
  );

  test('reads at most 32 connections in a turn of the event loop', async () => {
    const failed: FollowedConnection[] = [];
    const sampler = new Sampler(10_000, {
      onSample: () => {},
      onFailure: (connection) => failed.push(connection),
    });
    const group = new PeerGroup(undefined, () => {});
    for (let i = 0; i < 75; i++) {
      sampler.sampleSoon(new FollowedConnection(socket, {}, group, true));
    }
    const counts = [];
    for (let turn = 0; turn < 3; turn++) {
      vi.advanceTimersToNextTimer();
      counts.push(failed.length);
    }
    expect(counts).toEqual([32, 64, 75]);
  });
});

describe('TcpMetrics', () => {
  test.each([
    [{ interval: 99 }, 'ERR_OUT_OF_RANGE'],
    [{ interval: '15s' }, 'ERR_INVALID_ARG_TYPE'],
    [{ interval: NaN }, 'ERR_OUT_OF_RANGE'],
    [{ peer: 'a' }, 'ERR_INVALID_ARG_TYPE'],
    [{ filter: true }, 'ERR_INVALID_ARG_TYPE'],
    [{ maxPeers: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ maxPeers: 1.5 }, 'ERR_OUT_OF_RANGE'],
    [{ intervall: 1_000 }, 'ERR_INVALID_ARG_VALUE'],
    [null, 'ERR_INVALID_ARG_TYPE'],
  ])('refuses %j before it replaces anything', (options, code) => {
    const { emit } = Socket.prototype;
    expect(() => new TcpMetrics(options as never)).toThrowError(expect.objectContaining({ code }));
    expect(Socket.prototype.emit).toBe(emit);
  });

  test.each([undefined, () => 'a'])('counts dead peers and heartbeats by the channels', (peer) => {
    using metrics = new TcpMetrics({ peer });
    const label = peer === undefined ? '' : '{peer="other"}';
    const inBucket = (bound: string) =>
      `tcp_dead_peer_silence_seconds_bucket{${peer === undefined ? '' : 'peer="other",'}le="${bound}"}`;
    // So that increase() sees the first event.
    expect(seriesOf(metrics.text()).get(`tcp_dead_peers_total${label}`)).toBe(0);
    channel('socket-options:dead-peer').publish({ socket, silence: 12_000, timeout: 10_000 });
    channel('socket-options:heartbeat:late').publish({ socket });
    channel('socket-options:heartbeat:dead').publish({ socket });
    const series = seriesOf(metrics.text());
    expect(series.get(`tcp_dead_peers_total${label}`)).toBe(1);
    expect(series.get(inBucket('15'))).toBe(1);
    expect(series.get(inBucket('10'))).toBe(0);
    expect(series.get(`tcp_heartbeats_late_total${label}`)).toBe(1);
    expect(series.get(`tcp_heartbeats_dead_total${label}`)).toBe(1);
  });

  test('does not count dead peers and heartbeats of connections that the filter leaves out', () => {
    using metrics = new TcpMetrics({ filter: () => false });
    channel('socket-options:dead-peer').publish({ socket, silence: 12_000, timeout: 10_000 });
    channel('socket-options:heartbeat:late').publish({ socket });
    channel('socket-options:heartbeat:dead').publish({ socket });
    const series = seriesOf(metrics.text());
    for (const name of ['dead_peers', 'heartbeats_late', 'heartbeats_dead']) {
      expect(series.get(`tcp_${name}_total`)).toBe(0);
    }
    expect(series.get('tcp_dead_peer_silence_seconds_count')).toBe(0);
  });

  /** A meter of OpenTelemetry whose histograms call `record`. */
  const newMeter = (record: () => void) => ({
    ...{ createObservableCounter: () => ({}), createObservableUpDownCounter: () => ({}) },
    ...{ createObservableGauge: () => ({}), addBatchObservableCallback() {} },
    removeBatchObservableCallback() {},
    createHistogram: () => ({ record }),
  });

  test('observes a meter once, and again after the first observation has ended', () => {
    using metrics = new TcpMetrics({ filter: () => false });
    const meter = newMeter(() => {});
    const end = metrics.observe(meter);
    expect(() => metrics.observe(meter)).toThrowError(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
    );
    metrics.observe(newMeter(() => {}))();
    end();
    metrics.observe(meter);
  });

  test('refuses registries and meters after close()', () => {
    const metrics = new TcpMetrics({ filter: () => false });
    metrics.close();
    const isClosed = expect.objectContaining({
      ...{ name: 'SocketOptionError', code: 'ERR_SOCKET_CLOSED' },
    });
    expect(() => metrics.observe(newMeter(() => {}))).toThrowError(isClosed);
    const registry = newRegistry();
    expect(() => metrics.register(registry as never)).toThrowError(isClosed);
    expect(registry.metrics.size).toBe(0);
    expect(metrics.text()).toContain('tcp_connections 0');
  });

  test('counts what a meter throws, and goes on', () => {
    using metrics = new TcpMetrics();
    const meter = newMeter(() => {
      throw new Error('no');
    });
    const end = metrics.observe(meter);
    channel('socket-options:dead-peer').publish({ socket, silence: 12_000, timeout: 10_000 });
    end();
    channel('socket-options:dead-peer').publish({ socket, silence: 12_000, timeout: 10_000 });
    const series = seriesOf(metrics.text());
    expect(series.get('tcp_dead_peers_total')).toBe(2);
    expect(series.get('tcp_metrics_callback_errors_total{callback="meter"}')).toBe(1);
  });

  test('refuses what is no registry and no meter', () => {
    using metrics = new TcpMetrics({ filter: () => false });
    for (const wrong of [undefined, null, {}, 'registry']) {
      expect(() => metrics.register(wrong as never)).toThrowError(TypeError);
      expect(() => metrics.observe(wrong as never)).toThrowError(TypeError);
    }
    expect(() => metrics.text({ format: 'json' as never })).toThrowError(TypeError);
  });

  /** What a Registry of prom-client does. */
  function newRegistry(...taken: string[]) {
    const metrics = new Map<string, object>(taken.map((name) => [name, {}]));
    return {
      metrics,
      registerMetric(metric: { name: string }) {
        if (metrics.has(metric.name)) throw new Error('already registered');
        metrics.set(metric.name, metric);
      },
      getSingleMetric: (name: string) => metrics.get(name),
      removeSingleMetric: (name: string) => metrics.delete(name),
    };
  }

  test('unregisters all its metrics if the registry has one of the names already', () => {
    using metrics = new TcpMetrics({ filter: () => false });
    const registry = newRegistry('tcp_connections');
    expect(() => metrics.register(registry as never)).toThrowError('already registered');
    expect([...registry.metrics.keys()]).toEqual(['tcp_connections']);
  });

  test('leaves metrics of the same names that the program has registered since', () => {
    const metrics = new TcpMetrics({ filter: () => false });
    const registry = newRegistry();
    metrics.register(registry as never);
    registry.metrics.clear();
    const own = { name: 'tcp_connections' };
    registry.registerMetric(own);
    metrics.close();
    expect([...registry.metrics.values()]).toEqual([own]);
  });

  test('in a cluster, percentiles are not added up', async () => {
    using metrics = new TcpMetrics({ filter: () => false });
    const registry = newRegistry();
    metrics.register(registry as never);
    const aggregators = [...registry.metrics].map(([name, metric]) => {
      const { aggregator } = (metric as { get(): { aggregator: string } }).get();
      return [name, aggregator];
    });
    const worst = aggregators.filter(([, aggregator]) => aggregator === 'max');
    expect(worst).toEqual([['tcp_connection_rtt_seconds', 'max']]);
    expect(aggregators.length).toBeGreaterThan(20);
  });

  test('close() ends the others if a registry throws, and then throws its error', () => {
    const metrics = new TcpMetrics({ filter: () => false });
    const broken = newRegistry();
    const other = newRegistry();
    metrics.register(broken as never);
    metrics.register(other as never);
    broken.removeSingleMetric = () => {
      throw new Error('broken');
    };
    expect(() => metrics.close()).toThrowError('broken');
    expect(other.metrics.size).toBe(0);
  });
});
