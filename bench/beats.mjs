// In a network namespace of its own: what heartbeats over thousands of sockets cost. Prints JSON for
// heartbeats.mjs, which starts it.

import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Heartbeat } from '../dist/heartbeat/index.js';
import { DrivenClock, TICK, TickWatch } from './clock.mjs';
import { connectMany } from './connect-many.mjs';
import { median } from './median.mjs';
import { cpuMs, cpuMsSince, shuffled, timeByTurns } from './timing.mjs';

const [count, rounds, seconds, pingInterval] = process.argv.slice(2).map(Number);

/** For devices by the thousand. Each of them is looked at every 187 ticks. */
const RHYTHM = { interval: 30_000, timeout: 60_000 };
const TICKS_BETWEEN_LOOKS = 187;

let pings = 0;
const send = () => {
  pings++;
};

const { sockets, peer, echoPort } = await connectMany(count);
for (const socket of sockets) socket.resume();
const order = Int32Array.from(shuffled(sockets.keys()));
const report = {
  bytes: measureHeap(),
  messages: measureMessages(),
  work: measureWork(),
  receiving: await measureReceiving(),
  tick: measureDrivenTicks(),
  ...(await measureTicks()),
  pingsPerTick: await measurePings(),
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
 * Of a message, where each connection has one a second: all that is done for it. With a heartbeat `beat()`,
 * and what 30 messages share: the eight looks of an interval, its ping, the timer of the ticks. With a timer
 * for each connection `refresh()`, and nothing else: nobody is pinged.
 */
function measureWork() {
  const timers = sockets.map(() => setTimeout(send, RHYTHM.timeout).unref());
  const clock = new DrivenClock();
  const heartbeats = open({ isAlive: false });
  const messagesPerTick = (count * TICK) / 1_000;
  let next = 0;
  // All connections once in the random order, then again.
  const inTurn = () => order[next++ % count];
  const beats = () => {
    for (let i = 0; i < messagesPerTick; i++) heartbeats[inTurn()].beat();
    clock.tick();
  };
  const refreshes = () => {
    for (let i = 0; i < messagesPerTick; i++) timers[inTurn()].refresh();
  };
  const ticks = (act) => (revolutions) => {
    for (let i = 0; i < revolutions * TICKS_BETWEEN_LOOKS; i++) act();
  };
  const times = timeByTurns({ heartbeat: ticks(beats), timer: ticks(refreshes) }, rounds);
  close(heartbeats);
  clock.stop();
  timers.forEach(clearTimeout);
  return perMessage(times, messagesPerTick * TICKS_BETWEEN_LOOKS);
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

/** Microseconds of CPU time of a tick, where the peer of each socket that it looks at has said something. */
function measureDrivenTicks() {
  const clock = new DrivenClock();
  const heartbeats = open();
  const times = [];
  for (let round = -10; round < rounds; round++) {
    for (const one of heartbeats) one.beat();
    const ms = cpuMs(() => {
      for (let i = 0; i < TICKS_BETWEEN_LOOKS; i++) clock.tick();
    });
    if (round >= 0) times.push((ms * 1_000) / TICKS_BETWEEN_LOOKS);
  }
  close(heartbeats);
  clock.stop();
  return times;
}

/**
 * As ticks really come, after 20 ms in which nothing of all this was in the processor's caches: microseconds
 * of each, while nobody says anything, and while everybody does; of a loop that does no more than to read
 * `bytesRead` of as many sockets. And milliseconds of CPU time in a second of silence, with heartbeats and
 * without.
 */
async function measureTicks() {
  const cpu = { without: [], with: [] };
  const silent = [];
  for (let round = 0; round < 3; round++) {
    cpu.without.push(await cpuInSecond());
    const watch = new TickWatch(() => pings);
    const heartbeats = open();
    // What was left by making them is collected first.
    await sleep(300);
    cpu.with.push(await cpuInSecond());
    close(heartbeats);
    silent.push(...watch.stop().map(({ us }) => us));
  }
  const watch = new TickWatch(() => pings);
  const heartbeats = open();
  peer.send({ sayWithin: seconds * 1_000 });
  await sleep(seconds * 1_000);
  close(heartbeats);
  const beating = watch.stop().map(({ us }) => us);
  return { cpu, silent, beating, reads: await measureReads() };
}

async function measureReads() {
  const times = [];
  let sum = 0;
  const read = (first) => {
    for (let i = first; i < count; i += TICKS_BETWEEN_LOOKS) sum += sockets[i].bytesRead;
  };
  for (let i = 0; i < 20 * TICKS_BETWEEN_LOOKS; i++) read(i % TICKS_BETWEEN_LOOKS);
  for (let i = 0; i < (seconds * 1_000) / TICK; i++) {
    await sleep(TICK);
    const start = process.hrtime.bigint();
    read(i % TICKS_BETWEEN_LOOKS);
    times.push(Number(process.hrtime.bigint() - start) / 1_000);
  }
  if (Number.isNaN(sum)) throw new Error('a socket does not count its bytes');
  return times;
}

async function cpuInSecond() {
  const start = process.cpuUsage();
  await sleep(seconds * 1_000);
  return cpuMsSince(start) / seconds;
}

/** How many pings left in each tick of the interval after all heartbeats were made at once. */
async function measurePings() {
  pings = 0;
  const watch = new TickWatch(() => pings);
  const heartbeats = open({ interval: pingInterval, timeout: 2 * pingInterval });
  while (pings < count) await sleep(TICK);
  close(heartbeats);
  return watch.stop().map((tick) => tick.counted);
}
