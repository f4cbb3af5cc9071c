// The checks of each runtime. A check that this runtime makes impossible must throw exactly the error in
// refusals.mjs, and change no socket of the process.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import * as imported from 'socket-options';
import { heartbeats } from './heartbeats.mjs';
import {
  changedSince,
  findByPorts,
  getInt,
  IPPROTO_TCP,
  ownSockets,
  SOL_SOCKET,
  snapshot,
} from './kernel.mjs';
import { kinds, listen, pair } from './kinds.mjs';
import { openings } from './openings.mjs';
import { refusal, runtime } from './refusals.mjs';

const require = createRequire(import.meta.url);
const {
  constants,
  destroyConnection,
  diagnoseConnections,
  explainDisconnect,
  getDeadPeerBounds,
  getKeepAlive,
  getKernelTcpInfo,
  getMptcpInfo,
  getOption,
  getOptions,
  getRawOption,
  getSysctl,
  getSystemDefaults,
  getTcpInfo,
  isReusable,
  isSupported,
  listConnections,
  listConnectionsAsync,
  planDeadPeerTimeout,
  readTcpInfos,
  readTcpInfosAsync,
  SocketOptionError,
  setDeadPeerTimeout,
  setKeepAlive,
  setOptions,
  setRawOption,
  supportedOptions,
  TcpInfoReader,
  tuneSockets,
  watchClosedConnections,
} = imported;

/** A connection whose client end is passed as a descriptor, which works in every runtime. */
async function withClient(use) {
  const { client, accepted, port, close } = await pair();
  try {
    const ports = { localPort: client.localPort, remotePort: port };
    const fd = findByPorts('tcp', ports.localPort, port);
    return await use({ client, accepted, fd, ports });
  } finally {
    close();
  }
}

async function until(condition) {
  for (let tries = 0; tries < 500; tries++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`not within 5 s: ${condition}`);
}

function thrownBy(call) {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}

function assertRefused(error, { code, message }, what) {
  assert.ok(error instanceof SocketOptionError, `${what}: ${error}`);
  assert.equal(error.code, code, what);
  assert.match(error.message, message, what);
}

/** Every function that takes a socket. */
const TAKERS = {
  getOption: (socket) => getOption(socket, 'type'),
  getOptions: (socket) => getOptions(socket),
  setOptions: (socket) => setOptions(socket, { keepAlive: true, noDelay: true }),
  getRawOption: (socket) => getRawOption(socket, SOL_SOCKET, constants.SO_TYPE),
  setRawOption: (socket) => setRawOption(socket, SOL_SOCKET, constants.SO_KEEPALIVE, 1),
  getKeepAlive: (socket) => getKeepAlive(socket),
  setKeepAlive: (socket) => setKeepAlive(socket, { enable: true, initialDelay: 7_000 }),
  getTcpInfo: (socket) => getTcpInfo(socket),
  getKernelTcpInfo: (socket) => getKernelTcpInfo(socket),
  'TcpInfoReader.read': (socket) => new TcpInfoReader().read(socket),
  setDeadPeerTimeout: (socket) => setDeadPeerTimeout(socket, 20_000),
  getDeadPeerBounds: (socket) => getDeadPeerBounds(socket),
};

function checkKind(name, open) {
  return async () => {
    const { socket, fd, options, read = options, held, close } = await open();
    try {
      const before = snapshot();
      const expected = refusal(name);
      if (expected !== undefined) {
        for (const [taker, take] of Object.entries(TAKERS)) {
          assertRefused(
            thrownBy(() => take(socket)),
            expected,
            taker,
          );
        }
        assert.deepEqual(changedSince(before), []);
        return expected.code;
      }
      setOptions(socket, options);
      const changed = changedSince(before);
      assert.equal(changed.length, 1, 'one socket has other options than before');
      const [own] = changed;
      if (fd !== undefined) assert.equal(own, fd, 'it is the one with the ports of this socket');
      for (const [level, option, value] of held) assert.equal(getInt(own, level, option), value);
      assert.deepEqual(getOptions(socket, Object.keys(read)), read);
      return 'works';
    } finally {
      close();
    }
  };
}

const KEEP_ALIVE = { enable: true, initialDelay: 31_000, interval: 3_000, count: 5 };

const capabilities = {
  'import and require give the same': () => {
    const required = require('socket-options');
    const found = { ...imported };
    const names = Object.keys(required);
    assert.ok(names.length >= 28, `${names.length} names`);
    for (const name of names) assert.equal(found[name], required[name], name);
    assert.equal(
      new SocketOptionError('a', { code: 'b' }) instanceof required.SocketOptionError,
      true,
    );
  },

  'the prebuilt addon, and none other, on the C library of the lane': () => {
    const folder = fileURLToPath(new URL('../node_modules/socket-options/', import.meta.url));
    const maps = readFileSync('/proc/self/maps', 'utf8');
    const addons = new Set(maps.match(/\/\S*socket[-_]options\.node$/gm));
    const file = `prebuilds/${process.platform}-${process.arch}/socket-options.node`;
    assert.deepEqual([...addons], [folder + file]);
    const libc = process.env.SUITE_LIBC;
    // Alpine's loader is the C library itself; Debian's is a link to it.
    const musl = /\/(ld-musl-[\w.-]+|[\w-]+-linux-musl\/libc\.so)$/m.test(maps);
    const glibc = /\/libc\.so\.6$/m.test(maps);
    assert.deepEqual({ musl, glibc }, { musl: libc === 'musl', glibc: libc === 'glibc' });
  },

  'supportedOptions, isSupported, constants': () => {
    // gVisor has 34, and each Linux more than 40.
    assert.ok(supportedOptions().length > 30);
    assert.equal(isSupported('userTimeout'), true);
    assert.equal(constants.TCP_USER_TIMEOUT, 18);
    assert.equal(constants.SO_KEEPALIVE, 9);
  },

  'getKeepAlive, setKeepAlive': () =>
    withClient(({ fd }) => {
      setKeepAlive({ fd }, KEEP_ALIVE);
      assert.deepEqual(getKeepAlive({ fd }), KEEP_ALIVE);
      assert.deepEqual(
        [getInt(fd, SOL_SOCKET, 9), ...[4, 5, 6].map((name) => getInt(fd, IPPROTO_TCP, name))],
        [1, 31, 3, 5],
      );
    }),

  'getRawOption, setRawOption': () =>
    withClient(({ fd }) => {
      setRawOption({ fd }, constants.IPPROTO_TCP, constants.TCP_USER_TIMEOUT, 4_321);
      assert.equal(getInt(fd, IPPROTO_TCP, 18), 4_321);
      assert.equal(getRawOption({ fd }, constants.IPPROTO_TCP, constants.TCP_USER_TIMEOUT), 4_321);
    }),

  'options of every type': () =>
    withClient(({ fd }) => {
      setOptions({ fd }, { linger: { enable: true, timeout: 3_000 }, noDelay: true });
      const { linger, noDelay, domain } = getOptions({ fd }, ['linger', 'noDelay', 'domain']);
      assert.deepEqual(linger, { enable: true, timeout: 3_000 });
      assert.deepEqual([noDelay, getInt(fd, IPPROTO_TCP, 1), domain], [true, 1, 'ipv4']);
    }),

  'the congestion control, a text': () =>
    withClient(({ fd }) => {
      setOptions({ fd }, { congestionControl: 'reno' });
      assert.equal(getOption({ fd }, 'congestionControl'), 'reno');
    }),

  'getTcpInfo, getKernelTcpInfo, TcpInfoReader': () =>
    withClient(async ({ client, accepted, fd }) => {
      accepted.resume();
      client.write('x'.repeat(1_000));
      await until(() => getTcpInfo({ fd }).bytesAcked === 1_001);
      const info = getTcpInfo({ fd });
      assert.deepEqual([info.state, info.bytesSent], ['ESTABLISHED', 1_000]);
      assert.equal(getKernelTcpInfo({ fd }).tcpi_state, 1);
      assert.equal(new TcpInfoReader().read({ fd }).state, 'ESTABLISHED');
    }),

  'getMptcpInfo: null for plain TCP': () =>
    withClient(({ fd }) => assert.equal(getMptcpInfo({ fd }), null)),

  'readTcpInfos, readTcpInfosAsync': () =>
    withClient(async ({ fd }) => {
      for (const columns of [
        readTcpInfos([{ fd }, { fd }], ['bytesSent', 'rto']),
        await readTcpInfosAsync([{ fd }, { fd }], ['bytesSent', 'rto']),
      ]) {
        assert.deepEqual([...columns.bytesSent], [0, 0]);
        assert.ok(columns.rto[1] > 0);
        assert.deepEqual([...columns.errno], [0, 0]);
      }
    }),

  isReusable: () =>
    withClient(async ({ accepted, fd }) => {
      assert.equal(isReusable({ fd }), true);
      accepted.destroy();
      await until(() => !isReusable({ fd }));
    }),

  setDeadPeerTimeout: () =>
    withClient(({ fd }) => {
      const { userTimeout } = setDeadPeerTimeout({ fd }, 20_000, { zeroWindow: 'fail' }).options;
      assert.ok(userTimeout > 0 && userTimeout <= 20_000);
      assert.equal(getInt(fd, IPPROTO_TCP, 18), userTimeout);
      assert.equal(getInt(fd, SOL_SOCKET, 9), 1);
    }),

  getDeadPeerBounds: () =>
    withClient(({ fd }) => {
      assert.equal(getDeadPeerBounds({ fd }).idle, Number.POSITIVE_INFINITY);
      setDeadPeerTimeout({ fd }, 20_000, { zeroWindow: 'fail' });
      const { idle, worst } = getDeadPeerBounds({ fd });
      assert.ok(idle > 0 && idle <= worst && worst <= 20_000, `${idle}, ${worst}`);
    }),

  'planDeadPeerTimeout, explainDisconnect': () => {
    const { supervised, bounds } = planDeadPeerTimeout(20_000);
    assert.deepEqual([supervised, bounds.idle], [true, 20_000]);
    const error = Object.assign(new Error('read ETIMEDOUT'), { code: 'ETIMEDOUT' });
    assert.equal(explainDisconnect(error).peer, 'vanished');
  },

  'tuneSockets: sockets that connect': () => tuned('client'),
  'tuneSockets: sockets that are accepted': () => tuned('server'),

  'register: sockets that connect': () => {
    const path = (name) => fileURLToPath(new URL(name, import.meta.url));
    const register = path('../node_modules/socket-options/dist/register.js');
    const [program, ...flags] = JSON.parse(process.env.SUITE_COMMAND);
    const preload = runtime === 'node' ? '--require' : '--preload';
    const { stdout, stderr } = spawnSync(
      program,
      [...flags, preload, register, path('registered.mjs')],
      { encoding: 'utf8', env: { ...process.env, SOCKET_OPTIONS: '20s' } },
    );
    const expected = refusal('register: sockets that connect');
    if (expected === undefined) {
      assert.equal(stdout, '02', stderr);
      return 'works';
    }
    assert.equal(stdout, '00', stderr);
    assert.match(stderr, /SocketOptionsWarning/);
    return expected.code;
  },

  'getSystemDefaults, getSysctl': () => {
    const text = readFileSync('/proc/sys/net/ipv4/tcp_keepalive_time', 'utf8').trim();
    assert.equal(getSysctl('net.ipv4.tcp_keepalive_time').value, text);
    assert.equal(getSystemDefaults().keepAliveInitialDelay.value, Number(text) * 1_000);
  },

  'listConnections, listConnectionsAsync': () =>
    withClient(async ({ fd, ports }) => {
      const inode = [...ownSockets()].find(([, own]) => own === fd)[0];
      for (const list of [listConnections(ports), await listConnectionsAsync(ports)]) {
        assert.deepEqual(
          list.map((one) => [one.state, one.inode, one.remotePort]),
          [['ESTABLISHED', inode, ports.remotePort]],
        );
      }
      const [{ owners }] = listConnections({ ...ports, owners: true });
      assert.deepEqual(
        owners.map((one) => [one.pid, one.fd]),
        [[process.pid, fd]],
      );
    }),

  diagnoseConnections: () =>
    withClient(({ ports }) => {
      const found = diagnoseConnections(ports).map(({ problem, severity }) => [problem, severity]);
      assert.deepEqual(found, [['no-keepalive', 'info']]);
      assert.deepEqual(
        listConnections({ ...ports, problems: true })[0].problems.map(({ problem }) => problem),
        ['no-keepalive'],
      );
    }),

  watchClosedConnections: async () => {
    const watch = watchClosedConnections();
    try {
      const { ports, closed } = await withClient(({ ports }) => {
        const closed = new Promise((resolve) => {
          watch.on('closed', (one) => one.localPort === ports.localPort && resolve(one));
        });
        return { ports, closed };
      });
      assert.equal((await closed).remotePort, ports.remotePort);
    } finally {
      watch.close();
    }
  },

  destroyConnection: () =>
    withClient(async ({ client, ports }) => {
      const [connection] = listConnections(ports);
      const failed = once(client, 'error');
      client.resume();
      destroyConnection(connection);
      const [{ code }] = await failed;
      assert.equal(code, 'ECONNABORTED');
    }),

  'worker threads': async () => {
    const workers = [1, 2, 3].map(() => new Worker(new URL('./worker.mjs', import.meta.url)));
    const answers = await Promise.all(workers.map((worker) => once(worker, 'message')));
    assert.deepEqual(
      answers.map(([answer]) => answer),
      Array(3).fill({ rounds: 500, wrong: 0 }),
    );
    await Promise.all(workers.map((worker) => worker.terminate()));
  },

  'sockets that are not open': async () => {
    const server = net.createServer((socket) => socket.on('error', () => {}));
    const notOpen = (socket) => {
      for (const [taker, take] of Object.entries(TAKERS)) {
        // This one bounds connecting.
        if (socket.connecting && taker === 'setDeadPeerTimeout') continue;
        const error = thrownBy(() => take(socket));
        assert.ok(error instanceof SocketOptionError, `${taker} threw ${error}`);
        assert.match(error.code, /^ERR_SOCKET_NOT_OPEN$/, taker);
      }
    };
    notOpen(new net.Socket());
    notOpen(server);
    const client = net.connect(await listen(server), '127.0.0.1');
    notOpen(client);
    await once(client, 'connect');
    client.destroy();
    await once(client, 'close');
    for (const take of Object.values(TAKERS)) {
      assert.equal(thrownBy(() => take(client))?.code, 'ERR_SOCKET_CLOSED');
    }
    server.close();
  },

  'arguments that are wrong': () =>
    withClient(({ fd }) => {
      const before = snapshot();
      const odd = [undefined, null, '', 'a', Number.NaN, -1, 1.5, 2 ** 31, 2 ** 53, true, 1n];
      const odder = [
        Symbol('a'),
        () => {},
        [],
        {},
        { fd: -1 },
        { fd: 'a' },
        { _handle: 5 },
        new Date(),
      ];
      const sockets = [...odd, ...odder];
      let refused = 0;
      for (const socket of sockets) {
        for (const [taker, take] of Object.entries(TAKERS)) {
          const error = thrownBy(() => take(socket));
          assert.match(String(error?.code), /^ERR_/, `${taker} of ${String(socket)}: ${error}`);
          refused++;
        }
      }
      // A fraction is a valid number of milliseconds.
      const values = [...odd, ...odder].filter((one) => one !== undefined && one !== 1.5);
      for (const value of values) {
        const error = thrownBy(() => setOptions({ fd }, { noDelay: true, userTimeout: value }));
        assert.match(String(error?.code), /^ERR_(INVALID_ARG|OUT_OF_RANGE)/, String(value));
        refused++;
      }
      assert.ok(refused > 200, `${refused} calls`);
      assert.deepEqual(changedSince(before), []);
      assert.equal(thrownBy(() => getOption({ fd: 1_000_000 }, 'noDelay'))?.code, 'EBADF');
    }),

  'the command line': () => {
    const main = fileURLToPath(
      new URL('../node_modules/socket-options/dist/cli/main.js', import.meta.url),
    );
    // The command of the lane: an emulator, flags of the runtime.
    const [program, ...flags] = JSON.parse(process.env.SUITE_COMMAND);
    const { stdout, stderr } = spawnSync(program, [...flags, main, 'defaults', '--json'], {
      encoding: 'utf8',
    });
    assert.match(stdout, /keepAliveInitialDelay/, stderr);
    JSON.parse(stdout);
  },
};

/** Whether the kernel holds the options of tuneSockets() for the socket of that side. */
async function tuned(side) {
  const name = `tuneSockets: sockets that ${side === 'client' ? 'connect' : 'are accepted'}`;
  const expected = refusal(name);
  const errors = [];
  let tuning;
  try {
    tuning = tuneSockets({
      [side]: { userTimeout: 6_000 },
      onError: (error) => errors.push(error),
    });
  } catch (error) {
    if (expected === undefined) throw error;
    assertRefused(error, expected, name);
    return expected.code;
  }
  try {
    const timeout = await withClient(({ ports: { localPort, remotePort } }) => {
      const ports = side === 'client' ? [localPort, remotePort] : [remotePort, localPort];
      return getInt(findByPorts('tcp', ...ports), IPPROTO_TCP, 18);
    });
    if (expected === undefined) {
      assert.deepEqual(errors, []);
      assert.equal(timeout, 6_000);
      return 'works';
    }
    assert.equal(timeout, 0);
    assert.ok(errors.length > 0, 'onError was told');
    for (const error of errors) assertRefused(error, expected, name);
    return expected.code;
  } finally {
    tuning.close();
  }
}

export const checks = {
  ...Object.fromEntries(Object.entries(kinds).map(([name, open]) => [name, checkKind(name, open)])),
  ...capabilities,
  ...openings,
  ...heartbeats,
};
