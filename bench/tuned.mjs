// Opens connections, listens or makes HTTP requests, with this package or without, and reports the CPU time of each turn to
// tuned-turns.mjs, which starts it.

import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { connect, createServer } from 'node:net';
import { cpuMsSince } from './timing.mjs';

const [work, mode, port] = process.argv.slice(2);
const BATCH = 50;

const isTuned = mode === 'tuned';
const ours = isTuned ? await import('../dist/index.js') : undefined;
if (isTuned && (work === 'connection' || work === 'request')) {
  const tuning = { deadPeerTimeout: 20_000 };
  ours.tuneSockets({ client: tuning, server: tuning });
}

const accepted = [];
const server = createServer((socket) => accepted.push(socket)).listen(0, '127.0.0.1');
await once(server, 'listening');

const works = {
  connection: connectMany,
  request: requestMany,
  connect: connectOnly,
  listen: listenMany,
};
process.on('message', async (count) => process.send(await works[work](count)));
process.on('disconnect', () => process.exit());
process.send('ready');

/** Opens connections, with both ends in this process. Returns milliseconds of CPU time for each. */
async function connectMany(count) {
  const start = process.cpuUsage();
  for (let opened = 0; opened < count; opened += BATCH) {
    const sockets = Array.from({ length: BATCH }, () =>
      connect(server.address().port, '127.0.0.1'),
    );
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    while (accepted.length < BATCH) await new Promise(setImmediate);
    const both = [...sockets, ...accepted.splice(0)].map((socket) => socket.on('error', () => {}));
    const closed = both.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    // Without a trace in the kernel: ports would run out.
    for (const socket of both) socket.resetAndDestroy();
    await Promise.all(closed);
  }
  return cpuMsSince(start) / count;
}

/** Opens connections to another process, with an option before the first packet or without. */
async function connectOnly(count) {
  const options = { host: '127.0.0.1', port: Number(port) };
  const open = isTuned
    ? () => ours.connect({ ...options, socketOptions: { synRetries: 3 } })
    : () => connect(options);
  const start = process.cpuUsage();
  for (let opened = 0; opened < count; opened += BATCH) {
    const sockets = Array.from({ length: BATCH }, open);
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    const closed = sockets.map((socket) => once(socket, 'close'));
    for (const socket of sockets) socket.resetAndDestroy();
    await Promise.all(closed);
  }
  return cpuMsSince(start) / count;
}

/** Listens on any port and closes, with an option before bind or without. */
async function listenMany(count) {
  const options = { host: '127.0.0.1', port: 0 };
  const start = process.cpuUsage();
  for (let opened = 0; opened < count; opened++) {
    const one = createServer();
    if (isTuned) ours.listen(one, { ...options, socketOptions: { freeBind: true } });
    else one.listen(options);
    await once(one, 'listening');
    one.close();
    await once(one, 'close');
  }
  return cpuMsSince(start) / count;
}

/** Makes requests by an agent that keeps its connection. Returns milliseconds of CPU time for each. */
async function requestMany(count) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  await requestOnce(agent);
  const start = process.cpuUsage();
  for (let made = 0; made < count; made++) await requestOnce(agent);
  const spent = cpuMsSince(start) / count;
  agent.destroy();
  return spent;
}

async function requestOnce(agent) {
  const [response] = await once(get({ port, host: '127.0.0.1', agent }), 'response');
  await once(response.resume(), 'end');
}
