// Sockets of Multipath TCP, and connections of it that fell back to TCP.

import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  getOption,
  getOptions,
  openSocket,
  type SocketOptionError,
  type SocketOptions,
  setDeadPeerTimeout,
  setOptions,
} from '../../dist/index.js';
import { fdOf } from '../support/net';
import { onLinux } from '../support/platform';
import {
  AF_INET,
  getInt,
  IPPROTO_TCP,
  referenceAddon,
  SO_KEEPALIVE,
  SOCK_STREAM,
  SOL_SOCKET,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
} from '../support/reference-addon';

const IPPROTO_MPTCP = 262;
const [IPPROTO_IP, IP_TOS] = [0, 1];
const [IPPROTO_IPV6, IPV6_TCLASS] = [41, 67];
const TCP_NODELAY = 1;
const TCP_USER_TIMEOUT = 18;
const TCP_IS_MPTCP = 43;
const TCP_RTO_MAX_MS = 44;
const [ENOPROTOOPT, ENOTSUP] = [92, 95];

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0).reverse()) end();
});

/** A new socket of a protocol. */
function open(protocol: number): number {
  const fd = referenceAddon.socket(AF_INET, SOCK_STREAM, protocol);
  if (fd < 0) throw new Error(`socket(${protocol}): errno ${-fd}`);
  return fd;
}

beforeEach(onLinux('Multipath TCP'));
beforeEach(({ skip }) => {
  const fd = referenceAddon.socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
  skip(fd < 0, `this kernel makes no sockets of Multipath TCP: errno ${-fd}`);
  const answer = referenceAddon.get(fd, IPPROTO_TCP, TCP_IS_MPTCP, Buffer.alloc(4));
  referenceAddon.close(fd);
  skip(answer < 0, 'this kernel has no TCP_IS_MPTCP (Linux 6.10)');
});

interface Scene {
  readonly listener: net.Server;
  readonly client: net.Socket;
  readonly accepted: net.Socket;
}

/** A connection. `prepare` gets the listening descriptor first. */
async function connect(
  serverProtocol: number,
  clientProtocol: number,
  prepare: (fd: number) => void = () => {},
): Promise<Scene> {
  const listening = open(serverProtocol);
  prepare(listening);
  referenceAddon.listen(listening);
  const listener = net.createServer().listen({ fd: listening });
  ends.push(() => listener.close());
  await once(listener, 'listening');
  const incoming = once(listener, 'connection') as Promise<[net.Socket]>;
  const options = { fd: open(clientProtocol), manualStart: true };
  const { port } = listener.address() as AddressInfo;
  const client = new net.Socket(options).connect(port, '127.0.0.1');
  ends.push(() => client.destroy());
  await once(client, 'connect');
  const [accepted] = await incoming;
  ends.push(() => accepted.destroy());
  return { listener, client, accepted };
}

/** The answer of the kernel to an option: its number, or its errno as a negative number. */
function answer(fd: number, option: number): number {
  const buffer = Buffer.alloc(4);
  const status = referenceAddon.get(fd, IPPROTO_TCP, option, buffer);
  return status < 0 ? status : buffer.readInt32LE(0);
}

/** The keepalive values in the kernel. */
const held = (fd: number) => [
  getInt(fd, SOL_SOCKET, SO_KEEPALIVE),
  ...[TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT].map((name) => getInt(fd, IPPROTO_TCP, name)),
];

describe('the option mptcp', () => {
  test('is true for both ends and the listening socket', async () => {
    const { listener, client, accepted } = await connect(IPPROTO_MPTCP, IPPROTO_MPTCP);
    for (const socket of [listener, client, accepted]) {
      expect(getInt(fdOf(socket), IPPROTO_TCP, TCP_IS_MPTCP)).toBe(1);
      expect(getOption(socket, 'mptcp')).toBe(true);
      expect(getOption(socket, 'protocol')).toBe('mptcp');
    }
  });

  test('is false for a client that fell back, whose protocol stays the same', async () => {
    const { client, accepted } = await connect(IPPROTO_TCP, IPPROTO_MPTCP);
    expect(getInt(fdOf(client), IPPROTO_TCP, TCP_IS_MPTCP)).toBe(0);
    expect(getOptions(client, ['mptcp', 'protocol'])).toEqual({
      mptcp: false,
      protocol: 'mptcp',
    });
    expect(getOption(accepted, 'mptcp')).toBe(false);
  });

  test('is false for a TCP client of a Multipath TCP server', async () => {
    const { accepted } = await connect(IPPROTO_MPTCP, IPPROTO_TCP);
    expect(getOptions(accepted, ['mptcp', 'protocol'])).toEqual({
      mptcp: false,
      protocol: 'tcp',
    });
  });

  test('is chosen when a socket is opened, so setOptions() throws and sets nothing', async () => {
    const { client } = await connect(IPPROTO_MPTCP, IPPROTO_MPTCP);
    for (const mptcp of [true, false]) {
      expect(() => setOptions(client, { noDelay: true, mptcp } as SocketOptions)).toThrow(
        expect.objectContaining({
          code: 'ERR_SOCKET_TOO_LATE',
          option: 'TCP_IS_MPTCP',
          message:
            "mptcp is chosen when a socket is opened: use connect(), listen(), tuneSockets(), or a type of openSocket() as 'mptcp4', of this package",
        }),
      );
    }
    expect(getInt(fdOf(client), IPPROTO_TCP, TCP_NODELAY)).toBe(0);
  });
});

describe('options of a Multipath TCP socket', () => {
  const keepAlive = {
    keepAliveInitialDelay: 5_000,
    keepAliveInterval: 3_000,
    keepAliveCount: 4,
    keepAlive: true,
  };

  test('keepalive is set and read back, and inherited from a listening socket', async () => {
    const { client, accepted } = await connect(IPPROTO_MPTCP, IPPROTO_MPTCP, (fd) => {
      setOptions(fd, keepAlive);
    });
    expect(held(fdOf(accepted))).toEqual([1, 5, 3, 4]);
    setOptions(client, keepAlive);
    expect(held(fdOf(client))).toEqual([1, 5, 3, 4]);
    expect(getOptions(client)).toMatchObject(keepAlive);
  });

  test.each([
    ['userTimeout', TCP_USER_TIMEOUT, 7_500],
    ['retransmissionTimeoutMax', TCP_RTO_MAX_MS, 2_000],
  ] as const)('%s is refused, and options before it are named', async (name, number, value) => {
    const { client } = await connect(IPPROTO_MPTCP, IPPROTO_MPTCP);
    const fd = fdOf(client);
    // ENOPROTOOPT before the kernel had the option.
    expect([-ENOTSUP, -ENOPROTOOPT]).toContain(answer(fd, number));
    let error: SocketOptionError | undefined;
    try {
      setOptions(client, { noDelay: true, [name]: value });
    } catch (thrown) {
      error = thrown as SocketOptionError;
    }
    expect(error?.code).toBe('ENOPROTOOPT');
    expect(getOptions(client)).not.toHaveProperty(name);
    expect(error?.message).toContain('(Multipath TCP does not have it)');
  });

  test('dscp is refused over IPv6 where the kernel would ignore it, and set over IPv4', () => {
    const [ipv4 = -1, ipv6 = -1] = (['mptcp4', 'mptcp6'] as const).map((type) =>
      openSocket({ type }),
    );
    ends.push(() => [ipv4, ipv6].map((fd) => referenceAddon.close(fd)));
    setOptions(ipv4, { dscp: 46 });
    expect(getInt(ipv4, IPPROTO_IP, IP_TOS)).toBe(46 << 2);
    const hasOption = referenceAddon.get(ipv6, IPPROTO_IPV6, IPV6_TCLASS, Buffer.alloc(4)) >= 0;
    const call = (): void => setOptions(ipv6, { dscp: 46 });
    if (hasOption) call();
    else expect(call).toThrow(/IPV6_TCLASS \(Multipath TCP does not have it\)/);
    expect('dscp' in getOptions(ipv6)).toBe(hasOption);
  });

  test('after the fallback, userTimeout is set, and retransmissionTimeoutMax only read', async ({
    skip,
  }) => {
    const { client } = await connect(IPPROTO_TCP, IPPROTO_MPTCP);
    setOptions(client, { userTimeout: 7_500 });
    expect(getInt(fdOf(client), IPPROTO_TCP, TCP_USER_TIMEOUT)).toBe(7_500);
    skip(
      answer(fdOf(client), TCP_RTO_MAX_MS) < 0,
      'this kernel has no TCP_RTO_MAX_MS (Linux 6.15)',
    );
    expect(() => setOptions(client, { retransmissionTimeoutMax: 2_000 })).toThrow(/ENOPROTOOPT/);
    expect(getOption(client, 'retransmissionTimeoutMax')).toBe(120_000);
  });

  test('a TCP client of a Multipath TCP server inherits keepalive, and takes all options', async () => {
    const { accepted } = await connect(IPPROTO_MPTCP, IPPROTO_TCP, (fd) => {
      setOptions(fd, keepAlive);
    });
    expect(held(fdOf(accepted))).toEqual([1, 5, 3, 4]);
    expect(getOption(accepted, 'userTimeout')).toBe(0);
    setOptions(accepted, { userTimeout: 7_500 });
    expect(getInt(fdOf(accepted), IPPROTO_TCP, TCP_USER_TIMEOUT)).toBe(7_500);
  });
});

describe('setDeadPeerTimeout', () => {
  test.each([
    ['a connection', IPPROTO_MPTCP, IPPROTO_MPTCP],
    ['a client that fell back', IPPROTO_TCP, IPPROTO_MPTCP],
  ])('keeps to the options that the kernel takes: %s', async (_, server, client) => {
    const { client: socket } = await connect(server, client);
    const plan = setDeadPeerTimeout(socket, 20_000);
    expect(plan).toMatchObject({ platform: 'mptcp', supervised: true, zeroWindow: 'tolerate' });
    expect(held(fdOf(socket))).toEqual([1, 4, 2, 127]);
    expect(getOptions(socket)).toMatchObject(plan.options);
    expect(setDeadPeerTimeout(socket, null)).toBeNull();
    expect(getInt(fdOf(socket), SOL_SOCKET, SO_KEEPALIVE)).toBe(0);
  });

  test('tunes a TCP client of a Multipath TCP server', async () => {
    const { accepted } = await connect(IPPROTO_MPTCP, IPPROTO_TCP);
    expect(setDeadPeerTimeout(accepted, 20_000).platform).toBe('linux');
    expect(held(fdOf(accepted)).slice(0, 3)).toEqual([1, 4, 2]);
  });

  test('sets nothing that is refused on a descriptor', async () => {
    const { client } = await connect(IPPROTO_MPTCP, IPPROTO_MPTCP);
    const plan = setDeadPeerTimeout(fdOf(client), 20_000);
    expect(plan).toMatchObject({ platform: 'mptcp', supervised: false });
    expect(getOptions(client)).toMatchObject(plan.options);
    expect(plan.promise.isToldInTime).toBe(false);
  });
});
