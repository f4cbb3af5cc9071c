// The contents of errors, and the state after a failed call.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { getSystemErrorMap } from 'node:util';
import { describe, expect, test } from 'vitest';
import { Heartbeat, PeerRegistry } from '../../dist/heartbeat.js';
import * as socketOptions from '../../dist/index.js';
import {
  getOption,
  getOptions,
  isSupported,
  SocketOptionError,
  setKeepAlive,
  setOptions,
  supportedOptions,
} from '../../dist/index.js';
import { fdOf, withPair } from '../support/net';
import { AF_INET, changes, SOCK_STREAM, snapshot, withSocket } from '../support/reference-addon';

const withTcp = <T>(use: (fd: number) => T) => withSocket(AF_INET, SOCK_STREAM, use);

function thrown(call: () => unknown): SocketOptionError & { code: string } {
  try {
    call();
  } catch (error) {
    return error as SocketOptionError;
  }
  throw new Error('nothing was thrown');
}

describe('SocketOptionError', () => {
  test('has the members of Node’s system errors, and the kernel’s name of the option', async () => {
    await withPair(({ client }) => {
      const error = thrown(() => setOptions(client, { congestionControl: 'nope' }));
      expect(error).toBeInstanceOf(SocketOptionError);
      expect(error).toBeInstanceOf(Error);
      expect({ ...error }).toEqual({
        code: 'ENOENT',
        errno: -2,
        syscall: 'setsockopt',
        option: 'TCP_CONGESTION',
        applied: [],
      });
      expect(error.name).toBe('SocketOptionError');
      expect(error.message).toBe(
        'ENOENT: no such file or directory, setsockopt TCP_CONGESTION (this kernel has no algorithm with this name)',
      );
      expect(String(error.stack)).toMatch(/^SocketOptionError: ENOENT/);
      expect(getSystemErrorMap().get(error.errno as number)?.[0]).toBe('ENOENT');
    });
  });

  test('has its own code for an option that is set too late, and names the calls that are in time', async () => {
    await withPair(({ client }) => {
      const error = thrown(() => setOptions(client, { noDelay: true, fastOpenConnect: true }));
      expect(error).toBeInstanceOf(SocketOptionError);
      expect({ ...error }).toEqual({
        code: 'ERR_SOCKET_TOO_LATE',
        errno: undefined,
        syscall: 'setsockopt',
        option: 'TCP_FASTOPEN_CONNECT',
        applied: [],
      });
      expect(error.message).toBe(
        'fastOpenConnect must be set before connect: use connect(), tuneSockets() or openSocket() of this package (the socket is connected already)',
      );
    });
  });

  test('reports which of several options failed, and which were applied before it', () => {
    withTcp((fd) => {
      const error = thrown(() =>
        setOptions(fd, {
          priority: 3,
          congestionControl: 'nope',
          noDelay: true,
          linger: { enable: true, timeout: 0 },
          userTimeout: 5_000,
        }),
      );
      expect(error).toMatchObject({
        code: 'ENOENT',
        option: 'TCP_CONGESTION',
        applied: ['userTimeout', 'noDelay'],
      });
      expect(error.message).toMatch(
        /no algorithm with this name\); already applied: userTimeout, noDelay$/,
      );
      expect(getOptions(fd, ['userTimeout', 'noDelay', 'priority', 'linger'])).toEqual({
        userTimeout: 5_000,
        noDelay: true,
        priority: 0,
        linger: { enable: false, timeout: 0 },
      });
    });
  });

  test('reports the failed option after values of any length', () => {
    withTcp((fd) => {
      const error = thrown(() =>
        setOptions(fd, {
          congestionControl: 'reno',
          linger: { enable: true, timeout: 0 },
          maxPacingRate: 1e12,
          bindToDevice: 'no-such-device',
        }),
      );
      expect(error).toMatchObject({
        code: 'ENODEV',
        option: 'SO_BINDTODEVICE',
        applied: ['congestionControl', 'linger'],
      });
    });
  });

  test('rejects an option that this system lacks before any system call', () => {
    expect(thrown(() => getOption(1_000_000_000, 'connectTimeout'))).toMatchObject({
      code: 'ENOPROTOOPT',
      errno: -92,
      syscall: 'getsockopt',
      option: 'connectTimeout',
      message: 'ENOPROTOOPT: linux has no such option, getsockopt connectTimeout',
    });
    withTcp((fd) => {
      const before = snapshot(fd);
      expect(thrown(() => setOptions(fd, { noDelay: true, connectTimeout: 5 })).code).toBe(
        'ENOPROTOOPT',
      );
      expect(changes(fd, before)).toEqual([]);
    });
  });

  test('names the capability that an option needs', () => {
    const output = execFileSync(
      process.execPath,
      [join(__dirname, '../fixtures/unprivileged.mjs')],
      {
        encoding: 'utf8',
      },
    );
    const { mark, transparent, priority } = JSON.parse(output);
    expect(mark).toMatch(/^EPERM: .*setsockopt SO_MARK \(it needs CAP_NET_ADMIN or CAP_NET_RAW\)$/);
    expect(transparent).toMatch(/^EPERM: .*IP_TRANSPARENT \(it needs CAP_NET_ADMIN/);
    expect(priority).toMatch(/^EPERM: .*SO_PRIORITY \(it needs CAP_NET_ADMIN, above 6\)$/);
  });
});

describe('names', () => {
  test('suggests the option with a similar name, and rejects names of Object.prototype', () => {
    withTcp((fd) => {
      const set = (name: string) => thrown(() => setOptions(fd, { [name]: 1 }));
      expect(set('usertimeout').message).toBe(
        'unknown option "usertimeout" (did you mean "userTimeout"?)',
      );
      expect(set('TCP_KEEPCNT').message).toMatch(/did you mean "keepAliveCount"/);
      expect(set('userTimout').message).toMatch(/did you mean "userTimeout"/);
      expect(set('keepAliveIntervall').message).toMatch(/did you mean "keepAliveInterval"/);
      // The kernel's name on another system, and a name in other libraries.
      expect(set('TCP_RXT_CONNDROPTIME').message).toMatch(/did you mean "userTimeout"/);
      expect(set('keep_alive_idle').message).toMatch(/did you mean "keepAliveInitialDelay"/);
      expect(set('keepaliveTimeout').message).toBe(
        'unknown option "keepaliveTimeout" (supportedOptions() returns the names)',
      );
      expect(set('a"\n').message).toMatch(/^unknown option "a\\"\\n" /);
      for (const name of ['toString', '__proto__', 'constructor', '']) {
        expect(thrown(() => getOption(fd, name as never)).code).toBe('ERR_INVALID_ARG_VALUE');
        expect(isSupported(name)).toBe(false);
      }
    });
  });

  test('isSupported agrees with supportedOptions', () => {
    expect(supportedOptions().every(isSupported)).toBe(true);
    expect(isSupported('userTimeout')).toBe(true);
    expect(isSupported('connectTimeout')).toBe(false);
    expect(isSupported('no such name')).toBe(false);
    // Without an argument: whether an addon is loaded.
    expect(isSupported()).toBe(true);
    expect(isSupported(undefined)).toBe(true);
    for (const value of [null, 1, {}, true]) {
      expect(thrown(() => isSupported(value as never)).code).toBe('ERR_INVALID_ARG_TYPE');
    }
  });
});

test('rejects a congestion control name that is not printable ASCII', () => {
  withTcp((fd) => {
    for (const name of ['reno\0cubic', 'r\u00e9no', 'reno\n', '\u{1f9e6}']) {
      expect(thrown(() => setOptions(fd, { congestionControl: name }))).toMatchObject({
        code: 'ERR_INVALID_ARG_VALUE',
        message: expect.stringMatching(/printable ASCII/),
      });
    }
  });
});

describe('arguments with getters', () => {
  test('a getter that sets options does not disturb the outer call', () => {
    withTcp((fd) => {
      setOptions(fd, {
        userTimeout: 1_000,
        get keepAliveCount() {
          setKeepAlive(fd, { initialDelay: 9_000, interval: 8_000, count: 7 });
          setOptions(fd, { ttl: 9, priority: 2, windowClamp: 30_000, maxPacingRate: 1e12 });
          getOptions(fd);
          return 5;
        },
        noDelay: true,
      });
      expect(
        getOptions(fd, ['userTimeout', 'keepAliveCount', 'keepAliveInterval', 'noDelay', 'ttl']),
      ).toEqual({
        userTimeout: 1_000,
        keepAliveCount: 5,
        keepAliveInterval: 8_000,
        noDelay: true,
        ttl: 9,
      });
    });
  });

  test('a getter that destroys the socket causes ERR_SOCKET_CLOSED', async () => {
    await withPair(({ client }) => {
      const options = {
        get noDelay() {
          client.destroy();
          return true;
        },
      };
      expect(thrown(() => setOptions(client, options)).code).toBe('ERR_SOCKET_CLOSED');
    });
  });

  test('each value is read once', () => {
    withTcp((fd) => {
      let reads = 0;
      setOptions(fd, {
        get userTimeout() {
          return reads++ === 0 ? 4_000 : (Symbol('late') as never);
        },
      });
      expect(reads).toBe(1);
      expect(getOption(fd, 'userTimeout')).toBe(4_000);
    });
  });

  test('the error of a getter is thrown unchanged', () => {
    withTcp((fd) => {
      const own = new Error('mine');
      const options = {
        get noDelay(): boolean {
          throw own;
        },
      };
      expect(thrown(() => setOptions(fd, options))).toBe(own);
      expect(
        thrown(() =>
          getOption(
            new Proxy(
              {},
              {
                get: () => {
                  throw own;
                },
              },
            ) as never,
            'ttl',
          ),
        ),
      ).toBe(own);
    });
  });
});

describe('an object of another kind', () => {
  // Without the check, each would count as an object without options and do nothing.
  const objects = {
    'a Promise': Promise.resolve({ enable: true }),
    'a Map': new Map([['enable', true]]),
    'a Date': new Date(),
    'an array': [],
  };
  const calls: Record<string, (fd: number, options: never) => unknown> = {
    setOptions: (fd, options) => socketOptions.setOptions(fd, options),
    setKeepAlive: (fd, options) => socketOptions.setKeepAlive(fd, options),
    setDeadPeerTimeout: (fd, options) => socketOptions.setDeadPeerTimeout(fd, 20_000, options),
    planDeadPeerTimeout: (_, options) => socketOptions.planDeadPeerTimeout(20_000, options),
    getKernelTcpInfo: (fd, options) => socketOptions.getKernelTcpInfo(fd, options),
    tuneSockets: (_, options) => socketOptions.tuneSockets(options),
    'tuneSockets client': (_, client) => socketOptions.tuneSockets({ client }),
    listConnections: (_, filter) => socketOptions.listConnections(filter),
    watchClosedConnections: (_, options) => socketOptions.watchClosedConnections(options),
    'watchClosedConnections filter': (_, filter) =>
      socketOptions.watchClosedConnections({ filter }),
    Heartbeat: (_, options) => new Heartbeat(new PassThrough(), options),
    PeerRegistry: (_, options) => new PeerRegistry(options),
  };

  test.each(
    Object.keys(calls).flatMap((call) => Object.keys(objects).map((object) => [call, object])),
  )('%s rejects %s', (call, object) => {
    withSocket(AF_INET, SOCK_STREAM, (fd) => {
      const before = snapshot(fd);
      const options = objects[object as keyof typeof objects];
      expect(() => calls[call]?.(fd, options as never)).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
      );
      expect(changes(fd, before)).toEqual([]);
    });
  });

  test('options of a class, of a module and without a prototype are accepted', () => {
    class Timeouts {
      readonly minProbes = 4;
    }
    const bare = Object.assign(Object.create(null), { minProbes: 4 });
    const module = Object.defineProperty({ minProbes: 4 }, Symbol.toStringTag, { value: 'Module' });
    Object.setPrototypeOf(module, Object.create(null));
    for (const options of [new Timeouts(), bare, module]) {
      expect(socketOptions.planDeadPeerTimeout(60_000, options).probes).toBeGreaterThanOrEqual(4);
    }
  });
});

describe('a descriptor is read once', () => {
  /** A descriptor that changes after the first read. */
  const changing = (first: number, then: number) => {
    let looks = 0;
    return {
      get fd() {
        looks++;
        return looks === 1 ? first : then;
      },
    };
  };

  test('getOptions, getDeadPeerBounds and setDeadPeerTimeout use the first descriptor', () =>
    withPair(({ client, accepted }) => {
      const [a, b] = [fdOf(client), fdOf(accepted)];
      setOptions(a, { dscp: 5, ttl: 40 });
      setOptions(b, { dscp: 9, ttl: 50 });
      expect(getOptions(changing(a, b), ['ttl', 'dscp'])).toEqual({ ttl: 40, dscp: 5 });
      expect(getOptions(changing(a, b))).toMatchObject({ ttl: 40, dscp: 5 });
      const before = snapshot(b);
      socketOptions.setDeadPeerTimeout(changing(a, b), 20_000);
      expect(changes(b, before)).toEqual([]);
      expect(getOption(a, 'keepAlive')).toBe(true);
      expect(socketOptions.getDeadPeerBounds(changing(a, b)).idle).toBeLessThan(20_000);
    }));

  test('a list of names that is too long or sparse is rejected at once', () => {
    withTcp((fd) => {
      const endless = Array(2 ** 32 - 1);
      expect(thrown(() => getOptions(fd, endless)).code).toBe('ERR_OUT_OF_RANGE');
      expect(thrown(() => getOptions(fd, Array(3))).code).toBe('ERR_INVALID_ARG_TYPE');
      expect(thrown(() => socketOptions.readTcpInfos([fd], endless)).code).toBe('ERR_OUT_OF_RANGE');
    });
  });
});
