// Prints the results of the package on one version of Windows as JSON, for versions.test.ts.

import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import net from 'node:net';
import {
  getDeadPeerBounds,
  getKeepAlive,
  getKernelTcpInfo,
  getOption,
  getOptions,
  getRawOption,
  getTcpInfo,
  isSupported,
  setDeadPeerTimeout,
  setKeepAlive,
  setOptions,
  tuneSockets,
} from '../../../../dist/index.js';

const require = createRequire(import.meta.url);
const referenceAddon = require('../../../support/reference-addon/build/Release/reference_addon.node');

const AF_INET = 2;
const SOCK_STREAM = 1;
const SOL_SOCKET = 0xffff;
const SO_KEEPALIVE = 8;
const IPPROTO_TCP = 6;
const TCP_KEEPIDLE = 3;
const TCP_KEEPINTVL = 17;
const TCP_KEEPCNT = 16;
const TCP_MAXRT = 5;
const TCP_MAXRTMS = 14;

function attempt(work) {
  try {
    return { value: work() ?? null };
  } catch ({ name, code, syscall, option, message, applied }) {
    return { error: { name, code, syscall, option, message, applied } };
  }
}

/** An int from Wine, independent of the faked version. */
function held(fd, level, name) {
  const buffer = Buffer.alloc(4);
  const length = referenceAddon.get(fd, level, name, buffer);
  if (length < 0) throw new Error(`getsockopt(${fd}, ${level}, ${name}): ${-length}`);
  return buffer.readInt32LE(0);
}

const keepAliveHeld = (fd) => ({
  enable: held(fd, SOL_SOCKET, SO_KEEPALIVE) !== 0,
  initialDelay: held(fd, IPPROTO_TCP, TCP_KEEPIDLE),
  interval: held(fd, IPPROTO_TCP, TCP_KEEPINTVL),
  count: held(fd, IPPROTO_TCP, TCP_KEEPCNT),
});

/** Makes a call on a new socket; returns its result and the options of the socket afterwards. */
function onNewSocket(...calls) {
  const fd = referenceAddon.socket(AF_INET, SOCK_STREAM, 0);
  const results = calls.map((call) => attempt(() => call({ fd })));
  const report = { results, held: keepAliveHeld(fd) };
  referenceAddon.close(fd);
  return report;
}
const keepAlive = (options) => (socket) => setKeepAlive(socket, options);
const times = { initialDelay: 45_000, interval: 3_000 };

const report = {
  supported: ['keepAliveInitialDelay', 'keepAliveInterval', 'keepAliveCount', 'userTimeout'].filter(
    isSupported,
  ),
  keepAlive: {
    whole: onNewSocket(keepAlive({ enable: true, ...times })),
    fractions: onNewSocket(keepAlive({ enable: true, initialDelay: 1_500, interval: 500.5 })),
    oneFraction: onNewSocket(
      keepAlive({ enable: true, ...times }),
      keepAlive({ initialDelay: 1_500 }),
    ),
    staysOff: onNewSocket(keepAlive({ initialDelay: 1_500, interval: 3_000 })),
    staysOn: onNewSocket(keepAlive(true), keepAlive({ initialDelay: 1_500, interval: 3_000 })),
    switchedOff: onNewSocket(
      keepAlive(true),
      keepAlive({ enable: false, initialDelay: 1_500, interval: 3_000 }),
    ),
    oneTime: onNewSocket(keepAlive({ enable: true, initialDelay: 45_000 })),
    tenProbes: onNewSocket(keepAlive({ enable: true, ...times, count: 10 })),
    fourProbes: onNewSocket(keepAlive({ enable: true, ...times, count: 4 })),
    fourProbesAndFractions: onNewSocket(
      keepAlive({ enable: true, initialDelay: 1_500, interval: 500, count: 4 }),
    ),
    system: onNewSocket(keepAlive({ enable: true, ...times }), keepAlive('system')),
    switchAlone: onNewSocket(keepAlive(true)),
    wrong: onNewSocket(
      ...[
        { ...times, initialDelay: -0.5 },
        { ...times, initialDelay: Number.NaN },
        { ...times, interval: 0 },
        { ...times, interval: 2 ** 32 + 0.5 },
        { ...times, initialDelay: '45000', interval: 0.5 },
        { ...times, initialDelay: 0.5, enable: 1 },
        { ...times, initialDelay: 0.5, count: 'many' },
      ].map(keepAlive),
    ),
    options: onNewSocket((socket) => setOptions(socket, { keepAliveInitialDelay: 45_000 })),
    read: onNewSocket(getKeepAlive, (socket) =>
      Object.keys(getOptions(socket)).filter((name) => /^(keepAlive|userT)/.test(name)),
    ),
  },
};

const server = net.createServer().listen(0, '127.0.0.1');
await once(server, 'listening');
setDeadPeerTimeout(server, 20_000);
const client = net.connect(server.address().port, '127.0.0.1');
const [[accepted]] = await Promise.all([once(server, 'connection'), once(client, 'connect')]);

const raw = (socket, name) => attempt(() => getRawOption(socket, IPPROTO_TCP, name)).value;
const userTimeouts = (socket) => ({
  seconds: raw(socket, TCP_MAXRT),
  milliseconds: raw(socket, TCP_MAXRTMS) ?? null,
});
report.userTimeout = {
  asNew: userTimeouts(client),
  set: attempt(() => setOptions(client, { userTimeout: 30_500 })),
  setHeld: userTimeouts(client),
  read: attempt(() => getOption(client, 'userTimeout')),
  off: attempt(() => setOptions(client, { userTimeout: 0 })),
  offHeld: userTimeouts(client),
};

const KEY = 'HKLM\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters';
function withKeepAliveTime(milliseconds, use) {
  const reg = (...args) => execFileSync('reg.exe', args, { stdio: 'ignore' });
  reg('add', KEY, '/v', 'KeepAliveTime', '/t', 'REG_DWORD', '/d', String(milliseconds), '/f');
  try {
    return use();
  } finally {
    reg('delete', KEY, '/v', 'KeepAliveTime', '/f');
  }
}

report.deadPeer = {
  plan: setDeadPeerTimeout(client, 20_000),
  keepAlive: attempt(() => getKeepAlive(client)).value,
  userTimeouts: userTimeouts(client),
  bounds: getDeadPeerBounds(client),
  boundsByRegistry: withKeepAliveTime(300_000, () => getDeadPeerBounds(client)),
  accepted: { keepAlive: getKeepAlive(accepted), userTimeouts: userTimeouts(accepted) },
  off: setDeadPeerTimeout(client, null),
  after: { keepAlive: getKeepAlive(client), userTimeouts: userTimeouts(client) },
};

const tuning = tuneSockets({ client: { deadPeerTimeout: 30_000 } });
const tuned = net.connect(server.address().port, '127.0.0.1');
await once(tuned, 'connect');
report.tuned = { keepAlive: getKeepAlive(tuned), userTimeouts: userTimeouts(tuned) };
tuning.close();

const udp = createSocket('udp4').bind(0, '127.0.0.1');
await once(udp, 'listening');
report.tcpInfo = {
  udp: attempt(() => getTcpInfo(udp)).error,
  normalised: attempt(() => getTcpInfo(client)),
  kernel: attempt(() => getKernelTcpInfo(client)),
};

const exit = () => process.exit();
process.stdout.write(JSON.stringify(report), exit);
