// Opens connections or makes HTTP requests, with tuneSockets() or without, and reports the CPU time of each turn to
// tuned-turns.mjs, which starts it.

import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { connect, createServer } from 'node:net';
import { cpuMsSince } from './timing.mjs';

const [work, mode, webPort] = process.argv.slice(2);
const BATCH = 50;

if (mode === 'tuned') {
  const { tuneSockets } = await import('../dist/index.js');
  const tuning = { deadPeerTimeout: 20_000 };
  tuneSockets({ client: tuning, server: tuning });
}

const accepted = [];
const server = createServer((socket) => accepted.push(socket)).listen(0, '127.0.0.1');
await once(server, 'listening');

const works = { connection: connectMany, request: requestMany };
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
  const [response] = await once(get({ port: webPort, host: '127.0.0.1', agent }), 'response');
  await once(response.resume(), 'end');
}
