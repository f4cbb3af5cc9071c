// Connections whose peer vanishes, in every state, with the times that nobody waits for in real life. They wait at the same
// time: the longest case decides how long the guest runs.

import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  connect,
  getDeadPeerBounds,
  getKernelTcpInfo,
  isSupported,
  listen,
  setDeadPeerTimeout,
  setOptions,
} from 'socket-options';
import { countLost, lose, newAddress, onPeer, setPath } from './network.mjs';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const PORT = 7_000;

/** The peer answers what it reads, and reads nothing after an 'x'. Its window is small. */
function startPeer(options) {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => {
      socket.write('.');
      if (data.includes('x')) socket.pause();
    });
  });
  onPeer(() => listen(server, options));
  setOptions(server, { recvBufferSize: 4_096 });
  return server;
}

/** How long the peer has been silent, in ms. */
function silenceOf(socket) {
  const { tcpi_last_ack_recv: ack, tcpi_last_data_recv: data } = getKernelTcpInfo(socket);
  return Math.min(ack, data);
}

async function until(condition) {
  while (!condition()) await sleep(100);
}

const answered = (socket, message) => {
  socket.write(message);
  return once(socket, 'data');
};

const roundTrip = (socket) => answered(socket, '?');

async function closeWindow(socket) {
  await answered(socket, 'x');
  socket.write(Buffer.alloc(500_000));
  // An answered probe is not counted any more, but it has doubled the pause.
  await until(() => {
    const { tcpi_probes: probes, tcpi_backoff: doublings } = getKernelTcpInfo(socket);
    return probes > 0 || doublings > 0;
  });
}

/**
 * What a connection does: what takes time, what happens immediately before its peer vanishes, and what from then on; and
 * which of its bounds holds. `isBrief`: the kernel's values would end the connection, living or not.
 */
const STATES = {
  idle: { bound: 'idle', before: roundTrip },
  'in flight': { bound: 'busy', before: roundTrip, after: (socket) => socket.write('?') },
  'writing all the time': {
    bound: 'busy',
    before: roundTrip,
    after(socket, timeout) {
      const write = () => socket.write('?');
      write();
      const timer = setInterval(write, timeout / 50);
      socket.once('close', () => clearInterval(timer));
    },
  },
  'half-closed': {
    bound: 'idle',
    async prepare(socket) {
      socket.end();
      await once(socket, 'finish');
    },
  },
  paused: {
    bound: 'idle',
    async before(socket) {
      await roundTrip(socket);
      socket.pause();
    },
  },
  'window closed for a moment': { bound: 'closedWindow', prepare: closeWindow, isBrief: true },
  // A living peer for that time.
  'window closed for an hour': {
    bound: 'closedWindow',
    async prepare(socket) {
      await closeWindow(socket);
      await sleep(HOUR);
    },
  },
};

/** The values of the kernel alone, as a program sets them. */
const VALUES = {
  'the defaults': {
    options: { keepAlive: true },
    probes: 9,
    states: ['idle', 'in flight', 'half-closed', 'window closed for an hour'],
  },
  'TCP_KEEPIDLE 60 s, TCP_KEEPINTVL 10 s, TCP_KEEPCNT 6': {
    options: {
      ...{ keepAliveInitialDelay: MINUTE, keepAliveInterval: 10 * SECOND, keepAliveCount: 6 },
      keepAlive: true,
    },
    probes: 6,
    states: ['idle', 'paused'],
  },
  'the same and TCP_USER_TIMEOUT 90 s': {
    options: {
      ...{ keepAliveInitialDelay: MINUTE, keepAliveInterval: 10 * SECOND, keepAliveCount: 6 },
      ...{ keepAlive: true, userTimeout: 90 * SECOND },
    },
    states: ['idle', 'in flight', 'window closed for a moment'],
  },
};

const TIMEOUTS = {
  'T = 20 s': 20 * SECOND,
  'T = 5 min': 5 * MINUTE,
  'T = 1 h': HOUR,
  'T = 4 h': 4 * HOUR,
};

const MPTCP_PORT = 7_001;
const MPTCP_STATES = ['idle', 'in flight', 'window closed for an hour'];

async function open(address, options = {}) {
  const socket = connect({ host: address, port: PORT, ...options });
  await once(socket, 'connect');
  return socket.setNoDelay(true);
}

function casesOfValues() {
  return Object.entries(VALUES).flatMap(([values, { options, probes, states }]) =>
    states.map((state) => ({
      name: `${values}: ${state}`,
      ...STATES[state],
      set(socket) {
        setOptions(socket, options);
        return { probes };
      },
    })),
  );
}

/** Without supervision, the probes of the plan end an idle connection. */
function casesOfPlans() {
  return Object.entries(TIMEOUTS).map(([title, timeout]) => ({
    name: `${title}, supervise: false: idle`,
    ...STATES.idle,
    set: (socket) => setDeadPeerTimeout(socket, timeout, { supervise: false }),
  }));
}

function casesOfTimeouts(states, title, options) {
  return Object.entries(TIMEOUTS).flatMap(([timeoutTitle, timeout]) =>
    states.map((state) => ({
      name: `${timeoutTitle}${title}: ${state}`,
      ...STATES[state],
      ...{ timeout, options },
      set: (socket) => void setDeadPeerTimeout(socket, timeout),
    })),
  );
}

/**
 * The path has a long retransmission timeout. Its round-trip time is short here, so a tail-loss probe comes early: a dead
 * peer may be noticed long before the bound.
 */
function casesOfSlowPaths() {
  return ['in flight', 'window closed for an hour'].map((state) => ({
    name: `T = 20 s, retransmission timeout 8 s: ${state}`,
    ...STATES[state],
    timeout: 20 * SECOND,
    path: 'rto_min 8s',
    isLoose: true,
    set: (socket) => void setDeadPeerTimeout(socket, 20 * SECOND),
  }));
}

/** The program itself sets TCP_RTO_MAX_MS after the plan. */
function casesOfRaisedMaximum() {
  if (!isSupported('retransmissionTimeoutMax')) return [];
  return ['in flight', 'window closed for an hour'].map((state) => ({
    name: `T = 20 s, TCP_RTO_MAX_MS 60 s afterwards: ${state}`,
    ...STATES[state],
    timeout: 20 * SECOND,
    set(socket) {
      setDeadPeerTimeout(socket, 20 * SECOND);
      setOptions(socket, { retransmissionTimeoutMax: MINUTE });
    },
  }));
}

/** Opens a connection and brings it into its state. */
async function begin(one) {
  const { name, bound, timeout, options, path, isLoose, set, prepare, before, after } = one;
  const address = newAddress();
  if (path !== undefined) setPath(address, path);
  const socket = await open(address, options);
  const probes = set(socket)?.probes;
  socket.resume();
  const closed = new Promise((resolve) => {
    let code = null;
    socket.on('error', (error) => {
      code = error.code;
    });
    socket.on('close', () => resolve({ code, at: performance.now() }));
  });
  await prepare?.(socket);
  return {
    address,
    before: () => before?.(socket),
    /** The time counts from the last segment of the peer, or from the write. */
    async measure() {
      if (socket.destroyed) throw new Error(`${name}: the living peer was ended`);
      const silence = bound === 'busy' ? 0 : silenceOf(socket);
      const bounds = getDeadPeerBounds(socket);
      const start = performance.now() - silence;
      after?.(socket, timeout);
      const { code, at } = await closed;
      return {
        ...{ name, code, address, measured: at - start, bound: bounds[bound], isLoose },
        probes: bound === 'idle' ? probes : undefined,
      };
    },
  };
}

function allCases() {
  const supervised = Object.keys(STATES).filter((state) => !STATES[state].isBrief);
  const mptcp = { port: MPTCP_PORT, socketOptions: { mptcp: true } };
  return [
    ...casesOfValues(),
    ...casesOfPlans(),
    ...casesOfTimeouts(supervised, ''),
    ...casesOfTimeouts(MPTCP_STATES, ', Multipath TCP', mptcp),
    ...casesOfSlowPaths(),
    ...casesOfRaisedMaximum(),
  ];
}

/** Opens the peers of all connections. */
export function startPeers() {
  startPeer({ port: PORT });
  startPeer({ port: MPTCP_PORT, socketOptions: { mptcp: true } });
}

/** An address of a peer that does not vanish. */
export const livingPeer = () => ({ host: newAddress(), port: PORT });

/** Runs one case alone. */
export async function firstVerdict() {
  const [one] = casesOfTimeouts(['idle'], '');
  const { address, before, measure } = await begin(one);
  await before();
  lose([address]);
  return measure();
}

/** Runs the matrix; returns a line for each case. */
export async function measureDeadPeers() {
  const cases = allCases();
  const begun = await Promise.all(cases.filter(({ isBrief }) => !isBrief).map(begin));
  begun.push(...(await Promise.all(cases.filter(({ isBrief }) => isBrief).map(begin))));
  await Promise.all(begun.map(({ before }) => before()));
  lose(begun.map(({ address }) => address));
  const results = await Promise.all(begun.map(({ measure }) => measure()));
  const packets = countLost();
  return results.map(({ address, ...one }) => ({ ...one, packets: packets.get(address) }));
}

/** Returns how long the kernel tries to connect to a peer that is dead, in ms. */
export async function measureConnecting() {
  const host = newAddress();
  lose([host]);
  const start = performance.now();
  const [{ code }] = await once(net.connect({ host, port: PORT }), 'error');
  if (code !== 'ETIMEDOUT') throw new Error(`connecting failed with ${code}`);
  return { measured: performance.now() - start, packets: countLost().get(host) };
}
