// TcpMetrics on real sockets: the last sample, however a connection ends, and what open connections look like.

import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { setDeadPeerTimeout, setOptions } from '../../dist';
import { TcpMetrics, type TcpMetricsOptions } from '../../dist/metrics';
import { certificate } from '../support/certificate';
import { seriesOf } from '../support/metrics-text';
import { listen } from '../support/net';

let closers: (() => void)[];

beforeEach(() => {
  closers = [];
});
afterEach(() => {
  for (const close of closers.reverse()) close();
});

/** Waits for a condition: a busy machine may need seconds. */
const eventually = (check: () => void): Promise<void> => vi.waitFor(check, 10_000);

/** The port of the server of a test. */
let port: number;

function open(options: TcpMetricsOptions = {}): TcpMetrics {
  const metrics = new TcpMetrics({
    interval: 100,
    peer: ({ localPort }) => (localPort === port ? 'server' : 'client'),
    filter: (socket) => [socket.localPort, socket.remotePort].includes(port),
    ...options,
  });
  closers.push(() => metrics.close());
  return metrics;
}

/** Returns the values of a metric by its labels: `{ client: 1, server: 2 }`. The group "other" is there from the start. */
function valuesOf(metrics: TcpMetrics, name: string): Record<string, number> {
  const values: Record<string, number> = {};
  for (const [series, value] of seriesOf(metrics.text())) {
    const [, found, labels = ''] = /^(\w+)(?:\{(.*)\})?$/.exec(series) ?? [];
    if (found !== name || (labels.includes('peer="other"') && value === 0)) continue;
    values[[...labels.matchAll(/="([^"]*)"/g)].map(([, text]) => text).join(' ')] = value;
  }
  return values;
}

async function start(server: net.Server): Promise<void> {
  port = await listen(server);
  closers.push(() => server.close());
}

/**
 * Waits until every connection of the test is closed, and checks that each has had its last sample. `late`: bytes that an end may
 * send after the other one was closed.
 */
async function expectComplete(metrics: TcpMetrics, count: number, late = 0): Promise<void> {
  await eventually(() =>
    expect(valuesOf(metrics, 'tcp_connections')).toEqual({ client: 0, server: 0 }),
  );
  expect(valuesOf(metrics, 'tcp_connections_created_total')).toEqual({
    client: count,
    server: count,
  });
  expect(valuesOf(metrics, 'tcp_samples_failed_total')).toEqual({ client: 0, server: 0 });
  const sent = valuesOf(metrics, 'tcp_sent_bytes_total');
  const received = valuesOf(metrics, 'tcp_received_bytes_total');
  expect(sent.client).toBeGreaterThan(0);
  for (const [from, to] of [
    ['client', 'server'],
    ['server', 'client'],
  ] as const) {
    const missing = (sent[from] ?? NaN) - (received[to] ?? NaN);
    expect(missing).toBeGreaterThanOrEqual(0);
    expect(missing).toBeLessThanOrEqual(late);
  }
}

describe('the last sample before a connection is closed', () => {
  test('counts short http connections', async () => {
    const server = http.createServer((_request, response) => response.end('x'.repeat(5_000)));
    await start(server);
    const metrics = open({ interval: 3_600_000 });
    for (let i = 0; i < 10; i++) {
      const response = await fetch(`http://127.0.0.1:${port}/`, {
        headers: { connection: 'close' },
      });
      await response.text();
    }
    await expectComplete(metrics, 10);
    expect(valuesOf(metrics, 'tcp_sent_bytes_total').server).toBeGreaterThan(50_000);
  });

  test('counts TLS connections once, with the bytes below TLS', async () => {
    const server = tls.createServer(certificate(), (socket) => {
      socket.on('error', () => {});
      socket.end('y'.repeat(20_000));
    });
    await start(server);
    const metrics = open({ interval: 3_600_000 });
    const plain = net.connect(port, '127.0.0.1');
    await once(plain, 'connect');
    for (const options of [{ port, host: '127.0.0.1' }, { socket: plain }]) {
      const socket = tls.connect({ ...options, rejectUnauthorized: false });
      socket.resume();
      await once(socket, 'close');
    }
    await expectComplete(metrics, 2);
    expect(valuesOf(metrics, 'tcp_sent_bytes_total').server).toBeGreaterThan(40_000);
  });

  test('counts HTTP/2 sessions', async () => {
    const server = http2.createServer();
    server.on('stream', (stream) => stream.end('z'.repeat(3_000)));
    await start(server as unknown as net.Server);
    const metrics = open({ interval: 3_600_000 });
    const session = http2.connect(`http://127.0.0.1:${port}`);
    const stream = session.request({ ':path': '/' });
    stream.resume();
    await once(stream, 'end');
    session.close();
    await once(session, 'close');
    // GOAWAY and acknowledgements of settings.
    await expectComplete(metrics, 1, 200);
    expect(valuesOf(metrics, 'tcp_sent_bytes_total').server).toBeGreaterThan(3_000);
  });

  test.each(['destroy', 'resetAndDestroy'] as const)(
    'counts a socket that ends by %s()',
    async (method) => {
      const server = net.createServer((socket) => {
        socket.on('error', () => {}).on('data', () => socket.write('answer'));
      });
      await start(server);
      const metrics = open({ interval: 3_600_000 });
      const socket = net.connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write('question');
      await once(socket, 'data');
      socket[method]();
      await expectComplete(metrics, 1);
      expect(valuesOf(metrics, 'tcp_sent_bytes_total')).toEqual({ client: 8, server: 6 });
    },
  );

  test('counts a connection that the server destroys in its listener', async () => {
    await start(net.createServer((socket) => socket.destroy()));
    const metrics = open({ interval: 3_600_000 });
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => {}).resume();
    await once(socket, 'close');
    await eventually(() =>
      expect(valuesOf(metrics, 'tcp_connections_created_total')).toEqual({ client: 1, server: 1 }),
    );
    expect(valuesOf(metrics, 'tcp_connections')).toEqual({ client: 0, server: 0 });
  });

  test('does not count sockets that never connect', async () => {
    const server = net.createServer();
    await start(server);
    const metrics = open({ filter: () => true, peer: () => 'any', interval: 3_600_000 });
    net.connect(port, '127.0.0.1').destroy();
    server.close();
    await once(server, 'close');
    const refused = net.connect(port, '127.0.0.1');
    await once(refused, 'error');
    expect(valuesOf(metrics, 'tcp_connections_created_total')).toEqual({});
  });

  test('counts a connection that is passed to another process until this one closes it', async () => {
    const child = fork(join(__dirname, '../fixtures/takes-socket.mjs'));
    closers.push(() => child.kill('SIGKILL'));
    await once(child, 'message');
    const server = net.createServer({ pauseOnConnect: true }, (socket) => {
      socket.write('from the parent', () => child.send('socket', socket));
    });
    await start(server);
    const metrics = open({ interval: 3_600_000 });
    const socket = net.connect(port, '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8').on('data', (part) => {
      text += part;
    });
    await once(socket, 'close');
    expect(text).toBe('from the parentfrom the child');
    await eventually(() => expect(valuesOf(metrics, 'tcp_connections').server).toBe(0));
    expect(valuesOf(metrics, 'tcp_sent_bytes_total').server).toBeGreaterThanOrEqual(15);
    expect(valuesOf(metrics, 'tcp_samples_failed_total').server).toBe(0);
  });

  test('reports the bytes that the kernel still has to send', async () => {
    const server = net.createServer((socket) => socket.pause());
    await start(server);
    const metrics = open({ interval: 3_600_000 });
    const socket = net.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.on('error', () => {});
    socket.write(Buffer.alloc(32 << 20));
    await eventually(() => expect(socket.bytesWritten).toBeGreaterThan(1 << 20));
    await new Promise((resolve) => setTimeout(resolve, 100));
    socket.destroy();
    await eventually(() =>
      expect(valuesOf(metrics, 'tcp_unsent_at_close_bytes_total').client).toBeGreaterThan(0),
    );
  });
});

describe('open connections', () => {
  /** Opens one connection and returns both ends. */
  async function connected(options?: net.ServerOpts): Promise<[net.Socket, net.Socket]> {
    const server = net.createServer(options ?? {});
    await start(server);
    const accepted = once(server, 'connection') as Promise<[net.Socket]>;
    const client = net.connect(port, '127.0.0.1');
    const [peer] = await accepted;
    for (const socket of [client, peer]) {
      socket.on('error', () => {});
      closers.push(() => socket.destroy());
    }
    return [client, peer];
  }

  test('counts those that were open before, but not what they did before', async () => {
    const [client, peer] = await connected();
    client.write('before');
    await once(peer, 'data');
    const metrics = open();
    await eventually(() => {
      const { client: ofClient, server: ofServer } = valuesOf(metrics, 'tcp_samples_total');
      expect(Math.min(ofClient ?? 0, ofServer ?? 0)).toBeGreaterThan(0);
    });
    client.write('after!!');
    await eventually(() => expect(valuesOf(metrics, 'tcp_sent_bytes_total').client).toBe(7));
    expect(valuesOf(metrics, 'tcp_connections')).toEqual({ client: 1, server: 1 });
    expect(valuesOf(metrics, 'tcp_connections_created_total')).toEqual({ client: 0, server: 0 });
    await eventually(() => expect(valuesOf(metrics, 'tcp_received_bytes_total').server).toBe(7));
  });

  test('shows states, CLOSE-WAIT by age, and problems', async () => {
    const metrics = open();
    const [client, peer] = await connected({ allowHalfOpen: true });
    peer.resume();
    client.end();
    await eventually(() =>
      expect(valuesOf(metrics, 'tcp_connections_by_state')).toMatchObject({
        'server close_wait': 1,
        'client fin_wait_2': 1,
        'client established': 0,
      }),
    );
    expect(valuesOf(metrics, 'tcp_close_wait_connections')).toMatchObject({ 'server under_1m': 1 });
    expect(valuesOf(metrics, 'tcp_connection_problems')).toMatchObject({
      'server close-wait': 1,
      'client close-wait': 0,
    });
  });

  test('shows the bytes that wait on both sides, and a closed window without a suspicion', async () => {
    const metrics = open();
    const [client, peer] = await connected();
    peer.pause();
    client.write(Buffer.alloc(16 << 20));
    await eventually(() =>
      expect(valuesOf(metrics, 'tcp_connection_problems')['client window-closed']).toBe(1),
    );
    expect(valuesOf(metrics, 'tcp_connection_problems')['client half-open']).toBe(0);
    await eventually(() => {
      expect(valuesOf(metrics, 'tcp_unread_bytes').server).toBeGreaterThan(100_000);
      expect(valuesOf(metrics, 'tcp_unsent_bytes').client).toBeGreaterThan(100_000);
    });
    peer.resume();
    await eventually(() => {
      expect(valuesOf(metrics, 'tcp_unread_bytes').server).toBe(0);
      expect(valuesOf(metrics, 'tcp_unsent_bytes').client).toBe(0);
    });
  });

  test('tells bounded writes from unbounded ones', async () => {
    const metrics = open();
    const [client, peer] = await connected();
    const unbounded = () => valuesOf(metrics, 'tcp_unbounded_write_connections');
    await eventually(() => expect(unbounded()).toEqual({ client: 1, server: 1 }));
    setDeadPeerTimeout(client, 20_000);
    setOptions(peer, { userTimeout: 10_000 });
    await eventually(() => {
      expect(unbounded()).toEqual({ client: 0, server: 0 });
      expect(valuesOf(metrics, 'tcp_connection_problems')).toMatchObject({
        'client no-keepalive': 0,
        'server no-keepalive': 1,
      });
    });
    setDeadPeerTimeout(client, null);
    await eventually(() => expect(unbounded()).toEqual({ client: 1, server: 0 }));
  });

  test('shows percentiles of the round-trip times', async () => {
    const metrics = open();
    await connected();
    await eventually(() => {
      const percentiles = valuesOf(metrics, 'tcp_connection_rtt_seconds');
      expect(Object.keys(percentiles)).toContain('client 99');
      expect(percentiles['client 50']).toBeGreaterThan(0);
      expect(percentiles['client 50']).toBeLessThan(1);
    });
  });
});

describe('functions of the program', () => {
  test.each([true, false])(
    'are called once for each connection, with its addresses; filter: %j',
    async (isWanted) => {
      await start(net.createServer((socket) => socket.resume().end()));
      const filtered: net.Socket[] = [];
      const named: net.Socket[] = [];
      const addresses = new Set<string | undefined>();
      const metrics = open({
        filter: (socket) => {
          if (![socket.localPort, socket.remotePort].includes(port)) return false;
          filtered.push(socket);
          addresses.add(socket.remoteAddress);
          return isWanted;
        },
        peer: (socket) => {
          named.push(socket);
          return 'peer';
        },
      });
      for (let i = 0; i < 2; i++) {
        const socket = net.connect(port, '127.0.0.1');
        socket.resume();
        await once(socket, 'close');
      }
      await eventually(() => expect(filtered).toHaveLength(4));
      expect(new Set(filtered).size).toBe(4);
      expect(named).toEqual(isWanted ? filtered : []);
      expect([...addresses]).toEqual(['127.0.0.1']);
      expect(metrics.text()).toContain('tcp_metrics_callback_errors_total{callback="filter"} 0');
    },
  );

  test('may close sockets, and the metrics', async () => {
    await start(net.createServer((socket) => socket.on('error', () => {}).resume()));
    const metrics = open({
      peer: (socket) => {
        if (socket.localPort !== port) socket.destroy();
        return 'peer';
      },
    });
    const socket = net.connect(port, '127.0.0.1');
    await once(socket, 'close');
    let other: net.Socket | undefined;
    await eventually(() =>
      expect(valuesOf(metrics, 'tcp_connections_created_total')).toEqual({ peer: 2 }),
    );
    expect(valuesOf(metrics, 'tcp_connections')).toEqual({ peer: 1 });
    const closing = open({
      peer: () => {
        // Not for those that are open already, in the constructor.
        if (socket.destroyed && other !== undefined) closing.close();
        return 'peer';
      },
    });
    other = net.connect(port, '127.0.0.1');
    closers.push(() => other?.destroy());
    await once(other, 'connect');
    expect(valuesOf(closing, 'tcp_connections')).toEqual({ peer: 0 });
  });

  test("may emit 'connect' once more: they are called once, and the connection counts once", async () => {
    await start(net.createServer((socket) => socket.resume()));
    const calls = { filter: 0, peer: 0 };
    const metrics = open({
      filter: (socket) => {
        if (socket.remotePort !== port) return false;
        calls.filter += 1;
        socket.emit('connect');
        return true;
      },
      peer: (socket) => {
        calls.peer += 1;
        socket.emit('connect');
        return 'peer';
      },
    });
    const socket = net.connect(port, '127.0.0.1');
    closers.push(() => socket.destroy());
    await once(socket, 'connect');
    await eventually(() => expect(valuesOf(metrics, 'tcp_connections')).toEqual({ peer: 1 }));
    expect(calls).toEqual({ filter: 1, peer: 1 });
    expect(valuesOf(metrics, 'tcp_connections_created_total')).toEqual({ peer: 1 });
  });

  test('a meter may close sockets while a sample is taken', async () => {
    await start(net.createServer((socket) => socket.on('error', () => {}).resume()));
    const sockets = Array.from({ length: 20 }, () => net.connect(port, '127.0.0.1'));
    for (const socket of sockets) closers.push(() => socket.destroy());
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    const instrument = () => ({});
    const metrics = open({ peer: () => 'peer', filter: ({ remotePort }) => remotePort === port });
    metrics.observe({
      createObservableCounter: instrument,
      createObservableUpDownCounter: instrument,
      createObservableGauge: instrument,
      createHistogram: () => ({ record: () => sockets.pop()?.destroy() }),
      addBatchObservableCallback() {},
      removeBatchObservableCallback() {},
    });
    await eventually(() => expect(valuesOf(metrics, 'tcp_connections')).toEqual({ peer: 0 }));
    expect(valuesOf(metrics, 'tcp_samples_failed_total')).toEqual({ peer: 0 });
    expect(valuesOf(metrics, 'tcp_connections_by_state')['peer established']).toBe(0);
    expect(valuesOf(metrics, 'tcp_connection_problems')['peer no-keepalive']).toBe(0);
  });
});

describe('close()', () => {
  test('puts everything back', async () => {
    const own = () => [
      Object.getOwnPropertyDescriptor(net.Socket.prototype, 'emit'),
      Object.getOwnPropertyDescriptor(net.Server.prototype, 'emit'),
    ];
    const before = own();
    const first = open();
    const second = open();
    const server = net.createServer((socket) => socket.resume());
    await start(server);
    const client = net.connect(port, '127.0.0.1');
    closers.push(() => client.destroy());
    await once(client, 'connect');
    const handle = Object.getPrototypeOf((client as unknown as { _handle: object })._handle);
    expect(Object.hasOwn(handle, 'close')).toBe(true);
    first.close();
    expect(Object.hasOwn(handle, 'close')).toBe(true);
    second.close();
    second.close();
    expect(own()).toEqual(before);
    expect(Object.hasOwn(handle, 'close')).toBe(false);
    expect(valuesOf(first, 'tcp_connections')).toEqual({ client: 0, server: 0 });
  });

  test('is not needed for the process to end', () => {
    const program = `
      const { TcpMetrics } = require(${JSON.stringify(join(__dirname, '../../dist/metrics'))});
      const net = require('node:net');
      const metrics = new TcpMetrics();
      const server = net.createServer((socket) => socket.resume()).listen(0, () => {
        const client = net.connect(server.address().port, () => client.unref());
      });
      server.on('connection', (socket) => { socket.unref(); server.close(); });
    `;
    execFileSync(process.execPath, ['-e', program], { timeout: 10_000 });
  });
});
