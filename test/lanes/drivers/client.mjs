// Runs one driver in its own process, with a connection for each case. stage.mjs controls it.

import { createHook } from 'node:async_hooks';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEAD, now, SERVER } from './address.mjs';
import { DRIVERS } from './drivers.mjs';

// Below net.Socket, so that this hook cannot be the reason why tuning works.
const handles = new Set();
createHook({
  init: (_id, type, _trigger, resource) => type === 'TCPWRAP' && handles.add(resource),
}).enable();

const { name, mode, bound, timeout, cases: CASES } = JSON.parse(process.argv[2]);
/** The driver's own options, as the page shows them. */
const options = bound && new Function(`return { ${bound} };`)();
const untunable = [];
if (mode !== 'untuned') {
  const { tuneSockets } = await import('../../../dist/index.js');
  tuneSockets({
    client: { deadPeerTimeout: timeout },
    onError: (error) => untunable.push(error.message),
  });
}

const require = createRequire(import.meta.url);
const referenceAddon = require('../../support/reference-addon/build/Release/reference_addon.node');
const TCP = 6;
const OPTIONS = {
  keepAlive: [1, 9, 1],
  keepAliveInitialDelay: [TCP, 4, 1_000],
  keepAliveInterval: [TCP, 5, 1_000],
  keepAliveCount: [TCP, 6, 1],
  userTimeout: [TCP, 18, 1],
};

/** The kernel's values, read without the package. */
function held({ _handle }) {
  const value = Buffer.alloc(4);
  const entries = Object.entries(OPTIONS).map(([option, [level, number, unit]]) => {
    referenceAddon.get(_handle.fd, level, number, value);
    return [option, value.readInt32LE() * unit];
  });
  return Object.fromEntries(entries);
}

/** All connections of this process to the servers, including unreferenced ones. */
function connections() {
  return [...handles].map(ownerOf).filter((socket) => socket?.remoteAddress === SERVER);
}

/** Node keeps the socket of a handle under a private symbol. */
function ownerOf(handle) {
  const symbol = Object.getOwnPropertySymbols(handle).find(
    ({ description }) => description === 'owner_symbol',
  );
  return handle[symbol];
}

const watched = [];

/** Records when a driver first emits each event. */
const teller = (told) => (event) => (error) => {
  if (told.some((one) => one.by === event)) return;
  told.push({ by: event, at: now(), code: error?.code ?? null });
};

/** What an error shows to a program: its code, its own name, or the first words of its message. */
function reasonOf(error) {
  const { code, cause, name: type, message } = error ?? {};
  const ownName = type === 'Error' ? undefined : type;
  return code ?? cause?.code ?? ownName ?? /^[^:\n]*/.exec(message ?? `${error}`)[0];
}

function watchRequest(one, request) {
  one.asked = true;
  // Some drivers throw, others reject.
  Promise.resolve()
    .then(request)
    .then(
      () => Object.assign(one, { answered: true }),
      (error) => {
        one.failed = { by: 'request', at: now(), code: reasonOf(error) };
      },
    );
}

let connect;

async function open() {
  connect = await DRIVERS[name](options);
  for (const [index, { state }] of CASES.entries()) {
    const before = new Set(connections());
    const told = [];
    const driver = await connect(teller(told), index, SERVER);
    await driver.ask();
    const made = connections().filter((socket) => !before.has(socket));
    if (made.length !== 1) throw new Error(`${name}: ${made.length} connections for ${state}`);
    const [socket] = made;
    const ports = `${socket.localPort} ${socket.remotePort}`;
    watched.push({ state, driver, socket, told, ports });
  }
  return watched.map(({ ports }) => ports);
}

/** The last answer of the peer, so that all connections are silent equally long when it falls silent. */
async function freshen() {
  const asked = watched.map(async (one) => {
    await one.driver.ask();
    one.answeredAt = now();
  });
  await Promise.all(asked);
  for (const one of watched) {
    if (one.state === 'busy' && one.driver.wait) watchRequest(one, one.driver.wait);
    one.held = held(one.socket);
  }
  const made = connections().length;
  if (made !== watched.length) throw new Error(`${name}: ${made} connections`);
}

function silent(at) {
  for (const [index, { after, afterAnswer }] of CASES.entries()) {
    const one = watched[index];
    const begin = afterAnswer === undefined ? at + after : one.answeredAt + afterAnswer;
    if (after === null || one.asked) continue;
    setTimeout(() => watchRequest(one, one.driver.ask), Math.max(0, begin - now()));
  }
}

/** A new client of an address that does not answer. Returns when it tries the address. */
async function connectToDead() {
  const before = new Set(handles);
  const told = [];
  dead = { begin: now(), told };
  watchRequest(dead, async () => (await connect(teller(told), CASES.length, DEAD)).ask());
  const made = () => [...handles].filter((handle) => !before.has(handle)).map(ownerOf);
  let socket;
  while (socket === undefined) {
    await sleep(5);
    socket = made().find((one) => one?.connecting);
  }
  // A driver may remove the listeners of others.
  const timer = setInterval(() => {
    if (!socket.destroyed) return;
    clearInterval(timer);
    dead.attempt = { by: 'close', at: now(), code: socket.errored?.code ?? null };
  }, 10);
}

let dead;

function report() {
  return {
    untunable,
    dead,
    cases: watched.map(({ driver, socket, ...one }) => ({
      ...one,
      code: socket.errored?.code ?? null,
    })),
  };
}

const ORDERS = { open, connectToDead, freshen, silent, report };

// Some drivers also reject an internal promise that they do not await.
process.on('unhandledRejection', () => {});
process.on('message', async ([order, ...args]) => {
  try {
    process.send({ result: await ORDERS[order](...args) });
  } catch (error) {
    process.send({ error: error.stack ?? String(error) });
  }
});
