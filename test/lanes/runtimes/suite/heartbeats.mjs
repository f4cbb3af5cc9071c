// Checks of Heartbeat and PeerRegistry, which depend on how streams of a runtime receive, count bytes and end, and on
// the order of its event loop. Times are short, but long enough for an emulated processor.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import net from 'node:net';
import { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import * as imported from 'socket-options/heartbeat';
import { connected, listen, pair, tlsPair } from './kinds.mjs';
import { refusal } from './refusals.mjs';

const { Heartbeat, PeerRegistry } = imported;
const require = createRequire(import.meta.url);

/** Longer than any peer here takes to answer. */
const PATIENT = { interval: 100, timeout: 10_000 };
const STRICT = { interval: 100, timeout: 200 };

/** Two streams; each one reads what is written to the other. */
function duplexPair() {
  const ends = [];
  const end = (other) =>
    new Duplex({
      read: () => {},
      write: (chunk, _, done) => {
        setImmediate(() => ends[other].push(chunk));
        done();
      },
    });
  ends.push(end(1), end(0));
  const [client, accepted] = ends;
  const close = () => {
    for (const one of ends) one.destroy();
  };
  return { client, accepted, close };
}

/** Passes both ends of each kind of stream to `use`. */
const over = (open, use) => async () => {
  const { client, accepted, close } = await open();
  try {
    return await use(client, accepted);
  } finally {
    close();
  }
};

/** A peer that answers: the round-trip time is reported, and the stream is unchanged. */
async function answered(client, accepted) {
  accepted.on('data', () => accepted.write('PONG'));
  client.resume();
  const heartbeat = new Heartbeat(client, { ...PATIENT, send: 'PING' });
  const start = performance.now();
  while (heartbeat.rtt === null) await once(heartbeat, 'beat');
  assert.ok(heartbeat.rtt > 0 && heartbeat.rtt <= performance.now() - start, `${heartbeat.rtt} ms`);
  assert.ok(heartbeat.pings >= 1);
  heartbeat.close();
  assert.equal(Object.hasOwn(client, 'push'), false);
  assert.equal(client.destroyed, false);
}

/** A peer that reads but never answers: returns the reason of its death. */
async function dead(client, accepted) {
  accepted.resume();
  client.resume();
  const start = performance.now();
  const heartbeat = new Heartbeat(client, { ...STRICT, send: 'PING' });
  const failed = once(client, 'error');
  const [death] = await once(heartbeat, 'dead');
  assert.ok(performance.now() - start >= STRICT.timeout);
  const [error] = await failed;
  assert.equal(error.code, 'ETIMEDOUT');
  assert.equal(error.death, death);
  assert.ok(death.silence >= STRICT.timeout && death.unansweredPings >= 1, JSON.stringify(death));
  assert.equal(client.destroyed && heartbeat.closed, true);
  return death;
}

const diedOf = (reason) => async (client, accepted) => {
  assert.equal((await dead(client, accepted)).reason, reason);
};

/** The reason that this runtime can know. Without a descriptor, the kernel cannot be asked. */
const diedAsTold = (name) => async (client, accepted) => {
  const expected = refusal(name) ?? 'silent';
  await diedOf(expected)(client, accepted);
  return expected === 'silent' ? 'works' : expected;
};

/** Chunks that are no sign of life, then one that is; no chunk may be lost. */
async function chosen(client, accepted) {
  const seen = [];
  const isAlive = (chunk) => {
    seen.push(chunk.toString());
    return chunk.includes('life');
  };
  const heartbeat = new Heartbeat(client, { ...PATIENT, isAlive });
  let beats = 0;
  heartbeat.on('beat', () => beats++);
  let received = '';
  client.on('data', (chunk) => {
    received += chunk;
  });
  accepted.write('noise');
  while (received !== 'noise') await sleep(10);
  await sleep(PATIENT.interval);
  assert.equal(beats, 0);
  accepted.write('life');
  await once(heartbeat, 'beat');
  heartbeat.close();
  assert.equal(seen.join(''), 'noiselife');
  assert.equal(received, 'noiselife');
}

const TITLE = 'Heartbeat: ';
const TOLD = `${TITLE}whether the system of a silent peer answers`;
const TOLD_TLS = `${TITLE}the same over TLS`;
const COUNTS = 'PeerRegistry: counts of the kernel';

export const heartbeats = {
  'socket-options/heartbeat: import and require give the same': () => {
    const required = require('socket-options/heartbeat');
    const found = { ...imported };
    const names = ['Heartbeat', 'HeartbeatTimeoutError', 'PeerRegistry', 'PeerSupersededError'];
    assert.deepEqual(Object.keys(required).sort(), names);
    for (const name of names) assert.equal(found[name], required[name], name);
  },

  [`${TITLE}request and answer over TCP`]: over(pair, answered),
  [`${TITLE}request and answer over TLS`]: over(tlsPair, answered),
  [`${TITLE}request and answer over a Duplex`]: over(duplexPair, answered),
  [`${TITLE}a silent peer over TCP is dead`]: over(pair, async (client, accepted) => {
    assert.match((await dead(client, accepted)).reason, /^(silent|unknown)$/);
  }),
  [`${TITLE}a silent peer over a Duplex is dead`]: over(duplexPair, diedOf('unknown')),
  [TOLD]: over(pair, diedAsTold(TOLD)),
  [TOLD_TLS]: over(tlsPair, diedAsTold(TOLD_TLS)),
  [`${TITLE}isAlive over TCP`]: over(pair, chosen),
  [`${TITLE}isAlive over TLS`]: over(tlsPair, chosen),

  [`${TITLE}an event loop that is blocked is nobody's death`]: async () => {
    const server = net.createServer();
    const port = await listen(server);
    const peer = new Worker(new URL('./beating.mjs', import.meta.url), { workerData: { port } });
    const [socket] = await once(server, 'connection');
    socket.on('error', () => {});
    socket.resume();
    // The kernel does not know which bytes are chosen, so all must be read before a verdict.
    const isAlive = (chunk) => chunk.length > 0;
    const heartbeat = new Heartbeat(socket, { interval: 100, timeout: 250, isAlive });
    let died = false;
    heartbeat.on('dead', () => {
      died = true;
    });
    await once(heartbeat, 'beat');
    // In Node, timers run next, before anything is read.
    await new Promise((resolve) => setImmediate(resolve));
    const end = performance.now() + 750;
    while (performance.now() < end);
    await once(heartbeat, 'beat');
    assert.equal(died, false);
    heartbeat.close();
    await peer.terminate();
    socket.destroy();
    server.close();
  },

  [`${TITLE}keeps a process from ending if asked, and only then`]: () => {
    const file = fileURLToPath(new URL('ending.mjs', import.meta.url));
    const [program, ...flags] = JSON.parse(process.env.SUITE_COMMAND);
    for (const [how, output] of [
      ['unref', ''],
      ['ref', 'dead'],
    ]) {
      const { status, stdout, stderr } = spawnSync(program, [...flags, file, how], {
        encoding: 'utf8',
      });
      assert.deepEqual([status, stdout.trim()], [0, output], stderr);
    }
  },

  'PeerRegistry: a peer that comes back': () =>
    withPeers(async ([first, second]) => {
      const registry = new PeerRegistry();
      const told = [];
      registry.on('superseded', (older, newer) => told.push(older.socket, newer.socket));
      const failed = once(first, 'error');
      assert.equal(registry.claim('a', first), true);
      assert.equal(registry.claim('a', second), true);
      assert.deepEqual(told, [first, second]);
      assert.equal((await failed)[0].code, 'ERR_PEER_SUPERSEDED');
      assert.deepEqual(registry.get('a'), [second]);
      second.destroy();
      await once(second, 'close');
      assert.equal(registry.size, 0);
    }),

  [COUNTS]: () =>
    withPeers(async (sockets) => {
      const registry = new PeerRegistry();
      for (const socket of sockets) registry.claim(String(socket.remotePort), socket);
      const count = sockets.length;
      const totals = { identities: count, connections: count, superseded: 0, refused: 0 };
      const refused = refusal(COUNTS);
      const states =
        refused === undefined
          ? { established: count, halfOpen: 0, closeWait: 0, other: 0, unknown: 0 }
          : { established: 0, halfOpen: 0, closeWait: 0, other: 0, unknown: count };
      assert.deepEqual(registry.counts(), { ...totals, ...states });
      assert.deepEqual(await registry.countsAsync(), { ...totals, ...states });
      return refused ?? 'works';
    }),
};

/** Two connections that a server has accepted. */
async function withPeers(use) {
  const server = net.createServer();
  const port = await listen(server);
  const clients = [];
  const sockets = [];
  for (let i = 0; i < 2; i++) {
    const [client, [socket]] = await Promise.all([connected(port), once(server, 'connection')]);
    for (const one of [client, socket]) one.on('error', () => {}).resume();
    clients.push(client);
    sockets.push(socket);
  }
  try {
    return await use(sockets);
  } finally {
    for (const one of [...clients, ...sockets]) one.destroy();
    server.close();
  }
}
