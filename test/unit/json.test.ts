// What a program would log: JSON.stringify takes everything that the package returns, and keeps what it
// says.

import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import * as face from '../../dist/index.js';
import { type Pair, withPair } from '../support/net';

const onLinux = process.platform === 'linux';

/** How each public function is called; its result has to survive. */
const calls: Readonly<Record<string, (pair: Pair) => unknown>> = {
  getOption: ({ client }) =>
    face.supportedOptions().map((name) => quietly(() => face.getOption(client, name))),
  getOptions: ({ client }) =>
    face.getOptions(
      client,
      face
        .supportedOptions()
        .filter((name) => quietly(() => face.getOption(client, name)) !== undefined),
    ),
  setOptions: ({ client }) => face.setOptions(client, { keepAlive: true }),
  isSupported: () => face.isSupported('keepAlive'),
  supportedOptions: () => face.supportedOptions(),
  getRawOption: ({ client }) =>
    face.getRawOption(client, face.constants.SOL_SOCKET, face.constants.SO_KEEPALIVE as number),
  setRawOption: ({ client }) =>
    face.setRawOption(client, face.constants.SOL_SOCKET, face.constants.SO_KEEPALIVE as number, 1),
  constants: () => face.constants,
  getKeepAlive: ({ client }) => face.getKeepAlive(client),
  setKeepAlive: ({ client }) => face.setKeepAlive(client, { enable: true }),
  planDeadPeerTimeout: () => face.planDeadPeerTimeout(20_000),
  setDeadPeerTimeout: ({ client }) => face.setDeadPeerTimeout(client, 20_000),
  getDeadPeerBounds: ({ client }) => face.getDeadPeerBounds(client),
  explainDisconnect: ({ client }) =>
    face.explainDisconnect(Object.assign(new Error('gone'), { code: 'ETIMEDOUT' }), client),
  tuneSockets: () => {
    const tuning = face.tuneSockets({ client: { keepAlive: true } });
    tuning.close();
    return tuning;
  },
  getSystemDefaults: () => face.getSystemDefaults(),
  getSysctl: () =>
    face.getSysctl(onLinux ? 'net.ipv4.tcp_keepalive_time' : 'net.inet.tcp.keepidle'),
  getTcpInfo: ({ client }) => face.getTcpInfo(client),
  getKernelTcpInfo: ({ client }) => face.getKernelTcpInfo(client),
  TcpInfoReader: ({ client }) => {
    const reader = new face.TcpInfoReader();
    reader.read(client);
    return reader;
  },
  readTcpInfos: ({ client, accepted }) => face.readTcpInfos([client, accepted]),
  readTcpInfosAsync: ({ client, accepted }) => face.readTcpInfosAsync([client, accepted]),
  listConnections: ({ client }) =>
    face.listConnections({ port: client.remotePort as number, tcpInfo: onLinux, owners: true }),
  listConnectionsAsync: ({ client }) =>
    face.listConnectionsAsync({
      port: client.remotePort as number,
      tcpInfo: onLinux,
      owners: true,
    }),
  destroyConnection: ({ client }) => {
    const { localPort, remotePort } = client as { localPort: number; remotePort: number };
    const [one] = face.listConnections({ localPort, remotePort });
    return face.destroyConnection(JSON.parse(JSON.stringify(one)) as face.Connection);
  },
  watchClosedConnections: () => {
    const watch = face.watchClosedConnections();
    watch.close();
    return watch;
  },
  tcpStates: () => face.tcpStates,
  SocketOptionError: ({ client }) =>
    new face.SocketOptionError('EINVAL: refused', {
      ...{ code: 'EINVAL', errno: -22, syscall: 'setsockopt', option: 'SO_MARK' },
      applied: face.getKeepAlive(client).enable ? ['SO_KEEPALIVE'] : [],
    }),
};

function quietly<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch {
    return undefined;
  }
}

test('there is a call for everything that is exported', () => {
  // Newer versions of Node add a name of their own for a CommonJS module.
  const exported = Object.keys(face).filter(
    (name) => !['default', 'module.exports'].includes(name),
  );
  expect(Object.keys(calls).sort()).toEqual(exported.sort());
});

describe('JSON.stringify', () => {
  test.each(Object.entries(calls))('%s', async (name, call) => {
    await withPair(async (pair) => {
      let result: unknown;
      try {
        result = await call(pair);
      } catch (error) {
        // Not of this system, or not without privilege: the error has to survive too.
        expect(error, name).toBeInstanceOf(face.SocketOptionError);
        result = error;
      }
      const text = JSON.stringify(result);
      if (result === undefined) return;
      expect(text, name).toMatch(/^./);
      if (result instanceof face.TcpInfoReader || result instanceof EventEmitter) return;
      // Nothing of plain data is lost on the way.
      if (result === null || Object.getPrototypeOf(result) !== Object.prototype) return;
      expect(Object.keys(JSON.parse(text) as object), name).toEqual(
        Object.keys(result).filter((key) => {
          const value = (result as Record<string, unknown>)[key];
          return value !== undefined && typeof value !== 'function';
        }),
      );
    });
  });

  test('an error keeps its code, errno, syscall, option and what was applied', () => {
    const details = { code: 'EPERM', errno: -1, syscall: 'setsockopt', option: 'SO_MARK' };
    const error = new face.SocketOptionError('EPERM', { ...details, applied: ['SO_KEEPALIVE'] });
    expect(JSON.parse(JSON.stringify(error))).toEqual({ ...details, applied: ['SO_KEEPALIVE'] });
  });

  test('a connection and its cookie come back the same', async ({ skip }) => {
    skip(!onLinux, `has no cookies: ${process.platform}`);
    await withPair(({ client }) => {
      const { localPort, remotePort } = client as { localPort: number; remotePort: number };
      const [one] = face.listConnections({ localPort, remotePort, tcpInfo: true });
      expect(JSON.parse(JSON.stringify(one))).toEqual(one);
      expect(one?.cookie).toMatch(/^[1-9]\d*$/);
      expect(one?.cookie).toBe(face.getOption(client, 'cookie'));
    });
  });
});
