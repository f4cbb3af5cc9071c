// Ways to make the operations of loop.c from JavaScript: this package, Node's own method, the C loop inside Node, generic FFIs
// and net-keepalive. A way is a function that returns its operations; each repeats an operation `count` times, and returns the
// sum of the values that it read, in the units of the kernel (getTcpInfo: in milliseconds).

import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

// Of Linux. The runner checks what the kernel holds by the sums.
const [SOL_SOCKET, SO_KEEPALIVE] = [1, 9];
const [IPPROTO_TCP, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_INFO] = [6, 4, 5, 6, 11];

/** Level, option, value. */
const settings = (idle, interval, count) => [
  [IPPROTO_TCP, TCP_KEEPIDLE, idle],
  [IPPROTO_TCP, TCP_KEEPINTVL, interval],
  [IPPROTO_TCP, TCP_KEEPCNT, count],
  [SOL_SOCKET, SO_KEEPALIVE, 1],
];
const [EVEN, ODD] = [settings(60, 10, 5), settings(61, 11, 6)];

export const ways = {
  baseline: ({ _handle: { fd } }) => {
    const { setLoop, getLoop, tcpInfoLoop } = require('../build/Release/baseline.node');
    const [even, odd] = [EVEN, ODD].map((all) => Int32Array.from(all.flat()));
    return {
      set: (count) => setLoop(fd, count, even, odd),
      get: (count) => {
        const read = even.slice();
        getLoop(fd, count, read);
        return count * (read[2] + read[5] + read[8] + read[11]);
      },
      // It returns the length.
      tcpInfo: (count) => tcpInfoLoop(fd, count),
    };
  },

  ours: (socket) => {
    const { getKeepAlive, getTcpInfo, setKeepAlive } = require('../../dist/index.js');
    return {
      set: (count) => {
        for (let i = 0; i < count; i++) {
          const odd = i & 1;
          setKeepAlive(socket, {
            enable: true,
            initialDelay: 60_000 + odd * 1_000,
            interval: 10_000 + odd * 1_000,
            count: 5 + odd,
          });
        }
      },
      get: (count) => {
        let milliseconds = 0;
        let others = 0;
        for (let i = 0; i < count; i++) {
          const keepAlive = getKeepAlive(socket);
          milliseconds += keepAlive.initialDelay + keepAlive.interval;
          others += keepAlive.count + Number(keepAlive.enable);
        }
        return milliseconds / 1_000 + others;
      },
      tcpInfo: (count) => {
        let sum = 0;
        for (let i = 0; i < count; i++) {
          const info = getTcpInfo(socket);
          sum += info.rtt + info.probes + info.unackedSegments;
        }
        return sum;
      },
    };
  },

  reader: (socket) => {
    const { TcpInfoReader } = require('../../dist/index.js');
    const reader = new TcpInfoReader();
    return {
      tcpInfo: (count) => {
        let sum = 0;
        for (let i = 0; i < count; i++) {
          reader.read(socket);
          sum += reader.rtt + reader.probes + reader.unackedSegments;
        }
        return sum;
      },
    };
  },

  /** Node's own method, which sets all four since Node 26. */
  core: (socket) => ({
    set: (count) => {
      for (let i = 0; i < count; i++) {
        const odd = i & 1;
        socket.setKeepAlive(true, 60_000 + odd * 1_000, 10_000 + odd * 1_000, 5 + odd);
      }
    },
  }),

  koffi: ({ _handle: { fd } }) => {
    const library = require('koffi').load(null);
    const pointers = 'int fd, int level, int option, void *value';
    return foreign(
      fd,
      library.func(`int setsockopt(${pointers}, uint32_t length)`),
      library.func(`int getsockopt(${pointers}, void *length)`),
      (array) => array,
    );
  },

  nodeFfi: async ({ _handle: { fd } }) => {
    const { dlopen, getRawPointer } = await import('node:ffi');
    const begin = ['i32', 'i32', 'i32', 'pointer'];
    const { functions } = dlopen('libc.so.6', {
      setsockopt: { arguments: [...begin, 'u32'], return: 'i32' },
      getsockopt: { arguments: [...begin, 'pointer'], return: 'i32' },
    });
    return foreign(fd, functions.setsockopt, functions.getsockopt, getRawPointer);
  },

  bunFfi: async ({ _handle: { fd } }) => {
    const { dlopen } = await import('bun:ffi');
    const { symbols } = dlopen('libc.so.6', {
      setsockopt: { args: ['i32', 'i32', 'i32', 'ptr', 'u32'], returns: 'i32' },
      getsockopt: { args: ['i32', 'i32', 'i32', 'ptr', 'ptr'], returns: 'i32' },
    });
    // Not ptr(array): Bun 1.4 compiles a loop in which it keeps what it read from the array before the call.
    return foreign(fd, symbols.setsockopt, symbols.getsockopt, (array) => array);
  },

  /** Has no function for the delay and the switch: Node's method sets them, and nothing reads them. */
  netKeepalive: (socket) => {
    const netKeepalive = require('net-keepalive');
    return {
      set: (count) => {
        for (let i = 0; i < count; i++) {
          const odd = i & 1;
          // Node's call comes first, because it also sets interval and count, to fixed values.
          socket.setKeepAlive(true, 60_000 + odd * 1_000);
          netKeepalive.setKeepAliveInterval(socket, 10_000 + odd * 1_000);
          netKeepalive.setKeepAliveProbes(socket, 5 + odd);
        }
      },
      get: (count) => {
        let sum = 0;
        for (let i = 0; i < count; i++) {
          sum += netKeepalive.getKeepAliveInterval(socket) / 1_000;
          sum += netKeepalive.getKeepAliveProbes(socket);
        }
        return sum;
      },
    };
  },
};

/** setsockopt(2) and getsockopt(2) by an FFI. Its memory and pointers are made before: the best case of an FFI. */
function foreign(fd, setsockopt, getsockopt, pointerTo) {
  const sets = [EVEN, ODD].map((all) =>
    all.map(([level, option, value]) => {
      const array = Int32Array.of(value);
      return { level, option, array, pointer: pointerTo(array) };
    }),
  );
  const [value, length, info] = [1, 1, 128].map((words) => new Int32Array(words));
  const [valuePointer, lengthPointer, infoPointer] = [value, length, info].map(pointerTo);
  const infoBytes = new Uint8Array(info.buffer);
  const check = (status) => {
    if (status !== 0) throw new Error('a system call failed');
  };
  return {
    set: (count) => {
      for (let i = 0; i < count; i++) {
        for (const { level, option, pointer } of sets[i & 1]) {
          check(setsockopt(fd, level, option, pointer, 4));
        }
      }
    },
    get: (count) => {
      let sum = 0;
      for (let i = 0; i < count; i++) {
        for (const { level, option } of sets[0]) {
          length[0] = 4;
          check(getsockopt(fd, level, option, valuePointer, lengthPointer));
          sum += value[0];
        }
      }
      return sum;
    },
    tcpInfo: (count) => {
      let sum = 0;
      for (let i = 0; i < count; i++) {
        length[0] = 512;
        check(getsockopt(fd, IPPROTO_TCP, TCP_INFO, infoPointer, lengthPointer));
        // tcpi_probes at 3, tcpi_unacked at 24, tcpi_rtt at 68.
        sum += infoBytes[3] + info[6] + info[17];
      }
      return sum;
    },
  };
}
