// The benchmark cases. A case repeats one operation on one connected socket: by the package, by the baseline in
// C, or by a peer (another way to do the same). A comparison is a pair of cases with the same operation.
//
// A case is { run, check }. `run(count)` repeats the operation `count` times with values that alternate between
// two sets, so that no layer can skip a call that changes nothing. `check()` throws unless the kernel holds the
// values that the operation set.

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

const baseline = createRequire(import.meta.url)('./build/Release/baseline.node');

/**
 * With `better: 'lower'`, the ratio is the time of `ours` divided by the time of the other case. With 'higher'
 * it is the inverse: how many times faster `ours` is.
 */
export const comparisons = [
  {
    name: 'setKeepAlive',
    ours: 'setKeepAlive',
    baseline: 'baselineSetKeepAlive',
    better: 'lower',
    budget: 1.1,
  },
  {
    name: 'setOptions4',
    ours: 'setOptions4',
    baseline: 'baselineSetOptions4',
    better: 'lower',
    budget: 1.15,
  },
  {
    name: 'getKeepAlive',
    ours: 'getKeepAlive',
    baseline: 'baselineGetKeepAlive',
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
    baseline: 'baselineTcpInfo',
    better: 'lower',
    budget: 1.45,
  },
  {
    name: 'getTcpInfo',
    ours: 'getTcpInfo',
    baseline: 'baselineTcpInfo',
    better: 'lower',
    budget: 1.35,
  },
  {
    name: 'tcpInfoReader',
    ours: 'tcpInfoReader',
    baseline: 'baselineTcpInfo',
    better: 'lower',
    budget: 1.1,
  },
  // Without a budget: it shows the gain over a generic FFI.
  {
    name: 'setKeepAliveVsFfi',
    ours: 'setKeepAlive',
    peer: 'ffiSetKeepAlive',
    better: 'higher',
    budget: null,
  },
];

/** Every case by its name. */
export function casesOn(socket) {
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
    baselineSetKeepAlive: setter(socket, KEEP_ALIVE, baselineSets(socket, KEEP_ALIVE)),

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
    baselineSetOptions4: setter(socket, FOUR_OPTIONS, baselineSets(socket, FOUR_OPTIONS)),

    getKeepAlive: keepAliveReader(socket),
    baselineGetKeepAlive: baselineReader(socket, KEEP_ALIVE),

    getKernelTcpInfo: tcpInfoCase(socket, (count) => {
      for (let i = 0; i < count; i++) sink = getKernelTcpInfo(socket);
      return sink.tcpi_snd_mss;
    }),
    getTcpInfo: tcpInfoCase(socket, (count) => {
      for (let i = 0; i < count; i++) sink = getTcpInfo(socket);
      return sink.mss;
    }),
    tcpInfoReader: tcpInfoCase(socket, readerRun(socket)),
    baselineTcpInfo: {
      run: (count) => assert.ok(baseline.tcpInfoLoop(socket._handle.fd, count) > 100),
      check: () => {},
    },

    nodeSetKeepAlive: nodeSetter(socket),
    netKeepalive: setter(socket, KEEP_ALIVE, (count) => {
      for (let i = 0; i < count; i++) {
        const odd = i & 1;
        // Node's call comes first, because it also sets interval and count, to fixed values.
        socket.setKeepAlive(true, 60_000 + odd * 1000);
        netKeepalive.setKeepAliveInterval(socket, 10_000 + odd * 1000);
        netKeepalive.setKeepAliveProbes(socket, 5 + odd);
      }
    }),
    ffiSetKeepAlive: setter(socket, KEEP_ALIVE, ffiSets(socket, KEEP_ALIVE)),
  };
}

// Settings for the baseline: level, option, value in the kernel's unit, in the order in which the package writes
// them, so that both make the same calls.

const { IPPROTO_TCP, SOL_SOCKET } = baseline;

function keepAlive(enable, initialDelay, interval, count) {
  return Int32Array.of(
    ...[IPPROTO_TCP, baseline.TCP_KEEPIDLE, initialDelay],
    ...[IPPROTO_TCP, baseline.TCP_KEEPINTVL, interval],
    ...[IPPROTO_TCP, baseline.TCP_KEEPCNT, count],
    ...[SOL_SOCKET, baseline.SO_KEEPALIVE, enable],
  );
}

function fourOptions(interval, count, userTimeout, notSentLowWatermark) {
  return Int32Array.of(
    ...[IPPROTO_TCP, baseline.TCP_KEEPINTVL, interval],
    ...[IPPROTO_TCP, baseline.TCP_KEEPCNT, count],
    ...[IPPROTO_TCP, baseline.TCP_USER_TIMEOUT, userTimeout],
    ...[IPPROTO_TCP, baseline.TCP_NOTSENT_LOWAT, notSentLowWatermark],
  );
}

/** The two sets that the operations alternate between, and other values that a check starts from. */
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
  assert.equal(baseline.setLoop(socket._handle.fd, 1, settings, settings), 0);
}

function assertHeld(socket, settings) {
  for (let i = 0; i < settings.length; i += 3) {
    const [level, option, value] = settings.subarray(i, i + 3);
    assert.equal(
      baseline.get(socket._handle.fd, level, option),
      value,
      `option ${level}/${option}`,
    );
  }
}

/** A case that alternately sets `even` and `odd`. */
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

function baselineSets(socket, { even, odd }) {
  return (count) => assert.equal(baseline.setLoop(socket._handle.fd, count, even, odd), 0);
}

/** Keeps the last result, so that the compiler cannot remove its creation. */
export let sink;

/** A case whose `run` returns the MSS, which the check compares with the kernel's TCP_MAXSEG. */
function tcpInfoCase(socket, run) {
  const check = () => assert.equal(run(1), baseline.get(socket._handle.fd, IPPROTO_TCP, 2));
  return { run, check };
}

/** Reads, and uses three fields; returns the MSS. */
export function readerRun(socket) {
  const reader = new TcpInfoReader();
  return (count) => {
    if (Number.isNaN(readAgain(reader, socket, count))) throw new Error('a field is missing');
    return reader.mss;
  };
}

// A separate function: V8 compiles it while its loop runs, knows nothing about the code after the loop, and would
// deoptimize there each time.
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

function baselineReader(socket, { before, even }) {
  const read = before.slice();
  const run = (count) => assert.equal(baseline.getLoop(socket._handle.fd, count, read), 0);
  const check = () => {
    for (const settings of [before, even]) {
      apply(socket, settings);
      run(1);
      assert.deepEqual(read, settings);
    }
  };
  return { run, check };
}

/** Node's own method. Older versions do not accept interval and count, but set them to fixed values. */
function nodeSetter(socket) {
  socket.setKeepAlive(true, 50_000, 20_000, 7);
  if (baseline.get(socket._handle.fd, IPPROTO_TCP, baseline.TCP_KEEPINTVL) === 20) {
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

/** setsockopt(2) through an FFI without allocation per call: the best case for an FFI. */
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
