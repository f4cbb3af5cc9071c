// What is measured. A subject does one job again and again on one connected socket: the package,
// the floor in C, or a peer. A case puts two subjects side by side that do the same job.
//
// A subject is { run, check }. `run(count)` does the job `count` times, with values that alternate
// between two sets: no layer can skip a call because nothing would change. `check()` throws unless
// the job did what it says, as the kernel sees it.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import koffi from 'koffi';
import netKeepalive from 'net-keepalive';
import {
  getKeepAlive,
  getKernelTcpInfo,
  getTcpInfo,
  setKeepAlive,
  setOptions,
  TcpInfoReader,
} from '../dist/index.js';

const floor = createRequire(import.meta.url)('./build/Release/floor.node');

/**
 * Where lower is better the ratio is the time of `ours` over that of the other, else the inverse:
 * how many times faster ours is.
 */
export const cases = [
  {
    name: 'setKeepAlive',
    ours: 'setKeepAlive',
    floor: 'floorSetKeepAlive',
    better: 'lower',
    budget: 1.1,
  },
  {
    name: 'setOptions4',
    ours: 'setOptions4',
    floor: 'floorSetOptions4',
    better: 'lower',
    budget: 1.15,
  },
  {
    name: 'getKeepAlive',
    ours: 'getKeepAlive',
    floor: 'floorGetKeepAlive',
    better: 'lower',
    budget: 1.1,
  },
  {
    name: 'setKeepAliveVsNode',
    ours: 'setKeepAlive',
    peer: 'nodeSetKeepAlive',
    better: 'lower',
    budget: 1.05,
  },
  {
    name: 'setKeepAliveVsNetKeepalive',
    ours: 'setKeepAlive',
    peer: 'netKeepalive',
    better: 'higher',
    budget: 9,
  },
  {
    name: 'getKernelTcpInfo',
    ours: 'getKernelTcpInfo',
    floor: 'floorTcpInfo',
    better: 'lower',
    budget: 1.45,
  },
  { name: 'getTcpInfo', ours: 'getTcpInfo', floor: 'floorTcpInfo', better: 'lower', budget: 1.35 },
  {
    name: 'tcpInfoReader',
    ours: 'tcpInfoReader',
    floor: 'floorTcpInfo',
    better: 'lower',
    budget: 1.1,
  },
  // No budget: it says what an addon of our own is worth over a generic one.
  {
    name: 'setKeepAliveVsFfi',
    ours: 'setKeepAlive',
    peer: 'ffiSetKeepAlive',
    better: 'higher',
    budget: null,
  },
];

/** Every subject, by its name. */
export function subjectsOn(socket) {
  return {
    setKeepAlive: setter(socket, KEEP_ALIVE, (count) => {
      for (let i = 0; i < count; i++) {
        const odd = i & 1;
        setKeepAlive(socket, {
          enable: true,
          initialDelay: 60_000 + odd * 1000,
          interval: 10_000 + odd * 1000,
          count: 5 + odd,
        });
      }
    }),
    floorSetKeepAlive: setter(socket, KEEP_ALIVE, floorSets(socket, KEEP_ALIVE)),

    setOptions4: setter(socket, FOUR_OPTIONS, (count) => {
      for (let i = 0; i < count; i++) {
        const odd = i & 1;
        setOptions(socket, {
          userTimeout: 45_000 + odd * 1000,
          keepAliveInterval: 10_000 + odd * 1000,
          keepAliveCount: 5 + odd,
          notSentLowWatermark: 131_072 + odd,
        });
      }
    }),
    floorSetOptions4: setter(socket, FOUR_OPTIONS, floorSets(socket, FOUR_OPTIONS)),

    getKeepAlive: keepAliveReader(socket),
    floorGetKeepAlive: floorReader(socket, KEEP_ALIVE),

    getKernelTcpInfo: tcpInfoSubject(socket, (count) => {
      for (let i = 0; i < count; i++) sink = getKernelTcpInfo(socket);
      return sink.tcpi_snd_mss;
    }),
    getTcpInfo: tcpInfoSubject(socket, (count) => {
      for (let i = 0; i < count; i++) sink = getTcpInfo(socket);
      return sink.mss;
    }),
    tcpInfoReader: tcpInfoSubject(socket, readerRun(socket)),
    floorTcpInfo: {
      run: (count) => assert.ok(floor.tcpInfoLoop(socket._handle.fd, count) > 100),
      check: () => {},
    },

    nodeSetKeepAlive: nodeSetter(socket),
    netKeepalive: setter(socket, KEEP_ALIVE, (count) => {
      for (let i = 0; i < count; i++) {
        const odd = i & 1;
        // Node's comes first: it sets interval and count too, to values of its own.
        socket.setKeepAlive(true, 60_000 + odd * 1000);
        netKeepalive.setKeepAliveInterval(socket, 10_000 + odd * 1000);
        netKeepalive.setKeepAliveProbes(socket, 5 + odd);
      }
    }),
    ffiSetKeepAlive: setter(socket, KEEP_ALIVE, ffiSets(socket, KEEP_ALIVE)),
  };
}

// Settings as the floor takes them: level, option, value in the kernel's own unit. They stand in
// the order in which the package writes them, so that the floor makes the same calls.

const { IPPROTO_TCP, SOL_SOCKET } = floor;

function keepAlive(enable, initialDelay, interval, count) {
  return Int32Array.of(
    ...[IPPROTO_TCP, floor.TCP_KEEPIDLE, initialDelay],
    ...[IPPROTO_TCP, floor.TCP_KEEPINTVL, interval],
    ...[IPPROTO_TCP, floor.TCP_KEEPCNT, count],
    ...[SOL_SOCKET, floor.SO_KEEPALIVE, enable],
  );
}

function fourOptions(interval, count, userTimeout, notSentLowWatermark) {
  return Int32Array.of(
    ...[IPPROTO_TCP, floor.TCP_KEEPINTVL, interval],
    ...[IPPROTO_TCP, floor.TCP_KEEPCNT, count],
    ...[IPPROTO_TCP, floor.TCP_USER_TIMEOUT, userTimeout],
    ...[IPPROTO_TCP, floor.TCP_NOTSENT_LOWAT, notSentLowWatermark],
  );
}

/** What the jobs alternate between, and something else that they start from to be checked. */
const KEEP_ALIVE = {
  before: keepAlive(0, 7200, 75, 9),
  even: keepAlive(1, 60, 10, 5),
  odd: keepAlive(1, 61, 11, 6),
};
const FOUR_OPTIONS = {
  before: fourOptions(75, 9, 0, 1),
  even: fourOptions(10, 5, 45_000, 131_072),
  odd: fourOptions(11, 6, 46_000, 131_073),
};

function apply(socket, settings) {
  assert.equal(floor.setLoop(socket._handle.fd, 1, settings, settings), 0);
}

function assertHeld(socket, settings) {
  for (let i = 0; i < settings.length; i += 3) {
    const [level, option, value] = settings.subarray(i, i + 3);
    assert.equal(floor.get(socket._handle.fd, level, option), value, `option ${level}/${option}`);
  }
}

/** A subject whose job is to leave the settings `even`, the next time `odd`, in the kernel. */
function setter(socket, { before, even, odd }, run) {
  const check = () => {
    apply(socket, before);
    run(1);
    assertHeld(socket, even);
    run(2);
    assertHeld(socket, odd);
  };
  return { run, check };
}

function floorSets(socket, { even, odd }) {
  return (count) => assert.equal(floor.setLoop(socket._handle.fd, count, even, odd), 0);
}

/** Where results go, so that making them is not optimised away. */
export let sink;

/** A subject whose job returns the MSS that it read last, which the kernel tells in its own way too. */
function tcpInfoSubject(socket, run) {
  const check = () => assert.equal(run(1), floor.get(socket._handle.fd, IPPROTO_TCP, 2));
  return { run, check };
}

/** Reads and looks at three fields; gives the MSS. */
export function readerRun(socket) {
  const reader = new TcpInfoReader();
  return (count) => {
    if (Number.isNaN(readAgain(reader, socket, count))) throw new Error('a field is missing');
    return reader.mss;
  };
}

// A function of its own: compiled while its loop runs, V8 knows nothing of what comes after the loop,
// and would fall back to slow code there each time.
function readAgain(reader, socket, count) {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    reader.read(socket);
    sum += reader.rtt + reader.probes + reader.unackedSegments;
  }
  return sum;
}

function keepAliveReader(socket) {
  const run = (count) => {
    for (let i = 0; i < count; i++) sink = getKeepAlive(socket);
  };
  const check = () => {
    apply(socket, KEEP_ALIVE.before);
    run(1);
    const before = { enable: false, initialDelay: 7_200_000, interval: 75_000, count: 9 };
    assert.deepEqual(sink, before);
    apply(socket, KEEP_ALIVE.even);
    run(1);
    assert.deepEqual(sink, { enable: true, initialDelay: 60_000, interval: 10_000, count: 5 });
  };
  return { run, check };
}

function floorReader(socket, { before, even }) {
  const read = before.slice();
  const run = (count) => assert.equal(floor.getLoop(socket._handle.fd, count, read), 0);
  const check = () => {
    for (const settings of [before, even]) {
      apply(socket, settings);
      run(1);
      assert.deepEqual(read, settings);
    }
  };
  return { run, check };
}

/** Node's own method. Older versions take no interval and no count, but set them all the same. */
function nodeSetter(socket) {
  socket.setKeepAlive(true, 50_000, 20_000, 7);
  if (floor.get(socket._handle.fd, IPPROTO_TCP, floor.TCP_KEEPINTVL) === 20) {
    return setter(socket, KEEP_ALIVE, (count) => {
      for (let i = 0; i < count; i++) {
        const odd = i & 1;
        socket.setKeepAlive(true, 60_000 + odd * 1000, 10_000 + odd * 1000, 5 + odd);
      }
    });
  }
  const { before, even, odd } = KEEP_ALIVE;
  const delayAndSwitch = (settings) =>
    Int32Array.of(...settings.subarray(0, 3), ...settings.subarray(9, 12));
  const settings = { before, even: delayAndSwitch(even), odd: delayAndSwitch(odd) };
  return setter(socket, settings, (count) => {
    for (let i = 0; i < count; i++) socket.setKeepAlive(true, 60_000 + (i & 1) * 1000);
  });
}

/** setsockopt(2) through an FFI, with nothing made per call: the best that way can do. */
function ffiSets(socket, { even, odd }) {
  const setsockopt = koffi
    .load(null)
    .func('int setsockopt(int fd, int level, int option, const void *value, uint32_t length)');
  const calls = [even, odd].map((settings) =>
    [0, 3, 6, 9].map((at) => ({
      level: settings[at],
      option: settings[at + 1],
      value: settings.slice(at + 2, at + 3),
    })),
  );
  return (count) => {
    for (let i = 0; i < count; i++) {
      for (const { level, option, value } of calls[i & 1]) {
        if (setsockopt(socket._handle.fd, level, option, value, 4) !== 0) {
          throw new Error('setsockopt through koffi failed');
        }
      }
    }
  };
}
