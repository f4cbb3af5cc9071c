// What the package says and sets on this kernel, against the kernel's own answers: to the reference addon, to a program that
// was compiled with the header of this kernel, and in /proc.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import { release } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  connect,
  destroyConnection,
  getKernelTcpInfo,
  getMptcpInfo,
  getOption,
  getSysctl,
  getSystemDefaults,
  getTcpInfo,
  isSupported,
  listConnections,
  listen,
  setOptions,
  watchClosedConnections,
} from 'socket-options';
import { LINES, SINCE } from '../wire-lines.mjs';

const referenceAddon = createRequire(import.meta.url)('../reference_addon.node');

const [AF_INET, AF_INET6, SOCK_STREAM] = [2, 10, 1];
const [IPPROTO_TCP, IPPROTO_IPV6, IPPROTO_MPTCP] = [6, 41, 262];
const ENOPROTOOPT = -92;

const fdOf = (socket) => socket._handle.fd;

function withSocket(family, protocol, use) {
  const fd = referenceAddon.socket(family, SOCK_STREAM, protocol);
  assert.ok(fd >= 0, `socket(): errno ${-fd}`);
  try {
    return use(fd);
  } finally {
    referenceAddon.close(fd);
  }
}

/** The bytes of an option, or a negative errno. */
function get(fd, level, option) {
  const bytes = Buffer.alloc(64);
  const length = referenceAddon.get(fd, level, option, bytes);
  return length < 0 ? length : bytes;
}

/** Opens a connection over which data went both ways. */
async function withConnection(use, socketOptions = {}, ofServer = socketOptions) {
  const server = listen(net.createServer(), {
    ...{ port: 0, host: '127.0.0.1' },
    socketOptions: ofServer,
  });
  await once(server, 'listening');
  const accepting = once(server, 'connection');
  const client = connect({ port: server.address().port, host: '127.0.0.1', socketOptions });
  const [accepted] = await accepting;
  try {
    for (const socket of [client, accepted]) socket.on('error', () => {});
    client.write('ping');
    await once(accepted, 'data');
    accepted.write('pong');
    await once(client, 'data');
    return await use({ client, accepted, server });
  } finally {
    client.destroy();
    accepted.destroy();
    server.close();
  }
}

const isOf = ({ localPort, remotePort }, socket) =>
  localPort === socket.localPort && remotePort === socket.remotePort;

async function until(condition) {
  const end = performance.now() + 60_000;
  while (!condition()) {
    assert.ok(performance.now() < end, `not within a minute: ${condition}`);
    await sleep(10);
  }
}

/** Whether this kernel is at least that version. */
function isSince(version) {
  const [major, minor] = release()
    .split('.')
    .map((part) => Number.parseInt(part, 10));
  const [sinceMajor, sinceMinor] = version.split('.').map(Number);
  return major > sinceMajor || (major === sinceMajor && minor >= sinceMinor);
}

/** Members of TCP_INFO that change from one call to the next. */
const CLOCKS = /^tcpi_last_|_time$|^tcpi_busy_|_rate$/;

/** Settings of TCP that recent kernels added. No other part of this package names them. */
const NEW_SETTINGS = ['net.ipv4.tcp_comp_sack_rtt_percent', 'net.ipv4.tcp_rcvbuf_low_rtt'];

/** What this kernel has, for the table of docs/kernels.md. */
export const facts = { kernel: release() };

export const checks = {
  'each option holds what was written, by the numbers of the headers'() {
    const lacking = new Set();
    for (const [name, value, level, option, bytes] of LINES) {
      withSocket(level === IPPROTO_IPV6 ? AF_INET6 : AF_INET, 0, (fd) => {
        if (get(fd, level, option) === ENOPROTOOPT) {
          // Distributions add options to older kernels, and take none away.
          assert.ok(SINCE[name] !== undefined && !isSince(SINCE[name]), `${name} is missing`);
          assert.equal(isSupported(name), false, name);
          assert.throws(() => setOptions(fd, { [name]: value }), { code: 'ENOPROTOOPT' }, name);
          lacking.add(name);
          return;
        }
        setOptions(fd, { [name]: value });
        assert.deepEqual(get(fd, level, option).subarray(0, bytes.length), bytes, name);
        assert.deepEqual(getOption(fd, name), value, name);
      });
    }
    facts.missingOptions = [...lacking];
  },

  'every member of TCP_INFO is what a program reads that was compiled for this kernel': () =>
    withConnection(({ client }) => {
      // Until nothing is due, such as a delayed acknowledgement.
      return sleep(1_000).then(() => {
        const { status, stdout, stderr } = spawnSync('./tcp-info', [], {
          stdio: ['ignore', 'pipe', 'pipe', fdOf(client)],
          encoding: 'utf8',
        });
        assert.equal(status, 0, stderr);
        const { length, size, members } = JSON.parse(stdout);
        facts.tcpInfoBytes = length;
        facts.tcpInfoMembers = Object.keys(members).length;
        assert.ok(length >= size, `the kernel wrote ${length} bytes, its header has ${size}`);
        const ours = getKernelTcpInfo(client);
        for (const [name, value] of Object.entries(members)) {
          assert.ok(name in ours, `the table of this package has no ${name}`);
          if (CLOCKS.test(name)) assert.ok(ours[name] >= 0, name);
          else assert.equal(ours[name], value, name);
        }
        const unknown = Object.keys(ours).filter(
          (name) => ours[name] !== null && !(name in members),
        );
        assert.deepEqual(unknown, [], 'members that the header of this kernel does not have');
      });
    }),

  'TCP_INFO is as long as the kernel says, and what lies beyond is null': () =>
    withConnection(({ client }) => {
      const length = referenceAddon.get(fdOf(client), IPPROTO_TCP, 11, Buffer.alloc(1_024));
      assert.equal(length, facts.tcpInfoBytes);
    }),

  'listConnections reports the connections that /proc has': () =>
    withConnection(({ client, accepted }) => {
      const lines = readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1, -1);
      const inProc = lines.filter((line) => line.trim().split(/\s+/)[3] === '01').length;
      const listed = listConnections({ state: 'ESTABLISHED', owners: true });
      assert.equal(listed.length, inProc);
      for (const socket of [client, accepted]) {
        const one = listed.find((connection) => isOf(connection, socket));
        assert.ok(
          one?.owners.some(({ pid }) => pid === process.pid),
          JSON.stringify(one),
        );
      }
    }),

  'a closed connection is told of, and destroyConnection ends one': () =>
    withConnection(async ({ client }) => {
      const told = [];
      const watch = watchClosedConnections().on('closed', (connection) => told.push(connection));
      const code = once(client, 'error').then(([error]) => error.code);
      const { localPort } = client;
      const [connection] = listConnections().filter((one) => isOf(one, client));
      destroyConnection(connection);
      assert.equal(await code, 'ECONNABORTED');
      await until(() => told.some((one) => one.localPort === localPort));
      watch.close();
    }),

  'getSystemDefaults reports the settings in /proc and the values of a new socket'() {
    const { keepAliveInitialDelay, keepAliveInterval, keepAliveCount, ...others } =
      getSystemDefaults();
    const file = (name) => Number(readFileSync(`/proc/sys/net/ipv4/${name}`, 'utf8'));
    assert.equal(keepAliveInitialDelay.value, 1_000 * file('tcp_keepalive_time'));
    assert.equal(keepAliveInterval.value, 1_000 * file('tcp_keepalive_intvl'));
    assert.equal(keepAliveCount.value, file('tcp_keepalive_probes'));
    assert.equal(others.synRetries.value, file('tcp_syn_retries'));
    assert.equal(others.retransmissions.value, file('tcp_retries2'));
    withSocket(AF_INET, 0, (fd) => {
      assert.equal(keepAliveInitialDelay.value, 1_000 * get(fd, IPPROTO_TCP, 4).readInt32LE());
    });
    const names = Object.values(getSystemDefaults()).map(({ name }) => name);
    facts.missingSettings = [...names, ...NEW_SETTINGS].filter(
      (name) => name?.startsWith('net.') && getSysctl(name).value === null,
    );
  },

  'getMptcpInfo reports the one subflow of a connection': () =>
    withConnection(
      ({ client, accepted }) => {
        for (const socket of [client, accepted]) {
          const [{ id, localPort, remotePort, tcpInfo }, ...others] = getMptcpInfo(socket).subflows;
          assert.deepEqual([localPort, remotePort], [socket.localPort, socket.remotePort]);
          assert.deepEqual([tcpInfo.state, others.length], ['ESTABLISHED', 0]);
          assert.equal(id !== null, isSince('6.5'));
        }
      },
      { mptcp: true },
    ),

  'getMptcpInfo returns null for a connection that fell back to TCP': () =>
    withConnection(
      ({ client, accepted }) => {
        assert.deepEqual([getMptcpInfo(client), getMptcpInfo(accepted)], [null, null]);
      },
      { mptcp: true },
      {},
    ),

  'Multipath TCP is spoken by both ends': () =>
    withConnection(
      ({ client, accepted }) => {
        assert.equal(getOption(client, 'protocol'), 'mptcp');
        assert.equal(getOption(accepted, 'protocol'), 'mptcp');
        assert.equal(isSupported('mptcp'), isSince('6.10'));
        assert.equal(getTcpInfo(client).state, 'ESTABLISHED');
        setOptions(client, { keepAlive: true, keepAliveInitialDelay: 5_000 });
        assert.throws(() => setOptions(client, { userTimeout: 1_000 }), { code: /^E/ });
        withSocket(AF_INET, IPPROTO_MPTCP, (fd) =>
          assert.equal(getOption(fd, 'protocol'), 'mptcp'),
        );
      },
      { mptcp: true },
    ),
};
