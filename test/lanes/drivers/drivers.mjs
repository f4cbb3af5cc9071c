// The clients, used as in their documentation, without any option about time. A driver is loaded when it is used,
// after the sockets of the process are tuned.
//
// `open(tell, index, host)` opens a connection. `ask()` makes a request that is answered at once, `wait()` one that stays
// pending. `tell(event)` returns a listener for events that the driver emits by itself.

import { OWN_PORTS, PORTS } from './address.mjs';
import { WAIT } from './grpc.mjs';

async function openHttp(index, host, get) {
  const origin = `http://${host}:${OWN_PORTS.http + index}`;
  return { ask: () => get(`${origin}/`), wait: () => get(`${origin}/wait`) };
}

export const DRIVERS = {
  pg: async () => {
    const { default: pg } = await import('pg');
    return async (tell, _index, host) => {
      const client = new pg.Client({
        ...{ host, port: PORTS.postgres },
        ...{ user: 'postgres', database: 'postgres' },
      });
      for (const event of ['error', 'end']) client.on(event, tell(event));
      await client.connect();
      return {
        ask: () => client.query('SELECT 1'),
        wait: () => client.query('SELECT pg_sleep(300)'),
      };
    };
  },

  postgres: async () => {
    const { default: postgres } = await import('postgres');
    return async (tell, _index, host) => {
      const sql = postgres({
        ...{ host, port: PORTS.postgres, user: 'postgres', database: 'postgres' },
        ...{ max: 1, onclose: tell('onclose') },
      });
      return { ask: async () => sql`SELECT 1`, wait: async () => sql`SELECT pg_sleep(300)` };
    };
  },

  ioredis: async () => {
    const { Redis } = await import('ioredis');
    return async (tell, _index, host) => {
      const redis = new Redis({ host, port: PORTS.redis });
      for (const event of ['error', 'close']) redis.on(event, tell(event));
      return { ask: () => redis.get('x'), wait: () => redis.blpop('nothing', 300) };
    };
  },

  redis: async () => {
    const { createClient } = await import('redis');
    return async (tell, _index, host) => {
      const client = createClient({ socket: { host, port: PORTS.redis } });
      for (const event of ['error', 'reconnecting']) client.on(event, tell(event));
      await client.connect();
      return { ask: () => client.get('x'), wait: () => client.blPop('nothing', 300) };
    };
  },

  mysql2: async () => {
    const { default: mysql } = await import('mysql2/promise');
    return async (tell, _index, host) => {
      const connection = await mysql.createConnection({
        ...{ host, port: PORTS.mariadb, user: 'root' },
      });
      for (const event of ['error', 'end']) connection.connection.on(event, tell(event));
      return {
        ask: () => connection.query('SELECT 1'),
        wait: () => connection.query('SELECT SLEEP(300)'),
      };
    };
  },

  mqtt: async () => {
    const { default: mqtt } = await import('mqtt');
    return async (tell, _index, host) => {
      const client = await mqtt.connectAsync(`mqtt://${host}:${PORTS.mosquitto}`);
      for (const event of ['error', 'close']) client.on(event, tell(event));
      const ask = () => client.publishAsync('topic', 'text', { qos: 1 });
      // A broker acknowledges at once: a pending message is one that it never received.
      return { ask, wait: null };
    };
  },

  undici: async () => {
    const { getGlobalDispatcher, request } = await import('undici');
    return async (tell, index, host) => {
      const disconnected = tell('disconnect');
      getGlobalDispatcher().on('disconnect', (origin, _targets, error) => {
        if (origin.port === `${OWN_PORTS.http + index}`) disconnected(error);
      });
      return openHttp(index, host, async (url) => (await request(url)).body.text());
    };
  },

  fetch: async () => async (_tell, index, host) =>
    openHttp(index, host, async (url) => (await fetch(url)).text()),

  'http.Agent': async () => {
    const { default: http } = await import('node:http');
    const { text } = await import('node:stream/consumers');
    const agent = new http.Agent({ keepAlive: true });
    return async (_tell, index, host) =>
      openHttp(
        index,
        host,
        (url) =>
          new Promise((resolve, reject) => {
            http.get(url, { agent }, (response) => resolve(text(response))).on('error', reject);
          }),
      );
  },

  http2: async () => {
    const { default: http2 } = await import('node:http2');
    const { text } = await import('node:stream/consumers');
    return async (tell, index, host) => {
      const session = http2.connect(`http://${host}:${OWN_PORTS.http2 + index}`);
      for (const event of ['error', 'close']) session.on(event, tell(event));
      const get = (path) => text(session.request({ ':path': path }));
      return { ask: () => get('/'), wait: () => get('/wait') };
    };
  },

  '@grpc/grpc-js': async () => {
    const grpc = await import('@grpc/grpc-js');
    const Client = grpc.makeClientConstructor(WAIT, 'Test');
    return async (tell, index, host) => {
      const address = `${host}:${OWN_PORTS.grpc + index}`;
      const client = new Client(address, grpc.credentials.createInsecure());
      const call = (text) =>
        new Promise((resolve, reject) => {
          client.wait(text, (error, answer) => (error ? reject(error) : resolve(answer)));
        });
      await call('ask');
      const { READY } = grpc.connectivityState;
      client.getChannel().watchConnectivityState(READY, Number.POSITIVE_INFINITY, tell('state'));
      return { ask: () => call('ask'), wait: () => call('wait') };
    };
  },

  ws: async () => {
    const { WebSocket } = await import('ws');
    return async (tell, index, host) => {
      const socket = new WebSocket(`ws://${host}:${OWN_PORTS.ws + index}`);
      for (const event of ['error', 'close']) socket.on(event, tell(event));
      await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
      const send = (text) =>
        new Promise((resolve, reject) => {
          socket.once('message', resolve).once('error', reject).once('close', reject);
          socket.send(text);
        });
      return { ask: () => send('ask'), wait: () => send('wait') };
    };
  },
};
