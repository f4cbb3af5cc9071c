// The states of a connection when its peer is lost. A state has some of these members:
// - open(cell, world): opens the connection and sets the timeout; connect() if there is none;
// - prepare(cell): what takes time before the fault;
// - before(cell), after(cell): what happens immediately before the fault and from then on;
// - canBeTuned: tuneSockets() can set the timeout, too;
// - rate: the path takes only so many bytes per second;
// - bound: the bound of the plan that applies, if it is longer than the timeout;
// - isLostFirst: the fault comes first, as while connecting.

import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { getTcpInfo } from '../../../dist/index.js';
import {
  closeWindow,
  fillBuffers,
  keepUploading,
  keepWriting,
  until,
  untilState,
  upload,
  WRITE,
  write,
} from './activities.mjs';
import {
  accept,
  beginHandshake,
  beginToConnect,
  connect,
  connectSecurely,
  connectUntuned,
  lookupOf,
  request,
  setTimeoutOf,
} from './connections.mjs';
import { portOf } from './manners.mjs';

const opens = (options) => ({ canBeTuned: true, open: (cell) => connect(cell, options) });

function writer(interval, { noDelay, uploads }) {
  return {
    ...opens(),
    async prepare(cell) {
      cell.socket.resume().setNoDelay(noDelay);
      if (uploads) await upload(cell);
      keepWriting(cell, interval);
      await sleep(1_000);
    },
  };
}

const PACES = [10, 30, 100, 200, 1_000];
const WRITERS = PACES.flatMap((interval) =>
  [false, true].flatMap((uploads) =>
    [false, true].map((noDelay) => [
      `writes every ${interval} ms${noDelay ? ', no delay' : ''}${uploads ? ', after an upload' : ''}`,
      writer(interval, { noDelay, uploads }),
    ]),
  ),
);

/** Writes while keepalive is probing. */
const OFFSETS = Array.from({ length: 12 }, (_, index) => (index + 1) / 13);
const MID_PROBE = OFFSETS.map((share) => [
  `writes at ${Math.round(share * 100)} % of the timeout`,
  {
    ...opens(),
    after(cell) {
      const timer = setTimeout(write, share * cell.timeout, cell);
      cell.socket.once('close', () => clearTimeout(timer));
    },
  },
]);

/** The timeout is set while the peer is silent already, with or without data in flight. */
const lateCall = (share, writes) => ({
  async open(cell) {
    cell.watch(await connectUntuned(cell));
  },
  async after(cell) {
    if (writes) write(cell);
    await sleep(share * cell.timeout);
    if (cell.told === null) setTimeoutOf(cell, cell.socket);
  },
});
const LATE_CALLS = [
  ...[0.2, 0.4, 0.6, 0.9].map((share) => [
    `called after ${Math.round(share * 100)} % of the timeout`,
    lateCall(share, false),
  ]),
  ...[0.6, 1.5].map((share) => [
    `called after ${Math.round(share * 100)} % of the timeout, data in flight`,
    lateCall(share, true),
  ]),
];

/** The retransmission timer runs already when the timeout is set. */
const WRITTEN_BEFORE = {
  async open(cell) {
    const socket = await connectUntuned(cell);
    socket.resume().write(WRITE);
    setTimeoutOf(cell, socket);
  },
  settles: false,
};

/** The pause between two window probes has grown to 26 s when the timeout is set. */
const CLOSED_BEFORE = {
  bound: 'closedWindow',
  async open(cell) {
    cell.watch(await connectUntuned(cell, { manner: 'never reads' }));
    await closeWindow(cell);
    await sleep(30_000);
    setTimeoutOf(cell, cell.socket);
  },
};

/** A library that sets its own keepalive. */
const CORE_KEEPALIVE = [[false], [true, 60_000]].map((args) => [
  `idle, setKeepAlive(${args.join(', ')}) of core`,
  {
    canBeTuned: true,
    async open(cell) {
      (await connect(cell)).resume().setKeepAlive(...args);
    },
  },
]);

/** States of every connection over TCP or TLS. `open` is connect() or connectSecurely(). */
function statesOver(open, common) {
  const over = (options) => ({ ...common, open: (cell) => open(cell, options) });
  const flowing = { ...common, open: async (cell) => void (await open(cell)).resume() };
  const halfOpen = { manner: 'ends', allowHalfOpen: true };
  return {
    idle: flowing,
    'one write before': { ...flowing, before: write },
    'one write after': { ...flowing, after: write },
    'upload running': {
      ...flowing,
      rate: 100_000,
      prepare: async (cell) => {
        keepUploading(cell);
        await sleep(1_000 + 3 * cell.rtt);
      },
    },
    'closed window': {
      ...over({ manner: 'never reads' }),
      prepare: closeWindow,
      bound: 'closedWindow',
    },
    'not read': { ...over({ manner: 'floods' }), prepare: fillBuffers },
    paused: { ...over(), before: ({ socket }) => socket.pause() },
    'paused with unread data': {
      ...over({ manner: 'greets' }),
      prepare: (cell) => until(cell, () => getTcpInfo(cell.socket).bytesReceived > 0),
    },
    'CLOSE-WAIT, read': {
      ...over(halfOpen),
      async prepare(cell) {
        const ended = once(cell.socket.resume(), 'end');
        await Promise.race([ended, once(cell.socket, 'close')]);
      },
    },
    'CLOSE-WAIT, writes every 1000 ms': {
      ...over(halfOpen),
      async prepare(cell) {
        cell.socket.resume();
        await untilState('CLOSE-WAIT')(cell);
        keepWriting(cell, 1_000);
      },
    },
    'CLOSE-WAIT, unread': { ...over(halfOpen), prepare: untilState('CLOSE-WAIT') },
    'FIN-WAIT-2': {
      ...flowing,
      async prepare(cell) {
        cell.socket.end();
        await untilState('FIN-WAIT-2')(cell);
      },
    },
    'FIN-WAIT-1': { ...flowing, after: ({ socket }) => socket.end() },
  };
}

const withPrefix = (prefix, states) =>
  Object.fromEntries(Object.entries(states).map(([name, state]) => [`${prefix}${name}`, state]));

const SERVER_STATES = {
  'accepted, idle': { open: async (cell, world) => void (await accept(cell, world)).resume() },
  pauseOnConnect: { open: (cell, world) => accept(cell, world, { pauseOnConnect: true }) },
};

const CONNECTING = {
  connecting: {
    canBeTuned: true,
    isLostFirst: true,
    open: async (cell) => void beginToConnect(cell),
  },
  'connecting, three addresses': {
    canBeTuned: true,
    isLostFirst: true,
    addresses: 3,
    open: async (cell) => void beginToConnect(cell, { lookup: lookupOf(cell.flows, cell.link) }),
  },
};

const HANDSHAKES = {
  /** The peer's system answers, its program does not. Then the peer is lost. */
  'TLS handshake, unanswered': {
    open: (cell) => beginHandshake(cell, portOf('reads')),
    prepare: (cell) => until(cell, () => getTcpInfo(cell.socket).unackedSegments === 0),
  },
  /** The peer is lost while our first message is on its way. */
  'TLS handshake, cut': {
    settles: false,
    open: (cell) => beginHandshake(cell, portOf('reads', true)),
  },
};

const HTTP = {
  'http agent, idle': {
    async open(cell) {
      const { sent } = await request(cell, '/idle');
      const [response] = await once(sent, 'response');
      await once(response.resume(), 'end');
    },
  },
  'http agent, busy': { open: (cell) => request(cell, '/busy') },
};

const overTls = { canBeTuned: false, open: (cell) => connectSecurely(cell) };

export const STATES = {
  ...CONNECTING,
  ...statesOver(connect, { canBeTuned: true }),
  ...Object.fromEntries(WRITERS),
  ...Object.fromEntries(MID_PROBE),
  ...Object.fromEntries(LATE_CALLS),
  'one write, then the call': WRITTEN_BEFORE,
  'closed window for 30 s, then the call': CLOSED_BEFORE,
  ...Object.fromEntries(CORE_KEEPALIVE),
  'closed window for 3 T': {
    ...opens({ manner: 'never reads' }),
    bound: 'closedWindow',
    async prepare(cell) {
      await closeWindow(cell);
      await sleep(3 * cell.timeout);
    },
  },
  ...SERVER_STATES,
  ...withPrefix('TLS, ', statesOver(connectSecurely)),
  'TLS, writes every 100 ms': {
    ...writer(100, { noDelay: false, uploads: false }),
    ...overTls,
  },
  'TLS, writes every 30 ms, after an upload': {
    ...writer(30, { noDelay: true, uploads: true }),
    ...overTls,
  },
  ...HANDSHAKES,
  ...HTTP,
};
