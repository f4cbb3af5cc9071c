// What a program would log: JSON.stringify takes everything that the package returns, and keeps what it
// says.

import dgram from 'node:dgram';
import { EventEmitter } from 'node:events';
import { closeSync } from 'node:fs';
import net from 'node:net';
import { describe, expect, test } from 'vitest';
import * as socketOptions from '../../dist/index.js';
import { type Pair, withPair } from '../support/net';

const onLinux = process.platform === 'linux';

/** A call of each public function, whose result must survive. */
const calls: Readonly<Record<string, (pair: Pair) => unknown>> = {
  getOption: ({ client }) =>
    socketOptions
      .supportedOptions()
      .map((name) => quietly(() => socketOptions.getOption(client, name))),
  getOptions: ({ client }) =>
    socketOptions.getOptions(
      client,
      socketOptions
        .supportedOptions()
        .filter((name) => quietly(() => socketOptions.getOption(client, name)) !== undefined),
    ),
  setOptions: ({ client }) => socketOptions.setOptions(client, { keepAlive: true }),
  isSupported: () => socketOptions.isSupported('keepAlive'),
  supportedOptions: () => socketOptions.supportedOptions(),
  getRawOption: ({ client }) =>
    socketOptions.getRawOption(
      client,
      socketOptions.constants.SOL_SOCKET,
      socketOptions.constants.SO_KEEPALIVE as number,
    ),
  setRawOption: ({ client }) =>
    socketOptions.setRawOption(
      client,
      socketOptions.constants.SOL_SOCKET,
      socketOptions.constants.SO_KEEPALIVE as number,
      1,
    ),
  constants: () => socketOptions.constants,
  getKeepAlive: ({ client }) => socketOptions.getKeepAlive(client),
  setKeepAlive: ({ client }) => socketOptions.setKeepAlive(client, { enable: true }),
  planDeadPeerTimeout: () => socketOptions.planDeadPeerTimeout(20_000),
  setDeadPeerTimeout: ({ client }) => socketOptions.setDeadPeerTimeout(client, 20_000),
  getDeadPeerBounds: ({ client }) => socketOptions.getDeadPeerBounds(client),
  explainDisconnect: ({ client }) =>
    socketOptions.explainDisconnect(
      Object.assign(new Error('gone'), { code: 'ETIMEDOUT' }),
      client,
    ),
  tuneSockets: () => {
    const tuning = socketOptions.tuneSockets({ client: { keepAlive: true } });
    tuning.close();
    return tuning;
  },
  // Sockets and servers are Node's own.
  connect: ({ client }) => {
    socketOptions.connect({ host: '127.0.0.1', port: client.remotePort as number }).destroy();
  },
  listen: () => {
    socketOptions.listen(net.createServer(), { host: '127.0.0.1', port: 0 }).close();
  },
  bind: () => {
    socketOptions.bind(dgram.createSocket('udp4'), { address: '127.0.0.1' }).close();
  },
  openSocket: () => {
    const fd = socketOptions.openSocket({ type: 'tcp4' });
    // On Windows it is no descriptor of Node.
    if (process.platform !== 'win32') closeSync(fd);
    return fd;
  },
  getSystemDefaults: () => socketOptions.getSystemDefaults(),
  getSysctl: () =>
    socketOptions.getSysctl(onLinux ? 'net.ipv4.tcp_keepalive_time' : 'net.inet.tcp.keepidle'),
  isReusable: ({ client }) => socketOptions.isReusable(client),
  getMptcpInfo: ({ client }) => (onLinux ? socketOptions.getMptcpInfo(client) : null),
  getTcpInfo: ({ client }) => socketOptions.getTcpInfo(client),
  getKernelTcpInfo: ({ client }) => socketOptions.getKernelTcpInfo(client),
  TcpInfoReader: ({ client }) => {
    const reader = new socketOptions.TcpInfoReader();
    reader.read(client);
    return reader;
  },
  readTcpInfos: ({ client, accepted }) => socketOptions.readTcpInfos([client, accepted]),
  readTcpInfosAsync: ({ client, accepted }) => socketOptions.readTcpInfosAsync([client, accepted]),
  listConnections: ({ client }) =>
    socketOptions.listConnections({
      port: client.remotePort as number,
      tcpInfo: onLinux,
      owners: true,
    }),
  listConnectionsAsync: ({ client }) =>
    socketOptions.listConnectionsAsync({
      port: client.remotePort as number,
      tcpInfo: onLinux,
      owners: true,
    }),
  diagnoseConnections: ({ client }) =>
    socketOptions.diagnoseConnections({ port: client.remotePort as number, tcpInfo: onLinux }),
  destroyConnection: ({ client }) => {
    const { localPort, remotePort } = client as { localPort: number; remotePort: number };
    const [one] = socketOptions.listConnections({ localPort, remotePort });
    return socketOptions.destroyConnection(
      JSON.parse(JSON.stringify(one)) as socketOptions.Connection,
    );
  },
  watchClosedConnections: () => {
    const watch = socketOptions.watchClosedConnections();
    watch.close();
    return watch;
  },
  tcpStates: () => socketOptions.tcpStates,
  SocketOptionError: ({ client }) =>
    new socketOptions.SocketOptionError('EINVAL: refused', {
      ...{ code: 'EINVAL', errno: -22, syscall: 'setsockopt', option: 'SO_MARK' },
      applied: socketOptions.getKeepAlive(client).enable ? ['SO_KEEPALIVE'] : [],
    }),
};

function quietly<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch {
    return undefined;
  }
}

test('the list of calls contains each export', () => {
  // Newer versions of Node add a name for a CommonJS module.
  const exported = Object.keys(socketOptions).filter(
    (name) => !['default', 'module.exports'].includes(name),
  );
  expect(Object.keys(calls).sort()).toEqual(exported.sort());
});

describe('JSON.stringify', () => {
  test.each(Object.entries(calls))('keeps each member of the result of %s', async (name, call) => {
    await withPair(async (pair) => {
      let result: unknown;
      try {
        result = await call(pair);
      } catch (error) {
        // The option may need another system or a privilege: the error must survive too.
        expect(error, name).toBeInstanceOf(socketOptions.SocketOptionError);
        result = error;
      }
      const text = JSON.stringify(result);
      if (result === undefined) return;
      expect(text, name).toMatch(/^./);
      if (result instanceof socketOptions.TcpInfoReader || result instanceof EventEmitter) return;
      // Plain data keeps every member.
      if (result === null || Object.getPrototypeOf(result) !== Object.prototype) return;
      expect(Object.keys(JSON.parse(text) as object), name).toEqual(
        Object.keys(result).filter((key) => {
          const value = (result as Record<string, unknown>)[key];
          return value !== undefined && typeof value !== 'function';
        }),
      );
    });
  });

  test('keeps code, errno, syscall, option and applied of an error', () => {
    const details = { code: 'EPERM', errno: -1, syscall: 'setsockopt', option: 'SO_MARK' };
    const error = new socketOptions.SocketOptionError('EPERM', {
      ...details,
      applied: ['SO_KEEPALIVE'],
    });
    expect(JSON.parse(JSON.stringify(error))).toEqual({ ...details, applied: ['SO_KEEPALIVE'] });
  });

  test('keeps a connection and its cookie', async ({ skip }) => {
    skip(!onLinux, `has no cookies: ${process.platform}`);
    await withPair(({ client }) => {
      const { localPort, remotePort } = client as { localPort: number; remotePort: number };
      const [one] = socketOptions.listConnections({ localPort, remotePort, tcpInfo: true });
      expect(JSON.parse(JSON.stringify(one))).toEqual(one);
      expect(one?.cookie).toMatch(/^[1-9]\d*$/);
      expect(one?.cookie).toBe(socketOptions.getOption(client, 'cookie'));
    });
  });
});
