// Calls every public function with hostile arguments: objects that throw, that change between two reads, or that close
// sockets, call back or detach memory while they are read; forged and resizable typed arrays; closed sockets and other
// objects. The only allowed outcome is a checked error: no crash, no endless loop, no open descriptor, no changed option
// of another socket, and later calls work. Runs in a network namespace.
import { deepStrictEqual, ok, strictEqual } from 'node:assert';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import { Duplex } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { fuzz } from './target.mjs';

const require = createRequire(import.meta.url);
const socketOptions = require('../../../dist/index.js');
const heartbeat = require('../../../dist/heartbeat.js');
const referenceAddon = require('../../support/reference-addon/build/Release/reference_addon.node');

/** The error that hostile arguments throw. */
class Hostile extends Error {}

// ------------------------------------------------------------------ what must not change
const server = net.createServer();
await once(server.listen(0, '127.0.0.1'), 'listening');
const { port } = server.address();

async function connected() {
  const client = net.connect(port, '127.0.0.1').on('error', () => {});
  const [[accepted]] = await Promise.all([once(server, 'connection'), once(client, 'connect')]);
  accepted.on('error', () => {});
  return [client, accepted];
}

/** For the clients of connect(): `server` reports those of connected() only. */
const sink = net.createServer((socket) => socket.on('error', () => {}).resume());
await once(sink.listen(0, '127.0.0.1'), 'listening');

const [innocent] = await connected();
socketOptions.setOptions(innocent, { userTimeout: 12_345 });

/** Options (level and number) that change by themselves, or whose read has an effect. */
const UNSTEADY = [
  '1/4',
  '1/26',
  '1/49',
  '1/55',
  '1/77',
  '6/11',
  '6/12',
  '6/24',
  '6/26',
  '6/35',
  '6/41',
];

function snapshot(fd) {
  const values = {};
  for (const [level, last] of [
    [0, 60],
    [1, 90],
    [6, 50],
  ]) {
    for (let name = 1; name <= last; name++) {
      const key = `${level}/${name}`;
      if (UNSTEADY.includes(key)) continue;
      const buffer = Buffer.alloc(16);
      values[key] = [referenceAddon.get(fd, level, name, buffer), buffer.toString('hex')].join(' ');
    }
  }
  return values;
}
const before = [innocent, server].map(({ _handle }) => snapshot(_handle.fd));

const descriptors = () => readdirSync('/proc/self/fd').map(Number);
function describe(fd) {
  try {
    return `${fd} -> ${readlinkSync(`/proc/self/fd/${fd}`)}`;
  } catch {
    return `${fd}`;
  }
}

// ------------------------------------------------------------------ hostile values
const strangers = [
  ...[undefined, null, true, false, 0, -0, 1, -1, 1.5, 2, Number.NaN, Infinity, -Infinity],
  ...[2 ** 31 - 1, -(2 ** 31), 2 ** 31, 2 ** 32, 2 ** 53, 1e300, 5e-324, 1n, -1n, 2n ** 64n],
  ...['', '1', 'system', '\0', 'noDelay', '__proto__', 'constructor', 'x'.repeat(5_000)],
  ...[Symbol('s'), Symbol.iterator, Object(1), Object('x'), Object(1n), Object(Symbol('s'))],
  ...[/x/, new Date(Number.NaN), new Map(), new Set([1]), new WeakMap(), Promise.resolve(true)],
  ...[() => 1, function* () {}, async () => true, Math, globalThis, new Error('x')],
];

/** Objects with hostile conversions to numbers and strings. */
const coerced = (act) => [
  { valueOf: () => act() ?? 1 },
  { toString: () => act() ?? 'noDelay' },
  { [Symbol.toPrimitive]: () => act() ?? 1 },
  { [Symbol.toPrimitive]: 1 },
  {
    // biome-ignore lint/suspicious/noThenProperty: hostile.
    get then() {
      return act();
    },
  },
  { __proto__: null },
];

class Subclass extends Uint8Array {
  static get [Symbol.species]() {
    return Array;
  }
}

/** Typed arrays with forged properties. */
function forgedBytes(random, act) {
  const real = new Uint8Array([1, 0, 0, 0]);
  const resizable = new ArrayBuffer(8, { maxByteLength: 64 });
  const detached = new Uint8Array(8);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  const lying = (name, value) =>
    Object.defineProperty(new Uint8Array(4), name, {
      get() {
        act();
        return value;
      },
    });
  return random.pick([
    () => Object.create(Uint8Array.prototype),
    () => Object.setPrototypeOf({ length: 4, 0: 1, byteLength: 4 }, Uint8Array.prototype),
    () => lying('length', random.pick([0, -1, 2 ** 31, 2 ** 53, Number.NaN, 20_000])),
    () => lying('byteLength', 2 ** 40),
    () => lying('byteOffset', -8),
    () => lying('buffer', new ArrayBuffer(0)),
    () => lying('constructor', Array),
    () => Object.setPrototypeOf(new Uint8Array(4), null),
    () => Object.setPrototypeOf(new Float64Array(4), Uint8Array.prototype),
    () => new Proxy(real, {}),
    () => new Subclass(4),
    () => detached,
    () => new Uint8Array(resizable),
    () => {
      const view = new Uint8Array(resizable, 4, 4);
      resizable.resize(random.pick([0, 2, 64]));
      return view;
    },
    () => new Uint8Array(new SharedArrayBuffer(8)),
    () => new Uint8Array(random.pick([0, 1, 3, 5, 16_340, 16_357, 70_000])),
    () => new Int8Array(4),
    () => new DataView(new ArrayBuffer(4)),
    () => Buffer.from('reno'),
  ])();
}

/** An object that looks like `value`, and acts when it is read. */
function watched(random, value, act, depth) {
  const target = Array.isArray(value) ? [] : {};
  for (const [name, member] of Object.entries(value)) {
    if (random.oneIn(2)) target[name] = member;
    else {
      const other = random.oneIn(2) ? member : hostile(random, member, act, depth + 1);
      let reads = 0;
      Object.defineProperty(target, name, {
        enumerable: true,
        configurable: true,
        get() {
          act();
          return reads++ === 0 ? member : other;
        },
      });
    }
  }
  return target;
}

function proxied(random, value, act) {
  const trap = random.pick(['get', 'has', 'ownKeys', 'getOwnPropertyDescriptor', 'getPrototypeOf']);
  let left = random.below(6);
  const lie = random.pick(strangers);
  return new Proxy(value, {
    [trap](...args) {
      if (left-- > 0) return Reflect[trap](...args);
      act();
      // Streams, servers and signals keep their methods, and arrays their iterator. A `then` that does nothing would
      // never settle a promise. Such faults of the engine are the caller's own.
      const kept = ['length', 'then'].includes(args[1]) || typeof args[1] === 'symbol';
      const methods = [Duplex, net.Server, AbortSignal].some((one) => value instanceof one);
      const mayLie = trap === 'get' && !kept && !methods;
      if (mayLie && random.oneIn(2)) return lie;
      return Reflect[trap](...args);
    },
  });
}

function revoked() {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function hostile(random, value, act, depth = 0) {
  const isObject = typeof value === 'object' && value !== null;
  const isStream = value instanceof Duplex;
  if (isObject && !isStream && depth < 3 && random.oneIn(2)) {
    // The same with one member replaced.
    const keys = Object.keys(value);
    if (keys.length > 0 && !ArrayBuffer.isView(value)) {
      const copy = Array.isArray(value) ? [...value] : { ...value };
      const key = random.pick(keys);
      copy[key] = hostile(random, copy[key], act, depth + 1);
      if (random.oneIn(8)) copy[random.pick(['extra', '__proto__', 'then', '0'])] = 1;
      return copy;
    }
  }
  switch (random.below(7)) {
    case 0:
      return isObject && !isStream ? watched(random, value, act, depth) : random.pick(strangers);
    case 1:
      return isObject ? proxied(random, value, act) : random.pick(strangers);
    case 2:
      return random.pick(coerced(act));
    case 3:
      return forgedBytes(random, act);
    case 4:
      return random.oneIn(3) ? revoked() : random.pick(strangers);
    case 5:
      return value;
    default:
      return random.pick(strangers);
  }
}

// ------------------------------------------------------------------ valid arguments
const optionNames = socketOptions.supportedOptions();
const callbacks = (act) => [
  () => act(),
  () => true,
  () => false,
  async () => true,
  async () => {
    throw new Hostile('rejected');
  },
  () => {
    throw new Hostile('thrown');
  },
  // biome-ignore lint/suspicious/noThenProperty: hostile.
  () => ({ then: () => act() }),
  () => Symbol('s'),
];

const fields = ['rtt', 'state', 'bytesSent', 'retransmissions'].slice(0, 3);
const filterOf = (s) => ({
  port,
  tcpInfo: true,
  state: ['ESTABLISHED'],
  localAddress: '127.0.0.1',
  ...s,
});

/** Valid arguments for each function; `fixture` has the sockets, `r` is random. */
const functions = {
  getOption: (s, r) => [s.socket(), r.pick(optionNames)],
  getOptions: (s, r) => [s.socket(), [r.pick(optionNames), 'noDelay']],
  setOptions: (s) => [s.socket(), { noDelay: true, userTimeout: 1_000, congestionControl: 'reno' }],
  getKeepAlive: (s) => [s.socket()],
  setKeepAlive: (s) => [
    s.socket(),
    { enable: true, initialDelay: 5_000, interval: 1_000, count: 3 },
  ],
  // Not SO_LINGER (1/13): close(2) may take that long.
  getRawOption: (s, r) => [
    s.socket(),
    r.pick([0, 1, 6, 41]),
    r.below(60),
    r.pick([undefined, 4, 64]),
  ],
  setRawOption: (s, r) => [s.socket(), r.pick([0, 6, 41]), r.below(60), r.pick([1, r.bytes(8)])],
  isSupported: (_, r) => [r.pick(optionNames)],
  supportedOptions: () => [],
  isReusable: (s) => [s.socket()],
  getSysctl: () => ['net.ipv4.tcp_retries2'],
  getSystemDefaults: () => [],
  getMptcpInfo: (s) => [s.socket()],
  getTcpInfo: (s) => [s.socket()],
  getKernelTcpInfo: (s) => [s.socket(), { details: true }],
  readTcpInfos: (s) => [[s.socket(), s.client, s.accepted], fields, s.columns()],
  readTcpInfosAsync: (s) => [[s.socket(), s.client, { fd: s.fd }], fields, s.columns()],
  listConnections: () => [filterOf()],
  listConnectionsAsync: () => [filterOf({ ownProcess: true })],
  diagnoseConnections: () => [filterOf()],
  destroyConnection: (s) => [s.connection()],
  watchClosedConnections: () => [{ limit: 16, filter: { port, family: 'IPv4' } }],
  setDeadPeerTimeout: (s) => [s.socket(), 20_000, { minProbes: 3, zeroWindow: 'tolerate' }],
  planDeadPeerTimeout: (_, r) => [
    r.pick([20_000, 4_000, 1_910, 120_000]),
    { platform: r.pick(['linux', 'darwin', 'win32', 'freebsd']), minProbes: 1 + r.below(5) },
  ],
  getDeadPeerBounds: (s) => [s.socket()],
  explainDisconnect: (s) => [
    Object.assign(new AggregateError([new Error('x')], 'x', { cause: { code: 'ETIMEDOUT' } }), {
      code: 'ETIMEDOUT',
    }),
    s.socket(),
  ],
  tuneSockets: (s, r) => [
    {
      client: { noDelay: true, deadPeerTimeout: 20_000 },
      server: { keepAlive: true },
      filter: r.pick(callbacks(s.act)),
      onError: r.pick(callbacks(s.act)),
    },
  ],
  // Only the arguments that are this package's own: Node would close a descriptor that a proxy makes up for `fd`.
  connect: () => [{ noDelay: true, recvBufferSize: 50_000, mark: 7 }, 20_000, 5_000],
  listen: () => [{ reusePort: true, recvBufferSize: 50_000, mptcp: true }, 20_000],
  bind: (_, r) => [{ reusePort: true, recvBufferSize: 50_000 }, r.pick(['udp4', 'udp6'])],
  openSocket: (_, r) => [
    { type: r.pick(['tcp4', 'tcp6', 'mptcp4', 'udp6']), socketOptions: { mark: 7, dscp: 46 } },
  ],
  TcpInfoReader: (s) => [s.socket()],
  Heartbeat: (s, r) => [
    s.socket(),
    {
      interval: 50,
      timeout: 100,
      send: r.pick([...callbacks(s.act), 'ping', Buffer.from('ping')]),
      isAlive: r.pick([...callbacks(s.act), false]),
      onDead: r.pick(callbacks(s.act)),
      signal: r.pick([undefined, new AbortController().signal, AbortSignal.abort()]),
    },
  ],
  PeerRegistry: (s, r) => [
    { limit: 1 + r.below(2), policy: r.pick(['supersede', 'refuse', ...callbacks(s.act)]) },
    r.pick(['a', 1, 1n]),
    s.socket(),
  ],
};

const isClass = ['SocketOptionError', 'HeartbeatTimeoutError', 'PeerSupersededError'];
for (const [name, value] of [...Object.entries(socketOptions), ...Object.entries(heartbeat)]) {
  if (typeof value === 'function' && !isClass.includes(name)) ok(name in functions, `no ${name}`);
}

function callOnce(close) {
  let isDone = false;
  return () => {
    if (!isDone) close();
    isDone = true;
  };
}

/** Calls a function; the end of the case closes what it opened. */
function call(name, args, fixture) {
  switch (name) {
    case 'TcpInfoReader': {
      const reader = new socketOptions.TcpInfoReader();
      reader.read(...args);
      return [reader.rtt, reader.state];
    }
    case 'Heartbeat': {
      const beating = new heartbeat.Heartbeat(...args);
      fixture.opened.push(beating);
      beating.beat();
      beating.answer();
      return [beating.silence, beating.rtt];
    }
    case 'PeerRegistry': {
      const [options, identity, socket] = args;
      const registry = new heartbeat.PeerRegistry(options);
      registry.claim('first', fixture.accepted);
      registry.claim(identity, fixture.client);
      registry.claim(identity, socket);
      registry.get(identity);
      registry.identityOf(socket);
      registry.counts();
      registry.release(socket);
      registry.clear();
      return registry.size;
    }
    case 'tuneSockets':
    case 'watchClosedConnections': {
      const opened = socketOptions[name](...args);
      opened.on?.('error', (error) => fixture.errors.push(error));
      fixture.opened.push(opened);
      return undefined;
    }
    case 'connect': {
      const [options, deadPeerTimeout, connectTimeout] = args;
      const client = socketOptions.connect({
        ...{ host: '127.0.0.1', port: sink.address().port },
        ...{ socketOptions: options, deadPeerTimeout, connectTimeout },
      });
      client.on('error', (error) => fixture.errors.push(error));
      fixture.opened.push({ close: () => client.destroy() });
      return undefined;
    }
    case 'listen': {
      const [options, deadPeerTimeout] = args;
      const listening = net.createServer().on('error', (error) => fixture.errors.push(error));
      fixture.opened.push(listening);
      const place = { host: '127.0.0.1', port: 0 };
      socketOptions.listen(listening, { ...place, socketOptions: options, deadPeerTimeout });
      return undefined;
    }
    case 'bind': {
      const [options, type] = args;
      const datagrams = dgram.createSocket(type === 'udp6' ? type : 'udp4');
      datagrams.on('error', (error) => fixture.errors.push(error));
      fixture.opened.push({ close: callOnce(() => datagrams.close()) });
      socketOptions.bind(datagrams, { port: 0, socketOptions: options });
      return undefined;
    }
    case 'openSocket': {
      const fd = socketOptions.openSocket(...args);
      fixture.opened.push({ close: callOnce(() => referenceAddon.close(fd)) });
      return undefined;
    }
    default:
      return socketOptions[name](...args);
  }
}

const CODES = [
  ...['ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_VALUE', 'ERR_OUT_OF_RANGE'],
  ...['ERR_INVALID_RETURN_VALUE', 'ERR_INVALID_STATE'],
  // Of Node: a getter has closed the datagram socket.
  'ERR_SOCKET_DGRAM_NOT_RUNNING',
];

/**
 * Allowed errors: those of the package, those that arguments threw, and those of the engine about proxies (also about
 * one around a handle of Node, whose getters reject it).
 */
function isChecked(error) {
  if (error instanceof Hostile || error instanceof socketOptions.SocketOptionError) return true;
  if (CODES.includes(error?.code)) return true;
  return error instanceof TypeError && /proxy|revoked|Illegal invocation/i.test(error.message);
}

// ------------------------------------------------------------------ the sockets of a case
function makeFixture(random, [client, accepted]) {
  const fixture = {
    client,
    accepted,
    fd: client._handle.fd,
    opened: [],
    errors: [],
    depth: 0,
    socket: () =>
      random.pick([
        ...[client, client, client, accepted, { fd: client._handle?.fd ?? -1 }, client._handle?.fd],
        ...[{ _handle: client._handle }, new Duplex({ read() {}, write() {} }), new net.Socket()],
        ...[{ _handle: { fd: -1 } }, { fd: 1_000_000 }, net.createServer(), { socket: client }],
      ]),
    columns: () =>
      random.oneIn(2)
        ? undefined
        : {
            errno: new Int32Array(3),
            ...Object.fromEntries(fields.map((f) => [f, new Float64Array(3)])),
          },
    connection: () =>
      socketOptions.listConnections({ localPort: client.localPort ?? 1 })[0] ?? {
        family: 'IPv4',
        cookie: '1',
      },
    act() {
      if (fixture.depth > 2) return undefined;
      fixture.depth++;
      try {
        return random.pick(effects)(fixture, random);
      } finally {
        fixture.depth--;
      }
    },
  };
  return fixture;
}

/** What a hostile argument does while it is read. */
const effects = [
  () => undefined,
  () => {
    throw new Hostile('read');
  },
  ({ client }) => void client.destroy(),
  ({ accepted }) => void accepted.resetAndDestroy(),
  ({ opened }) => {
    try {
      opened.at(-1)?.close();
    } catch {}
  },
  (fixture, random) => {
    const name = random.pick(Object.keys(functions));
    try {
      const result = call(name, functions[name](fixture, random), fixture);
      if (result instanceof Promise) result.catch(() => {});
    } catch (error) {
      if (!isChecked(error)) throw error;
    }
  },
  ({ client }) => void socketOptions.readTcpInfos(Array(300).fill(client)),
  ({ client }) => {
    try {
      socketOptions.setOptions(client, { userTimeout: 5_000, noDelay: false });
    } catch {}
  },
  (_, random) => void (random.oneIn(20) && globalThis.gc()),
];

const uncaught = [];
process.on('uncaughtException', (error) => {
  if (!(error instanceof Hostile)) uncaught.push(error);
});
process.on('unhandledRejection', (error) => {
  if (!(error instanceof Hostile)) uncaught.push(error);
});
process.on('warning', () => {});

async function settled(promise) {
  const late = Symbol('late');
  const timer = wait(15_000, late, { ref: true });
  const result = await Promise.race([promise, timer]);
  ok(result !== late, 'a promise is never settled');
  return result;
}

async function closed(socket) {
  if (socket.destroyed && socket._handle === null) return;
  const over = once(socket, 'close').catch(() => {});
  socket.destroy();
  if (!socket.closed) await settled(over);
}

/** A worker that reads and watches, and is terminated meanwhile. */
async function endWorker(random, fd) {
  const code = `
    const { workerData } = require('node:worker_threads');
    const socketOptions = require(workerData.path);
    const watch = socketOptions.watchClosedConnections();
    watch.on('closed', () => {});
    const shared = new Float64Array(new SharedArrayBuffer(8 * 600));
    const go = () => socketOptions.readTcpInfosAsync(Array(600).fill({ fd: workerData.fd })).then(go, go);
    go();
    socketOptions.listConnectionsAsync({ owners: true }).catch(() => {});
    require('node:worker_threads').parentPort.postMessage('ready');
  `;
  const path = require.resolve('../../../dist/index.js');
  const worker = new Worker(code, { eval: true, workerData: { path, fd } });
  await settled(once(worker, 'message'));
  if (random.oneIn(2)) await wait(random.below(10));
  await settled(worker.terminate());
}

let baseline;

async function checkAfter() {
  if (uncaught.length > 0) throw uncaught[0];
  [innocent, server].forEach(({ _handle }, index) => {
    deepStrictEqual(snapshot(_handle.fd), before[index], 'another socket was changed');
  });
  strictEqual(socketOptions.getOption(innocent, 'userTimeout'), 12_345);
  strictEqual(socketOptions.getTcpInfo(innocent).state, 'ESTABLISHED');
  strictEqual(socketOptions.readTcpInfos([innocent], ['mss']).errno[0], 0);
  for (let tries = 0; ; tries++) {
    const open = descriptors();
    baseline ??= open.length;
    if (open.length <= baseline) return;
    ok(tries < 500, `descriptors were left open: ${open.map(describe).join(', ')}`);
    await wait(10);
  }
}

const CALLS = 12;

async function runCase(random, note) {
  const fixture = makeFixture(random, await connected());
  const names = [];
  const pending = [];
  for (let i = 0; i < CALLS; i++) {
    const name = random.pick(Object.keys(functions));
    names.push(name);
    note(names.join(' '));
    try {
      const args = functions[name](fixture, random);
      const at = random.below(args.length);
      if (args.length > 0) args[at] = hostile(random, args[at], fixture.act);
      if (args.length > 1 && random.oneIn(3)) args[0] = hostile(random, args[0], fixture.act);
      const result = call(name, args, fixture);
      if (result instanceof Promise) {
        pending.push(
          result.then(
            () => {},
            (error) => {
              if (!isChecked(error)) throw error;
            },
          ),
        );
      } else if (args[2] === undefined || name !== 'readTcpInfos') JSON.stringify(result);
    } catch (error) {
      if (!isChecked(error)) throw error;
    }
  }
  if (random.oneIn(150)) await endWorker(random, fixture.fd);
  await settled(Promise.all(pending));
  if (random.oneIn(20)) await wait(110);
  for (const opened of fixture.opened) {
    // A call may touch a socket that is a hostile proxy.
    try {
      opened.close();
    } catch (error) {
      if (!isChecked(error)) throw error;
    }
  }
  await closed(fixture.client);
  await closed(fixture.accepted);
  await checkAfter();
  return CALLS;
}

await fuzz(runCase);
