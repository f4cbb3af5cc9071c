// Living peers in every situation that looks like a dead one: node living.mjs <file with the request>. Prints which
// connections ended. It needs a network namespace of its own.

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { closeWindow, keepUploading, keepWriting, until } from './activities.mjs';
import { Cell } from './cell.mjs';
import { connect, connectUntuned, setTimeoutOf } from './connections.mjs';
import { makeHosts } from './hosts.mjs';
import { measureLateness } from './lateness.mjs';
import { SLOW_READERS } from './manners.mjs';
import { SharedMoment } from './shared-moment.mjs';
import { openTrace } from './trace.mjs';

const ROUND_TRIPS = [1, 1_000];
const OFFSETS = Array.from({ length: 12 }, (_, index) => (index + 1) / 13);
/** The share of the timeout to which the round-trip time jumps. */
const JUMP = 0.7;
const WRITES = 1_000;
/** Ports of the peer's second program, whose event loop is blocked. */
const BUSY = 100;

const activities = {
  idle: () => {},
  writing: (cell) => keepWriting(cell, WRITES),
  uploading: keepUploading,
};

/** A rate of the path for uploads: it costs no more processor time than necessary. */
const UPLOAD_RATE = 50_000;

/** The scenes: each adds its cases with `add(name, values, act)`, and `act(cell, world)` resolves when watching begins. */
const SCENES = {
  'closed window': (add, { timeouts }) => {
    for (const timeout of timeouts) {
      for (const rtt of ROUND_TRIPS) {
        add('', { timeout, rtt, watchedFor: 5 }, async (cell) => {
          await connect(cell, { manner: 'never reads' });
          await closeWindow(cell);
        });
      }
    }
  },
  'slow reader': (add, { timeouts }) => {
    for (const manner of SLOW_READERS) {
      const rate = Number.parseInt(manner.slice('reads '.length), 10);
      for (const timeout of timeouts) {
        // What is fast enough is watched for a short time only.
        if (timeout > 20_000 || (rate > 100_000 && timeout > 9_000)) continue;
        add(manner, { timeout, rtt: 20, rate: 2e6, watchedFor: 5 }, async (cell) => {
          await connect(cell, { manner });
          keepUploading(cell);
        });
      }
    }
  },
  'round-trip time jumps to 0.7 T': (add, { timeouts }) => {
    for (const [name, act] of Object.entries(activities)) {
      for (const timeout of timeouts.filter((one) => one <= 20_000)) {
        const rate = UPLOAD_RATE;
        add(name, { timeout, rtt: 20, rate, watchedFor: 5 }, async (cell, { path }) => {
          await connect(cell);
          act(cell);
          await sleep(2_000);
          await path.set(cell.flow, { delay: (JUMP * timeout) / 2_000 });
        });
      }
    }
  },
  'called in a silence, one packet lost': (add, { timeouts }) => {
    for (const share of OFFSETS) {
      for (const timeout of timeouts.filter((one) => one <= 20_000)) {
        const name = `after ${Math.round(200 * share)} % of T`;
        add(name, { timeout, rtt: 100, watchedFor: 3 }, async (cell, { path }) => {
          const socket = await connectUntuned(cell);
          await sleep(2 * share * timeout);
          await path.set(cell.flow, { drop_next: 1 });
          setTimeoutOf(cell, socket);
        });
      }
    }
  },
  'setKeepAlive of core afterwards': (add, { timeouts }) => {
    for (const args of [[false], [true, 60_000]]) {
      for (const timeout of timeouts.filter((one) => one <= 20_000)) {
        add(args.join(', '), { timeout, rtt: 20, watchedFor: 5 }, async (cell) => {
          (await connect(cell)).setKeepAlive(...args);
        });
      }
    }
  },
  'program of the peer blocked for 3 T': (add, { timeouts }, { peerBlocked }) => {
    for (const [name, act] of Object.entries(activities)) {
      for (const timeout of timeouts.filter((one) => one <= 20_000)) {
        const rate = UPLOAD_RATE;
        add(name, { timeout, rtt: 20, rate, watchedFor: 4, peerBlocked }, async (cell) => {
          await connect(cell, { offset: BUSY });
          act(cell);
          await sleep(1_000);
          await peerBlocked.arrive();
        });
      }
    }
  },
};

/** A second program of the peer, which is blocked at a shared moment. */
async function startBusyPeer(hosts, certificate, duration) {
  const peer = await hosts.startPeer();
  await peer.ask('listen', certificate, BUSY);
  return () => void peer.ask('block', duration);
}

/** The cases do not begin at the same moment. */
const SPREAD = 5_000;

async function run({ cell, scene, name, act }, world) {
  await sleep(Math.random() * SPREAD);
  const { timeout, rtt, rate = 0, watchedFor } = cell;
  await world.path.set(cell.flow, { delay: rtt / 2_000, rate, queue: rate / 5 });
  const report = { scene, name, timeout, rtt };
  try {
    await act(cell, world);
  } catch (error) {
    cell.peerBlocked?.leave();
    return { ...report, code: `${error.code ?? ''} ${error.message}`, after: null };
  }
  const start = performance.now();
  const end = start + watchedFor * timeout;
  await until(cell, () => performance.now() > end);
  const { told, code } = cell;
  const after = told === null ? null : Math.round(told - start);
  cell.socket.resetAndDestroy();
  return { ...report, code: after === null ? null : (code ?? 'closed'), after };
}

async function main({ relay, seed, certificate, timeouts, run: number, traceFile }) {
  const hosts = await makeHosts({ relay, seed });
  await hosts.peer.ask('listen', certificate);
  const trace = openTrace(traceFile, number);
  const longest = Math.max(...timeouts.filter((one) => one <= 20_000));
  const block = await startBusyPeer(hosts, certificate, 3 * longest);
  const cases = [];
  let blockedCases = 0;
  const peerBlocked = {
    arrive: () => moment.arrive(),
    leave: () => moment.leave(),
  };
  for (const [scene, addTo] of Object.entries(SCENES)) {
    const add = (name, values, act) => {
      const labels = { state: scene, fault: 'none', way: 'setDeadPeerTimeout' };
      const cell = new Cell({ ...labels, ...values }, [cases.length + 1], 0, trace);
      cases.push({ cell, scene, name, act });
      if (values.peerBlocked !== undefined) blockedCases++;
    };
    addTo(add, { timeouts }, { peerBlocked });
  }
  const moment = new SharedMoment(blockedCases, block);
  const lateness = measureLateness({ isStrict: true });
  const results = await Promise.all(cases.map((one) => run(one, hosts)));
  const report = { results, lateness: lateness.summary(), cpuSeconds: hosts.cpuSeconds() };
  process.stdout.write(JSON.stringify(report), () => process.exit(0));
}

await main(JSON.parse(readFileSync(process.argv[2], 'utf8')));
