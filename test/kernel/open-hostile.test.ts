// Functions of the program that are called while a socket is opened, and close it.

import dgram from 'node:dgram';
import net from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { bind, connect, SocketOptionError, tuneSockets } from '../../dist/index.js';
import { listen as listenOnLoopback } from '../support/net';
import { socketsOpen, untilOpen } from '../support/open-sockets';
import { onLinux } from '../support/platform';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** Options with a getter that is called each time they are read. */
const watched = (onRead: () => void): object => ({
  get recvBufferSize() {
    onRead();
    return 50_000;
  },
});
const watchedLinger = (onRead: () => void): object => ({
  linger: {
    timeout: 1_000,
    get enable() {
      onRead();
      return true;
    },
  },
});

test.each([
  ['an option', watched],
  ['a member of an option', watchedLinger],
])('bind(): a getter of %s closes the socket', async (_, optionsWith) => {
  const before = socketsOpen();
  for (let read = 1; read <= 4; read++) {
    let reads = 0;
    const socket = dgram.createSocket('udp4').on('error', () => {});
    let isClosed = false;
    socket.on('close', () => {
      isClosed = true;
    });
    const close = (): void => {
      if (++reads === read) socket.close();
    };
    try {
      bind(socket, { port: 0, socketOptions: optionsWith(close) });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (!(error instanceof SocketOptionError)) expect(code).toBe('ERR_SOCKET_DGRAM_NOT_RUNNING');
    }
    if (reads < read) socket.close();
    await expect.poll(() => isClosed).toBe(true);
  }
  await untilOpen(before);
});

test('connect(): a getter of an option is read within the call', async () => {
  const server = net.createServer((socket) => socket.on('error', () => {}).resume());
  closers.push(() => server.close());
  const port = await listenOnLoopback(server);
  let reads = 0;
  const socket = connect({
    ...{ port, host: '127.0.0.1' },
    socketOptions: watchedLinger(() => reads++),
  });
  const within = reads;
  await new Promise((resolve) => socket.once('connect', resolve));
  expect(within).toBeGreaterThan(0);
  expect(reads).toBe(within);
  socket.destroy();
});

test('tuneSockets(): onError destroys the socket that is opened', async (context) => {
  onLinux('an option that is refused by name')(context);
  const server = net.createServer((socket) => socket.on('error', () => {}).resume());
  closers.push(() => server.close());
  const port = await listenOnLoopback(server);
  const before = socketsOpen();
  const errors: Error[] = [];
  const tuning = tuneSockets({
    client: { bindToDevice: 'no-such-device', recvBufferSize: 50_000 },
    onError: (error, socket) => {
      errors.push(error);
      socket?.destroy();
    },
  });
  closers.push(() => tuning.close());
  const socket = net.connect(port, '127.0.0.1').on('error', () => {});
  await new Promise((resolve) => socket.once('close', resolve));
  expect(errors.length).toBeGreaterThan(0);
  await untilOpen(before);
});
