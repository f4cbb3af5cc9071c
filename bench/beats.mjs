// In a network namespace of its own: what heartbeats over thousands of sockets cost. Prints JSON for
// heartbeats.mjs, which starts it.

import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Heartbeat } from '../dist/heartbeat.js';
import { DrivenClock } from './clock.mjs';
import { connectMany } from './connect-many.mjs';
import { median } from './median.mjs';
import { collect } from './namespace.mjs';
import { cpuMsSince, shuffled, timeByTurns } from './timing.mjs';

const [count, rounds, idleInterval, pingInterval] = process.argv.slice(2).map(Number);

/** For devices by the thousand. */
const RHYTHM = { interval: 30_000, timeout: 60_000 };

/** A ping that costs nothing itself. */
const send = () => {};

const { sockets, echoPort } = await connectMany(count);
for (const socket of sockets) socket.resume();
const order = Int32Array.from(shuffled(sockets.keys()));
const report = {
  bytes: measureHeap(),
  messages: measureMessages(),
  work: measureWork(),
  receiving: await measureReceiving(),
  idle: await measureIdle(),
  pingsPer20Ms: await measurePings(),
};
process.stdout.write(JSON.stringify(report), () => process.exit());

/** One on each socket. */
function open(options) {
  return sockets.map((socket) => new Heartbeat(socket, { ...RHYTHM, send, ...options }));
}

function close(heartbeats) {
  for (const one of heartbeats) one.close();
}

/**
 * Bytes of heap for a heartbeat, and for a timer. Of timers always as many as tell: V8 takes and gives back
 * a quarter of a megabyte for itself meanwhile.
 */
function measureHeap() {
  const grown = (make, clear) => {
    const before = collected();
    const made = make();
    const after = collected();
    clear(made);
    return (after - before) / made.length;
  };
  const timers = () => Array.from({ length: 10_000 }, () => setTimeout(send, RHYTHM.timeout));
  const measured = { heartbeat: [], timer: [] };
  for (let round = 0; round < 5; round++) {
    measured.heartbeat.push(grown(open, close));
    measured.timer.push(grown(timers, (made) => made.forEach(clearTimeout)));
  }
  return { heartbeat: median(measured.heartbeat), timer: median(measured.timer) };
}

function collected() {
  for (let i = 0; i < 3; i++) globalThis.gc();
  return process.memoryUsage().heapUsed;
}

/**
 * Of a message: `beat()` of all heartbeats in random order, with the loop that calls it; and what the same
 * loop takes to store a number in as many objects.
 */
function measureMessages() {
  const heartbeats = open({ isAlive: false });
  const objects = sockets.map(() => ({ signs: 0 }));
  const passes = (act) => (times) => {
    for (let pass = 0; pass < times; pass++) act(pass);
  };
  const beatAll = () => {
    for (let i = 0; i < count; i++) heartbeats[order[i]].beat();
  };
  const storeAll = (pass) => {
    for (let i = 0; i < count; i++) objects[order[i]].signs = pass;
  };
  const times = timeByTurns({ beat: passes(beatAll), store: passes(storeAll) }, rounds);
  close(heartbeats);
  return perMessage(times, count);
}

/**
 * Of a message, where each connection has one a second: all that is done for it. With a heartbeat `beat()`, and its share of
 * the wake-ups and pings of an interval. With a timer for each connection `refresh()`, and nothing else: nobody is pinged.
 */
function measureWork() {
  const timers = sockets.map(() => setTimeout(send, RHYTHM.timeout).unref());
  const clock = new DrivenClock();
  const heartbeats = open({ isAlive: false });
  let next = 0;
  // All connections once in the random order, then again.
  const inTurn = () => order[next++ % count];
  const beatSecond = () => {
    let owed = 0;
    for (let passed = 0; passed < 1_000; ) {
      const delay = clock.wakeUp();
      passed += delay;
      owed += (count * delay) / 1_000;
      for (; owed >= 1; owed--) heartbeats[inTurn()].beat();
    }
  };
  const refreshSecond = () => {
    for (let i = 0; i < count; i++) timers[inTurn()].refresh();
  };
  const seconds = (act) => (times) => {
    for (let second = 0; second < times; second++) act();
  };
  const subjects = { heartbeat: seconds(beatSecond), timer: seconds(refreshSecond) };
  const times = timeByTurns(subjects, rounds);
  close(heartbeats);
  clock.stop();
  timers.forEach(clearTimeout);
  return perMessage(times, count);
}

function perMessage(times, messages) {
  const divided = Object.entries(times).map(([name, all]) => [
    name,
    all.map((ns) => ns / messages),
  ]);
  return Object.fromEntries(divided);
}

/** Of a byte that is sent and comes back, on a socket whose bytes are signs of life, and on another one. */
async function measureReceiving() {
  const TRIPS = 300;
  const subjects = { plain: await connected(), watched: await connected() };
  const heartbeat = new Heartbeat(subjects.watched, { interval: 200, timeout: 60_000, send: '.' });
  while (heartbeat.rtt === null) await once(heartbeat, 'beat');
  const times = { plain: [], watched: [] };
  for (let round = -3; round < rounds; round++) {
    for (const name of shuffled(Object.keys(subjects))) {
      const start = process.cpuUsage();
      await roundTrips(subjects[name], TRIPS);
      if (round >= 0) times[name].push((cpuMsSince(start) * 1e6) / TRIPS);
    }
  }
  // At once, and not with its socket: its timer would be there when the clock is driven.
  heartbeat.close();
  for (const socket of Object.values(subjects)) socket.destroy();
  return times;
}

async function connected() {
  const socket = connect({ port: echoPort, host: '127.0.0.1', noDelay: true });
  socket.resume();
  await once(socket, 'connect');
  return socket;
}

function roundTrips(socket, trips) {
  return new Promise((resolve) => {
    let left = trips;
    const onData = () => {
      if (--left > 0) socket.write('.');
      else resolve(socket.off('data', onData));
    };
    socket.on('data', onData);
    socket.write('.');
  });
}

/**
 * Milliseconds of CPU time in a second in which no peer says anything, over a whole interval, in which each heartbeat pings
 * once: without heartbeats; with pings that are a call of a function; with pings that are written, a system call for each.
 */
async function measureIdle() {
  await collect();
  const none = await cpuPerSecond(idleInterval / 3);
  const rhythm = { interval: idleInterval, timeout: 4 * idleInterval };
  const cpu = { none };
  for (const [name, ping] of Object.entries({ called: send, written: '.' })) {
    const heartbeats = open({ ...rhythm, send: ping });
    await sleep(idleInterval);
    await collect();
    const before = pingsOf(heartbeats);
    cpu[name] = await cpuPerSecond(idleInterval);
    const sent = pingsOf(heartbeats) - before;
    close(heartbeats);
    if (sent < 0.9 * count || sent > 1.2 * count) throw new Error(`${sent} pings in an interval`);
  }
  return cpu;
}

function pingsOf(heartbeats) {
  return heartbeats.reduce((sum, one) => sum + one.pings, 0);
}

async function cpuPerSecond(milliseconds) {
  const start = process.cpuUsage();
  const begin = performance.now();
  await sleep(milliseconds);
  return cpuMsSince(start) / ((performance.now() - begin) / 1_000);
}

/** The most pings in 20 ms, after all heartbeats were made at once. */
async function measurePings() {
  const counts = new Map();
  let sent = 0;
  const countPing = () => {
    const at = Math.floor(performance.now() / 20);
    counts.set(at, (counts.get(at) ?? 0) + 1);
    sent++;
  };
  const rhythm = { interval: pingInterval, timeout: 2 * pingInterval };
  const heartbeats = open({ ...rhythm, send: countPing });
  while (sent < count) await sleep(20);
  close(heartbeats);
  return Math.max(...counts.values());
}
