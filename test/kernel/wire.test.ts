// What reaches the kernel, in numbers from the manual pages and headers of Linux. Nothing here
// comes from the catalogue: a row with the wrong unit, kind or kernel name passes the derived
// tests, which would agree with it, and fails here.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { getOption, getOptions, type OptionName, setOptions } from '../../dist/index.js';
import { inNamespace, needsNamespace } from '../support/namespace';
import { fdOf, withPair } from '../support/net';
import { onLinux } from '../support/platform';
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  getBytes,
  getInt,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  referenceAddon,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  setInt,
  withSocket,
} from '../support/reference-addon';
import { int, ints, LINES, PRIVILEGED, SINCE } from '../support/wire-lines';

const isRoot = process.getuid?.() === 0;

describe('on Linux', () => {
  beforeEach(onLinux('its numbers'));
  test.for(LINES)('%s %o: written', ([name, value, level, option, bytes], { skip }) => {
    withSocket(level === IPPROTO_IPV6 ? AF_INET6 : AF_INET, SOCK_STREAM, (fd) => {
      skip(!isRoot && PRIVILEGED.includes(name), 'this process is not privileged');
      skip(lacks(fd, name, level, option), `this kernel has no ${name} (${SINCE[name]})`);
      setOptions(fd, { [name]: value });
      expect(getBytes(fd, level, option, 64).subarray(0, bytes.length)).toEqual(bytes);
    });
  });

  test.for(LINES)('%s %o: read', ([name, value, level, option, bytes], { skip }) => {
    withSocket(level === IPPROTO_IPV6 ? AF_INET6 : AF_INET, SOCK_STREAM, (fd) => {
      skip(!isRoot && PRIVILEGED.includes(name), 'this process is not privileged');
      skip(lacks(fd, name, level, option), `this kernel has no ${name} (${SINCE[name]})`);
      expect(referenceAddon.set(fd, level, option, bytes)).toBe(0);
      expect(getOption(fd, name)).toEqual(value);
    });
  });

  test('buffer sizes: the kernel doubles what it gets', () => {
    withSocket(AF_INET, SOCK_STREAM, (fd) => {
      setOptions(fd, { sendBufferSize: 50_000, recvBufferSize: 60_000 });
      expect(getBytes(fd, SOL_SOCKET, 7, 4)).toEqual(int(100_000));
      expect(getBytes(fd, SOL_SOCKET, 8, 4)).toEqual(int(120_000));
      expect(getOption(fd, 'sendBufferSize')).toBe(100_000);
      expect(getOption(fd, 'recvBufferSize')).toBe(120_000);
    });
  });

  test('what can only be read is what the kernel says of the same socket', async () => {
    await withPair(({ client, server }) => {
      const fd = (client as unknown as { _handle: { fd: number } })._handle.fd;
      expect(getBytes(fd, SOL_SOCKET, 3, 4)).toEqual(int(1));
      expect(getOption(client, 'type')).toBe('stream');
      expect(getBytes(fd, SOL_SOCKET, 38, 4)).toEqual(int(6));
      expect(getOption(client, 'protocol')).toBe('tcp');
      expect(getBytes(fd, SOL_SOCKET, 39, 4)).toEqual(int(2));
      expect(getOption(client, 'domain')).toBe('ipv4');
      expect(getOption(client, 'acceptingConnections')).toBe(false);
      expect(getOption(server, 'acceptingConnections')).toBe(true);
      expect(getOption(client, 'mtu')).toBe(getBytes(fd, IPPROTO_IP, 14, 4).readInt32LE(0));
      expect(getOption(client, 'cookie')).toBe(
        String(getBytes(fd, SOL_SOCKET, 57, 8).readBigUInt64LE(0)),
      );
      expect(getOption(client, 'sendLowWatermark')).toBe(1);
    });
  });

  describe('rounding: up to the unit of the kernel, never to 0, never around', () => {
    const ROUNDED: readonly (readonly [OptionName, number, number, number, number])[] = [
      ['keepAliveInitialDelay', 0.001, IPPROTO_TCP, 4, 1],
      ['keepAliveInitialDelay', 500, IPPROTO_TCP, 4, 1],
      ['keepAliveInitialDelay', 1_000, IPPROTO_TCP, 4, 1],
      ['keepAliveInitialDelay', 1_000.5, IPPROTO_TCP, 4, 2],
      ['keepAliveInitialDelay', 32_766_001, IPPROTO_TCP, 4, 32_767],
      ['keepAliveInterval', 1_500, IPPROTO_TCP, 5, 2],
      ['finWait2Timeout', 119_001, IPPROTO_TCP, 8, 120],
      ['deferAccept', 0, IPPROTO_TCP, 9, 0],
      ['deferAccept', 5e-324, IPPROTO_TCP, 9, 1],
      ['userTimeout', 0, IPPROTO_TCP, 18, 0],
      ['userTimeout', 0.2, IPPROTO_TCP, 18, 1],
      ['userTimeout', 1_500.5, IPPROTO_TCP, 18, 1_501],
      ['userTimeout', 2_147_483_647, IPPROTO_TCP, 18, 2_147_483_647],
      ['retransmissionTimeoutMax', 1_999.5, IPPROTO_TCP, 44, 2_000],
      ['busyPoll', 0.0000001, SOL_SOCKET, 46, 1],
      ['busyPoll', 0.0501, SOL_SOCKET, 46, 51],
      ['busyPoll', 3, SOL_SOCKET, 46, 3_000],
    ];
    test.for(ROUNDED)('%s: %d ms', ([name, value, level, option, held], { skip }) => {
      withSocket(AF_INET, SOCK_STREAM, (fd) => {
        skip(lacks(fd, name, level, option), `this kernel has no ${name} (${SINCE[name]})`);
        setOptions(fd, { [name]: value });
        expect(getBytes(fd, level, option, 4)).toEqual(int(held));
      });
    });

    // Counts, sizes and marks are integers: a fraction is a mistake there, and not to be rounded.
    const INTEGERS: readonly OptionName[] = [
      ...(['keepAliveCount', 'synRetries', 'maxSegmentSize', 'notSentLowWatermark'] as const),
      ...(['windowClamp', 'fastOpen', 'sendBufferSize', 'recvBufferSize'] as const),
      ...(['recvLowWatermark', 'mark', 'incomingCpu', 'typeOfService', 'trafficClass'] as const),
      ...(['priority', 'ttl', 'hopLimit', 'maxPacingRate', 'dscp'] as const),
    ];
    test.each(INTEGERS)('%s: no fraction', (name) => {
      withSocket(AF_INET6, SOCK_STREAM, (fd) => {
        expect(() => setOptions(fd, { [name]: 100.5 })).toThrow(/must be an integer/);
      });
    });

    test.each(['deferAccept', 'userTimeout', 'busyPoll'])('%s: nothing below 0', (name) => {
      withSocket(AF_INET, SOCK_STREAM, (fd) => {
        for (const value of [-5e-324, -0.001, -1]) {
          expect(() => setOptions(fd, { [name]: value })).toThrow(RangeError);
        }
        setOptions(fd, { [name]: -0 });
      });
    });

    test('every µs up to 10 ms survives being read and written again', () => {
      withSocket(AF_INET, SOCK_STREAM, (fd) => {
        for (let us = 1; us <= 10_000; us += 7) {
          referenceAddon.set(fd, SOL_SOCKET, 46, int(us));
          setOptions(fd, { busyPoll: getOption(fd, 'busyPoll') });
          expect(getBytes(fd, SOL_SOCKET, 46, 4)).toEqual(int(us));
        }
      });
    });
  });

  describe('dscp', () => {
    const IP_TOS = 1;
    const IPV6_TCLASS = 67;

    test('is both options of an IPv6 socket, which may have an IPv4 peer', () => {
      withSocket(AF_INET6, SOCK_STREAM, (fd) => {
        setOptions(fd, { dscp: 10, priority: 3 });
        expect(getInt(fd, IPPROTO_IP, IP_TOS)).toBe(10 << 2);
        expect(getInt(fd, IPPROTO_IPV6, IPV6_TCLASS)).toBe(10 << 2);
        // IP_TOS sets the priority too, so it is written first.
        expect(getInt(fd, SOL_SOCKET, 12)).toBe(3);
      });
    });

    test('leaves the two bits of ECN as they are', () => {
      withSocket(AF_INET6, SOCK_DGRAM, (fd) => {
        setInt(fd, IPPROTO_IP, IP_TOS, 0x01);
        setInt(fd, IPPROTO_IPV6, IPV6_TCLASS, 0x02);
        expect(getOption(fd, 'dscp')).toBe(0);
        setOptions(fd, { dscp: 63 });
        expect(getInt(fd, IPPROTO_IP, IP_TOS)).toBe(0xfd);
        expect(getInt(fd, IPPROTO_IPV6, IPV6_TCLASS)).toBe(0xfe);
        expect(getOption(fd, 'dscp')).toBe(63);
      });
    });

    test('is read with other options, and of the socket’s own family', () => {
      withSocket(AF_INET6, SOCK_STREAM, (fd) => {
        setInt(fd, IPPROTO_IP, IP_TOS, 10 << 2);
        setInt(fd, IPPROTO_IPV6, IPV6_TCLASS, 12 << 2);
        const dscp = getOption(fd, 'dscp');
        expect(dscp).toBe(12);
        expect(getOptions(fd, ['ttl', 'dscp', 'noDelay'])).toEqual({
          ttl: 64,
          dscp,
          noDelay: false,
        });
        expect(getOptions(fd, ['dscp'])).toEqual({ dscp });
        expect(getOptions(fd)).toMatchObject({ dscp, typeOfService: 40, trafficClass: 48 });
      });
    });

    test('is refused by a socket of neither, which says so; the options before it are set', () => {
      withSocket(AF_UNIX, SOCK_STREAM, (fd) => {
        const refused = expect.objectContaining({
          ...{ code: expect.stringMatching(/^E(NOTSUP|OPNOTSUPP)$/), option: 'IP_TOS' },
          applied: ['sendBufferSize'],
        });
        expect(() => setOptions(fd, { dscp: 46, sendBufferSize: 20_000 })).toThrow(refused);
        expect(() => getOption(fd, 'dscp')).toThrow(/getsockopt IP_TOS/);
        expect(() => getOptions(fd, ['type', 'dscp'])).toThrow(/getsockopt IP_TOS/);
        expect(getOptions(fd)).not.toHaveProperty('dscp');
      });
    });

    test('is named once among the options that were set before a refusal', () => {
      const fixture = join(__dirname, '../fixtures/unprivileged-dscp.mjs');
      const output = execFileSync(process.execPath, [fixture], { encoding: 'utf8' });
      expect(JSON.parse(output)).toEqual({
        code: 'EPERM',
        option: 'SO_PRIORITY',
        applied: ['dscp'],
      });
    });
  });

  describe('packets', () => {
    beforeEach(needsNamespace);

    test('carry the dscp of a tuning, IPv4 and IPv6, from an IPv6 socket to an IPv4 peer too', async () => {
      // By nft(8): segments with data from (sport) and to (dport) a server on `::`, with DSCP 46 and without.
      expect(await inNamespace('dscp.mjs')).toEqual({
        ...{ 'ip sport ==': 1, 'ip sport !=': 0, 'ip dport ==': 1, 'ip dport !=': 0 },
        ...{ 'ip6 sport ==': 1, 'ip6 sport !=': 0, 'ip6 dport ==': 1, 'ip6 dport !=': 0 },
      });
    });
  });

  test('no pacing limit is Infinity, both ways', () => {
    withSocket(AF_INET, SOCK_STREAM, (fd) => {
      expect(getOption(fd, 'maxPacingRate')).toBe(Number.POSITIVE_INFINITY);
      setOptions(fd, { maxPacingRate: 1_000 });
      setOptions(fd, { maxPacingRate: Number.POSITIVE_INFINITY });
      expect(getBytes(fd, SOL_SOCKET, 47, 8)).toEqual(Buffer.alloc(8, 0xff));
    });
  });

  test('no CPU is null', () => {
    withSocket(AF_INET, SOCK_STREAM, (fd) => {
      expect(getOption(fd, 'incomingCpu')).toBe(null);
    });
  });

  test('no device is the empty string, both ways', ({ skip }) => {
    skip(!isRoot, 'this process is not privileged');
    withSocket(AF_INET, SOCK_STREAM, (fd) => {
      expect(getOption(fd, 'bindToDevice')).toBe('');
      setOptions(fd, { bindToDevice: 'lo' });
      setOptions(fd, { bindToDevice: '' });
      expect(getBytes(fd, SOL_SOCKET, 25, 16)).toHaveLength(0);
      expect(getOption(fd, 'bindToDevice')).toBe('');
    });
  });

  test('peerCredentials are those of the process at the other end of a Unix socket', async () => {
    const path = `\0socket-options-${process.pid}`;
    const server = net.createServer().listen(path);
    const client = net.connect(path);
    const [accepted] = (await once(server, 'connection')) as [net.Socket];
    const { uid, gid } = userInfo();
    for (const socket of [client, accepted]) {
      expect(getBytes(fdOf(socket), SOL_SOCKET, 17, 12)).toEqual(ints(process.pid, uid, gid));
      expect(getOption(socket, 'peerCredentials')).toEqual({ pid: process.pid, uid, gid });
    }
    for (const socket of [client, accepted]) socket.destroy();
    server.close();
  });

  test('peerCredentials of a TCP connection are null: the kernel has the ids -1', async () => {
    await withPair(({ client }) => {
      expect(getBytes(fdOf(client), SOL_SOCKET, 17, 12)).toEqual(ints(0, -1, -1));
      expect(getOption(client, 'peerCredentials')).toBe(null);
    });
  });

  test('no port range is null, and system restores it', ({ skip }) => {
    withSocket(AF_INET6, SOCK_STREAM, (fd) => {
      skip(lacks(fd, 'localPortRange', IPPROTO_IP, 51), 'this kernel has no localPortRange (6.3)');
      expect(getOption(fd, 'localPortRange')).toBe(null);
      setOptions(fd, { localPortRange: { low: 1, high: 2 } });
      expect(getBytes(fd, IPPROTO_IP, 51, 4)).toEqual(int(0x2_0001));
      setOptions(fd, { localPortRange: 'system' });
      expect(getBytes(fd, IPPROTO_IP, 51, 4)).toEqual(int(0));
    });
  });

  test.for([
    { low: 5, high: 4 },
    { low: 0, high: 4 },
    { low: 1, high: 65_536 },
    { low: 1.5, high: 4 },
  ])('the port range %o is out of range', (localPortRange, { skip }) => {
    withSocket(AF_INET, SOCK_STREAM, (fd) => {
      skip(lacks(fd, 'localPortRange', IPPROTO_IP, 51), 'this kernel has no localPortRange (6.3)');
      expect(() => setOptions(fd, { localPortRange })).toThrow(RangeError);
    });
  });

  describe('originalDestination', () => {
    beforeEach(needsNamespace);
    test('is the address before a redirect rule, for IPv4 and IPv6', async () => {
      const report = await inNamespace<Record<string, unknown>>('original-destination.mjs');
      const both = (address: string, port: number, family: string) => {
        const value = { address, port, family };
        return { value, all: value };
      };
      expect(report).toEqual({
        ipv4: both('198.51.100.7', 443, 'IPv4'),
        mapped: both('198.51.100.8', 443, 'IPv4'),
        ipv6: both('2001:db8::5', 443, 'IPv6'),
        direct: both('127.0.0.1', 8443, 'IPv4'),
        untracked: { value: null, all: null },
        udp: 'ENOPROTOOPT',
      });
    });
  });

  /** Only a kernel that is known to be older may lack an option; any other must have it. */
  function lacks(fd: number, name: OptionName, level: number, option: number): boolean {
    return SINCE[name] !== undefined && referenceAddon.get(fd, level, option, Buffer.alloc(4)) < 0;
  }
});
