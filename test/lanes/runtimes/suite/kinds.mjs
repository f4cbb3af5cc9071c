// Opens a socket of every kind that SocketLike names, and finds it in the kernel.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { findByPorts, IPPROTO_IP, IPPROTO_TCP, SOL_SOCKET } from './kernel.mjs';

const HOST = '127.0.0.1';
const credentials = {
  key: readFileSync(new URL('../key.pem', import.meta.url)),
  cert: readFileSync(new URL('../cert.pem', import.meta.url)),
};

/** The options that are set, and their numbers in the kernel: level, option, value. */
const STREAM = {
  options: {
    keepAlive: true,
    keepAliveInitialDelay: 21_000,
    keepAliveInterval: 2_000,
    keepAliveCount: 4,
    userTimeout: 9_000,
  },
  held: [
    [SOL_SOCKET, 9, 1],
    [IPPROTO_TCP, 4, 21],
    [IPPROTO_TCP, 5, 2],
    [IPPROTO_TCP, 6, 4],
    [IPPROTO_TCP, 18, 9_000],
  ],
};
const DATAGRAM = {
  options: { ttl: 9, typeOfService: 0x20 },
  held: [
    [IPPROTO_IP, 2, 9],
    [IPPROTO_IP, 1, 0x20],
  ],
};
// The kernel doubles the size of a buffer for its own bookkeeping.
const PIPE = {
  options: { recvBufferSize: 30_000 },
  read: { recvBufferSize: 60_000 },
  held: [[SOL_SOCKET, 8, 60_000]],
};

const byPorts = ({ localPort, remotePort }) => findByPorts('tcp', localPort, remotePort);

export async function listen(server, ...where) {
  server.listen(...(where.length > 0 ? where : [0, HOST]));
  await once(server, 'listening');
  return server.address().port;
}

export async function connected(port) {
  const client = net.connect(port, HOST);
  await once(client, 'connect');
  return client;
}

/** Both ends of a connection, and a function that closes them and the server. */
export async function pair() {
  const server = net.createServer();
  const port = await listen(server);
  const [client, [accepted]] = await Promise.all([connected(port), once(server, 'connection')]);
  for (const socket of [client, accepted]) socket.on('error', () => {});
  const close = () => {
    client.destroy();
    accepted.destroy();
    server.close();
  };
  return { client, accepted, server, port, close };
}

export async function tlsPair(over) {
  const server = tls.createServer(credentials);
  const port = await listen(server);
  const below = over ? await connected(port) : undefined;
  const where = below === undefined ? { port, host: HOST } : { socket: below };
  const client = tls.connect({ ...where, rejectUnauthorized: false });
  client.on('error', () => {});
  const [[accepted]] = await Promise.all([
    once(server, 'secureConnection'),
    once(client, 'secureConnect'),
  ]);
  accepted.on('error', () => {});
  const ports = { localPort: accepted.remotePort, remotePort: port };
  const close = () => {
    for (const socket of [client, accepted, below]) socket?.destroy();
    server.close();
  };
  return { client, accepted, server, close, ports };
}

/** A request in progress: the client's socket, the server's, and both of their ports. */
async function exchange(protocol) {
  let end;
  const served = deferred();
  // Bun's node:http would use TLS with these options.
  const secrets = protocol === https ? credentials : {};
  const server = protocol.createServer(secrets, (request, response) => {
    end = () => response.end('ok');
    served.resolve(request.socket);
  });
  const port = await listen(server);
  const agent = new protocol.Agent({ keepAlive: true, rejectUnauthorized: false });
  const request = protocol.get({ port, host: HOST, agent });
  request.on('error', () => {});
  const accepted = await served.promise;
  const ports = { localPort: accepted.remotePort, remotePort: port };
  const close = () => {
    end();
    agent.destroy();
    server.close();
  };
  return { client: request.socket, accepted, ports, close };
}

function deferred() {
  let resolve;
  const promise = new Promise((accept) => {
    resolve = accept;
  });
  return { promise, resolve };
}

async function sessions() {
  const server = http2.createServer();
  const port = await listen(server);
  const accepting = once(server, 'session');
  const client = http2.connect(`http://${HOST}:${port}`);
  const [[accepted]] = await Promise.all([accepting, once(client, 'connect')]);
  const ports = { localPort: accepted.socket.remotePort, remotePort: port };
  const close = () => {
    client.destroy();
    accepted.destroy();
    server.close();
  };
  return { client, accepted, ports, close };
}

const turned = ({ localPort, remotePort }) => ({ localPort: remotePort, remotePort: localPort });

/** A kind that is one end of what `open` opens. */
function end(open, side) {
  return async () => {
    const { [side]: socket, ports, close } = await open();
    return { ...STREAM, socket, close, fd: byPorts(side === 'client' ? ports : turned(ports)) };
  };
}

const plain = async () => {
  const { client, accepted, port, close } = await pair();
  return { client, accepted, close, ports: { localPort: accepted.remotePort, remotePort: port } };
};

async function listening(server) {
  const port = await listen(server);
  return {
    ...STREAM,
    socket: server,
    fd: findByPorts('tcp', port, 0),
    close: () => server.close(),
  };
}

async function datagram() {
  const socket = createSocket('udp4');
  socket.bind(0, HOST);
  await once(socket, 'listening');
  const fd = findByPorts('udp', socket.address().port, 0);
  return { ...DATAGRAM, socket, fd, close: () => socket.close() };
}

/** An end without a path has no name in the kernel: it is recognized as the only socket that changed. */
async function pipe() {
  const folder = mkdtempSync(join(tmpdir(), 'socket-options-'));
  const server = net.createServer((socket) => socket.on('error', () => {}));
  await listen(server, join(folder, 'pipe'));
  const socket = net.connect(join(folder, 'pipe'));
  await once(socket, 'connect');
  const close = () => {
    socket.destroy();
    server.close();
    rmSync(folder, { recursive: true });
  };
  return { ...PIPE, socket, fd: undefined, close };
}

async function descriptor(wrap) {
  const { client, port, close } = await pair();
  const fd = byPorts({ localPort: client.localPort, remotePort: port });
  return { ...STREAM, socket: wrap(fd), fd, close };
}

export const kinds = {
  'net.Socket that connected': end(plain, 'client'),
  'net.Socket that was accepted': end(plain, 'accepted'),
  'net.Socket of a Unix domain socket': pipe,
  'net.Server': () => listening(net.createServer()),
  'tls.TLSSocket that connected': end(tlsPair, 'client'),
  'tls.TLSSocket over a net.Socket': end(() => tlsPair(true), 'client'),
  'tls.TLSSocket that was accepted': end(tlsPair, 'accepted'),
  'tls.Server': () => listening(tls.createServer(credentials)),
  'socket of an http request': end(() => exchange(http), 'client'),
  'socket that an http server serves': end(() => exchange(http), 'accepted'),
  'http.Server': () => listening(http.createServer()),
  'socket of an https request': end(() => exchange(https), 'client'),
  'socket that an https server serves': end(() => exchange(https), 'accepted'),
  'https.Server': () => listening(https.createServer(credentials)),
  'http2 session that connected': end(sessions, 'client'),
  'http2 session that was accepted': end(sessions, 'accepted'),
  'dgram.Socket': datagram,
  '{ fd }': () => descriptor((fd) => ({ fd })),
  'a descriptor': () => descriptor((fd) => fd),
};
