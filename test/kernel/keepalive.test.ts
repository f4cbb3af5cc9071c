import { describe, expect, test } from 'vitest';
import {
  getKeepAlive,
  type KeepAliveOptions,
  SocketOptionError,
  setKeepAlive,
  setOptions,
} from '../../dist/index.js';
import { fdOf, withPair } from '../support/net';
import {
  AF_INET,
  AF_UNIX,
  getInt,
  IPPROTO_TCP,
  SO_KEEPALIVE,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  setInt,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  withSocket,
} from '../support/reference-addon';

/** Switch, initial delay, interval and count, as the kernel holds them: seconds. */
const held = (fd: number) => [
  getInt(fd, SOL_SOCKET, SO_KEEPALIVE),
  getInt(fd, IPPROTO_TCP, TCP_KEEPIDLE),
  getInt(fd, IPPROTO_TCP, TCP_KEEPINTVL),
  getInt(fd, IPPROTO_TCP, TCP_KEEPCNT),
];

const withTcp = (use: (fd: number) => void) => withSocket(AF_INET, SOCK_STREAM, use);

describe('setKeepAlive', () => {
  const CASES: readonly (readonly [KeepAliveOptions | boolean, readonly number[]])[] = [
    [{ enable: true, initialDelay: 30_000, interval: 5_000, count: 3 }, [1, 30, 5, 3]],
    [{ enable: false, initialDelay: 30_000, interval: 5_000, count: 3 }, [0, 30, 5, 3]],
    [{ enable: true }, [1, 100, 20, 7]],
    [{ initialDelay: 1 }, [0, 1, 20, 7]],
    [{ initialDelay: 32_767_000 }, [0, 32_767, 20, 7]],
    [{ interval: 1_001 }, [0, 100, 2, 7]],
    [{ count: 127 }, [0, 100, 20, 127]],
    [{}, [0, 100, 20, 7]],
    [{ enable: undefined, initialDelay: undefined, count: 9 }, [0, 100, 20, 9]],
    [true, [1, 100, 20, 7]],
    [false, [0, 100, 20, 7]],
  ];
  test.each(CASES)('%j', (options, expected) => {
    withTcp((fd) => {
      setInt(fd, IPPROTO_TCP, TCP_KEEPIDLE, 100);
      setInt(fd, IPPROTO_TCP, TCP_KEEPINTVL, 20);
      setInt(fd, IPPROTO_TCP, TCP_KEEPCNT, 7);
      setKeepAlive(fd, options);
      expect(held(fd)).toEqual(expected);
      const [enable, initialDelay, interval, count] = expected as [number, number, number, number];
      expect(getKeepAlive(fd)).toEqual({
        enable: enable === 1,
        initialDelay: initialDelay * 1_000,
        interval: interval * 1_000,
        count,
      });
    });
  });

  test("'system' for a value puts that one back", () => {
    withTcp((fd) => {
      const fresh = held(fd);
      setKeepAlive(fd, { enable: true, initialDelay: 5_000, interval: 6_000, count: 7 });
      setKeepAlive(fd, { interval: 'system' });
      expect(held(fd)).toEqual([1, 5, fresh[2], 7]);
      setKeepAlive(fd, { initialDelay: 'system', count: 'system' });
      expect(held(fd)).toEqual([1, ...fresh.slice(1)]);
    });
  });

  test("'system' alone makes all four as a new socket has them", () => {
    withTcp((fd) => {
      const fresh = held(fd);
      setKeepAlive(fd, { enable: true, initialDelay: 5_000, interval: 6_000, count: 7 });
      setKeepAlive(fd, 'system');
      expect(held(fd)).toEqual(fresh);
    });
  });

  test('what was read can be set again', async () => {
    await withPair(({ client, accepted }) => {
      setKeepAlive(client, { enable: true, initialDelay: 11_000, interval: 12_000, count: 13 });
      const { initialDelay, interval, count, enable } = getKeepAlive(client);
      setKeepAlive(accepted, {
        enable,
        initialDelay: initialDelay ?? undefined,
        interval: interval ?? undefined,
        count: count ?? undefined,
      });
      expect(held(fdOf(accepted))).toEqual([1, 11, 12, 13]);
    });
  });

  test.each([
    [{ enable: true, initialDelay: 0 }],
    [{ enable: true, initialDelay: -1 }],
    [{ enable: true, interval: 32_767_001 }],
    [{ enable: true, count: 128 }],
    [{ enable: true, count: 2.5 }],
    [{ enable: true, count: 0 }],
    [{ enable: 1 }],
    [{ initialDelay: '1000', enable: true }],
    [{ initialDelay: null, enable: true }],
    [{ initialDelay: Number.NaN, enable: true }],
  ] as [never][])('%j is refused and leaves all four as they were', (options) => {
    withTcp((fd) => {
      const before = held(fd);
      expect(() => setKeepAlive(fd, options)).toThrow(
        /options\.(enable|initialDelay|interval|count)/,
      );
      expect(held(fd)).toEqual(before);
    });
  });

  test.each([
    ['idle', 'did you mean "initialDelay"?'],
    ['delay', 'did you mean "initialDelay"?'],
    ['probes', 'did you mean "count"?'],
    ['enabled', 'did you mean "enable"?'],
    ['keepAliveInterval', 'did you mean "interval"?'],
    ['TCP_KEEPCNT', 'did you mean "count"?'],
    ['colour', 'known: enable, initialDelay, interval, count'],
  ])('a member %s, which keepalive does not have, is refused with a hint', (name, hint) => {
    withTcp((fd) => {
      expect(() => setKeepAlive(fd, { enable: true, [name]: 5 } as KeepAliveOptions)).toThrow(
        `unknown option "${name}" (${hint})`,
      );
      expect(getInt(fd, SOL_SOCKET, SO_KEEPALIVE)).toBe(0);
    });
  });

  test.each([[undefined], [null], [1], ['on'], [[true]], [[]], [() => true]] as [never][])(
    '%j is no keepalive at all',
    (options) => {
      withTcp((fd) => {
        expect(() => setKeepAlive(fd, options)).toThrow(
          expect.objectContaining({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' }),
        );
      });
    },
  );

  test.each([
    ['UDP', AF_INET, SOCK_DGRAM],
    ['unix', AF_UNIX, SOCK_STREAM],
  ] as const)(
    'a %s socket, where the kernel would accept it in vain, is refused',
    (_, domain, type) => {
      // Which of the two depends on the version of the kernel.
      const refused = expect.objectContaining({
        code: expect.stringMatching(/^(ENOPROTOOPT|ENOTSUP)$/),
      });
      withSocket(domain, type, (fd) => {
        for (const options of [true, { enable: true, count: 3 }]) {
          expect(() => setKeepAlive(fd, options)).toThrow(refused);
          expect(getInt(fd, SOL_SOCKET, SO_KEEPALIVE)).toBe(0);
        }
        expect(() => setOptions(fd, { keepAlive: true })).toThrow(refused);
        expect(() => setOptions(fd, { keepAlive: true, keepAliveCount: 3 })).toThrow(refused);
        expect(getInt(fd, SOL_SOCKET, SO_KEEPALIVE)).toBe(0);
        expect(() => setOptions(fd, { keepAlive: false })).not.toThrow();
        expect(() => setKeepAlive(fd, true)).toThrow(
          /SO_KEEPALIVE \(only TCP sockets support it\)/,
        );
        expect(() => getKeepAlive(fd)).toThrow(SocketOptionError);
      });
    },
  );
});
