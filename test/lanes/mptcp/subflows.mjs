// getMptcpInfo() and options of connections with several subflows, judged by ss(8); fallback; a foreign server.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { connect, getMptcpInfo, getOption, setOptions } from '../../../dist/index.js';
import { addressOf, ip, ownAddressOf, unplugging } from '../../fixtures/dead-peers/two-hosts.mjs';
import { check, printCases } from './cases.mjs';
import { ipv6Of, makeHosts, untilSubflows } from './hosts.mjs';
import { PORTS } from './ports.mjs';
import { connectionIn, SS_CONNECTIONS, SS_SUBFLOWS, subflowsIn } from './reader.mjs';

const peer = await makeHosts();
const ss = (options) => String(execFileSync('ss', options, { stdio: 'pipe' }));

/** Opens a connection, on which the server has answered, with two subflows or as many as are asked for. */
async function open({ host = addressOf(1), port = PORTS.echo, subflows = 2, ...options } = {}) {
  const socket = connect({ host, port, socketOptions: { mptcp: true, ...options } });
  // A lost connection is found by the case.
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write('hello');
  await once(socket, 'data');
  if (subflows > 0) await untilSubflows(socket, subflows);
  return socket;
}

/** Waits until a condition holds. */
async function until(holds, what) {
  for (const end = performance.now() + 5_000; !(await holds()); await sleep(20)) {
    if (performance.now() > end) throw new Error(`not within 5 s: ${what}`);
  }
}

/** The endpoints and the flags of subflows, in the order of their local ports. */
const partsOf = (subflows) =>
  subflows
    .map((one) => ({
      local: { address: one.localAddress, port: one.localPort },
      remote: { address: one.remoteAddress, port: one.remotePort },
      isLocalBackup: one.isLocalBackup,
      isRemoteBackup: one.isRemoteBackup,
      bytesAcked: one.tcpInfo.bytesAcked,
      segmentsReceived: one.tcpInfo.segmentsReceived,
    }))
    .sort(byPorts);
const judgedBy = (text, token) =>
  subflowsIn(text, token)
    .map(({ local, remote, isLocalBackup, isRemoteBackup, bytesAcked, segmentsReceived }) => ({
      ...{ local, remote, isLocalBackup, isRemoteBackup, bytesAcked, segmentsReceived },
    }))
    .sort(byPorts);
const byPorts = (a, b) => a.local.port - b.local.port || a.remote.port - b.remote.port;

/** Asserts that the package and ss(8) report the same of both ends. */
async function compare(socket, count) {
  // Until no acknowledgement is due.
  await sleep(250);
  const { subflows, ...info } = getMptcpInfo(socket);
  assert.equal(subflows.length, count);
  assert.deepEqual(partsOf(subflows), judgedBy(ss(SS_SUBFLOWS), info.token));
  const counts = connectionIn(ss(SS_CONNECTIONS), info.token);
  assert.deepEqual(
    Object.fromEntries(Object.keys(counts).map((name) => [name, info[name]])),
    counts,
  );
  const there = await peer.ask('info', socket.localPort);
  assert.deepEqual(partsOf(there.subflows), judgedBy(String(peer.ss(...SS_SUBFLOWS)), there.token));
}

/** The backup flags at both ends, by the addresses of this host. */
async function backups(socket) {
  const here = getMptcpInfo(socket).subflows;
  const there = (await peer.ask('info', socket.localPort)).subflows;
  return Object.fromEntries(
    here.map(({ localAddress, localPort, isLocalBackup, isRemoteBackup }) => {
      const other = there.find(({ remotePort }) => remotePort === localPort);
      const ends = [isLocalBackup, isRemoteBackup, other?.isLocalBackup, other?.isRemoteBackup];
      return [localAddress, ends];
    }),
  );
}

/** What ss(8) reports of one member of each subflow. */
const eachOf = (socket, name) =>
  subflowsIn(ss(SS_SUBFLOWS), getMptcpInfo(socket).token).map((one) => one[name]);

for (const [version, host] of [
  ['IPv4', addressOf(1)],
  ['IPv6', ipv6Of(1)],
]) {
  await check(
    `two subflows over ${version} are reported as ss(8) reports them, at both ends`,
    async () => {
      await compare(await open({ host }), 2);
    },
  );
}

const endpoint = (...args) => ip('mptcp', 'endpoint', ...args);
const OWN = ownAddressOf(2);

await check('setOptions() with two subflows reaches both', async () => {
  const socket = await open();
  assert.deepEqual(eachOf(socket, 'mark'), [0, 0]);
  setOptions(socket, { mark: 7, dscp: 46, congestionControl: 'reno', keepAlive: true });
  assert.deepEqual(eachOf(socket, 'mark'), [7, 7]);
  assert.deepEqual(eachOf(socket, 'tos'), [46 << 2, 46 << 2]);
  assert.deepEqual(eachOf(socket, 'congestionControl'), ['reno', 'reno']);
  assert.deepEqual(eachOf(socket, 'timer'), ['keepalive', 'keepalive']);
  assert.deepEqual([getOption(socket, 'mark'), getOption(socket, 'dscp')], [7, 46]);
});

await check('a connection without another path has one subflow', async () => {
  endpoint('flush');
  await compare(await open({ subflows: 1 }), 1);
});

await check('a second subflow takes over the options that were set before it', async () => {
  const socket = await open({ subflows: 1, mark: 7, congestionControl: 'reno' });
  setOptions(socket, { keepAlive: true, dscp: 46 });
  endpoint('add', OWN, 'dev', 'v2', 'subflow');
  await untilSubflows(socket, 2);
  assert.deepEqual(eachOf(socket, 'mark'), [7, 7]);
  assert.deepEqual(eachOf(socket, 'congestionControl'), ['reno', 'reno']);
  assert.deepEqual(eachOf(socket, 'timer'), ['keepalive', 'keepalive']);
  assert.deepEqual(eachOf(socket, 'tos'), [46 << 2, 46 << 2]);
});

await check(
  'isLocalBackup and isRemoteBackup follow the path manager, at the right end',
  async () => {
    const socket = await open();
    const neither = [false, false, false, false];
    assert.deepEqual(await backups(socket), { [ownAddressOf(1)]: neither, [OWN]: neither });
    endpoint('change', OWN, 'backup');
    const here = [true, false, false, true];
    await until(
      async () => (await backups(socket))[OWN].join() === here.join(),
      'the backup flag of this host at both ends',
    );
    assert.deepEqual((await backups(socket))[ownAddressOf(1)], neither);
    await compare(socket, 2);
    endpoint('change', OWN, 'nobackup');
    await until(
      async () => (await backups(socket))[OWN].join() === neither.join(),
      'no backup flag at both ends',
    );
  },
);

await check('a subflow that is opened as a backup is reported so from the start', async () => {
  endpoint('flush');
  endpoint('add', OWN, 'dev', 'v2', 'subflow', 'backup');
  const socket = await open();
  await until(
    async () => (await backups(socket))[OWN].join() === 'true,false,false,true',
    'the flag at both ends',
  );
  await compare(socket, 2);
});

await check('a subflow to an address that the peer announced, and the count of these', async () => {
  endpoint('flush');
  peer.ip('mptcp', 'endpoint', 'add', addressOf(2), 'dev', 'p2', 'signal');
  try {
    const socket = await open();
    const { addAddrAccepted, subflows } = getMptcpInfo(socket);
    assert.equal(addAddrAccepted, 1);
    assert.equal(subflows[1].remoteAddress, addressOf(2));
    assert.equal((await peer.ask('info', socket.localPort)).addAddrSignal, 1);
    await compare(socket, 2);
  } finally {
    peer.ip('mptcp', 'endpoint', 'flush');
    endpoint('add', OWN, 'dev', 'v2', 'subflow');
  }
});

await check('a peer without Multipath TCP: null at both ends, and mptcp is false', async () => {
  const socket = await open({ port: PORTS.plain, subflows: 0 });
  assert.equal(getMptcpInfo(socket), null);
  assert.equal(getOption(socket, 'mptcp'), false);
  assert.equal(await peer.ask('info', socket.localPort), null);
});

await check('a worker reports two subflows of its own connection', async () => {
  const program = new URL('worker.mjs', import.meta.url);
  const worker = new Worker(program, { workerData: { host: addressOf(1), timeout: 8_000 } });
  const [{ info }] = await once(worker, 'message');
  // Supervision probes meanwhile, so the counters differ.
  const withoutCounters = (parts) =>
    parts.map(({ bytesAcked: _, segmentsReceived: __, ...rest }) => rest);
  assert.deepEqual(
    withoutCounters(partsOf(info.subflows)),
    withoutCounters(judgedBy(ss(SS_SUBFLOWS), info.token)),
  );
  assert.equal(info.subflows.length, 2);
  await worker.terminate();
});

await check(
  'redis-server under mptcpize(8) answers over the second path when the first is cut',
  async () => {
    const redis = spawn(
      'nsenter',
      [
        ...['--net', '--target', `${peer.pid}`, 'mptcpize', 'run', 'redis-server'],
        ...['--port', `${PORTS.redis}`, '--bind', '0.0.0.0', '--protected-mode', 'no'],
        ...['--save', '', '--appendonly', 'no', '--dir', '/tmp'],
      ],
      { stdio: 'ignore' },
    );
    process.on('exit', () => redis.kill('SIGKILL'));
    const ended = once(redis, 'exit').then(([status]) => {
      throw new Error(`redis-server ended with ${status}`);
    });
    ended.catch(() => {});
    const listens = () => String(peer.ss('-Htln', 'sport', `${PORTS.redis}`)) !== '';
    await Promise.race([ended, until(listens, 'redis-server listens')]);
    const socket = connect({
      ...{ host: addressOf(1), port: PORTS.redis, socketOptions: { mptcp: true } },
      deadPeerTimeout: 8_000,
    });
    const lost = once(socket, 'error').then(([error]) => {
      throw error;
    });
    lost.catch(() => {});
    let answer = '';
    socket.setEncoding('latin1').on('data', (data) => {
      answer += data;
    });
    await Promise.race([lost, once(socket, 'connect')]);
    const ask = async (command, ending) => {
      answer = '';
      socket.write(`${command}\r\n`);
      await Promise.race([lost, until(() => answer.endsWith(ending), `the answer to ${command}`)]);
    };
    await ask('PING', '+PONG\r\n');
    await untilSubflows(socket, 2);
    await ask(`SET key ${'x'.repeat(20_000)}`, '+OK\r\n');
    await compareOwn(socket);
    await peer.run(unplugging(1));
    await ask('GET key', 'x\r\n');
    assert.equal(answer.length, '$20000\r\n'.length + 20_000 + 2);
    socket.destroy();
  },
);

/** As compare(), without the peer's end, which another program has. */
async function compareOwn(socket) {
  await sleep(250);
  const { subflows, token } = getMptcpInfo(socket);
  assert.deepEqual(partsOf(subflows), judgedBy(ss(SS_SUBFLOWS), token));
}

printCases();
