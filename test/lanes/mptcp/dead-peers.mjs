// A peer with two paths that end one after the other. Each connection must live until the second one ends, and then fail in
// time: node dead-peers.mjs <timeout> <'cut 1', 'cut 2' or 'removed'> <'connect' or 'wrapped'> <'IPv4' or 'IPv6'>
// connect: sockets of connect() with { mptcp: true }. wrapped: sockets of net.connect(), run by mptcpize(8).

import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import {
  connect,
  getDeadPeerBounds,
  getMptcpInfo,
  setDeadPeerTimeout,
} from '../../../dist/index.js';
import { addressOf, ip, ownAddressOf, unplugging } from '../../fixtures/dead-peers/two-hosts.mjs';
import { measureLateness } from '../promise/lateness.mjs';
import { check, printCases } from './cases.mjs';
import { ipv6Of, makeHosts, untilSubflows } from './hosts.mjs';
import { PORTS } from './ports.mjs';

const [timeoutText, firstEnd, way, version] = process.argv.slice(2);
const TIMEOUT = Number(timeoutText);
const FIRST = firstEnd === 'cut 2' ? 2 : 1;
const LEFT = 3 - FIRST;
/** Looks of supervision, in slots of 120 ms, and timers. Time in which the machine does not run this program is excused. */
const LATENESS = 500;
const lateness = measureLateness({ isStrict: true });

// The peer's programs choose Multipath TCP themselves.
delete process.env.LD_PRELOAD;
const peer = await makeHosts();
const hostOf = version === 'IPv4' ? addressOf : ipv6Of;
const MPTCP = way === 'connect' ? { socketOptions: { mptcp: true } } : {};

async function open(activity, { timeout = TIMEOUT, port = PORTS.echo, link = 1 } = {}) {
  const options = { host: hostOf(link), port };
  const socket = way === 'connect' ? connect({ ...options, ...MPTCP }) : net.connect(options);
  await once(socket, 'connect');
  const one = { activity, timeout, socket, bounds: null, code: null, endedAt: null, received: 0 };
  if (timeout !== null) {
    setDeadPeerTimeout(socket, timeout);
    one.bounds = getDeadPeerBounds(socket);
  }
  socket.on('error', ({ code }) => Object.assign(one, { code, endedAt: performance.now() }));
  socket.on('data', (data) => {
    one.received += data.length;
  });
  return one;
}

/** Waits until a condition holds, at most as long as the timeout. */
async function until(holds, what) {
  for (const end = performance.now() + TIMEOUT; !holds(); await sleep(20)) {
    if (performance.now() > end) throw new Error(`not within ${TIMEOUT} ms: ${what}`);
  }
}

const idle = await open('idle');
const inFlight = await open('data in flight');
const busy = await open('a write every 0.1 s');
const closed = await open('closed window', { port: PORTS.silent });
// The control: what the kernel does by itself in this time.
const control = await open('without a dead-peer timeout', { timeout: null });
const connections = [idle, inFlight, busy, closed, control];
for (const { socket } of connections) {
  socket.write('hello');
  await untilSubflows(socket, 2);
}
const timer = setInterval(() => busy.socket.write('x'), 100);
busy.socket.on('close', () => clearInterval(timer));
// More than the receive buffer of the peer and the send buffer of this host.
closed.socket.write(Buffer.alloc(1 << 20));
const windowsOf = (socket) =>
  getMptcpInfo(socket).subflows.map(({ tcpInfo }) => tcpInfo.sendWindow);
const checkClosedWindow = (name) =>
  check(name, () => until(() => windowsOf(closed.socket).includes(0), 'the window is closed'));

let workerEnd = null;
if (way === 'connect') {
  const worker = new Worker(new URL('worker.mjs', import.meta.url), {
    workerData: { host: hostOf(1), timeout: TIMEOUT },
  });
  await once(worker, 'message');
  worker.on('message', ({ code }) => {
    workerEnd = { code, endedAt: performance.now() };
  });
}

await checkClosedWindow('the window of a peer that reads nothing is closed');
await sleep(500);

if (firstEnd === 'removed') {
  ip('mptcp', 'endpoint', 'delete', 'id', '0', ownAddressOf(1));
  await check('the first subflow is gone, and the second one is left', async () => {
    for (const { socket } of connections) {
      const [{ localAddress }] = await untilSubflows(socket, 1);
      assert.equal(localAddress, ownAddressOf(2));
    }
  });
} else {
  await peer.run(unplugging(FIRST));
}

// In flight from here on: what is sent to the path that is cut must come by the other one.
inFlight.socket.write('y'.repeat(1_000));
await sleep(1.5 * TIMEOUT);
for (const one of connections) {
  await check(`${one.activity}: lives for 1.5 timeouts after one path is gone`, () =>
    assert.equal(one.code, null),
  );
}
if (way === 'connect') {
  await check('in a worker: lives for 1.5 timeouts after one path is gone', () =>
    assert.equal(workerEnd, null),
  );
}
await check('data flows on the path that is left', async () => {
  const before = connections.map(({ received }) => received);
  const sending = connections.filter((one) => one !== closed);
  for (const { socket } of sending) socket.write('z'.repeat(500));
  for (const one of sending) {
    const more = () => one.received >= before[connections.indexOf(one)] + 500;
    await until(more, `an answer to ${one.activity}`);
  }
  assert.ok(inFlight.received >= 1_500, 'what was in flight was answered');
});
await check('a closed window is opened by the path that is left', async () => {
  await peer.ask('read', closed.socket.localPort);
  await until(() => closed.socket.writableLength === 0, 'everything is read');
  await peer.ask('stopReading', closed.socket.localPort);
});

let fallenBack = null;
if (way === 'connect') {
  fallenBack = await open('fallen back to TCP', { port: PORTS.plain, link: LEFT });
  await check('a peer without Multipath TCP: null', () =>
    assert.equal(getMptcpInfo(fallenBack.socket), null),
  );
}
closed.socket.write(Buffer.alloc(8 << 20));
await checkClosedWindow('the window is closed again');
inFlight.socket.write('z'.repeat(1_000));
await peer.run(unplugging(LEFT));
const cutAt = performance.now();
inFlight.socket.write('z'.repeat(1_000));

/** Asserts that a connection failed, not before half of the timeout and not after `bound`. */
function assertEnd({ code, endedAt }, bound) {
  assert.equal(code, 'ETIMEDOUT');
  const after = Math.round(endedAt - cutAt);
  const excused = Math.round(lateness.excused(cutAt, endedAt));
  assert.ok(after > TIMEOUT / 2, `after ${after} ms`);
  assert.ok(
    after < bound + LATENESS + excused,
    `after ${after} ms, not ${bound}; the machine took ${excused} ms`,
  );
}

const ending = [idle, inFlight, busy, ...(fallenBack === null ? [] : [fallenBack])];
const hasWorkerEnded = () => way !== 'connect' || workerEnd !== null;
const latest = cutAt + 2 * TIMEOUT;
// Longer than it may take, so that a late verdict is reported with its time.
while (!(ending.every(({ code }) => code !== null) && hasWorkerEnded())) {
  if (performance.now() > latest) break;
  await sleep(50);
}
for (const one of ending) {
  const bound = one.activity === 'idle' ? 'idle' : 'busy';
  await check(`${one.activity}: ETIMEDOUT in time after both paths are gone`, () => {
    assert.equal(one.bounds[bound], TIMEOUT);
    assertEnd(one, one.bounds[bound]);
  });
}
if (way === 'connect') {
  await check('in a worker: ETIMEDOUT in time after both paths are gone', () =>
    assertEnd(workerEnd ?? { code: null }, TIMEOUT),
  );
}
await check('without a dead-peer timeout: the kernel ends nothing in this time', () =>
  assert.equal(control.code, null),
);
// The kernel probes a window rarely that was closed for long. This one was just closed.
while (closed.code === null && performance.now() < latest + LATENESS) await sleep(50);
await check('closed window: ETIMEDOUT within two timeouts after both paths are gone', () => {
  assert.ok(closed.bounds.closedWindow >= TIMEOUT);
  assertEnd(closed, 2 * TIMEOUT);
});
printCases();
