// A situation for every public function: how it is called, what it sets, and which parts of its result are checked in
// addition to the checks of situation.mjs.

import { once } from 'node:events';
import net from 'node:net';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { asNew, setInt, watchThreads } from './kernel.mjs';
import { openings } from './openings.mjs';

const SOL_SOCKET = 1;
const IPPROTO_TCP = 6;
const option = (level, name) => ({ level, name, key: `${level}/${name}` });
const KEEPALIVE = option(SOL_SOCKET, 9);
const NODELAY = option(IPPROTO_TCP, 1);
const KEEPIDLE = option(IPPROTO_TCP, 4);
const KEEPINTVL = option(IPPROTO_TCP, 5);
const KEEPCNT = option(IPPROTO_TCP, 6);
const USER_TIMEOUT = option(IPPROTO_TCP, 18);

export const fdOf = (socket) => socket._handle.fd;

/** Waits until a condition holds, but at most two seconds. */
export async function until(holds) {
  for (let i = 0; i < 400 && !holds(); i++) await sleep(5);
  return holds();
}

/** Values that are no defaults, so that an invented value is detected. */
function preset(fd) {
  for (const [{ level, name }, value] of [
    [KEEPALIVE, 1],
    [KEEPIDLE, 41],
    [KEEPINTVL, 7],
    [KEEPCNT, 5],
    [USER_TIMEOUT, 43_210],
  ]) {
    setInt(fd, level, name, value);
  }
}

const refusedConnection = Object.assign(new Error('read ETIMEDOUT'), {
  code: 'ETIMEDOUT',
  syscall: 'read',
});

/** The time since the last sign of life differs from call to call. */
const withoutAge = ({ message, ...rest }) => ({
  ...rest,
  message: message.replace(/[\d.]+ s ago/, 'some time ago'),
});

/** The values that the kernel must hold after a setter. */
const wanted = (...pairs) => pairs.map(([one, value]) => ({ ...one, value }));
const KEEP_ALIVE_NAMES = {
  keepAlive: KEEPALIVE.key,
  keepAliveInitialDelay: KEEPIDLE.key,
  keepAliveInterval: KEEPINTVL.key,
  keepAliveCount: KEEPCNT.key,
  userTimeout: USER_TIMEOUT.key,
  noDelay: NODELAY.key,
};
/** The options by the package's names, as in `applied` of an error. */
export const KEYS = KEEP_ALIVE_NAMES;

const asNewValues = () =>
  wanted(
    [KEEPALIVE, asNew(1, 9)],
    [KEEPIDLE, asNew(6, 4)],
    [KEEPINTVL, asNew(6, 5)],
    [KEEPCNT, asNew(6, 6)],
  );

const TIMEOUT_MAX = option(IPPROTO_TCP, 44);
/** The package chooses the values of a dead-peer timeout: they are read once, from a run without faults. */
const DEAD_PEER = [KEEPALIVE, KEEPIDLE, KEEPINTVL, KEEPCNT, USER_TIMEOUT, TIMEOUT_MAX];
/** A kernel that answers so for TCP_RTO_MAX_MS does not have it: the plan is without it. */
const lacksTimeoutMax = ({ error }) => ['ENOPROTOOPT', 'EOPNOTSUPP'].includes(error);
const withoutTimeoutMax = ({ row, path }) =>
  path === 'retransmissionTimeoutMax' && lacksTimeoutMax(row);
/** The reason of a plan says what could not be asked or read. */
const whyDiffers = ({ why }, row) =>
  /is unknown|could not be read/.test(why) || lacksTimeoutMax(row);

async function withServer(stage) {
  stage.server = net.createServer().listen(0, '127.0.0.1');
  await once(stage.server, 'listening');
  stage.closing.push(() => new Promise((resolve) => stage.server.close(resolve)));
}

/** A connection of Multipath TCP, beside that of the situation. */
async function withMultipath({ connect, listen }, stage) {
  const mptcp = { host: '127.0.0.1', socketOptions: { mptcp: true } };
  const server = listen(net.createServer(), { ...mptcp, port: 0 });
  await once(server, 'listening');
  stage.closing.push(() => new Promise((resolve) => server.close(resolve)));
  const accepting = once(server, 'connection');
  const client = connect({ ...mptcp, port: server.address().port });
  const [[accepted]] = await Promise.all([accepting, once(client, 'connect')]);
  for (const socket of [client, accepted]) socket.on('error', () => {});
  stage.sockets.push(client, accepted);
  stage.multipath = client;
}

const ownPorts = (stage) => ({ port: stage.client.localPort });

/** Both ends in a list, the client's first, without the ports, which differ in each run. */
function ends(list, { client }) {
  const side = (port) => (port === client.localPort ? 'client' : 'server');
  return list
    .filter(({ state }) => state === 'ESTABLISHED')
    .map((one) => ({ ...one, localPort: side(one.localPort), remotePort: side(one.remotePort) }))
    .sort((a, b) => a.localPort.localeCompare(b.localPort));
}

/** The numbers of a problem are times: those of an idle connection grow. */
function withoutTimes({ problems, ...connection }) {
  return { ...connection, problems: problems.map(({ problem, severity }) => [problem, severity]) };
}

/** Each row of `readTcpInfos` is correct, or has the reason why it is missing. */
function judgeColumns({ value, want, row, errno }) {
  const faults = [];
  for (const [i, code] of value.errno.entries()) {
    for (const [field, column] of Object.entries(value)) {
      if (field === 'errno') continue;
      const got = column[i];
      const right = want.get(`${field}.${i}`);
      if (code !== 0 && !Number.isNaN(got))
        faults.push(`row ${i} is refused, and has ${field} ${got}`);
      if (
        code === 0 &&
        right !== undefined &&
        got !== right &&
        !(row.isAnswer && Number.isNaN(got))
      ) {
        faults.push(`row ${i} says ${field} ${got}, and the kernel ${right}`);
      }
    }
    const isNoSocket = row.error === 'ENOTSOCK' && code === -constants.errno.EBADF;
    if (code !== 0 && errno !== undefined && code !== -errno && !isNoSocket) {
      faults.push(`row ${i} has errno ${code}, and the call failed with ${-errno}`);
    }
  }
  return faults;
}

const tcpInfoFields = ['state', 'mss', 'bytesSent', 'bytesReceived', 'congestionWindow'];

/** The events of a watch while a connection closes. */
async function watchOnce(api, stage) {
  const { localPort: port } = stage.client;
  const watch = api.watchClosedConnections({ filter: { port } });
  const told = [];
  const errors = [];
  watch.on('closed', ({ localPort, tcpInfo }) => told.push([localPort, tcpInfo?.bytesReceived]));
  watch.on('error', (error) => errors.push(error));
  stage.client.resetAndDestroy();
  await until(() => told.length >= 2 || errors.length > 0);
  watch.close();
  // The kernel may list a thread for a moment after pthread_join(3).
  await until(() => watchThreads() === 0);
  return {
    ends: told.length,
    received: told.reduce((sum, [, bytes]) => sum + bytes, 0),
    error: errors[0] ?? null,
    errors: errors.length,
    overruns: watch.overruns,
  };
}

/** A watch may only survive these errors (recvfrom), and a poll that was interrupted or found nothing. */
const SURVIVABLE = {
  recvfrom: ['EINTR', 'EAGAIN', 'ENOBUFS', "another sender's"],
  poll: ['EINTR', 'no event', 'POLLERR'],
};

function judgeWatch({ value, row, isRefusal }) {
  const faults = [];
  const threads = watchThreads();
  if (threads > 0) faults.push(`${threads} threads are left after close()`);
  if (value.errors > 1) faults.push(`${value.errors} 'error' events`);
  // For the side that reset the connection, the kernel has cleared the counters.
  const isWhole = value.ends === 2 && value.received === 1_000;
  const survives = SURVIVABLE[row.call]?.includes(row.error);
  if (value.error !== null) {
    if (survives && row.count < 100 && row.error !== 'POLLERR') {
      faults.push(`ended by ${value.error.code}, which passes by itself`);
    } else faults.push(...isRefusal(value.error));
  } else if (
    !isWhole &&
    value.overruns === 0 &&
    row.error !== "another sender's" &&
    !(survives && row.count >= 100)
  ) {
    faults.push(
      `told ${value.ends} ends and ${value.received} bytes of 2 and 1000, and no 'error'`,
    );
  }
  return faults;
}

export const scenarios = [
  {
    name: 'getOption',
    arrange: ({ client }) => preset(fdOf(client)),
    act: (api, { client }) => api.getOption(client, 'userTimeout'),
  },
  {
    name: 'getOption(text)',
    covers: 'getOption',
    act: (api, { client }) => api.getOption(client, 'congestionControl'),
  },
  {
    name: 'getOptions(names)',
    covers: 'getOptions',
    arrange: ({ client }) => preset(fdOf(client)),
    act: (api, { client }) =>
      api.getOptions(client, ['userTimeout', 'keepAlive', 'keepAliveCount', 'congestionControl']),
  },
  {
    name: 'getOptions',
    isUnsteady: true,
    arrange: ({ client }) => preset(fdOf(client)),
    act: (api, { client }) => api.getOptions(client),
    // Options that the socket does not answer are left out.
    mayOmit: true,
  },
  {
    name: 'setOptions(1)',
    covers: 'setOptions',
    act: (api, { client }) => api.setOptions(client, { userTimeout: 30_000 }),
    sets: () => wanted([USER_TIMEOUT, 30_000]),
  },
  {
    name: 'setOptions(4)',
    covers: 'setOptions',
    act: (api, { client }) =>
      api.setOptions(client, {
        ...{ userTimeout: 30_000, noDelay: true },
        ...{ keepAliveInitialDelay: 33_000, keepAlive: true },
      }),
    sets: () => wanted([USER_TIMEOUT, 30_000], [NODELAY, 1], [KEEPIDLE, 33], [KEEPALIVE, 1]),
  },
  {
    name: "setOptions('system')",
    covers: 'setOptions',
    arrange: ({ client }) => preset(fdOf(client)),
    act: (api, { client }) =>
      api.setOptions(client, { keepAliveInitialDelay: 'system', keepAliveCount: 'system' }),
    sets: () => wanted([KEEPIDLE, asNew(6, 4)], [KEEPCNT, asNew(6, 6)]),
  },
  {
    name: 'isSupported',
    act: (api) => api.isSupported('userTimeout'),
    // "No such option" is an answer of the kernel.
    accepts: isOwnWord,
    // Without an answer of the kernel nothing may be remembered: the next query is answered, and that is kept.
    again(api, { injector }, outcome, row) {
      if (isOwnWord({ row })) return [];
      const isKnown = outcome.error === undefined && row.call !== 'socket';
      injector.inject(injector.names.indexOf('getsockopt'), 1, 1, constants.errno.ENOPROTOOPT);
      const answer = api.isSupported('userTimeout');
      const { calls } = injector.end();
      const expected = calls.length === 0 && isKnown;
      return answer === expected ? [] : [`later, when the kernel says no, it is ${answer}`];
    },
  },
  {
    name: 'supportedOptions',
    act: (api) => api.supportedOptions(),
    accepts: isOwnWord,
  },
  {
    name: 'getRawOption',
    isRaw: true,
    arrange: ({ client }) => preset(fdOf(client)),
    act: (api, { client }) => api.getRawOption(client, IPPROTO_TCP, USER_TIMEOUT.name),
  },
  {
    name: 'getRawOption(length)',
    isRaw: true,
    covers: 'getRawOption',
    act: (api, { client }) => api.getRawOption(client, IPPROTO_TCP, 13, 16),
    // The bytes that the kernel wrote.
    accepts: ({ row, value, baseline }) =>
      row.isAnswer && Buffer.isBuffer(value) && baseline.toString().startsWith(value.toString()),
  },
  {
    name: 'setRawOption',
    act: (api, { client }) => api.setRawOption(client, IPPROTO_TCP, USER_TIMEOUT.name, 12_000),
    sets: () => wanted([USER_TIMEOUT, 12_000]),
  },
  {
    name: 'setRawOption(bytes)',
    covers: 'setRawOption',
    act: (api, { client }) =>
      api.setRawOption(client, IPPROTO_TCP, USER_TIMEOUT.name, new Uint8Array([16, 39, 0, 0])),
    sets: () => wanted([USER_TIMEOUT, 10_000]),
  },
  {
    name: 'getKeepAlive',
    arrange: ({ client }) => preset(fdOf(client)),
    act: (api, { client }) => api.getKeepAlive(client),
    // null for options that the kernel does not have.
    accepts: ({ row, value }) => row.error === 'ENOPROTOOPT' && Object.values(value).includes(null),
  },
  {
    name: 'setKeepAlive(object)',
    covers: 'setKeepAlive',
    act: (api, { client }) =>
      api.setKeepAlive(client, { enable: true, initialDelay: 31_000, interval: 6_000, count: 4 }),
    sets: () => wanted([KEEPIDLE, 31], [KEEPINTVL, 6], [KEEPCNT, 4], [KEEPALIVE, 1]),
  },
  {
    name: 'setKeepAlive(boolean)',
    covers: 'setKeepAlive',
    act: (api, { client }) => api.setKeepAlive(client, true),
    sets: () => wanted([KEEPALIVE, 1]),
  },
  {
    name: "setKeepAlive('system')",
    covers: 'setKeepAlive',
    arrange: ({ client }) => preset(fdOf(client)),
    act: (api, { client }) => api.setKeepAlive(client, 'system'),
    sets: asNewValues,
  },
  {
    name: 'setDeadPeerTimeout',
    act: (api, { client }) => api.setDeadPeerTimeout(client, 20_000).options,
    chooses: DEAD_PEER,
    accepts: withoutTimeoutMax,
  },
  {
    // Keepalive is on, with other times. It is off while they change, and must be on afterwards.
    name: 'setDeadPeerTimeout(again)',
    covers: 'setDeadPeerTimeout',
    arrange: ({ client }) => preset(fdOf(client)),
    act: (api, { client }) => api.setDeadPeerTimeout(client, 20_000).options,
    chooses: DEAD_PEER,
    accepts: withoutTimeoutMax,
  },
  {
    name: 'setDeadPeerTimeout(server)',
    covers: 'setDeadPeerTimeout',
    arrange: withServer,
    target: ({ server }) => fdOf(server),
    act: (api, { server }) => api.setDeadPeerTimeout(server, 20_000).options,
    chooses: DEAD_PEER,
    accepts: withoutTimeoutMax,
  },
  {
    name: 'setDeadPeerTimeout(null)',
    covers: 'setDeadPeerTimeout',
    arrange: ({ client }) => preset(fdOf(client)),
    act: (api, { client }) => api.setDeadPeerTimeout(client, null),
    chooses: DEAD_PEER,
  },
  {
    name: "setDeadPeerTimeout('tolerate')",
    covers: 'setDeadPeerTimeout',
    act(api, { client }) {
      const plan = api.setDeadPeerTimeout(client, 30_000, { zeroWindow: 'tolerate' });
      return { ...plan.options, why: plan.why };
    },
    chooses: DEAD_PEER,
    accepts: ({ value, row, path }) =>
      withoutTimeoutMax({ row, path }) || (path === 'why' && whyDiffers(value, row)),
  },
  {
    name: 'getDeadPeerBounds',
    isUnsteady: true,
    act: (api, { client }) => api.getDeadPeerBounds(client),
    accepts: warned,
  },
  {
    name: 'getDeadPeerBounds(tuned)',
    isUnsteady: true,
    covers: 'getDeadPeerBounds',
    arrange: ({ client }) => preset(fdOf(client)),
    act: (api, { client }) => api.getDeadPeerBounds(client),
    accepts: warned,
  },
  {
    name: 'planDeadPeerTimeout',
    act: (api) => api.planDeadPeerTimeout(20_000).options,
    accepts: withoutTimeoutMax,
  },
  {
    name: 'explainDisconnect',
    isUnsteady: true,
    act: (api, { client }) => withoutAge(api.explainDisconnect(refusedConnection, client)),
    // With or without counters, as `tcpInfo` shows.
    accepts: ({ value, path }) => path === 'message' || (path === 'peer' && value.tcpInfo === null),
  },
  {
    name: 'tuneSockets(client)',
    makesSocket: true,
    covers: 'tuneSockets',
    act: (api, stage) => tune(api, stage, 'client'),
    target: ({ tuned }) => fdOf(tuned),
    chooses: [...DEAD_PEER, NODELAY],
    says: ({ value }) => value.errors,
    // Options without an error are set.
    setsTheRest: true,
  },
  {
    name: 'tuneSockets(server)',
    makesSocket: true,
    covers: 'tuneSockets',
    act: (api, stage) => tune(api, stage, 'server'),
    target: ({ tuned }) => fdOf(tuned),
    chooses: [...DEAD_PEER, NODELAY],
    says: ({ value }) => value.errors,
    // Options without an error are set.
    setsTheRest: true,
  },
  {
    name: 'getSystemDefaults',
    act: (api) => api.getSystemDefaults(),
    // A missing setting has the built-in value; an unreadable one has a reason.
    accepts: ({ row, path, value }) => {
      const [name, member] = path.split('.');
      const { source, reason } = value[name];
      if (member === 'value') return row.error === 'ENOENT' && source === 'builtin';
      return member !== 'unit' && (source === 'builtin' || reason !== null);
    },
  },
  {
    name: 'getSysctl',
    act: (api) => api.getSysctl('net.ipv4.tcp_retries2'),
    accepts: ({ path, value, row }) =>
      (path === 'reason' && value.value === null && value.reason.includes(row.error)) ||
      // A setting may be empty.
      (row.isAnswer && value.value === ''),
  },
  {
    name: 'getTcpInfo',
    isUnsteady: true,
    act: (api, { client }) => api.getTcpInfo(client),
  },
  {
    name: 'getKernelTcpInfo',
    isUnsteady: true,
    act: (api, { client }) => api.getKernelTcpInfo(client),
  },
  {
    name: 'getKernelTcpInfo(details)',
    isUnsteady: true,
    covers: 'getKernelTcpInfo',
    act: (api, { client }) => api.getKernelTcpInfo(client, { details: true }),
  },
  {
    name: 'getMptcpInfo',
    act: (api, { client }) => api.getMptcpInfo(client),
  },
  {
    name: 'getMptcpInfo(mptcp)',
    isUnsteady: true,
    covers: 'getMptcpInfo',
    prepare: withMultipath,
    act: (api, { multipath }) => api.getMptcpInfo(multipath),
  },
  {
    name: 'TcpInfoReader.read',
    isUnsteady: true,
    covers: 'TcpInfoReader',
    act: (api, { client }) => new api.TcpInfoReader().read(client).toJSON(),
  },
  {
    name: 'readTcpInfos',
    act: (api, { client, accepted }) => api.readTcpInfos([client, accepted], tcpInfoFields),
    judge: judgeColumns,
  },
  {
    name: 'readTcpInfosAsync',
    act: (api, { client, accepted }) => api.readTcpInfosAsync([client, accepted], tcpInfoFields),
    judge: judgeColumns,
  },
  {
    name: 'isReusable',
    act: (api, { client }) => api.isReusable(client),
    // What the kernel reports of the socket, or a signal before it reported anything.
    accepts: ({ row, value }) => value === false && (row.isAnswer || row.error === 'EINTR'),
  },
  {
    name: 'listConnections',
    isUnsteady: true,
    names: 'sock_diag',
    means: meaningOf,
    act: (api, stage) => ends(api.listConnections(ownPorts(stage)), stage),
  },
  {
    name: 'listConnections(tcpInfo)',
    isUnsteady: true,
    names: 'sock_diag',
    means: meaningOf,
    covers: 'listConnections',
    act: (api, stage) => ends(api.listConnections({ ...ownPorts(stage), tcpInfo: true }), stage),
  },
  {
    name: 'diagnoseConnections',
    isUnsteady: true,
    names: 'sock_diag',
    means: meaningOf,
    act: (api, stage) =>
      ends(
        api
          .listConnections({ ...ownPorts(stage), problems: true })
          .concat(api.diagnoseConnections(ownPorts(stage)).map(({ connection }) => connection))
          .map(withoutTimes),
        stage,
      ),
  },
  {
    name: 'listConnections(ownProcess)',
    isUnsteady: true,
    names: 'sock_diag',
    means: meaningOf,
    covers: 'listConnections',
    act: (api, stage) => ends(api.listConnections({ ...ownPorts(stage), ownProcess: true }), stage),
    // EBADF means that the descriptor was closed meanwhile.
    accepts: ({ row }) => row.call === 'fstat' && row.error === 'EBADF',
  },
  {
    name: 'listConnections(owners)',
    isUnsteady: true,
    names: 'sock_diag',
    means: meaningOf,
    covers: 'listConnections',
    act: (api, stage) => ends(api.listConnections({ ...ownPorts(stage), owners: true }), stage),
    accepts: namedByThread,
  },
  {
    name: 'listConnectionsAsync',
    isUnsteady: true,
    names: 'sock_diag',
    means: meaningOf,
    act: async (api, stage) => ends(await api.listConnectionsAsync(ownPorts(stage)), stage),
  },
  {
    name: 'listConnectionsAsync(owners)',
    isUnsteady: true,
    names: 'sock_diag',
    means: meaningOf,
    covers: 'listConnectionsAsync',
    act: async (api, stage) =>
      ends(await api.listConnectionsAsync({ ...ownPorts(stage), owners: true }), stage),
    accepts: namedByThread,
  },
  {
    name: 'destroyConnection',
    names: 'sock_diag',
    means: meaningOf,
    prepare(api, stage) {
      const { localPort, remotePort } = stage.client;
      stage.connection = api
        .listConnections({ localPort, remotePort })
        .find((one) => one.localPort === localPort);
    },
    // On a closing socket, the kernel rejects every option.
    skipsSnapshot: true,
    act: (api, stage) => api.destroyConnection(stage.connection),
    async again(api, stage, outcome) {
      if (outcome.error === undefined) return [];
      if (stage.client.destroyed) return [];
      try {
        api.destroyConnection(stage.connection);
      } catch (error) {
        // The first request may have reached the kernel: then only its reply was lost.
        if (error.code !== 'ENOENT') return [`later, it threw ${error.message}`];
      }
      return (await until(() => stage.client.destroyed)) ? [] : ['the connection was not ended'];
    },
    async verify(stage, outcome) {
      if (outcome.error !== undefined) return [];
      return (await until(() => stage.client.destroyed))
        ? []
        : ['it returned, and the connection was not ended'];
    },
  },
  {
    name: 'watchClosedConnections',
    names: 'sock_diag',
    means: meaningOf,
    act: watchOnce,
    isAsync: true,
    skipsSnapshot: true,
    judge: judgeWatch,
    // Its thread wakes a different number of times in each run.
    onlyFirst: { poll: 1, recvfrom: 1, recv: 1, getsockopt: 8 },
    async again(api) {
      const watch = api.watchClosedConnections();
      watch.close();
      return [];
    },
  },
  {
    name: 'Heartbeat',
    entry: 'heartbeat',
    act: beatUntilDead,
    isAsync: true,
    skipsSnapshot: true,
    onlyFirst: { getsockopt: 1, setsockopt: 1 },
    // Two valid outcomes: not known, and no answer at all.
    accepts: ({ path, value }) => path === 'reason' && value.reason === 'unknown',
    again: async () => [],
  },
  {
    name: 'PeerRegistry.counts',
    covers: 'PeerRegistry',
    entry: 'heartbeat',
    act: (api, { client, accepted }) => registryOf(api, client, accepted).counts(),
    accepts: countsAdd,
  },
  {
    name: 'PeerRegistry.countsAsync',
    covers: 'PeerRegistry',
    entry: 'heartbeat',
    act: (api, { client, accepted }) => registryOf(api, client, accepted).countsAsync(),
    accepts: countsAdd,
  },
  ...openings,
];

/** Exports that make no system call. */
export const WITHOUT_CALLS = {
  constants: 'a table of the headers',
  SocketOptionError: 'a class of errors',
  HeartbeatTimeoutError: 'a class of errors',
  PeerSupersededError: 'a class of errors',
  tcpStates: 'an array of names',
};

/** The code that an error of a connection list has for a code of a system call. */
function meaningOf({ call, error }) {
  // The descriptor is no socket, or not the one that the addon opened.
  if (call === 'getsockopt' && error === 'ENOTSOCK') return 'EBADF';
  // The kernel's reply ends before its last message.
  if (call === 'recvfrom' || call === 'recv') return error === 'EAGAIN' ? 'EPROTO' : undefined;
  return undefined;
}

/** "No such option" is an answer of the kernel. */
function isOwnWord({ row }) {
  return row.call === 'getsockopt' && ['ENOPROTOOPT', 'EOPNOTSUPP'].includes(row.error);
}

/** Bounds that depend on a guess have a warning. */
function warned({ row, value, baseline }) {
  return (
    row.error === 'ENOENT' || isOwnWord({ row }) || value.warnings.length > baseline.warnings.length
  );
}

/** If its command line cannot be read, a Node process has the name of its first thread. */
function namedByThread({ path, value }) {
  return path.endsWith('.name') && value[0].owners[0].name.endsWith('MainThread');
}

/** Every connection is counted; one without a known state counts as unknown. */
function countsAdd({ value }) {
  const { established, halfOpen, closeWait, other, unknown } = value;
  return unknown > 0 && established + halfOpen + closeWait + other + unknown === 2;
}

function registryOf(api, client, accepted) {
  const registry = new api.PeerRegistry();
  registry.claim('client', client);
  registry.claim('accepted', accepted);
  return registry;
}

/** A connection that is opened while its side is tuned, with the reported errors. */
async function tune(api, stage, side) {
  const errors = [];
  const tuning = api.tuneSockets({
    [side]: { deadPeerTimeout: 20_000, noDelay: true },
    onError: (error) => errors.push(error),
  });
  const accepting = once(stage.listening, 'connection');
  const client = net.connect(stage.listening.address().port, '127.0.0.1');
  const [[accepted]] = await Promise.all([accepting, once(client, 'connect')]);
  for (const socket of [client, accepted]) socket.on('error', () => {});
  await new Promise(setImmediate);
  tuning.close();
  stage.tuned = side === 'client' ? client : accepted;
  stage.sockets.push(client, accepted);
  return { errors };
}

async function beatUntilDead(api, stage) {
  const { client } = stage;
  const errors = [];
  client.on('error', (error) => errors.push(error));
  const heartbeat = new api.Heartbeat(client, { interval: 50, timeout: 110, send: 'ping' });
  await until(() => client.destroyed);
  heartbeat.close();
  const [error] = errors;
  const { reason, state, bytesInFlight, unsentBytes } = error?.death ?? {};
  return {
    ...{ isDestroyed: client.destroyed, errors: errors.length, code: error?.code },
    ...{ reason, state, bytesInFlight, unsentBytes },
  };
}
