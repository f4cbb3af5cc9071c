import { describe, expect, test } from 'vitest';
import { constants, getRawOption, setRawOption } from '../dist/index.js';
import { withPair } from './support/net';
import {
  AF_INET,
  getBytes,
  getInt,
  IPPROTO_TCP,
  SOCK_STREAM,
  SOL_SOCKET,
  withSocket,
} from './support/witness';

const withTcp = (use: (fd: number) => void) => withSocket(AF_INET, SOCK_STREAM, use);

describe('raw options', () => {
  test('a number goes down as an int, and comes back as one', () => {
    withTcp((fd) => {
      setRawOption(fd, IPPROTO_TCP, 4, 55);
      expect(getInt(fd, IPPROTO_TCP, 4)).toBe(55);
      expect(getRawOption(fd, IPPROTO_TCP, 4)).toBe(55);
      setRawOption(fd, IPPROTO_TCP, 25, 0xffff_ffff);
      expect(getInt(fd, IPPROTO_TCP, 25)).toBe(-1);
      expect(getRawOption(fd, IPPROTO_TCP, 25)).toBe(-1);
    });
  });

  test('bytes go down as they are, and as many come back as the kernel wrote', () => {
    withTcp((fd) => {
      setRawOption(fd, IPPROTO_TCP, 13, Buffer.from('reno'));
      expect(getRawOption(fd, IPPROTO_TCP, 13, 16).toString()).toMatch(/^reno\0/);
    });
  });

  test('the answer is the caller’s own, not the scratch buffer', () => {
    withTcp((fd) => {
      const first = getRawOption(fd, IPPROTO_TCP, 4, 4);
      setRawOption(fd, IPPROTO_TCP, 5, 1);
      expect(first.readInt32LE(0)).toBe(7_200);
      first.fill(0xff);
      expect(getRawOption(fd, IPPROTO_TCP, 4)).toBe(7_200);
      expect(first.buffer.byteLength).not.toBe(16 * 1024);
    });
  });

  test('TCP_INFO, of the length that this kernel has', async () => {
    await withPair(({ client }) => {
      const fd = (client as unknown as { _handle: { fd: number } })._handle.fd;
      const info = getRawOption(client, constants.IPPROTO_TCP, constants.TCP_INFO as number, 512);
      expect(info).toHaveLength(getBytes(fd, 6, 11, 512).length);
      expect(info[0], 'ESTABLISHED').toBe(1);
    });
  });

  test('a refused call names the option as the headers do, or by its numbers', () => {
    withTcp((fd) => {
      expect(() => getRawOption(fd, IPPROTO_TCP, 999)).toThrow(/ENOPROTOOPT.*getsockopt 6\/999/);
      expect(() => setRawOption(fd, IPPROTO_TCP, 4, 0)).toThrow(/EINVAL.*setsockopt TCP_KEEPIDLE/);
      expect(() => setRawOption(fd, SOL_SOCKET, 3, 1)).toThrow(
        expect.objectContaining({ code: 'ENOPROTOOPT', option: 'SO_TYPE', syscall: 'setsockopt' }),
      );
    });
  });

  test('lengths: none, the longest, and one more', () => {
    withTcp((fd) => {
      expect(getRawOption(fd, SOL_SOCKET, 25, 16_356)).toHaveLength(0);
      expect(() => getRawOption(fd, SOL_SOCKET, 25, 16_357)).toThrow(RangeError);
      expect(() => setRawOption(fd, SOL_SOCKET, 9_999, Buffer.alloc(16_356))).toThrow(
        /ENOPROTOOPT/,
      );
      expect(() => setRawOption(fd, SOL_SOCKET, 9_999, Buffer.alloc(16_357))).toThrow(RangeError);
      expect(() => setRawOption(fd, IPPROTO_TCP, 1, Buffer.alloc(0))).toThrow(/EINVAL/);
    });
  });

  test('reading a socket filter, where Linux would write past the length, is refused', () => {
    withTcp((fd) => {
      // BPF: 1 000 times "return 0xffff"; the kernel would write 8 000 bytes for a length of 1 000.
      expect(() => getRawOption(fd, SOL_SOCKET, 26, 1_000)).toThrow(/SO_ATTACH_FILTER/);
    });
  });
});

describe('constants', () => {
  test('are the kernel’s, newer names than this machine’s headers included', () => {
    expect(constants).toMatchObject({
      SOL_SOCKET: 1,
      IPPROTO_TCP: 6,
      SO_KEEPALIVE: 9,
      TCP_KEEPIDLE: 4,
      TCP_USER_TIMEOUT: 18,
      TCP_RTO_MAX_MS: 44,
      TCP_DELACK_MAX_US: 46,
      SO_TXREHASH: 74,
      IP_LOCAL_PORT_RANGE: 51,
      IPV6_TCLASS: 67,
      AF_INET6: 10,
      IP_PMTUDISC_OMIT: 5,
    });
    expect(constants.TCP_MAXRTMS).toBeUndefined();
  });

  test('cannot be changed', () => {
    expect(Object.isFrozen(constants)).toBe(true);
  });
});
