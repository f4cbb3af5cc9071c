// A peer with two paths that are cut one after the other: node dead-peers.mjs <first link> <'connect' or 'wrapped'>
// connect: sockets of connect() with { mptcp: true }. wrapped: sockets of net.connect(), run by mptcpize(8).

import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  connect,
  getDeadPeerBounds,
  getMptcpInfo,
  getTcpInfo,
  setDeadPeerTimeout,
} from '../../../dist/index.js';
import { addressOf, printAndExit, unplugging } from '../../fixtures/dead-peers/two-hosts.mjs';
import { makeHosts, untilSubflows } from './hosts.mjs';
import { PORTS } from './ports.mjs';

const [first = '1', way = 'connect'] = process.argv.slice(2);
const TIMEOUT = 6_000;

const ACTIVITIES = {
  idle: PORTS.echo,
  'writes every 0.1 s': PORTS.echo,
  'in flight': PORTS.echo,
  'closed window': PORTS.silent,
};

const peer = await makeHosts();
const MPTCP = way === 'connect' ? { socketOptions: { mptcp: true } } : {};

async function open(activity, timeout) {
  const options = { host: addressOf(1), port: ACTIVITIES[activity], ...MPTCP };
  const socket = way === 'connect' ? connect(options) : net.connect(options);
  await once(socket, 'connect');
  const plan = timeout === null ? null : setDeadPeerTimeout(socket, timeout);
  const bounds = timeout === null ? null : getDeadPeerBounds(socket);
  const seen = { activity, timeout, plan, bounds, code: null, endedAt: null, received: 0 };
  socket.on('error', (error) => {
    seen.code = error.code;
    seen.endedAt = performance.now();
  });
  socket.on('data', (data) => {
    seen.received += data.length;
  });
  if (activity.startsWith('writes')) {
    const timer = setInterval(() => socket.write('x'), 100);
    socket.on('close', () => clearInterval(timer));
  }
  socket.write('hello');
  await untilSubflows(socket, 2);
  if (activity === 'closed window') {
    // More than the receive buffer of the peer and the send buffer of this host.
    socket.write(Buffer.alloc(8 << 20));
  }
  return { socket, seen };
}

const cases = await Promise.all([
  ...Object.keys(ACTIVITIES).map((activity) => open(activity, TIMEOUT)),
  // The control: what the kernel does by itself in this time.
  open('idle', null),
]);
const kept = cases.map(({ seen }) => seen);
const subflows = cases.map(({ socket }) => getMptcpInfo(socket).subflows.length);
await sleep(1_500);

/** What the kernel and the program know of each connection. */
const now = () =>
  cases.map(({ socket, seen }) => ({
    code: seen.code,
    received: seen.received,
    subflows: socket.destroyed
      ? null
      : getMptcpInfo(socket).subflows.map(({ tcpInfo, remotePort, localAddress }) => ({
          localAddress,
          remotePort,
          state: tcpInfo.state,
        })),
    sendWindow: socket.destroyed ? null : getTcpInfo(socket).sendWindow,
  }));

const before = now();
await peer.run(unplugging(Number(first)));
await sleep(2.5 * TIMEOUT);
const living = now();
// The answer must come over the path that is left.
for (const { socket, seen } of cases) {
  if (seen.activity === 'in flight' || seen.activity === 'idle') socket.write('y'.repeat(100));
}
await sleep(1_500);
const answered = now();

for (const { socket, seen } of cases) {
  if (seen.activity === 'in flight') socket.write('z'.repeat(1_000));
}
const cutAt = performance.now();
await peer.run(unplugging(3 - Number(first)));
await sleep(TIMEOUT + 1_500);
printAndExit({
  timeout: TIMEOUT,
  subflows,
  before,
  living,
  answered,
  cases: kept.map(({ endedAt, ...seen }) => ({
    ...seen,
    after: endedAt === null ? null : endedAt - cutAt,
  })),
});
