// TCP_INFO of real connections, compared with getsockopt(2) and ss(8).

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import { beforeEach, describe, expect, test } from 'vitest';
import * as api from '../../dist/index.js';
import {
  getKernelTcpInfo,
  getOption,
  getTcpInfo,
  type KernelTcpInfo,
  readTcpInfos,
  readTcpInfosAsync,
  type SocketLike,
  SocketOptionError,
  setOptions,
  type TcpInfo,
  type TcpInfoColumns,
  type TcpInfoField,
  TcpInfoReader,
  tcpStates,
} from '../../dist/index.js';
import type { Binding } from '../../lib/core/addon';
import { linux } from '../support/layouts';
import { inNamespace, needsNamespace } from '../support/namespace';
import { fdOf, listen, withPair } from '../support/net';
import {
  AF_INET,
  AF_UNIX,
  changes,
  getBytes,
  referenceAddon,
  SOCK_DGRAM,
  SOCK_STREAM,
  snapshot,
  withSocket,
} from '../support/reference-addon';

const IPPROTO_TCP = 6;
const TCP_INFO = 11;

/** A descriptor that is no socket. */
const file = openSync('/dev/null', 'r');

interface Report {
  readonly during: readonly TcpInfo[];
  readonly ends: readonly {
    readonly kernel: Readonly<Record<string, number>>;
    readonly info: TcpInfo;
    readonly ss: string;
    readonly raw: string;
  }[];
  readonly dead: { readonly code: string | null; readonly info: TcpInfo };
}

/** `name:value` and `name value` of ss(8), by name. */
function parse(ss: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [, name, value] of ss.matchAll(/([a-z_]+):([\d./]+)/g))
    found[name as string] = value as string;
  for (const [, name, value] of ss.matchAll(/(pacing_rate|delivery_rate) (\d+)bps/g)) {
    found[name as string] = value as string;
  }
  return found;
}

describe('a connection that lost segments', { timeout: 60_000 }, () => {
  beforeEach(needsNamespace);
  let report: Report;

  test('records both ends (fixtures/lossy.mjs)', async () => {
    report = await inNamespace<Report>('lossy.mjs');
    expect(report.ends).toHaveLength(2);
  });

  test('while the link is down, reports timeouts, the backoff and unacknowledged data', () => {
    const last = report.during.at(-1) as TcpInfo;
    expect(last.state).toBe('ESTABLISHED');
    expect(last.consecutiveTimeouts).toBeGreaterThanOrEqual(2);
    expect(last.backoff).toBeGreaterThanOrEqual(2);
    expect(last.totalTimeouts).toBeGreaterThanOrEqual(2);
    expect(last.unackedSegments).toBeGreaterThanOrEqual(1);
    // 5 000 bytes were written. The client's SYN counts as acknowledged.
    expect((last.bytesInFlight as number) + (last.unsentBytes as number)).toBeGreaterThanOrEqual(
      4_999,
    );
    expect((last.bytesInFlight as number) + (last.unsentBytes as number)).toBeLessThanOrEqual(
      5_000,
    );
    expect(last.timeSinceLastAckReceived).toBeGreaterThan(1_000);
    const first = report.during[0] as TcpInfo;
    expect(last.rto as number).toBeGreaterThanOrEqual(4 * (first.rto as number));
  });

  test('both ends have the same numbers as ss -tin', () => {
    for (const { info, ss } of report.ends) {
      const shown = parse(ss);
      const number = (name: string) => Number(shown[name] ?? 0);
      const [rtt, rttVariance] = (shown.rtt as string).split('/').map(Number);
      expect(info.rtt).toBeCloseTo(rtt as number, 3);
      expect(info.rttVariance).toBeCloseTo(rttVariance as number, 3);
      expect(info.minRtt).toBeCloseTo(number('minrtt'), 3);
      expect(info.rto).toBe(number('rto'));
      expect(info.mss).toBe(number('mss'));
      expect(info.pathMtu).toBe(number('pmtu'));
      expect(info.congestionWindow).toBe(number('cwnd') * number('mss'));
      if (shown.ssthresh) expect(info.slowStartThreshold).toBe(number('ssthresh') * number('mss'));
      else
        expect(info.slowStartThreshold ?? Infinity).toBeGreaterThanOrEqual(0xffff * number('mss'));
      expect(info.bytesSent).toBe(number('bytes_sent'));
      expect(info.bytesRetransmitted).toBe(number('bytes_retrans'));
      expect(info.bytesAcked).toBe(number('bytes_acked'));
      expect(info.bytesReceived).toBe(number('bytes_received'));
      expect(info.segmentsSent).toBe(number('segs_out'));
      expect(info.segmentsReceived).toBe(number('segs_in'));
      expect(info.segmentsRetransmitted).toBe(Number((shown.retrans ?? '0/0').split('/')[1]));
      expect(info.sendWindow).toBe(number('snd_wnd') || info.sendWindow);
      // ss shows bits.
      expect((info.deliveryRate as number) * 8).toBeCloseTo(number('delivery_rate'), -1);
      expect((info.pacingRate as number) * 8).toBeCloseTo(number('pacing_rate'), -1);
      expect(info.bytesInFlight).toBe(0);
      expect(info.unsentBytes).toBe(0);
      for (const [name, ours] of [
        ['lastsnd', info.timeSinceLastDataSent],
        ['lastrcv', info.timeSinceLastDataReceived],
        ['lastack', info.timeSinceLastAckReceived],
      ] as const) {
        expect(Math.abs((ours as number) - number(name)), name).toBeLessThan(500);
      }
    }
    const [client, peer] = report.ends.map(({ info }) => info) as [TcpInfo, TcpInfo];
    expect(client.segmentsRetransmitted).toBeGreaterThanOrEqual(2);
    expect(client.bytesRetransmitted).toBeGreaterThanOrEqual(5_000);
    expect(peer.bytesReceived).toBe(305_000);
    expect(client.bytesReceived).toBe(40_000);
  });

  test('every field of both ends equals the bytes of getsockopt(2)', () => {
    for (const { kernel, raw } of report.ends) {
      const bytes = Buffer.from(raw, 'hex');
      for (const [offset, size, name] of linux) {
        if (offset + size > bytes.length) {
          expect(kernel[`tcpi_${name}`], name).toBeNull();
        } else if (!name.startsWith('last_')) {
          const value =
            size === 8 ? Number(bytes.readBigUInt64LE(offset)) : bytes.readUIntLE(offset, size);
          expect(kernel[`tcpi_${name}`], name).toBe(value);
        }
      }
    }
  });

  test('a connection that timed out keeps its last counters while its descriptor is open', () => {
    const { code, info } = report.dead;
    expect(code).toBe('ETIMEDOUT');
    expect(info.state).toBe('CLOSED');
    expect(info.bytesSent).toBeGreaterThanOrEqual(10);
    expect(info.segmentsRetransmitted).toBeGreaterThanOrEqual(1);
    expect(info.rtt).toBeGreaterThan(0);
  });
});

describe('states', () => {
  test('a reset connection is CLOSED and keeps its counters', async () => {
    await withPair(async ({ client, accepted }) => {
      client.write('hello');
      await once(accepted, 'data');
      const fd = referenceAddon.dup(fdOf(client));
      try {
        accepted.resetAndDestroy();
        await new Promise((resolve) => client.once('close', resolve));
        expect(getTcpInfo(fd)).toMatchObject({ state: 'CLOSED', bytesSent: 5 });
      } finally {
        referenceAddon.close(fd);
      }
    });
  });

  test('a connection whose peer ended its side is CLOSE-WAIT', async () => {
    const server = net.createServer({ allowHalfOpen: true }, (socket) => socket.end());
    const port = await listen(server);
    const client = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true }).resume();
    await once(client, 'end');
    expect(getTcpInfo(client).state).toBe('CLOSE-WAIT');
    client.destroy();
    server.close();
  });

  test('a socket that is neither bound nor connected is CLOSED, with null for times', () => {
    withSocket(AF_INET, SOCK_STREAM, (fd) => {
      const info = getTcpInfo(fd);
      expect(info).toMatchObject({ state: 'CLOSED', rtt: null, rttVariance: null, minRtt: null });
      // The kernel reports the time since boot for these.
      expect(info.timeSinceLastDataSent).toBeNull();
      expect(info.timeSinceLastDataReceived).toBeNull();
      expect(info.timeSinceLastAckReceived).toBeNull();
      expect(info.bytesSent).toBe(0);
    });
  });

  test('a listening socket has only its accept queue and its limit', async () => {
    const server = net.createServer();
    server.listen(0, '127.0.0.1', 7);
    await once(server, 'listening');
    const { state, acceptQueue, acceptQueueLimit, ...rest } = getTcpInfo(server);
    expect({ state, acceptQueue, acceptQueueLimit }).toEqual({
      state: 'LISTEN',
      acceptQueue: 0,
      acceptQueueLimit: 7,
    });
    expect(new Set(Object.values(rest))).toEqual(new Set([null]));
    expect(getKernelTcpInfo(server).tcpi_sacked).toBe(7);
    server.close();
  });

  test('a socket that is not TCP is ENOTSUP, and the message explains it', () => {
    for (const [domain, type] of [
      [AF_INET, SOCK_DGRAM],
      [AF_UNIX, SOCK_STREAM],
    ] as const) {
      withSocket(domain, type, (fd) => {
        for (const read of readers()) {
          const error = caught(() => read(fd));
          expect(error).toBeInstanceOf(SocketOptionError);
          expect(error).toMatchObject({
            code: 'ENOTSUP',
            syscall: 'getsockopt',
            option: 'TCP_INFO',
          });
          expect(error.message).toContain('only TCP sockets have it');
        }
      });
    }
  });

  test('throws for closed sockets, for files and for values that are no sockets', async () => {
    const gone = await withPair(({ client }) => client);
    await sleep(10);
    for (const read of readers()) {
      expect(caught(() => read(gone))).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
      expect(caught(() => read(9_999))).toMatchObject({ code: 'EBADF' });
      expect(caught(() => read(file))).toMatchObject({ code: 'ENOTSOCK' });
      for (const value of ['3', null, undefined, {}, -1, 2 ** 32, 1.5]) {
        const { code } = caught(() => read(value as unknown as SocketLike));
        expect(code).toMatch(/^ERR_(INVALID_ARG_TYPE|OUT_OF_RANGE)$/);
      }
    }
  });
});

function readers(): ((socket: SocketLike) => unknown)[] {
  const reader = new TcpInfoReader();
  return [getTcpInfo, (socket) => getKernelTcpInfo(socket), (socket) => reader.read(socket)];
}

function caught(call: () => unknown): Error & { code: string } {
  try {
    call();
  } catch (error) {
    return error as Error & { code: string };
  }
  throw new Error('nothing was thrown');
}

describe('getKernelTcpInfo', () => {
  test('details has the congestion control, the queues and the memory of the kernel', async () => {
    await withPair(async ({ client, accepted }) => {
      client.pause();
      accepted.write('x'.repeat(1_000));
      while (getKernelTcpInfo(client, { details: true }).details.SIOCINQ !== 1_000) await sleep(1);
      const fd = fdOf(client);
      const { details, ...fields } = getKernelTcpInfo(client, { details: true });
      expect(Object.keys(fields)).toEqual(Object.keys(getKernelTcpInfo(client)));
      const name = getBytes(fd, IPPROTO_TCP, 13, 16).toString('latin1').split('\0')[0];
      expect(details.congestionControl).toBe(name);
      expect(details).toMatchObject({ SIOCINQ: 1_000, SIOCOUTQ: 0, SIOCOUTQNSD: 0 });
      const memory = getBytes(fd, 1, 55, 36);
      expect(details.SO_MEMINFO).toMatchObject({
        SK_MEMINFO_RMEM_ALLOC: memory.readUInt32LE(0),
        SK_MEMINFO_RCVBUF: memory.readUInt32LE(4),
        SK_MEMINFO_SNDBUF: memory.readUInt32LE(12),
        SK_MEMINFO_DROPS: memory.readUInt32LE(32),
      });
      expect(details.SO_MEMINFO?.SK_MEMINFO_RMEM_ALLOC).toBeGreaterThan(1_000);
    });
  });

  /** The algorithms that this process may choose. */
  const allowed = () => {
    const which = process.getuid?.() === 0 ? 'available' : 'allowed';
    return readFileSync(`/proc/sys/net/ipv4/tcp_${which}_congestion_control`, 'utf8').split(/\s+/);
  };

  test.for(['bbr', 'cubic', 'reno'])(
    'details has the congestion control data of %s',
    async (name, { skip }) => {
      skip(!allowed().includes(name), `this process may not have ${name} here`);
      await withPair(({ client }) => {
        setOptions(client, { congestionControl: name });
        const { congestionControl, congestionControlInfo } = getKernelTcpInfo(client, {
          details: true,
        }).details;
        expect(congestionControl).toBe(name);
        if (name !== 'bbr') return expect(congestionControlInfo).toBeNull();
        const raw = getBytes(fdOf(client), IPPROTO_TCP, 26, 64);
        expect(raw).toHaveLength(20);
        expect(congestionControlInfo).toEqual({
          bbr_bw: Number(raw.readBigUInt64LE(0)),
          bbr_min_rtt: raw.readUInt32LE(8),
          bbr_pacing_gain: raw.readUInt32LE(12),
          bbr_cwnd_gain: raw.readUInt32LE(16),
        });
      });
    },
  );

  test('details of a listening socket has no queue, and wrong options are rejected', async () => {
    const server = net.createServer();
    await listen(server);
    expect(getKernelTcpInfo(server, { details: true }).details).toMatchObject({ SIOCINQ: null });
    for (const options of [null, true, { detail: true }, { details: 1 }]) {
      expect(caught(() => getKernelTcpInfo(server, options as never)).code).toMatch(
        /^ERR_INVALID_ARG/,
      );
    }
    server.close();
  });

  test('reads bit fields that share a byte', async () => {
    await withPair(({ client }) => {
      const raw = getBytes(fdOf(client), IPPROTO_TCP, TCP_INFO, 8);
      expect(getKernelTcpInfo(client)).toMatchObject({
        tcpi_snd_wscale: (raw[6] as number) & 15,
        tcpi_rcv_wscale: (raw[6] as number) >> 4,
        tcpi_delivery_rate_app_limited: (raw[7] as number) & 1,
        tcpi_fastopen_client_fail: ((raw[7] as number) >> 1) & 3,
      });
    });
  });
});

/** Fields that do not change while nothing happens. */
function steady(info: TcpInfo | KernelTcpInfo): object {
  return Object.fromEntries(
    Object.entries(info).filter(([name]) => !/time_?since|last/i.test(name)),
  );
}

describe('TcpInfoReader', () => {
  test('is empty at first, then has the values of getTcpInfo, with NaN for null', async () => {
    await withPair(({ client }) => {
      const reader = new TcpInfoReader();
      expect(reader).toBeInstanceOf(TcpInfoReader);
      expect([reader.state, reader.rtt, reader.probes, reader.stateIndex]).toEqual([
        null,
        NaN,
        NaN,
        NaN,
      ]);
      expect(reader.read(client)).toBe(reader);
      const info = getTcpInfo(client);
      for (const [name, value] of Object.entries(steady(info))) {
        expect(reader[name as keyof TcpInfo], name).toEqual(value ?? NaN);
      }
      expect(tcpStates[reader.stateIndex]).toBe('ESTABLISHED');
      expect(steady(JSON.parse(JSON.stringify(reader)))).toEqual(steady(info));
      expect(inspect(reader)).toContain("state: 'ESTABLISHED'");
    });
  });

  test('keeps its values when other readers and functions read', async () => {
    await withPair(async ({ client, accepted, server }) => {
      client.write('x'.repeat(100));
      await once(accepted, 'data');
      const [first, second, third] = [client, accepted, server].map((socket) =>
        new TcpInfoReader().read(socket),
      ) as [TcpInfoReader, TcpInfoReader, TcpInfoReader];
      const seen = () => [first.bytesSent, second.bytesSent, third.state, third.bytesSent];
      expect(seen()).toEqual([100, 0, 'LISTEN', NaN]);
      getTcpInfo(accepted);
      getKernelTcpInfo(server);
      getOption(client, 'congestionControl');
      readTcpInfos([server, client]);
      expect(seen()).toEqual([100, 0, 'LISTEN', NaN]);
      third.read(client);
      expect(seen()).toEqual([100, 0, 'ESTABLISHED', 100]);
    });
  });

  test('is empty after a read that failed', async () => {
    await withPair(({ client }) => {
      const reader = new TcpInfoReader().read(client);
      expect(() => reader.read(9_999)).toThrow('EBADF');
      expect([reader.state, reader.rtt]).toEqual([null, NaN]);
      reader.read(client);
      expect(() => reader.read('x' as never)).toThrow(TypeError);
      expect([reader.state, reader.rtt]).toEqual([null, NaN]);
    });
  });

  test('can be subclassed', async () => {
    await withPair(({ client }) => {
      class Sampler extends TcpInfoReader {
        get lateness(): number {
          return this.rtt * 2;
        }
      }
      const sampler = new Sampler().read(client);
      expect(sampler).toBeInstanceOf(Sampler);
      expect(sampler.lateness).toBe(sampler.rtt * 2);
    });
  });
});

type ReadAll = (
  sockets: readonly SocketLike[],
  fields?: readonly TcpInfoField[],
  out?: TcpInfoColumns,
) => Promise<TcpInfoColumns>;

describe.each<[string, ReadAll]>([
  ['readTcpInfos', async (sockets, fields, out) => readTcpInfos(sockets, fields, out)],
  ['readTcpInfosAsync', (sockets, fields, out) => readTcpInfosAsync(sockets, fields, out)],
])('%s', (_name, readAll) => {
  test('returns a row for each socket and a column for each field', async () => {
    await withPair(async ({ client, accepted, server }) => {
      client.write('x'.repeat(100));
      await once(accepted, 'data');
      const sockets = [client, accepted, server, fdOf(client), { fd: fdOf(accepted) }];
      const columns = await readAll(sockets);
      expect([...columns.errno]).toEqual([0, 0, 0, 0, 0]);
      sockets.forEach((socket, row) => {
        const { state, ...numbers } = getTcpInfo(socket);
        expect(tcpStates[columns.state[row] as number]).toBe(state);
        for (const [name, value] of Object.entries(steady(numbers as TcpInfo))) {
          expect(columns[name as keyof TcpInfo][row], name).toEqual(value ?? NaN);
        }
      });
      expect(Object.keys(columns).sort()).toEqual(
        ['errno', ...Object.keys(getTcpInfo(client))].sort(),
      );
    });
  });

  test('marks sockets that cannot be read in errno, and reads the others', async () => {
    const gone = await withPair(({ client }) => client);
    await withPair(async ({ client }) => {
      await sleep(10);
      const { rtt, errno } = await readAll([gone, client, 9_999, file, client], ['rtt']);
      const [EBADF, ENOTSOCK] = [-9, -88];
      expect([...errno]).toEqual([EBADF, 0, EBADF, ENOTSOCK, 0]);
      expect([...rtt].map(Number.isNaN)).toEqual([true, false, true, true, false]);
    });
  });

  test('fills given columns again, also longer ones, and only those of the given fields', async () => {
    await withPair(async ({ client, accepted }) => {
      const out = await readAll([client, accepted, client], ['rtt', 'probes']);
      out.rtt.fill(-1);
      const again = await readAll([accepted], ['rtt'], out);
      expect(again).toBe(out);
      expect([...out.rtt]).toEqual([getTcpInfo(accepted).rtt, -1, -1]);
    });
  });

  test('accepts an empty list of sockets', async () => {
    const { rtt, errno } = await readAll([]);
    expect([rtt.length, errno.length]).toEqual([0, 0]);
  });

  test('rejects wrong arguments', async () => {
    await withPair(async ({ client }) => {
      const wrong: [unknown[], string, string][] = [
        [[client as unknown], 'ERR_INVALID_ARG_TYPE', 'sockets'],
        [[[client], 'rtt'], 'ERR_INVALID_ARG_TYPE', 'fields'],
        [[[client], ['rrt']], 'ERR_INVALID_ARG_VALUE', 'rrt'],
        [[[client], ['constructor']], 'ERR_INVALID_ARG_VALUE', 'constructor'],
        [[['x']], 'ERR_INVALID_ARG_TYPE', 'socket'],
        [[[client, undefined]], 'ERR_INVALID_ARG_TYPE', 'socket'],
        [[[client], ['rtt'], 7], 'ERR_INVALID_ARG_TYPE', 'out'],
        [[[client], ['rtt'], {}], 'ERR_INVALID_ARG_TYPE', 'out.errno'],
        [
          [[client], ['rtt'], { errno: new Int32Array(1), rtt: [] }],
          'ERR_INVALID_ARG_TYPE',
          'out.rtt',
        ],
        [
          [[client], ['rtt'], { errno: new Int32Array(0), rtt: new Float64Array(1) }],
          'ERR_OUT_OF_RANGE',
          'out.errno.length',
        ],
      ];
      for (const [args, code, words] of wrong) {
        const error = await Promise.resolve()
          .then(() => readAll(...(args as Parameters<typeof readTcpInfos>)))
          .then(
            () => undefined,
            (refusal: Error) => refusal,
          );
        expect(error, JSON.stringify(args[1])).toMatchObject({ code });
        expect(error?.message).toContain(words);
      }
    });
  });
});

/** An object that counts the reads of each of its members. */
function counted<T extends object>(members: T): { object: T; asked: Record<string, number> } {
  const asked: Record<string, number> = {};
  const object = {} as T;
  for (const [name, value] of Object.entries(members)) {
    Object.defineProperty(object, name, {
      get() {
        asked[name] = (asked[name] ?? 0) + 1;
        return value;
      },
      enumerable: true,
    });
  }
  return { object, asked };
}

/** An array that returns other elements and another length at the second read. */
function shifty<T>(first: readonly T[], later: T): T[] {
  const asked = new Set<PropertyKey>();
  return new Proxy([...first], {
    get(target, name, receiver) {
      const isFirst = !asked.has(name);
      asked.add(name);
      if (isFirst) return Reflect.get(target, name, receiver);
      return name === 'length' ? 1e6 : later;
    },
  });
}

describe.each<[string, ReadAll]>([
  ['readTcpInfos', async (sockets, fields, out) => readTcpInfos(sockets, fields, out)],
  ['readTcpInfosAsync', (sockets, fields, out) => readTcpInfosAsync(sockets, fields, out)],
])('%s reads its arguments once', (_name, readAll) => {
  test('a getter that calls this package moves no row', async () => {
    await withPair(async ({ client, accepted, server }) => {
      const calls = [
        () => readTcpInfos([server, server, server], ['state', 'bytesSent']),
        () => getTcpInfo(server),
        () => getKernelTcpInfo(server, { details: true }),
        () => setOptions(server, { keepAlive: false }),
      ];
      for (const call of calls) {
        const nested = (fd: number) => ({
          get fd() {
            call();
            return fd;
          },
        });
        const forged = { _handle: nested(fdOf(accepted)) } as unknown as SocketLike;
        const sockets = [client, nested(fdOf(accepted)), client, forged, server];
        const { state } = await readAll(sockets, ['state']);
        const names = [...state].map((index) => tcpStates[index]);
        // A search for handles does not find a forged one.
        const found = process.env.SOCKET_OPTIONS_SEARCH === '1' ? undefined : 'ESTABLISHED';
        expect(names).toEqual([...Array(3).fill('ESTABLISHED'), found, 'LISTEN']);
      }
    });
  });

  test('reads each socket, field and column once', async () => {
    await withPair(async ({ client, server }) => {
      const { object, asked } = counted({ fd: fdOf(client) });
      const out = counted({ errno: new Int32Array(2), state: new Float64Array(2) });
      const sockets = shifty<SocketLike>([object, object], server);
      const fields = shifty<TcpInfoField>(['state'], 'rtt');
      const columns = await readAll(sockets, fields, out.object as unknown as TcpInfoColumns);
      expect(asked).toEqual({ fd: 2 });
      expect(out.asked).toEqual({ errno: 1, state: 1 });
      expect(columns).toBe(out.object);
      const established = tcpStates.indexOf('ESTABLISHED');
      expect([...columns.state]).toEqual([established, established]);
    });
  });

  test('accepts subclasses of Array without calling their methods', async () => {
    await withPair(async ({ client }) => {
      class Pool extends Array<SocketLike> {
        static override get [Symbol.species](): ArrayConstructor {
          throw new Error('nobody asks for it');
        }
        override slice(): SocketLike[] {
          throw new Error('nobody asks for it');
        }
      }
      const { errno } = await readAll(Pool.of(client, client), ['rtt']);
      expect([...errno]).toEqual([0, 0]);
    });
  });

  test('checks the real type and length of a column, not its own properties', async () => {
    await withPair(async ({ client }) => {
      const errno = new Int32Array(1);
      const detached = new Float64Array(1);
      structuredClone(detached.buffer, { transfer: [detached.buffer] });
      const members = { length: { value: 1 }, 0: { value: 0, writable: true } };
      for (const [rtt, code] of [
        [Object.create(Float64Array.prototype, members), 'ERR_INVALID_ARG_TYPE'],
        [new Proxy(new Float64Array(1), {}), 'ERR_INVALID_ARG_TYPE'],
        [new Float32Array(1), 'ERR_INVALID_ARG_TYPE'],
        [Object.defineProperty(new Float64Array(0), 'length', { value: 1 }), 'ERR_OUT_OF_RANGE'],
        [detached, 'ERR_OUT_OF_RANGE'],
      ]) {
        const out = { errno, rtt } as unknown as TcpInfoColumns;
        await expect((async () => readAll([client], ['rtt'], out))()).rejects.toMatchObject({
          code,
        });
      }
      const shared = new Float64Array(new SharedArrayBuffer(8));
      await readAll([client], ['rtt'], { errno, rtt: shared } as TcpInfoColumns);
      expect(shared[0]).toBe(getTcpInfo(client).rtt);
    });
  });

  test('rejects a column that a getter detaches', async () => {
    await withPair(async ({ client }) => {
      const rtt = new Float64Array(2);
      const socket = {
        get fd() {
          structuredClone(rtt.buffer, { transfer: [rtt.buffer] });
          return fdOf(client);
        },
      };
      const out = { errno: new Int32Array(2), rtt } as unknown as TcpInfoColumns;
      await expect((async () => readAll([client, socket], ['rtt'], out))()).rejects.toMatchObject({
        code: 'ERR_OUT_OF_RANGE',
        message: expect.stringContaining('out.rtt.length'),
      });
    });
  });
});

test('the addon ignores buffers of another type or size', () => {
  const addon = (require('node-gyp-build') as (root: string) => Binding)(join(__dirname, '../..'));
  const odd: unknown[] = [undefined, null, 0, -1, 1e9, Number.NaN, 'x', {}, [], () => {}, 1n];
  const detached = new ArrayBuffer(640);
  structuredClone(detached, { transfer: [detached] });
  const buffers = [...odd, new ArrayBuffer(0), new ArrayBuffer(319), detached, new Uint8Array(640)];
  for (const buffer of buffers as ArrayBuffer[]) {
    for (const count of [...odd, 1, 2] as number[]) {
      addon.readTcpInfos(buffer, count);
      addon.identifySockets(buffer, count);
      for (const done of odd as (() => void)[]) {
        expect(addon.sweepTcpInfos(buffer, count, done)).toBe(false);
      }
    }
  }
  // Without a callback, the addon reads at once instead of in a thread.
  const buffer = new ArrayBuffer(2 * 320);
  new Float64Array(buffer).fill(-1);
  withSocket(AF_INET, SOCK_STREAM, (fd) => {
    new Float64Array(buffer)[0] = fd;
    new Int32Array(buffer).fill(0, 2, 80);
    expect(addon.sweepTcpInfos(buffer, 1e9, undefined as never)).toBe(false);
    expect(new Int32Array(buffer)[2]).toBe(getBytes(fd, IPPROTO_TCP, TCP_INFO, 296).length);
  });
});

describe('a descriptor is read once', () => {
  const { setRawOption, getRawOption, getOptions, setKeepAlive, getKeepAlive } = api;
  test.for<[string, (socket: SocketLike) => unknown]>([
    ['getTcpInfo', getTcpInfo],
    ['getKernelTcpInfo', (socket) => getKernelTcpInfo(socket, { details: true })],
    ['TcpInfoReader', (socket) => new TcpInfoReader().read(socket)],
    ['getOption', (socket) => getOption(socket, 'keepAliveCount')],
    ['getOptions', (socket) => getOptions(socket, ['keepAlive', 'keepAliveCount'])],
    ['setOptions', (socket) => setOptions(socket, { keepAlive: true })],
    ['getKeepAlive', getKeepAlive],
    ['setKeepAlive', (socket) => setKeepAlive(socket, true)],
    ['getRawOption', (socket) => getRawOption(socket, IPPROTO_TCP, 6)],
    ['setRawOption', (socket) => setRawOption(socket, IPPROTO_TCP, 6, 9)],
  ])('%s returns the same if the getter of fd calls this package', async ([, call]) => {
    await withPair(async ({ client, server }) => {
      const plain = call(client);
      const before = snapshot(fdOf(server));
      let asked = 0;
      const socket = {
        get fd() {
          asked++;
          // Each call fills the shared memory with values of another socket.
          setOptions(server, { keepAlive: false, keepAliveCount: 9 });
          getOptions(server);
          getTcpInfo(server);
          getRawOption(server, IPPROTO_TCP, 13, 16);
          readTcpInfos([server], ['state']);
          return fdOf(client);
        },
      };
      const answer = call(socket);
      expect(asked).toBe(1);
      const settled = (value: unknown) =>
        typeof value === 'object' && value !== null
          ? steady(JSON.parse(JSON.stringify(value)))
          : value;
      expect(settled(answer)).toEqual(settled(plain));
      setOptions(server, { keepAlive: false, keepAliveCount: 9 });
      expect(changes(fdOf(server), before)).toEqual([]);
    });
  });
});

describe('readTcpInfosAsync', () => {
  /** Rows that have neither the values of the given socket nor EBADF. */
  function wrongRows({ state, errno }: TcpInfoColumns<'state'>): number[] {
    const established = tcpStates.indexOf('ESTABLISHED');
    return [...errno.keys()].filter(
      (row) => !(errno[row] === 0 && state[row] === established) && errno[row] !== -9,
    );
  }

  const REUSED = 2_000;
  test.for<[string, (fd: number) => SocketLike]>([
    ['numbers', (fd) => fd],
    ['{ fd }', (fd) => ({ fd })],
  ])(
    '%s that become other sockets during the call are never read as those',
    async ([, as], { skip }) => {
      await withPair(async ({ client }) => {
        const copies = Array.from({ length: REUSED }, () => referenceAddon.dup(fdOf(client)));
        skip(Math.min(...copies) < 0, `this process may not have ${REUSED} descriptors`);
        const sweep = readTcpInfosAsync(copies.map(as), ['state']);
        const others: number[] = [];
        // From the last one on, because those are read last.
        for (const fd of copies.reverse()) {
          referenceAddon.close(fd);
          others.push(referenceAddon.socket(AF_INET, SOCK_STREAM, 0));
        }
        const columns = await sweep;
        for (const fd of others) referenceAddon.close(fd);
        const numbers = new Set(copies);
        expect(others.filter((fd) => numbers.has(fd)).length).toBeGreaterThan(0.9 * REUSED);
        expect(wrongRows(columns)).toEqual([]);
        expect(columns.errno.filter((errno) => errno === -9).length).toBeGreaterThan(REUSED / 2);
      });
    },
  );

  test('sockets of Node whose descriptors are reused during the call are reported as closed', async () => {
    await withPair(async ({ server }) => {
      const { port } = server.address() as net.AddressInfo;
      const sockets = await Promise.all(
        Array.from({ length: 600 }, async () => {
          const socket = net.connect(port, '127.0.0.1').on('error', () => {});
          await once(socket, 'connect');
          return socket;
        }),
      );
      const numbers = new Set(sockets.map(fdOf));
      const sweep = readTcpInfosAsync(sockets, ['state']);
      for (const socket of sockets.slice(300)) socket.destroy();
      const others: number[] = [];
      // Descriptors are closed with the next turn of the loop.
      await new Promise(setImmediate);
      for (let i = 0; i < 300; i++) others.push(referenceAddon.socket(AF_INET, SOCK_STREAM, 0));
      const columns = await sweep;
      for (const fd of others) referenceAddon.close(fd);
      for (const socket of sockets) socket.destroy();
      expect(others.filter((fd) => numbers.has(fd)).length).toBeGreaterThan(200);
      expect(wrongRows(columns)).toEqual([]);
    });
  });

  test('reports files among many sockets as ENOTSOCK', async () => {
    await withPair(async ({ client }) => {
      const sockets = Array.from({ length: 900 }, (_, row) =>
        row % 3 === 0 ? file : fdOf(client),
      );
      const { errno } = await readTcpInfosAsync([...sockets, client, 9_999], ['rtt']);
      const expected = sockets.map((socket) => (socket === file ? -88 : 0));
      expect([...errno]).toEqual([...expected, 0, -9]);
    });
  });

  test('rejects if a column is detached during the call', async () => {
    await withPair(async ({ client }) => {
      const rtt = new Float64Array(300);
      const out = { errno: new Int32Array(300), rtt } as unknown as TcpInfoColumns;
      const sweep = readTcpInfosAsync(Array(300).fill(client), ['rtt'], out);
      structuredClone(rtt.buffer, { transfer: [rtt.buffer] });
      await expect(sweep).rejects.toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
    });
  });

  test('a descriptor that is reused during the call is read before, or reported as closed', async () => {
    await withPair(async ({ client, accepted }) => {
      // Descriptors that become other sockets while the sweep is under way.
      const copies = Array.from({ length: 200 }, () => referenceAddon.dup(fdOf(client)));
      const sweep = readTcpInfosAsync([...copies, accepted], ['state']);
      for (const fd of copies) referenceAddon.close(fd);
      const others = copies.map(() => referenceAddon.socket(AF_INET, SOCK_STREAM, 0));
      const { state, errno } = await sweep;
      for (const fd of others) referenceAddon.close(fd);
      copies.forEach((fd, row) => {
        const outcome = [state[row], errno[row]];
        // Either read before it was closed or reported as closed, never the state of the other socket.
        const read = [tcpStates.indexOf('ESTABLISHED'), 0];
        expect([read, [NaN, -9]], `descriptor ${fd}`).toContainEqual(outcome);
      });
      expect(errno.at(-1)).toBe(0);
    });
  });

  test('a caller that empties the array during the call moves no row', async () => {
    await withPair(async ({ client, server }) => {
      const sockets: SocketLike[] = [...Array<SocketLike>(300).fill(server), client];
      const sweep = readTcpInfosAsync(sockets, ['state']);
      sockets.length = 0;
      const { state } = await sweep;
      expect(state).toHaveLength(301);
      expect(tcpStates[state[300] as number]).toBe('ESTABLISHED');
    });
  });

  test('a worker can be terminated during a call', async () => {
    const code = `
      const { readTcpInfosAsync } = require(${JSON.stringify(require.resolve('../../dist/index.js'))});
      const net = require('node:net');
      const server = net.createServer().listen(0, '127.0.0.1', () => {
        const sockets = Array(20_000).fill(server);
        readTcpInfosAsync(sockets);
        require('node:worker_threads').parentPort.postMessage('begun');
      });`;
    for (let i = 0; i < 5; i++) {
      const worker = new Worker(code, { eval: true });
      await once(worker, 'message');
      expect(await worker.terminate()).toBe(1);
    }
  });

  test('keeps the process alive until the call is done', () => {
    const code = `
      const { readTcpInfosAsync } = require(${JSON.stringify(require.resolve('../../dist/index.js'))});
      readTcpInfosAsync(Array(5_000).fill(require('node:fs').openSync('/dev/null')), ['rtt']).then(({ errno }) => console.log(errno[4_999]));`;
    const output = execFileSync(process.execPath, ['-e', code], {
      encoding: 'utf8',
      timeout: 10_000,
    });
    expect(output.trim()).toBe('-88');
  });
});
