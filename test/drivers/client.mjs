// What drivers make of a server that falls silent: each with a request that waits for its answer, and
// with one that is written afterwards. Run by stage.mjs, with sockets tuned or not.

import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { tuneSockets } from '../../dist/index.js';
import { now, OWN_PORTS, PORTS, SERVER } from './address.mjs';
import { WAIT } from './grpc.mjs';

const [timeout, cap] = process.argv.slice(2).map(Number);

/** The sockets that were opened, in their order: seen by the method that all ways to connect call. */
const opened = [];
const { connect } = net.Socket.prototype;
net.Socket.prototype.connect = function (...args) {
  if (!opened.includes(this)) opened.push(this);
  return Reflect.apply(connect, this, args);
};
// Before any driver is loaded, and all that is done.
if (timeout > 0) tuneSockets({ client: { deadPeerTimeout: timeout } });

const { default: pg } = await import('pg');
const { default: postgres } = await import('postgres');
const { Redis } = await import('ioredis');
const { createClient } = await import('redis');
const { createConnection } = await import('mysql2/promise');
const { default: mqtt } = await import('mqtt');
const undici = await import('undici');
const grpc = await import('@grpc/grpc-js');
const { WebSocket } = await import('ws');

/** The first of some events: what a driver says by itself. */
const heard = (emitter, ...events) =>
  new Promise((resolve) => {
    for (const event of events) {
      emitter.on(event, (error) => resolve(error?.code ?? error?.message ?? event));
    }
  });

async function bodyOf(url, agent) {
  const [response] = await once(http.get(url, { agent }), 'response');
  const [text] = await once(response.setEncoding('utf8'), 'data');
  return text;
}

/** Each opens its connection, and gives: a request that waits, one that is answered, what it says by itself. */
const DRIVERS = {
  async pg() {
    const client = new pg.Client({ host: SERVER, port: PORTS.postgres, user: 'postgres' });
    const says = heard(client, 'error', 'end');
    await client.connect();
    return {
      says,
      wait: () => client.query('select pg_sleep(300)'),
      ask: () => client.query('select 1'),
    };
  },
  async 'postgres.js'() {
    const sql = postgres({ host: SERVER, port: PORTS.postgres, user: 'postgres', max: 1 });
    await sql`select 1`;
    return { wait: () => sql`select pg_sleep(300)`.execute(), ask: () => sql`select 1`.execute() };
  },
  async ioredis() {
    const client = new Redis({ host: SERVER, port: PORTS.redis });
    const says = heard(client, 'error', 'close');
    await client.ping();
    return { says, wait: () => client.blpop('none', 0), ask: () => client.ping() };
  },
  async redis() {
    const client = createClient({ socket: { host: SERVER, port: PORTS.redis } });
    const says = heard(client, 'error', 'reconnecting');
    await client.connect();
    return { says, wait: () => client.blPop('none', 0), ask: () => client.ping() };
  },
  async mysql2() {
    const client = await createConnection({ host: SERVER, port: PORTS.mariadb, user: 'root' });
    return {
      says: heard(client.connection, 'error'),
      wait: () => client.query('select sleep(300)'),
      ask: () => client.query('select 1'),
    };
  },
  async mqtt() {
    const client = mqtt.connect({ host: SERVER, port: PORTS.mosquitto });
    await once(client, 'connect');
    return {
      says: heard(client, 'error', 'close'),
      // The broker answers whatever it is asked: what waits is the subscription.
      wait: () => new Promise(() => {}),
      ask: () => client.publishAsync('topic', 'x', { qos: 1 }),
    };
  },
  async undici(index) {
    const url = `http://${SERVER}:${OWN_PORTS.http + index}`;
    const ask = async (path) => (await undici.request(url + path)).body.text();
    await ask('/');
    return { wait: () => ask('/wait'), ask: () => ask('/') };
  },
  async fetch(index) {
    // Node's own shares its connections with the undici from npm, by origin.
    const url = `http://${SERVER}:${OWN_PORTS.http + 2 + index}`;
    const ask = async (path) => (await fetch(url + path)).text();
    await ask('/');
    return { wait: () => ask('/wait'), ask: () => ask('/') };
  },
  async 'http.Agent'(index) {
    const url = `http://${SERVER}:${OWN_PORTS.http + index}`;
    const agent = new http.Agent({ keepAlive: true });
    await bodyOf(`${url}/`, agent);
    return { wait: () => bodyOf(`${url}/wait`, agent), ask: () => bodyOf(`${url}/`, agent) };
  },
  async http2(index) {
    const session = http2.connect(`http://${SERVER}:${OWN_PORTS.http2 + index}`);
    const ask = async (path) => {
      const stream = session.request({ ':path': path });
      await once(stream, 'response');
      stream.resume();
      await once(stream, 'end');
    };
    await ask('/');
    return {
      says: heard(session, 'error', 'close'),
      wait: () => ask('/wait'),
      ask: () => ask('/'),
    };
  },
  async '@grpc/grpc-js'(index) {
    const address = `${SERVER}:${OWN_PORTS.grpc + index}`;
    const client = new grpc.Client(address, grpc.credentials.createInsecure());
    const { path, requestSerialize, responseDeserialize } = WAIT.wait;
    const ask = (word) =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          word,
          (error, value) => (error ? reject(error) : resolve(value)),
        );
      });
    await ask('here');
    return { wait: () => ask('wait'), ask: () => ask('here') };
  },
  async ws(index) {
    const socket = new WebSocket(`ws://${SERVER}:${OWN_PORTS.ws + index}`);
    await once(socket, 'open');
    const ask = (word) => {
      socket.send(word);
      return once(socket, 'message');
    };
    return { says: heard(socket, 'error', 'close'), wait: () => ask('wait'), ask: () => ask('x') };
  },
};

// Some drivers go on by themselves and tell of it nobody who listens.
process.on('unhandledRejection', () => {});

const cases = [];
for (const [name, open] of Object.entries(DRIVERS)) {
  for (const [index, manner] of ['waits', 'writes'].entries()) {
    const before = opened.length;
    const { says, wait, ask } = await open(index);
    const socket = opened[before];
    if (socket === undefined) throw new Error(`${name} has opened no socket`);
    const one = { name, manner, says, socket, begin: manner === 'waits' ? wait : ask };
    cases.push(one);
  }
}

/** When and how it fails, in ms of the clock that all share. */
function follow(one) {
  const result = { name: one.name, manner: one.manner, closed: null, told: null, how: null };
  const tell = (how) => {
    result.told ??= now();
    result.how ??= how;
  };
  one.socket.on('close', () => {
    result.closed = now();
  });
  one.begin().then(
    () => tell('answered'),
    (error) => tell(error.code ?? error.cause?.code ?? error.message),
  );
  one.says?.then(tell);
  return result;
}

const results = cases.filter(({ manner }) => manner === 'waits').map(follow);
await sleep(200);
process.send('ready');
const [silentSince] = await once(process, 'message');
results.push(...cases.filter(({ manner }) => manner === 'writes').map(follow));

const end = now() + cap;
while (now() < end && results.some(({ closed, told }) => closed === null || told === null)) {
  await sleep(50);
}
const since = (time) => (time === null ? null : Math.round(time - silentSince));
process.send(
  results.map(({ closed, told, ...rest }) => ({
    ...rest,
    closed: since(closed),
    told: since(told),
  })),
  () => process.exit(0),
);
