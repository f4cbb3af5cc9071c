// Real libraries, unchanged, measured by peer. Prints the metrics. Its arguments are PostgreSQL's programs postgres and initdb.

import { once } from 'node:events';
import { createServer } from 'node:http';
import grpc from '@grpc/grpc-js';
import pg from 'pg';
import { Agent, request } from 'undici';
import { WebSocket, WebSocketServer } from 'ws';
import { TcpMetrics } from '../../../dist/metrics.js';
import { startPostgresql } from './postgresql.mjs';

const REQUESTS = 20;
const BODY = 'x'.repeat(10_000);

const names = new Map();
const metrics = new TcpMetrics({
  interval: 3_600_000,
  filter: ({ remotePort }) => names.has(remotePort),
  peer: ({ remotePort }) => names.get(remotePort),
});

await measurePg();
await measureUndici();
await measureWs();
await measureGrpc();
// The last samples come when the sockets are closed.
const isClosed = () =>
  [...names.values()].every((name) => metrics.text().includes(`tcp_connections{peer="${name}"} 0`));
while (!isClosed()) await new Promise((resolve) => setTimeout(resolve, 20));
process.stdout.write(metrics.text(), () => process.exit());

async function measurePg() {
  const server = await startPostgresql(...process.argv.slice(2));
  names.set(server.port, 'pg');
  const pool = new pg.Pool({ ...server, max: 1 });
  for (let i = 0; i < REQUESTS; i++) await pool.query('select $1::text', [BODY]);
  await pool.end();
}

async function measureUndici() {
  const server = createServer((incoming, response) => {
    incoming.resume().on('end', () => response.end(BODY));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address();
  names.set(port, 'undici');
  const dispatcher = new Agent({ connections: 1 });
  for (let i = 0; i < REQUESTS; i++) {
    const { body } = await request(`http://127.0.0.1:${port}/`, {
      method: 'POST',
      body: BODY,
      dispatcher,
    });
    await body.text();
  }
  await dispatcher.close();
}

async function measureWs() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  server.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
  const { port } = server.address();
  names.set(port, 'ws');
  const client = new WebSocket(`ws://127.0.0.1:${port}`);
  await once(client, 'open');
  for (let i = 0; i < REQUESTS; i++) {
    client.send(BODY);
    await once(client, 'message');
  }
  client.close();
  await once(client, 'close');
}

async function measureGrpc() {
  const identity = (value) => value;
  const echo = {
    path: '/echo/Echo',
    ...{ requestStream: false, responseStream: false },
    ...{ requestSerialize: identity, requestDeserialize: identity },
    ...{ responseSerialize: identity, responseDeserialize: identity },
  };
  const server = new grpc.Server();
  server.addService({ echo }, { echo: (call, callback) => callback(null, call.request) });
  const bind = (resolve, reject) =>
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    );
  const port = await new Promise(bind);
  names.set(port, 'grpc-js');
  const Client = grpc.makeGenericClientConstructor({ echo }, 'echo');
  const client = new Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  for (let i = 0; i < REQUESTS; i++) {
    await new Promise((resolve, reject) => {
      client.echo(Buffer.from(BODY), (error, reply) => (error ? reject(error) : resolve(reply)));
    });
  }
  client.close();
}
