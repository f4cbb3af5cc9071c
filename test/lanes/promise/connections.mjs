// Opens connections of every kind, and sets their dead-peer timeout: by setDeadPeerTimeout() or by tuneSockets().

import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import tls from 'node:tls';
import {
  planDeadPeerTimeout,
  setDeadPeerTimeout,
  setOptions,
  tuneSockets,
} from '../../../dist/index.js';
import { addressOf, OUR_ADDRESS } from './hosts.mjs';
import { portOf } from './manners.mjs';

/** The timeouts of the sockets that are tuned by tuneSockets(). */
const wanted = new WeakMap();
const tunings = new Map();

/** Has a socket that is not connecting yet tuned. */
function tuneLater(socket, timeout) {
  wanted.set(socket, timeout);
  if (tunings.has(timeout)) return;
  const filter = (one) => wanted.get(one) === timeout;
  tunings.set(timeout, tuneSockets({ client: { deadPeerTimeout: timeout }, filter }));
}

/** Sets the timeout, and notes the plan and when it was. */
export function setTimeoutOf(cell, socket) {
  if (cell.socket !== socket) cell.watch(socket);
  cell.calledAt = performance.now();
  cell.plan =
    cell.way === 'tuneSockets'
      ? planDeadPeerTimeout(cell.timeout)
      : setDeadPeerTimeout(socket, cell.timeout);
  cell.trace();
}

/** Begins to connect, with the timeout set from the beginning. */
export function beginToConnect(cell, { manner = 'reads', lookup, allowHalfOpen = false } = {}) {
  const socket = new net.Socket({ allowHalfOpen });
  if (cell.way === 'tuneSockets') tuneLater(socket, cell.timeout);
  socket.connect({ host: cell.address, port: portOf(manner), lookup, ...addressesOf(lookup) });
  try {
    setTimeoutOf(cell, socket);
  } catch (error) {
    // No address could be tried: Node has destroyed the socket already, and emits the error in the next tick.
    if (!socket.destroyed || error.code !== 'ERR_SOCKET_CLOSED') throw error;
    cell.plan = planDeadPeerTimeout(cell.timeout);
  }
  return socket;
}

/** A name with several addresses is tried in Node's way. */
const addressesOf = (lookup) =>
  lookup === undefined ? {} : { host: 'several.invalid', autoSelectFamily: true };

/** Connects, and sets the timeout of the connection. */
export async function connect(cell, options) {
  return finish(cell, await connectUntuned(cell, options, cell.way));
}

/** Connects without a timeout, unless tuneSockets() sets one. */
export async function connectUntuned(
  cell,
  { manner = 'reads', allowHalfOpen = false, offset = 0 } = {},
  way = undefined,
) {
  const socket = new net.Socket({ allowHalfOpen });
  if (way === 'tuneSockets') tuneLater(socket, cell.timeout);
  socket.connect({ host: cell.address, port: offset + portOf(manner) });
  await once(socket, 'connect');
  return socket;
}

export async function connectSecurely(cell, { manner = 'reads', allowHalfOpen = false } = {}) {
  const socket = tls.connect({
    ...{ host: cell.address, port: portOf(manner, true) },
    ...{ rejectUnauthorized: false, allowHalfOpen },
  });
  await once(socket, 'secureConnect');
  return finish(cell, socket);
}

/** Begins a TLS handshake, with the timeout set before there is a connection. Resolves when there is one. */
export async function beginHandshake(cell, port) {
  const options = { host: cell.address, port, rejectUnauthorized: false };
  const socket = tls.connect(options);
  setTimeoutOf(cell, socket);
  await once(socket, 'connect');
  return socket;
}

/** Accepts a connection of the peer on a server that has the timeout. */
export async function accept(cell, { peer }, { manner = 'reads', ...options } = {}) {
  const server = net.createServer(options);
  await once(server.listen(0, OUR_ADDRESS), 'listening');
  cell.calledAt = performance.now();
  cell.plan = setDeadPeerTimeout(server, cell.timeout);
  const { port } = server.address();
  const connection = once(server, 'connection');
  await peer.ask('connect', { from: cell.address, to: OUR_ADDRESS, port, manner });
  const [socket] = await connection;
  server.close();
  cell.watch(socket);
  setOptions(socket, { congestionControl: cell.congestion });
  cell.trace();
  return socket;
}

/** Sends a request over an agent that keeps connections, and resolves with it and its socket. */
export async function request(cell, path) {
  const agent = new http.Agent({ keepAlive: true });
  const { address: host } = cell;
  const sent = http.get({ host, port: portOf('http'), path, agent });
  sent.on('error', () => {});
  const [socket] = await once(sent, 'socket');
  if (socket.connecting) await once(socket, 'connect');
  finish(cell, socket);
  return { sent, socket };
}

function finish(cell, socket) {
  if (cell.congestion !== undefined) setOptions(socket, { congestionControl: cell.congestion });
  setTimeoutOf(cell, socket);
  return socket;
}

/** Addresses at which nothing answers: each is a flow of its own. */
export const lookupOf = (flows, link) => (_name, _options, callback) =>
  callback(
    null,
    flows.map((flow) => ({ address: addressOf(flow, link), family: 4 })),
  );
