// What the package reports inside gVisor. The reference addon reads the kernel's values. Prints a line for each check,
// then the counts.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import net from 'node:net';
import { release, version } from 'node:os';
import { fileURLToPath } from 'node:url';
import {
  getKernelTcpInfo,
  getSysctl,
  getSystemDefaults,
  getTcpInfo,
  isSupported,
  listConnections,
  readTcpInfos,
  readTcpInfosAsync,
  setOptions,
  TcpInfoReader,
  tcpStates,
} from '../../../dist/index.js';

const require = createRequire(import.meta.url);
const referenceAddon = require('../../support/reference-addon/build/Release/reference_addon.node');

const [AF_INET, SOCK_STREAM, SOL_SOCKET, IPPROTO_TCP] = [2, 1, 1, 6];
const SO_KEEPALIVE = 9;
const [TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_SYNCNT, TCP_LINGER2] = [4, 5, 6, 7, 8];
const [TCP_INFO, TCP_USER_TIMEOUT, TCP_RTO_MAX_MS] = [11, 18, 44];
const ENOPROTOOPT = 92;

const fdOf = (socket) => socket._handle.fd;

/** The value of an option, or a negative errno. */
function get(fd, level, option) {
  const buffer = Buffer.alloc(4);
  const status = referenceAddon.get(fd, level, option, buffer);
  return status < 0 ? status : buffer.readInt32LE(0);
}

function withNewSocket(use) {
  const fd = referenceAddon.socket(AF_INET, SOCK_STREAM, 0);
  assert.ok(fd >= 0, `socket(): errno ${-fd}`);
  try {
    return use(fd);
  } finally {
    referenceAddon.close(fd);
  }
}

/** Opens a connection over which data went both ways, and passes it to `use`. */
async function withConnection(use, prepare = () => {}) {
  const server = net.createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  prepare(server);
  const incoming = once(server, 'connection');
  const client = net.connect(server.address().port, '127.0.0.1');
  const [accepted] = await incoming;
  try {
    client.on('error', () => {});
    client.write('ping');
    accepted.write('pong');
    accepted.resume();
    await Promise.all([once(accepted, 'data'), once(client, 'data')]);
    return await use({ client, accepted, server });
  } finally {
    client.destroy();
    accepted.destroy();
    server.close();
  }
}

async function until(condition) {
  const end = Date.now() + 10_000;
  while (!condition()) {
    assert.ok(Date.now() < end, `not within 10 s: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The entries that are not null. */
const known = (object) =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));

/** The members that gVisor fills, with their bytes in `struct tcp_info`. */
const FILLED = {
  tcpi_state: [0, 1],
  tcpi_ca_state: [1, 1],
  tcpi_rto: [8, 4],
  tcpi_rtt: [68, 4],
  tcpi_rttvar: [72, 4],
  tcpi_snd_ssthresh: [76, 4],
  tcpi_snd_cwnd: [80, 4],
  tcpi_reord_seen: [220, 4],
};

const checks = {
  'this is gVisor'() {
    assert.match(release(), /^4\.4\.0$|-gvisor$/);
    assert.match(version(), /PST 2016$/);
  },

  'getTcpInfo reports the state, the round-trip time and the RTO of a connection, and null for the rest':
    () =>
      withConnection(({ client }) => {
        const info = getTcpInfo(client);
        const { rtt, rttVariance, rto, ...others } = known(info);
        assert.deepEqual(others, { state: 'ESTABLISHED' });
        assert.ok(rtt > 0 && rttVariance >= 0 && rto >= 200, JSON.stringify(info));
        for (const field of ['bytesSent', 'mss', 'congestionWindow', 'probes']) {
          assert.equal(info[field], null, field);
        }
      }),

  'getTcpInfo reports only the state of a listening socket and of a new one': () =>
    withConnection(({ server }) => {
      assert.deepEqual(known(getTcpInfo(server)), { state: 'LISTEN' });
      withNewSocket((fd) => assert.deepEqual(known(getTcpInfo(fd)), { state: 'CLOSED' }));
    }),

  'getKernelTcpInfo reports every member that gVisor fills, as it fills it, and null for the rest':
    () =>
      withConnection(({ client }) => {
        const bytes = Buffer.alloc(512);
        const written = referenceAddon.get(fdOf(client), IPPROTO_TCP, TCP_INFO, bytes);
        assert.ok(written >= 224, `length ${written}`);
        const expected = {};
        for (const [name, [offset, length]] of Object.entries(FILLED)) {
          expected[name] = bytes.readUIntLE(offset, length);
        }
        assert.deepEqual(known(getKernelTcpInfo(client)), expected);
        // A gVisor that fills more is noticed here.
        for (const [offset, length] of Object.values(FILLED))
          bytes.fill(0, offset, offset + length);
        assert.ok(bytes.equals(Buffer.alloc(512)), bytes.toString('hex'));
      }),

  'getKernelTcpInfo reports details, and null for what gVisor does not have': () =>
    withConnection(({ client }) => {
      const { details } = getKernelTcpInfo(client, { details: true });
      assert.equal(details.SIOCINQ, 0);
      assert.equal(details.SO_MEMINFO, null);
    }),

  'TcpInfoReader and readTcpInfos report NaN where getTcpInfo reports null': () =>
    withConnection(async ({ client, server }) => {
      const sockets = [client, server, fdOf(client)];
      const reader = new TcpInfoReader().read(client);
      assert.equal(reader.state, 'ESTABLISHED');
      for (const columns of [readTcpInfos(sockets), await readTcpInfosAsync(sockets)]) {
        assert.deepEqual([...columns.errno], [0, 0, 0]);
        assert.deepEqual(
          [...columns.state].map((index) => tcpStates[index]),
          ['ESTABLISHED', 'LISTEN', 'ESTABLISHED'],
        );
        for (const [field, value] of Object.entries(getTcpInfo(client))) {
          if (field === 'state') continue;
          const isKnown = ['rtt', 'rttVariance', 'rto'].includes(field);
          assert.equal(value !== null, isKnown, field);
          assert.equal(Number.isNaN(reader[field]), !isKnown, field);
          assert.deepEqual(
            [...columns[field]].map((number) => !Number.isNaN(number)),
            [isKnown, false, isKnown],
            field,
          );
        }
      }
    }),

  'a connection that was reset while it was paused is CLOSED': () =>
    withConnection(async ({ client, accepted }) => {
      client.pause();
      accepted.write(Buffer.alloc(1_000));
      accepted.resetAndDestroy();
      await until(() => getTcpInfo(fdOf(client)).state === 'CLOSED');
      assert.equal(known(getTcpInfo(client)).state, 'CLOSED');
    }),

  'getSystemDefaults reports the values of a new socket, not those of the sysctls': () => {
    const defaults = getSystemDefaults();
    withNewSocket((fd) => {
      const held = (option) => get(fd, IPPROTO_TCP, option);
      assert.equal(defaults.keepAliveInitialDelay.value, held(TCP_KEEPIDLE) * 1_000);
      assert.equal(defaults.keepAliveInterval.value, held(TCP_KEEPINTVL) * 1_000);
      assert.equal(defaults.keepAliveCount.value, held(TCP_KEEPCNT));
      assert.equal(defaults.synRetries.value, held(TCP_SYNCNT));
      assert.equal(defaults.finWait2Timeout.value, held(TCP_LINGER2) * 1_000);
    });
    assert.equal(defaults.keepAliveCount.value, 9);
    assert.equal(defaults.keepAliveCount.source, 'new socket');
    assert.equal(getSysctl('net.ipv4.tcp_keepalive_probes').value, '0');
    assert.equal(defaults.routeCheckRetries.value, null);
  },

  'the command line prints the values of a new socket': () => {
    const cli = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
    const { status, stdout } = spawnSync(process.execPath, [cli, 'defaults'], { encoding: 'utf8' });
    assert.equal(status, 0);
    assert.match(stdout, /^keepAliveInterval +1 min 15 s +new socket TCP_KEEPINTVL$/m);
  },

  'keepalive and the user timeout are set': () =>
    withConnection(({ client }) => {
      setOptions(client, {
        ...{ keepAliveInitialDelay: 5_000, keepAliveInterval: 3_000, keepAliveCount: 4 },
        ...{ keepAlive: true, userTimeout: 7_500 },
      });
      const fd = fdOf(client);
      assert.equal(get(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
      const options = [TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_USER_TIMEOUT];
      assert.deepEqual(
        options.map((option) => get(fd, IPPROTO_TCP, option)),
        [5, 3, 4, 7_500],
      );
    }),

  'an accepted socket inherits the user timeout and no keepalive': () =>
    withConnection(
      ({ accepted }) => {
        const fd = fdOf(accepted);
        assert.equal(get(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 7_500);
        assert.equal(get(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
        assert.equal(get(fd, IPPROTO_TCP, TCP_KEEPIDLE), 7_200);
      },
      (server) =>
        setOptions(server, { keepAliveInitialDelay: 5_000, keepAlive: true, userTimeout: 7_500 }),
    ),

  'an option that gVisor takes without an effect is refused': () =>
    withConnection(({ client }) => {
      const value = Buffer.from(Int32Array.of(2_000).buffer);
      assert.equal(referenceAddon.set(fdOf(client), IPPROTO_TCP, TCP_RTO_MAX_MS, value), 0);
      assert.equal(get(fdOf(client), IPPROTO_TCP, TCP_RTO_MAX_MS), -ENOPROTOOPT);
      assert.throws(() => setOptions(client, { retransmissionTimeoutMax: 2_000 }), {
        code: 'ENOPROTOOPT',
      });
    }),

  'isSupported tells what gVisor has': () => {
    assert.equal(isSupported('userTimeout'), true);
    for (const name of ['retransmissionTimeoutMax', 'mptcp', 'cookie', 'notSentLowWatermark']) {
      assert.equal(isSupported(name), false, name);
    }
  },

  'listConnections reads /proc/net/tcp, because gVisor has no sock_diag': async () => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    const client = net.connect(port, '127.0.0.1');
    try {
      await once(client, 'connect');
      const found = listConnections({ localPort: client.localPort, remotePort: port });
      assert.equal(found.length, 1);
      assert.deepEqual(
        [found[0].state, found[0].localAddress, found[0].cookie, found[0].tcpInfo],
        ['ESTABLISHED', '127.0.0.1', null, null],
      );
      // Zeros that gVisor writes for what it does not know.
      assert.deepEqual(
        [found[0].receiveQueue, found[0].sendQueue, found[0].timer],
        [null, null, null],
      );
      assert.equal(listConnections({ localPort: port, state: 'LISTEN' }).length, 1);
    } finally {
      client.destroy();
      server.close();
    }
  },
};

/** After this time, a check has failed. */
const PATIENCE = 20_000;

let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${PATIENCE} ms`)), PATIENCE);
  });
  try {
    await Promise.race([late, (async () => check())()]);
    console.log(`passed: ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAILED: ${name}: ${error?.stack ?? error}`);
  } finally {
    clearTimeout(timer);
  }
}
console.log(`${Object.keys(checks).length - failed} passed, ${failed} failed, 0 skipped`);
process.exit(failed === 0 ? 0 : 1);
