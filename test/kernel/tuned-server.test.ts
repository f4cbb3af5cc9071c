// setDeadPeerTimeout() of a server: each connection that it accepts has the values, also one that waited in the queue.

import { execFileSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { getKeepAlive, setDeadPeerTimeout, tuneSockets } from '../../dist/index.js';
import { certificate } from '../support/certificate';
import { listen } from '../support/net';
import { onLinux } from '../support/platform';

const HOST = '127.0.0.1';
const TIMEOUT = 20_000;
const TUNED = { enable: true, initialDelay: 4_000, interval: 2_000, count: 17 };
const UNTUNED = { enable: false, initialDelay: 7_200_000, interval: 75_000, count: 9 };

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});
beforeEach(onLinux('accepted connections inherit the values of the listening socket'));

/** Opens connections in another thread, which does not need the event loop of this one. */
const CONNECTOR = `
const { parentPort, workerData: { port, count, connected } } = require('node:worker_threads');
const sockets = Array.from({ length: count }, () =>
  require('node:net').connect(port, '${HOST}', () => {
    if (Atomics.add(connected, 0, 1) === count - 1) Atomics.notify(connected, 0);
  }).on('error', () => {}));
parentPort.once('message', () => { for (const socket of sockets) socket.destroy(); });`;

/** Fills the queue of a listening server: this thread is blocked, and does not accept. */
function queueUp(port: number, count: number): void {
  const connected = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(CONNECTOR, { eval: true, workerData: { port, count, connected } });
  ends.push(() => worker.terminate());
  for (let seen = 0; seen < count; seen = Atomics.load(connected, 0)) {
    Atomics.wait(connected, 0, seen, 1_000);
  }
}

/** Connects, and returns the socket that the server has accepted. */
async function accept(server: net.Server, event = 'connection'): Promise<net.Socket> {
  const accepted = once(server, event) as Promise<[net.Socket]>;
  const client = net.connect((server.address() as AddressInfo).port, HOST).on('error', () => {});
  ends.push(() => client.destroy());
  const [socket] = await accepted;
  ends.push(() => socket.destroy());
  return socket.on('error', () => {});
}

async function listening<S extends net.Server>(server: S): Promise<number> {
  ends.push(() => server.close());
  return listen(server, HOST);
}

describe('a connection that waits in the queue when the server is tuned', () => {
  test('has the values, and so have later ones: 100 of 100', async () => {
    const accepted: net.Socket[] = [];
    const server = net.createServer((socket) => accepted.push(socket.on('error', () => {})));
    const port = await listening(server);
    queueUp(port, 100);
    expect(accepted).toHaveLength(0);
    setDeadPeerTimeout(server, TIMEOUT);
    await expect.poll(() => accepted.length).toBe(100);
    accepted.push(await accept(server));
    ends.push(() => accepted.map((socket) => socket.destroy()));
    const values = accepted.map((socket) => getKeepAlive(socket));
    expect(values.filter(({ initialDelay }) => initialDelay !== 4_000)).toEqual([]);
    expect(new Set(values.map((one) => JSON.stringify(one)))).toEqual(
      new Set([JSON.stringify(TUNED)]),
    );
  });
});

describe('each kind of server', () => {
  let pem: { key: string; cert: string };
  beforeAll(() => {
    pem = certificate();
  });
  const kinds: [string, () => net.Server][] = [
    ['net', () => net.createServer()],
    ['net with pauseOnConnect', () => net.createServer({ pauseOnConnect: true })],
    ['http', () => http.createServer()],
    ['https', () => https.createServer(pem)],
    ['http2', () => http2.createServer() as never],
    ['http2 over TLS', () => http2.createSecureServer(pem) as never],
    ['tls', () => tls.createServer(pem)],
    [
      'net with an emit of its own',
      () => {
        const server = net.createServer();
        const { emit } = EventEmitter.prototype;
        server.emit = (...args) => Reflect.apply(emit, server, args) as boolean;
        return server;
      },
    ],
  ];
  test.each(kinds)('%s: accepted and queued connections have the values', async (_name, make) => {
    const server = make();
    const port = await listening(server);
    queueUp(port, 1);
    const queued = once(server, 'connection') as Promise<[net.Socket]>;
    setDeadPeerTimeout(server, TIMEOUT);
    const sockets = [(await queued)[0], await accept(server)];
    ends.push(() => sockets.map((socket) => socket.destroy()));
    for (const socket of sockets) {
      expect(getKeepAlive(socket)).toEqual(TUNED);
    }
  });

  test('the server of a cluster worker: connections that the primary accepts have the values', () => {
    const output = execFileSync(
      process.execPath,
      [join(__dirname, '../fixtures/cluster.mjs'), 'tuned'],
      { encoding: 'utf8', timeout: 30_000 },
    );
    expect(JSON.parse(output)).toEqual({
      accepted: TUNED,
      plan: expect.objectContaining({ keepAliveInitialDelay: 4_000 }),
    });
  });
});

describe('a timeout of the program', () => {
  test('for one connection stays, also in an earlier listener, and null ends that of the server', async () => {
    const server = net.createServer();
    await listening(server);
    setDeadPeerTimeout(server, 4_000);
    const earlier = (socket: net.Socket) => setDeadPeerTimeout(socket, 60_000);
    server.prependListener('connection', earlier);
    const chosen = await accept(server);
    server.off('connection', earlier);
    // Supervision repairs the values of another socket after half of the server's timeout.
    const other = (await accept(server)).setKeepAlive(true, 9_000);
    await expect.poll(() => getKeepAlive(other).initialDelay, { timeout: 15_000 }).toBe(1_000);
    expect(getKeepAlive(chosen)).toMatchObject({ initialDelay: 12_000, interval: 6_000 });
    setDeadPeerTimeout(server, null);
    expect(getKeepAlive(await accept(server))).toEqual(UNTUNED);
    expect(server.listenerCount('connection')).toBe(0);
  }, 20_000);

  test('for a server wins over that of tuneSockets()', async () => {
    const tuning = tuneSockets({ server: { deadPeerTimeout: 60_000, noDelay: true } });
    ends.push(() => tuning.close());
    const server = net.createServer();
    await listening(server);
    expect(getKeepAlive(await accept(server))).toMatchObject({ initialDelay: 12_000 });
    setDeadPeerTimeout(server, TIMEOUT);
    const socket = await accept(server);
    expect(getKeepAlive(socket)).toEqual(TUNED);
    socket.setKeepAlive(true, 1_000);
    expect(getKeepAlive(socket)).toEqual(TUNED);
  });
});
