// listen() and bind() with options end as Node's own do: what its tests in test/lanes/node-tests found.

import { execFileSync } from 'node:child_process';
import dgram, { type SocketOptions } from 'node:dgram';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import net from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { bind, connect, getOption, listen } from '../../dist/index.js';

const HOST = '127.0.0.1';
const socketOptions = { recvBufferSize: 65_536 };

/** Node calls it in server.listen(), and leaves it to programs that wrap it. */
interface Method {
  _listen2(this: unknown, ...args: unknown[]): unknown;
}

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

describe('bind()', () => {
  const open = (options: Partial<SocketOptions> = {}) => {
    const socket = dgram.createSocket({ type: 'udp4', ...options });
    ends.push(() => socket.close());
    return socket;
  };

  test('refuses a port that another socket has', async () => {
    const first = bind(open(), { address: HOST, socketOptions });
    await once(first, 'listening');
    const { port } = first.address();
    const second = bind(open(), { address: HOST, port, socketOptions });
    await expect(once(second, 'listening')).rejects.toMatchObject({ code: 'EADDRINUSE', port });
  });

  test.each([
    ['socketOptions.reuseAddress', {}, { ...socketOptions, reuseAddress: true }],
    ['reuseAddr of the socket', { reuseAddr: true }, socketOptions],
  ])('shares a port by %s', async (_, options, chosen) => {
    const first = bind(open(options), { address: HOST, socketOptions: chosen });
    await once(first, 'listening');
    const { port } = first.address();
    const second = bind(open(options), { address: HOST, port, socketOptions: chosen });
    await once(second, 'listening');
    expect(second.address().port).toBe(port);
  });
});

describe('listen()', () => {
  test('reports a descriptor that is no socket as an event', async () => {
    const fd = openSync('.', 'r');
    ends.push(() => closeSync(fd));
    const server = listen(net.createServer(), { fd, socketOptions });
    const [error] = await once(server, 'error');
    expect(error).toMatchObject({ code: 'ENOTSOCK' });
  });

  test('ignores a negative descriptor, as server.listen() does', async () => {
    const server = listen(net.createServer(), { fd: -1, host: HOST, port: 0, socketOptions });
    ends.push(() => server.close());
    await once(server, 'listening');
    expect(server.address()).toMatchObject({ address: HOST });
  });

  test.each([
    ['the server', (server: net.Server, method: Method) => Object.assign(server, method)],
    [
      'its class',
      (server: net.Server, method: Method) =>
        Object.setPrototypeOf(server, Object.assign(Object.create(net.Server.prototype), method)),
    ],
  ])('calls the method with which %s begins to listen', async (_, replace) => {
    const server = net.createServer();
    ends.push(() => server.close());
    const { _listen2: original } = server as net.Server & Method;
    let calls = 0;
    replace(server, {
      _listen2(...args) {
        calls++;
        return Reflect.apply(original, this, args);
      },
    });
    listen(server, { host: HOST, port: 0, socketOptions: { synRetries: 3 } });
    await once(server, 'listening');
    expect([calls, getOption(server, 'synRetries')]).toEqual([1, 3]);
  });

  test('calls no connect() that the program has put in place of Node’s', () => {
    const script = `
      const net = require('node:net');
      const { listen } = require('./dist/index.js');
      net.Socket.prototype.connect = () => process.exit(3);
      const server = listen(net.createServer(), { port: 0, socketOptions: { recvBufferSize: 65536 } });
      server.once('listening', () => server.close());`;
    expect(execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' })).toBe('');
  });
});

test('options may be inherited, as from an instance of a class', async () => {
  class Place {
    get host() {
      return HOST;
    }
    get port() {
      return 0;
    }
    get socketOptions() {
      return socketOptions;
    }
  }
  const server = listen(net.createServer(), new Place());
  ends.push(() => server.close());
  await once(server, 'listening');
  const { address, port } = server.address() as net.AddressInfo;
  expect(address).toBe(HOST);
  const socket = connect(Object.create({ host: HOST, port, socketOptions }));
  ends.push(() => socket.destroy());
  await once(socket, 'connect');
  // Linux doubles it.
  for (const one of [server, socket]) {
    expect(getOption(one, 'recvBufferSize') % socketOptions.recvBufferSize).toBe(0);
  }
});
