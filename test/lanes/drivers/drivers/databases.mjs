// Databases and caches. drivers.mjs says what a driver is.

import { promisify } from 'node:util';
import { NPM_PORTS, PORTS } from '../address.mjs';

function redisLike(Redis, options) {
  return async (tell, _index, host) => {
    const redis = new Redis({ host, port: PORTS.redis, ...options });
    for (const event of ['error', 'close']) redis.on(event, tell(event));
    return { ask: () => redis.get('x'), wait: () => redis.blpop('nothing', 300) };
  };
}

export const DATABASES = {
  pg: async (options) => {
    const { default: pg } = await import('pg');
    return async (tell, _index, host) => {
      const client = new pg.Client({
        ...{ host, port: PORTS.postgres },
        ...{ user: 'postgres', database: 'postgres', ...options },
      });
      for (const event of ['error', 'end']) client.on(event, tell(event));
      await client.connect();
      return {
        ask: () => client.query('SELECT 1'),
        wait: () => client.query('SELECT pg_sleep(300)'),
      };
    };
  },

  postgres: async (options) => {
    const { default: postgres } = await import('postgres');
    return async (tell, _index, host) => {
      const sql = postgres({
        ...{ host, port: PORTS.postgres, user: 'postgres', database: 'postgres' },
        ...{ max: 1, onclose: tell('onclose'), ...options },
      });
      return { ask: async () => sql`SELECT 1`, wait: async () => sql`SELECT pg_sleep(300)` };
    };
  },

  ioredis: async (options) => redisLike((await import('ioredis')).Redis, options),

  iovalkey: async (options) => redisLike((await import('iovalkey')).Redis, options),

  redis: async (options) => {
    const { createClient } = await import('redis');
    return async (tell, _index, host) => {
      const client = createClient({ socket: { host, port: PORTS.redis }, ...options });
      for (const event of ['error', 'reconnecting']) client.on(event, tell(event));
      await client.connect();
      return { ask: () => client.get('x'), wait: () => client.blPop('nothing', 300) };
    };
  },

  mysql2: async (options) => {
    const { default: mysql } = await import('mysql2/promise');
    return async (tell, _index, host) => {
      const connection = await mysql.createConnection({
        ...{ host, port: PORTS.mariadb, user: 'root', ...options },
      });
      for (const event of ['error', 'end']) connection.connection.on(event, tell(event));
      return {
        ask: () => connection.query('SELECT 1'),
        wait: () => connection.query('SELECT SLEEP(300)'),
      };
    };
  },

  mysql: async (options) => {
    const { default: mysql } = await import('mysql');
    return async (tell, _index, host) => {
      const connection = mysql.createConnection({
        ...{ host, port: PORTS.mariadb, user: 'root', ...options },
      });
      for (const event of ['error', 'end']) connection.on(event, tell(event));
      const query = promisify(connection.query.bind(connection));
      return { ask: () => query('SELECT 1'), wait: () => query('SELECT SLEEP(300)') };
    };
  },

  mariadb: async (options) => {
    const mariadb = await import('mariadb');
    return async (tell, _index, host) => {
      const connection = await mariadb.createConnection({
        ...{ host, port: PORTS.mariadb, user: 'root', ...options },
      });
      for (const event of ['error', 'end']) connection.on(event, tell(event));
      return {
        ask: () => connection.query('SELECT 1'),
        wait: () => connection.query('SELECT SLEEP(300)'),
      };
    };
  },

  memjs: async (options) => {
    const { default: memjs } = await import('memjs');
    return async (_tell, _index, host) => {
      const client = memjs.Client.create(`${host}:${PORTS.memcached}`, options);
      return { ask: () => client.get('x'), wait: null };
    };
  },

  etcd3: async (options) => {
    const { Etcd3 } = await import('etcd3');
    return async (_tell, _index, host) => {
      const client = new Etcd3({
        hosts: `http://${host}:${PORTS.etcd}`,
        // Otherwise all clients of a process share a connection.
        grpcOptions: { 'grpc.use_local_subchannel_pool': 1 },
      });
      const get = () => {
        const call = client.get('x');
        return options === undefined
          ? call
          : call.options({ deadline: Date.now() + options.timeout });
      };
      return { ask: () => get().string(), wait: null };
    };
  },

  '@aws-sdk/client-dynamodb': async (options) => {
    const { DynamoDBClient, ListTablesCommand } = await import('@aws-sdk/client-dynamodb');
    return async (_tell, _index, host) => {
      const client = new DynamoDBClient({
        ...{ endpoint: `http://${host}:${NPM_PORTS.dynalite}`, region: 'eu-central-1' },
        ...{ credentials: { accessKeyId: 'test', secretAccessKey: 'test' }, ...options },
      });
      return { ask: () => client.send(new ListTablesCommand({})), wait: null };
    };
  },
};
