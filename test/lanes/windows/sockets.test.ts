// The numbers that reach Winsock, compared with its headers instead of the catalogue, and handles without a SOCKET.
// test/kernel/sockets.test.ts has the sockets of net, tls, http and http2.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';
import { describe, expect, test } from 'vitest';
import {
  getOption,
  getOptions,
  type OptionName,
  type OptionValues,
  setOptions,
} from '../../../dist/index.js';
import { fdOf, withPair } from '../../support/net';
import {
  AF_INET,
  AF_INET6,
  getBytes,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  referenceAddon,
  SOCK_STREAM,
  SOL_SOCKET,
  withSocket,
} from '../../support/reference-addon';

const int = (value: number) => {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32LE(value);
  return buffer;
};

/** Option and value of the package; level, number and bytes in Winsock. */
type Line = readonly [OptionName, OptionValues[OptionName], number, number, Buffer];

const LINES: readonly Line[] = [
  ['keepAlive', true, SOL_SOCKET, 8, int(1)],
  ['keepAliveInitialDelay', 77_000, IPPROTO_TCP, 3, int(77)],
  ['keepAliveInterval', 6_000, IPPROTO_TCP, 17, int(6)],
  ['keepAliveCount', 4, IPPROTO_TCP, 16, int(4)],
  ['noDelay', true, IPPROTO_TCP, 1, int(1)],
  ['linger', { enable: true, timeout: 3_000 }, SOL_SOCKET, 0x80, Buffer.from([1, 0, 3, 0])],
  ['sendBufferSize', 50_000, SOL_SOCKET, 0x1001, int(50_000)],
  ['recvBufferSize', 60_000, SOL_SOCKET, 0x1002, int(60_000)],
  ['ttl', 33, IPPROTO_IP, 4, int(33)],
  ['hopLimit', 12, IPPROTO_IPV6, 4, int(12)],
  ['ipv6Only', false, IPPROTO_IPV6, 27, int(0)],
];

describe('Winsock', () => {
  const withFresh = (level: number, use: (fd: number) => void) =>
    withSocket(level === IPPROTO_IPV6 ? AF_INET6 : AF_INET, SOCK_STREAM, use);
  /** For a boolean option, Windows writes one byte. */
  const held = (fd: number, level: number, option: number) => {
    const bytes = getBytes(fd, level, option, 4);
    return Buffer.concat([bytes, Buffer.alloc(4 - bytes.length)]);
  };

  test.each(LINES)(
    '%s %o is written as the bytes of Winsock',
    (name, value, level, option, bytes) => {
      withFresh(level, (fd) => {
        expect(held(fd, level, option)).not.toEqual(bytes);
        setOptions(fd, { [name]: value });
        expect(held(fd, level, option)).toEqual(bytes);
      });
    },
  );

  test.each(LINES)(
    '%s %o is read from the bytes of Winsock',
    (name, value, level, option, bytes) => {
      withFresh(level, (fd) => {
        expect(getOption(fd, name)).not.toEqual(value);
        expect(referenceAddon.set(fd, level, option, bytes)).toBe(0);
        expect(getOption(fd, name)).toEqual(value);
      });
    },
  );
});

test('the reference addon distinguishes both ends of every connection', async () => {
  await withPair(async (first) => {
    await withPair((second) => {
      const all = [first, second].flatMap((pair) => [pair.client, pair.accepted, pair.server]);
      const found = all.map(fdOf);
      expect(found.every((fd) => fd > 0)).toBe(true);
      expect(new Set(found).size).toBe(all.length);
    });
  });
});

test('sets an option on one of several dgram sockets', async () => {
  const sockets = [createSocket('udp4'), createSocket('udp4')] as const;
  for (const socket of sockets) {
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
  }
  const [one, other] = sockets;
  const before = other.getRecvBufferSize();
  setOptions(one, { recvBufferSize: 30_000, ttl: 9 });
  expect(one.getRecvBufferSize()).toBe(30_000);
  expect(other.getRecvBufferSize()).toBe(before);
  expect(getOptions(one, ['type', 'ttl'])).toEqual({ type: 'dgram', ttl: 9 });
  expect(getOption(other, 'ttl')).not.toBe(9);
  for (const socket of sockets) socket.close();
});

test('a named pipe has no SOCKET', async () => {
  const server = net.createServer().listen(`\\\\.\\pipe\\socket-options-${process.pid}`);
  await once(server, 'listening');
  expect(() => getOption(server, 'type')).toThrow(
    expect.objectContaining({ code: 'ERR_SOCKET_NO_DESCRIPTOR' }),
  );
  server.close();
});
