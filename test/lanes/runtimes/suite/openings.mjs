// Checks of connect(), listen(), bind(), openSocket() and of tuneSockets() with options that have to be set early.

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bind, connect, listen, openSocket, SocketOptionError, tuneSockets } from 'socket-options';
import { close, findByPorts, getInt, IPPROTO_TCP, ownSockets, SOL_SOCKET } from './kernel.mjs';
import { listen as listenOn } from './kinds.mjs';
import { refusal } from './refusals.mjs';

const HOST = '127.0.0.1';
const OPTIONS = { recvBufferSize: 50_000, synRetries: 3 };
/** The values of SO_RCVBUF and TCP_SYNCNT. Linux doubles the first. */
const held = (fd) => [getInt(fd, SOL_SOCKET, 8), getInt(fd, IPPROTO_TCP, 7)];
const HELD = [100_000, 3];
const isReusePort = (fd) => getInt(fd, SOL_SOCKET, 15) === 1;

const byPorts = ({ localPort, remotePort }) => findByPorts('tcp', localPort, remotePort);
const serverFd = (server) => findByPorts('tcp', server.address().port, 0);

async function withServer(use) {
  const server = net.createServer((socket) => socket.on('error', () => {}).resume());
  try {
    return await use(await listenOn(server));
  } finally {
    server.close();
  }
}

async function withConnected(open, use) {
  return withServer(async (port) => {
    const socket = await open(port);
    socket.on('error', () => {});
    await once(socket, 'connect');
    try {
      return await use(socket);
    } finally {
      socket.destroy();
    }
  });
}

/** The check of that name: it works, or the call throws what is expected here before it opens a socket. */
function orRefused(name, check) {
  return async () => {
    const expected = refusal(name);
    if (expected === undefined) return check();
    const error = await check().catch((reason) => reason);
    assert.ok(error instanceof SocketOptionError, String(error));
    assert.equal(error.code, expected.code);
    assert.match(error.message, expected.message);
    return expected.code;
  };
}

/** Whether a runtime uses a descriptor that is passed to it. */
function takes(name, use) {
  return async () => {
    const expected = refusal(name);
    const outcome = (await use()) ? undefined : 'not taken';
    assert.equal(outcome, expected);
    return outcome;
  };
}

const isOpen = (fd) => [...ownSockets().values()].includes(fd);
const closeIfOpen = (fd) => isOpen(fd) && close(fd);

const checks = {
  'connect: options before connecting': async () => {
    await withConnected(
      (port) => connect({ port, host: HOST, socketOptions: OPTIONS }),
      (socket) => assert.deepEqual(held(byPorts(socket)), HELD),
    );
  },

  'listen: options before listening': async () => {
    const server = net.createServer();
    listen(server, { port: 0, host: HOST, socketOptions: { reusePort: true } });
    await once(server, 'listening');
    assert.equal(isReusePort(serverFd(server)), true);
    server.close();
  },

  'bind: options before binding': async () => {
    const socket = createSocket('udp4');
    try {
      const socketOptions = { reusePort: true };
      bind(socket, { port: 0, address: HOST, socketOptions });
      await once(socket, 'listening');
      assert.equal(isReusePort(findByPorts('udp', socket.address().port, 0)), true);
    } finally {
      socket.close();
    }
  },

  'tuneSockets: options before connecting': async () => {
    const errors = [];
    const tuning = tuneSockets({ client: OPTIONS, onError: (error) => errors.push(error) });
    try {
      await withConnected(
        (port) => net.connect(port, HOST),
        (socket) => assert.deepEqual(held(byPorts(socket)), HELD),
      );
    } finally {
      tuning.close();
    }
    assert.deepEqual(errors, []);
  },

  'tuneSockets: options before listening': async () => {
    const errors = [];
    const tuning = tuneSockets({
      server: { reusePort: true },
      onError: (error) => errors.push(error),
    });
    const server = net.createServer();
    try {
      await listenOn(server);
      assert.equal(isReusePort(serverFd(server)), true);
    } finally {
      server.close();
      tuning.close();
    }
    assert.deepEqual(errors, []);
  },
};

/** Unix sockets have their options at once after connecting: in Deno, with the event. */
async function withPath() {
  const folder = mkdtempSync(join(tmpdir(), 'socket-options-'));
  const path = join(folder, 'pipe');
  const server = net.createServer((socket) => socket.on('error', () => {}).resume());
  await listenOn(server, path);
  const before = [...ownSockets().keys()];
  const socket = connect({ path, socketOptions: { sendBufferSize: 30_000 } });
  try {
    await once(socket, 'connect');
    const sizes = [...ownSockets()]
      .filter(([inode]) => !before.includes(inode))
      .map(([, fd]) => getInt(fd, SOL_SOCKET, 7));
    assert.ok(sizes.includes(60_000), String(sizes));
  } finally {
    socket.destroy();
    server.close();
    rmSync(folder, { recursive: true });
  }
}

export const openings = {
  ...Object.fromEntries(
    Object.entries(checks).map(([name, check]) => [name, orRefused(name, check)]),
  ),

  'connect, listen, bind: without options': async () => {
    await withConnected(
      (port) => connect({ port, host: HOST, connectTimeout: 10_000 }),
      (socket) => assert.equal(socket.connecting, false),
    );
    const server = net.createServer();
    listen(server, { port: 0, host: HOST });
    await once(server, 'listening');
    server.close();
    const socket = createSocket('udp4');
    bind(socket, { port: 0, address: HOST });
    await once(socket, 'listening');
    socket.close();
  },

  'connect: options of a Unix domain socket': withPath,

  openSocket: () => {
    const before = ownSockets().size;
    for (const type of ['tcp4', 'tcp6', 'udp4', 'udp6']) {
      const fd = openSocket({ type, socketOptions: { recvBufferSize: 50_000 } });
      assert.equal(getInt(fd, SOL_SOCKET, 8), 100_000);
      close(fd);
    }
    const refused = { type: 'tcp4', socketOptions: { hopLimit: 9 } };
    assert.throws(() => openSocket(refused), /IPV6_UNICAST_HOPS/);
    assert.equal(ownSockets().size, before);
  },

  'openSocket: net.Socket({ fd }) connects the descriptor': takes(
    'openSocket: net.Socket({ fd }) connects the descriptor',
    async () => {
      const fd = openSocket({ type: 'tcp4', socketOptions: OPTIONS });
      try {
        return await withConnected(
          (port) => new net.Socket({ fd }).connect(port, HOST),
          (socket) => String(held(byPorts(socket))) === String(HELD),
        );
      } finally {
        closeIfOpen(fd);
      }
    },
  ),

  'openSocket: net.Server listens on the descriptor': takes(
    'openSocket: net.Server listens on the descriptor',
    async () => {
      const fd = openSocket({ type: 'tcp4', socketOptions: { reusePort: true } });
      const server = net.createServer();
      await listenOn(server, { fd });
      const isTaken = isReusePort(serverFd(server));
      server.close();
      return isTaken;
    },
  ),

  'openSocket: dgram.Socket takes the descriptor': takes(
    'openSocket: dgram.Socket takes the descriptor',
    async () => {
      const fd = openSocket({ type: 'udp4', socketOptions: { reusePort: true } });
      const socket = createSocket('udp4');
      const peer = createSocket('udp4');
      try {
        const listening = once(peer, 'listening');
        peer.bind(0, HOST);
        await listening;
        const received = once(peer, 'message');
        socket.bind({ fd });
        socket.send('hello', peer.address().port, HOST);
        const [, { port }] = await received;
        return isReusePort(findByPorts('udp', port, 0));
      } catch (error) {
        if (error.code !== 'ERR_INVALID_FD_TYPE') throw error;
        return false;
      } finally {
        peer.close();
        socket.close();
        closeIfOpen(fd);
      }
    },
  ),
};
