// Inside gVisor: how long it takes until a dead peer is noticed, against the bounds that the package reports. The peer is
// vanishing-peer.mjs, outside of gVisor. Prints a line for each check, then the counts.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { getDeadPeerBounds, setDeadPeerTimeout, setOptions } from '../../../dist/index.js';

const PEER = { host: '10.77.0.1', port: 7_000 };
/** From the request to lose every packet until nft has the rule, and the lateness of a busy machine. */
const SLACK = 1_000;

const keepAlive = (socket) =>
  setOptions(socket, {
    ...{ keepAliveInitialDelay: 3_000, keepAliveInterval: 1_000, keepAliveCount: 4 },
    keepAlive: true,
  });
const timeout = (milliseconds, options) => (socket) =>
  setDeadPeerTimeout(socket, milliseconds, options);
const write = (socket) => socket.write('?');

/** While keepalive probes: the wait begins anew. A program that keeps writing waits longer, as the plan warns. */
function writeLater(socket) {
  const timer = setTimeout(write, 3_000, socket);
  socket.once('close', () => clearTimeout(timer));
}

/** By name: what is set, what happens from then on, and which bound holds. */
const CASES = {
  'keepalive, idle': { set: keepAlive, bound: 'idle' },
  'user timeout, data in flight': {
    set: (socket) => setOptions(socket, { userTimeout: 6_000 }),
    after: write,
    bound: 'busy',
  },
  ...Object.fromEntries(
    [10_000, 20_000].flatMap((time) => [
      [`T = ${time} ms, idle`, { set: timeout(time), bound: 'idle' }],
      [`T = ${time} ms, data in flight`, { set: timeout(time), after: write, bound: 'busy' }],
      [`T = ${time} ms, writing later`, { set: timeout(time), after: writeLater, bound: 'worst' }],
      [
        `T = ${time} ms, half-closed`,
        { set: timeout(time), before: (s) => s.end(), bound: 'idle' },
      ],
    ]),
  ),
  'T = 10000 ms, the window is closed': {
    set: timeout(10_000, { zeroWindow: 'fail' }),
    prepare: (socket) => socket.write(`x${'-'.repeat(8_000_000)}`),
    bound: 'closedWindow',
  },
};

async function open() {
  const socket = net.connect(PEER);
  await once(socket, 'connect');
  return socket.setNoDelay(true).resume();
}

async function begin([name, { set, prepare, before, after, bound }]) {
  const socket = await open();
  set(socket);
  prepare?.(socket);
  const failed = new Promise((resolve) => {
    let code = null;
    socket.on('error', (error) => {
      code = error.code;
    });
    socket.on('close', () => resolve({ code, at: performance.now() }));
  });
  return {
    name,
    greet() {
      if (prepare !== undefined) return undefined;
      write(socket);
      return once(socket, 'data').then(() => before?.(socket));
    },
    async measure(lostAt) {
      const bounds = getDeadPeerBounds(socket);
      after?.(socket);
      const { code, at } = await failed;
      return { name, code, measured: Math.round(at - lostAt), bound: bounds[bound] };
    },
  };
}

const begun = await Promise.all(Object.entries(CASES).map(begin));
const control = await open();
// Until the window of the one that writes much is closed.
await sleep(1_000);
await Promise.all(begun.map(({ greet }) => greet()));
control.write('l');
const lostAt = performance.now();
const results = await Promise.all(begun.map(({ measure }) => measure(lostAt)));

let failures = 0;
for (const { name, code, measured, bound } of results) {
  try {
    assert.equal(code, 'ETIMEDOUT');
    assert.ok(measured <= bound + SLACK, `${measured} ms, and the bound is ${bound} ms`);
    assert.ok(measured >= bound / 2, `${measured} ms, and the bound is ${bound} ms`);
    console.log(`passed: ${name}: ${measured} ms of ${bound} ms`);
  } catch (error) {
    failures++;
    console.log(`FAILED: ${name}: ${error.message}`);
  }
}
console.log(`${results.length - failures} passed, ${failures} failed, 0 skipped`);
process.exit(failures === 0 ? 0 : 1);
