// Situations of the functions that open sockets: connect(), listen(), bind(), openSocket(), and tuneSockets() with options
// that have to be set early. A fault must end in an error, or in a socket that has every option.

import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';
import { referenceAddon } from './kernel.mjs';

const option = (level, name, value) => ({ level, name, key: `${level}/${name}`, value });
const REUSE_PORT = option(1, 15, 1);
const RECV_BUFFER = option(1, 8, 100_000);
const SYN_RETRIES = option(6, 7, 3);
const DEFER_ACCEPT = option(6, 9, 3);
const IPV6_ONLY = option(41, 26, 1);

const CLIENT = { recvBufferSize: 50_000, synRetries: 3 };
const SERVER = { reusePort: true, deferAccept: 3_000 };

const fdOf = ({ tuned }) => (typeof tuned === 'number' ? tuned : tuned._handle.fd);

/** Connects to the server of the situation; throws what its 'error' event has. */
async function connectTo(stage, make, { server = stage.listening, ...options } = {}) {
  const accepted = new Promise((resolve) => server.once('connection', resolve));
  try {
    const socket = make({ port: server.address().port, host: '127.0.0.1', ...options });
    socket.on('error', () => {});
    stage.sockets.push(socket);
    await once(socket, 'connect');
    const other = await accepted;
    other.on('error', () => {});
    stage.sockets.push(other);
    await new Promise(setImmediate);
    // A listener of 'connect' may have ended it.
    if (socket.errored) throw socket.errored;
    stage.tuned = socket;
    return { localAddress: socket.localAddress };
  } finally {
    server.removeAllListeners('connection');
  }
}

const connect = (more) => async (api, stage) => {
  const options = typeof more === 'function' ? await more(stage) : more;
  return connectTo(stage, api.connect, { socketOptions: CLIENT, ...options });
};

/** The first address refuses, the second one accepts. */
const twoAddresses = {
  host: 'two',
  lookup: (_host, _options, done) =>
    done(null, [
      { address: '127.0.0.2', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ]),
};

/** A server of IPv6, for a client that is bound to a local address. */
async function overIpv6(stage) {
  const server = net.createServer().listen(0, '::1');
  await once(server, 'listening');
  stage.closing.push(() => new Promise((resolve) => server.close(resolve)));
  return {
    ...{ server, host: '::1', localAddress: '::1' },
    socketOptions: { ...CLIENT, ipv6Only: true },
  };
}

async function listenAt(stage, start) {
  const server = net.createServer();
  stage.closing.push(() => new Promise((resolve) => server.close(resolve)));
  start(server);
  await once(server, 'listening');
  stage.tuned = server;
  return { family: server.address().family };
}

const listen = (options) => (api, stage) =>
  listenAt(stage, (server) => api.listen(server, { port: 0, ...options }));

const bind = (type, options) => async (api, stage) => {
  const socket = dgram.createSocket(type);
  stage.closing.push(() => new Promise((resolve) => socket.close(resolve)));
  api.bind(socket, { port: 0, ...options });
  await once(socket, 'listening');
  const state = Object.getOwnPropertySymbols(socket).find(
    ({ description }) => description === 'state symbol',
  );
  stage.tuned = socket[state].handle.fd;
  return { family: socket.address().family };
};

const openSocket = (type, socketOptions) => (api, stage) => {
  const fd = api.openSocket({ type, socketOptions });
  stage.closing.push(() => referenceAddon.close(fd));
  stage.tuned = fd;
};

/** Refused without a fault, too: the descriptor must be closed, whatever close() answers. */
const refused = (call, name) => async (api, stage) => {
  try {
    await call(api, stage);
  } catch (error) {
    if (error.option === name) return 'refused';
    throw error;
  }
  return 'accepted';
};

const tune = (side, options, act) => async (api, stage) => {
  const errors = [];
  const tuning = api.tuneSockets({ [side]: options, onError: (error) => errors.push(error) });
  try {
    const value = await act(stage, api);
    return { ...value, errors };
  } finally {
    tuning.close();
  }
};

const tuned = { covers: 'tuneSockets', says: ({ value }) => value.errors, setsTheRest: true };

export const openings = [
  {
    name: 'connect',
    act: connect({ deadPeerTimeout: 20_000 }),
    sets: () => [RECV_BUFFER, SYN_RETRIES],
  },
  {
    name: 'connect(two addresses)',
    covers: 'connect',
    act: connect(twoAddresses),
    sets: () => [RECV_BUFFER, SYN_RETRIES],
  },
  {
    name: 'connect(localAddress)',
    covers: 'connect',
    act: connect({ localAddress: '127.0.0.3' }),
    sets: () => [RECV_BUFFER, SYN_RETRIES],
  },
  {
    name: 'connect(localAddress6)',
    covers: 'connect',
    act: connect(overIpv6),
    sets: () => [RECV_BUFFER, SYN_RETRIES, IPV6_ONLY],
  },
  {
    name: 'connect(refused)',
    covers: 'connect',
    act: refused(connect({ socketOptions: { hopLimit: 9 } }), 'IPV6_UNICAST_HOPS'),
  },
  {
    name: 'listen',
    act: listen({ host: '127.0.0.1', socketOptions: SERVER, deadPeerTimeout: 20_000 }),
    sets: () => [REUSE_PORT, DEFER_ACCEPT, option(1, 9, 1)],
  },
  {
    name: 'listen(ipv6Only)',
    covers: 'listen',
    act: listen({ host: '::', socketOptions: { ...SERVER, ipv6Only: true } }),
    sets: () => [REUSE_PORT, DEFER_ACCEPT, IPV6_ONLY],
  },
  {
    name: 'listen(refused)',
    covers: 'listen',
    act: refused(
      listen({ host: '127.0.0.1', socketOptions: { hopLimit: 9 } }),
      'IPV6_UNICAST_HOPS',
    ),
  },
  {
    name: 'bind',
    act: bind('udp4', {
      address: '127.0.0.1',
      socketOptions: { recvBufferSize: 50_000, reusePort: true },
    }),
    // SO_REUSEADDR stays off: otherwise two programs could take the port.
    sets: () => [RECV_BUFFER, REUSE_PORT, option(1, 2, 0)],
  },
  {
    name: 'bind(ipv6Only)',
    covers: 'bind',
    act: bind('udp6', {
      address: '::',
      socketOptions: { recvBufferSize: 50_000, ipv6Only: true },
    }),
    sets: () => [RECV_BUFFER, IPV6_ONLY, option(1, 2, 0)],
  },
  {
    name: 'openSocket',
    act: openSocket('tcp4', CLIENT),
    sets: () => [RECV_BUFFER, SYN_RETRIES],
  },
  {
    name: 'openSocket(udp6)',
    covers: 'openSocket',
    act: openSocket('udp6', { recvBufferSize: 50_000, ipv6Only: true }),
    sets: () => [RECV_BUFFER, IPV6_ONLY],
  },
  {
    name: 'openSocket(refused)',
    covers: 'openSocket',
    act: refused(openSocket('tcp4', { hopLimit: 9 }), 'IPV6_UNICAST_HOPS'),
  },
  {
    ...tuned,
    name: 'tuneSockets(early client)',
    act: tune('client', CLIENT, (stage) => connectTo(stage, net.connect)),
    sets: () => [RECV_BUFFER, SYN_RETRIES],
  },
  {
    ...tuned,
    name: 'tuneSockets(early client, localAddress6)',
    act: tune('client', { ...CLIENT, freeBind: true, ipv6Only: true }, async (stage) =>
      connectTo(stage, net.connect, await overIpv6(stage)),
    ),
    sets: () => [RECV_BUFFER, SYN_RETRIES, IPV6_ONLY],
  },
  {
    ...tuned,
    name: 'tuneSockets(early server)',
    act: tune('server', SERVER, (stage) =>
      listenAt(stage, (server) => server.listen(0, '127.0.0.1')),
    ),
    sets: () => [REUSE_PORT, DEFER_ACCEPT],
  },
  {
    ...tuned,
    name: 'tuneSockets(early server, ipv6Only)',
    act: tune('server', { ...SERVER, ipv6Only: true }, (stage) =>
      listenAt(stage, (server) => server.listen(0, '::')),
    ),
    sets: () => [REUSE_PORT, DEFER_ACCEPT, IPV6_ONLY],
  },
  {
    ...tuned,
    name: 'connect(tuned)',
    covers: 'connect',
    act: tune('client', { recvBufferSize: 50_000, mark: 0 }, (stage, api) =>
      connectTo(stage, api.connect, { socketOptions: { synRetries: 3, mptcp: false } }),
    ),
    sets: () => [RECV_BUFFER, SYN_RETRIES],
  },
  {
    ...tuned,
    name: 'listen(tuned)',
    covers: 'listen',
    act: tune('server', { reusePort: true }, (stage, api) =>
      listenAt(stage, (server) =>
        api.listen(server, {
          ...{ host: '::', port: 0 },
          socketOptions: { deferAccept: 3_000, ipv6Only: true, mptcp: false },
        }),
      ),
    ),
    sets: () => [REUSE_PORT, DEFER_ACCEPT, IPV6_ONLY],
  },
].map((one) => ({ ...one, target: fdOf, makesSocket: true }));
