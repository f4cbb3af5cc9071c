// getMptcpInfo() on real sockets: which have Multipath TCP, and which do not. Connections of several subflows are in
// test/lanes/mptcp/.

import dgram from 'node:dgram';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connect, getMptcpInfo, listen, type MptcpInfo, openSocket } from '../../dist/index.js';
import { fdOf, withPair } from '../support/net';
import { onLinux } from '../support/platform';
import {
  AF_INET,
  AF_UNIX,
  getBytes,
  referenceAddon,
  SOCK_STREAM,
  withSocket,
} from '../support/reference-addon';

const IPPROTO_MPTCP = 262;
const [SOL_MPTCP, MPTCP_INFO] = [284, 1];
const MPTCP = { socketOptions: { mptcp: true } };

beforeEach(onLinux('Multipath TCP'));

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0).reverse()) end();
});

interface Scene {
  readonly server: net.Server;
  readonly client: net.Socket;
  readonly accepted: net.Socket;
}

/** A connection; `true`: this side has Multipath TCP. */
async function open(ofServer: boolean, ofClient: boolean, host = '127.0.0.1'): Promise<Scene> {
  const server = net.createServer();
  ends.push(() => server.close());
  const listening = once(server, 'listening');
  if (ofServer) listen(server, { host, port: 0, ...MPTCP });
  else server.listen(0, host);
  await listening;
  const accepting = once(server, 'connection') as Promise<[net.Socket]>;
  const { port } = server.address() as AddressInfo;
  const client = ofClient ? connect({ host, port, ...MPTCP }) : net.connect(port, host);
  ends.push(() => client.destroy());
  await once(client, 'connect');
  const [accepted] = await accepting;
  ends.push(() => accepted.destroy());
  return { server, client, accepted };
}

/** The code of an error. */
function refusal(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('a connection without Multipath TCP', () => {
  test('is null: both ends of plain TCP, and its listening socket', async () => {
    await withPair(({ client, accepted, server }) => {
      expect([client, accepted, server].map((one) => getMptcpInfo(one))).toEqual([
        null,
        null,
        null,
      ]);
    });
  });

  test('is null: a new TCP socket', () => {
    withSocket(AF_INET, SOCK_STREAM, (fd) => expect(getMptcpInfo(fd)).toBeNull());
  });

  test.each([
    ['a UDP socket', () => dgram.createSocket('udp4')],
    ['a Unix socket', () => referenceAddon.socket(AF_UNIX, SOCK_STREAM, 0)],
  ])('is refused, not null: %s', async (_, make) => {
    const socket = make();
    if (typeof socket !== 'number') await once(socket.bind(), 'listening');
    ends.push(() => (typeof socket === 'number' ? referenceAddon.close(socket) : socket.close()));
    expect(() => getMptcpInfo(socket)).toThrow(
      expect.objectContaining({
        name: 'SocketOptionError',
        code: expect.stringMatching(/^(ENOTSUP|EOPNOTSUPP|ENOPROTOOPT)$/),
        option: 'MPTCP_INFO',
        message: expect.stringContaining('only TCP sockets have it'),
      }),
    );
  });
});

describe('wrong arguments', () => {
  test('a socket that was destroyed', async () => {
    await withPair(({ client }) => {
      client.destroy();
      expect(refusal(() => getMptcpInfo(client))).toBe('ERR_SOCKET_CLOSED');
    });
  });

  test('a socket that is not connected', () => {
    expect(refusal(() => getMptcpInfo(new net.Socket()))).toMatch(/^ERR_SOCKET_/);
  });

  test('a number that is no descriptor', () => {
    expect(refusal(() => getMptcpInfo(1_000_000))).toBe('EBADF');
  });

  test.each([undefined, null, '3', -1, 1.5, {}, []])('%j is no socket', (value) => {
    expect(refusal(() => getMptcpInfo(value as never))).toMatch(/^ERR_(INVALID_ARG|OUT_OF_RANGE)/);
  });
});

describe('Multipath TCP', () => {
  beforeEach(({ skip }) => {
    const fd = referenceAddon.socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
    skip(fd < 0, `this kernel makes no sockets of Multipath TCP: errno ${-fd}`);
    const answer = referenceAddon.get(fd, SOL_MPTCP, MPTCP_INFO, Buffer.alloc(256));
    referenceAddon.close(fd);
    skip(answer < 0, 'this kernel has no MPTCP_INFO (Linux 5.16)');
  });

  /** The token in the kernel: byte 12 of struct mptcp_info. */
  const tokenOf = (socket: object) =>
    getBytes(fdOf(socket), SOL_MPTCP, MPTCP_INFO, 96).readUInt32LE(12);

  test.each(['127.0.0.1', '::1'])('has a subflow at both ends over %s', async (host) => {
    const { client, accepted } = await open(true, true, host);
    client.write('12345');
    await once(accepted, 'readable');
    for (const socket of [client, accepted]) {
      const { token, subflows } = getMptcpInfo(socket) as MptcpInfo;
      expect(token).toBe(tokenOf(socket));
      expect(subflows).toMatchObject([
        {
          family: host === '::1' ? 'IPv6' : 'IPv4',
          localAddress: host,
          localPort: socket.localPort,
          remoteAddress: host,
          remotePort: socket.remotePort,
          tcpInfo: { state: 'ESTABLISHED' },
        },
      ]);
    }
  });

  test('has counters of the whole connection', async ({ skip }) => {
    const { client, accepted } = await open(true, true);
    client.write('12345');
    await once(accepted, 'readable');
    const info = getMptcpInfo(accepted) as MptcpInfo;
    skip(info.bytesReceived === null, 'this kernel has no counters of bytes (Linux 6.5)');
    expect([info.bytesReceived, info.bytesSent]).toEqual([5, 0]);
    // The data sequence number of the first byte is not counted, and moves with the data.
    const { writeSeq } = getMptcpInfo(client) as MptcpInfo;
    client.write('67890');
    expect(BigInt((getMptcpInfo(client) as MptcpInfo).writeSeq) - BigInt(writeSeq)).toBe(5n);
  });

  test('is null after the fallback, for either end', async () => {
    const fellBack = await open(false, true);
    const plain = await open(true, false);
    for (const socket of [fellBack.client, fellBack.accepted, plain.client, plain.accepted]) {
      expect(getMptcpInfo(socket)).toBeNull();
    }
  });

  test('has no token while there is no connection: a listening socket and a new one', async () => {
    const { server } = await open(true, true);
    expect(getMptcpInfo(server)).toMatchObject({
      token: 0,
      subflows: [{ remotePort: 0, tcpInfo: { state: 'LISTEN' } }],
    });
    const fd = openSocket({ type: 'mptcp4' });
    ends.push(() => referenceAddon.close(fd));
    expect(getMptcpInfo(fd)).toMatchObject({ token: 0, subflows: [] });
  });

  test('is the same by a descriptor, by { fd }, and in a worker', async () => {
    const { client } = await open(true, true);
    const fd = fdOf(client);
    const { token } = getMptcpInfo(client) as MptcpInfo;
    expect(getMptcpInfo(fd)?.token).toBe(token);
    expect(getMptcpInfo({ fd })?.token).toBe(token);
    const program = `
      const { parentPort, workerData } = require('node:worker_threads');
      const { getMptcpInfo } = require(workerData.entry);
      parentPort.postMessage(getMptcpInfo(workerData.fd));`;
    const workerData = { fd, entry: require.resolve('../../dist/index.js') };
    const [info] = await once(new Worker(program, { eval: true, workerData }), 'message');
    expect(info).toMatchObject({ token, subflows: [{ localPort: client.localPort }] });
  });
});
