// The servers that come from Node and npm. `/wait`, and its like in other protocols, is answered after every measurement has
// ended.

import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js';
import dynalite from 'dynalite';
import { GraphQLObjectType, GraphQLSchema, GraphQLString } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { ServerTCP } from 'modbus-serial';
import { SMTPServer } from 'smtp-server';
import { Server as SocketIoServer } from 'socket.io';
import { WebSocketServer } from 'ws';
import { NPM_PORTS, OWN_PORTS, SERVER } from './address.mjs';
import { WAIT } from './grpc.mjs';

/** Longer than any measurement here. */
const LONG = 300_000;
const never = new Promise(() => {});

async function listen(server, port) {
  // Keep-alive clients learn how long the connection may be idle.
  server.keepAliveTimeout = LONG;
  await once(server.listen(port, SERVER), 'listening');
}

function answer(request, response) {
  if (request.url !== '/wait') response.end('here');
}

const field = (resolve) => ({ type: GraphQLString, resolve });
const schema = new GraphQLSchema({
  query: new GraphQLObjectType({
    name: 'Query',
    fields: { ask: field(() => 'here'), wait: field(() => never) },
  }),
});

async function startShared() {
  await listen(dynalite(), NPM_PORTS.dynalite);
  const mail = new SMTPServer({
    ...{ authOptional: true, hideSTARTTLS: true, socketTimeout: LONG },
    onData: async (stream, _session, callback) => {
      if (!(await text(stream)).includes('wait')) callback();
    },
  });
  await listen(mail, NPM_PORTS.smtp);
  const registers = { getHoldingRegister: async (address) => (address === 0 ? 1 : never) };
  const modbus = new ServerTCP(registers, { host: SERVER, port: NPM_PORTS.modbus, unitID: 1 });
  await once(modbus, 'initialized');
}

async function startPorts(index) {
  await listen(http.createServer(answer), OWN_PORTS.http + index);
  await listen(http2.createServer(answer), OWN_PORTS.http2 + index);
  const sockets = new WebSocketServer({ host: SERVER, port: OWN_PORTS.ws + index });
  sockets.on('connection', (socket) =>
    socket.on('message', (message) => `${message}` !== 'wait' && socket.send('here')),
  );
  const socketIo = http.createServer();
  new SocketIoServer(socketIo).on('connection', (socket) =>
    socket.on('ask', (acknowledge) => acknowledge('here')),
  );
  await listen(socketIo, OWN_PORTS.socketIo + index);
  // Without its own pings, as with the other servers.
  useServer({ schema }, new WebSocketServer({ host: SERVER, port: OWN_PORTS.graphql + index }), 0);
  const grpc = new GrpcServer();
  grpc.addService(WAIT, {
    wait: ({ request }, callback) => request !== 'wait' && callback(null, 'here'),
  });
  await promisify(grpc.bindAsync.bind(grpc))(
    `${SERVER}:${OWN_PORTS.grpc + index}`,
    ServerCredentials.createInsecure(),
  );
}

/** @param ports how many ports each server has that clients know by its origin */
export async function startNpmServers(ports) {
  await startShared();
  await Promise.all(Array.from({ length: ports }, (_, index) => startPorts(index)));
}
