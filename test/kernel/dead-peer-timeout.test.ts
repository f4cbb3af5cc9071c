// Timeouts for peers that vanish: what they leave in the kernel, and the bounds that are reported. What kernels then do is
// watched by test/lanes/.

import { once } from 'node:events';
import net from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  explainDisconnect,
  getDeadPeerBounds,
  getKeepAlive,
  getOption,
  isSupported,
  planDeadPeerTimeout,
  setDeadPeerTimeout,
  setKeepAlive,
  setOptions,
} from '../../dist/index.js';
import type * as deadPeerTimeout from '../../lib/dead-peer/dead-peer-timeout';
import { fdOf, withPair } from '../support/net';
import { onLinux } from '../support/platform';
import { getInt } from '../support/reference-addon';

const TCP = 6;
/** What the kernel has, by the reference addon. */
const held = (socket: object, fd = fdOf(socket)) => ({
  enable: getInt(fd, 1, 9),
  initialDelay: getInt(fd, TCP, 4),
  interval: getInt(fd, TCP, 5),
  count: getInt(fd, TCP, 6),
  userTimeout: getInt(fd, TCP, 18),
});

/** The kernel rounds to its ticks, 10 ms at most. */
function expectTimeoutMax(socket: object, milliseconds: number): void {
  if (!isSupported('retransmissionTimeoutMax')) return;
  const value = getOption(socket as net.Socket, 'retransmissionTimeoutMax');
  expect(value).toBeGreaterThanOrEqual(milliseconds);
  expect(value).toBeLessThan(milliseconds + 10);
}

describe('setDeadPeerTimeout', () => {
  beforeEach(onLinux('the values of its plan'));

  test('sets the values of its plan in the kernel', async () => {
    await withPair(({ client }) => {
      const plan = setDeadPeerTimeout(client, 20_000);
      expect(plan).toEqual(planDeadPeerTimeout(20_000));
      expect(plan).toMatchObject({ supervised: true, zeroWindow: 'tolerate' });
      expect(held(client)).toEqual({
        enable: 1,
        initialDelay: 4,
        interval: 2,
        count: plan.options.keepAliveCount,
        userTimeout: 0,
      });
      expectTimeoutMax(client, plan.options.retransmissionTimeoutMax as number);
    });
  });

  test('an earlier user timeout of the program does not stay', async () => {
    await withPair(({ client }) => {
      setOptions(client, { userTimeout: 3_000 });
      setDeadPeerTimeout(client, 20_000);
      expect(held(client).userTimeout).toBe(0);
    });
  });

  test("with supervise: false, 'fail' sets the user timeout of its plan", async () => {
    await withPair(({ client }) => {
      const plan = setDeadPeerTimeout(client, 20_000, { supervise: false, zeroWindow: 'fail' });
      expect(plan).toMatchObject({ supervised: false, zeroWindow: 'fail' });
      expect(plan.bounds.worst).toBeLessThanOrEqual(20_000);
      expect(held(client)).toEqual({
        enable: 1,
        initialDelay: 3,
        interval: 1,
        count: 5,
        userTimeout: 7_720,
      });
    });
  });

  test('a bare descriptor gets the plan of kernel values alone', async () => {
    await withPair(({ client }) => {
      const plan = setDeadPeerTimeout(fdOf(client), 60_000);
      expect(plan.supervised).toBe(false);
      const { keepAliveInitialDelay } = plan.options as { keepAliveInitialDelay: number };
      expect(held(client).initialDelay).toBe(keepAliveInitialDelay / 1_000);
      // The plan assumes a longer retransmission timeout than this short path has.
      const now = getDeadPeerBounds(client);
      expect(now.idle).toBe(plan.bounds.idle);
      expect(now.worst).toBeLessThanOrEqual(plan.bounds.worst);
    });
  });

  test('accepts a timeout that it cannot keep, and says so, in any case from 4 s on', async () => {
    await withPair(({ client }) => {
      for (const zeroWindow of ['fail', 'tolerate'] as const) {
        const plan = setDeadPeerTimeout(client, 4_000, { supervise: false, zeroWindow });
        expect(plan.bounds.worst).toBeGreaterThan(4_000);
        expect(plan.warnings[0]).toMatch(/^The kernel alone cannot keep 4 s here/);
        expect(held(client)).toMatchObject({ enable: 1, initialDelay: 1, interval: 1 });
      }
    });
  });

  test('a returned plan is frozen, so a caller cannot change a later one', async () => {
    await withPair(({ client, accepted }) => {
      for (const options of [{}, { supervise: false }]) {
        const plan = setDeadPeerTimeout(client, 20_000, options);
        const parts = [plan, plan.options, plan.bounds, plan.promise, plan.warnings];
        for (const part of parts) expect(Object.isFrozen(part)).toBe(true);
      }
      const plan = setDeadPeerTimeout(client, 20_000);
      expect(() => {
        (plan.options as { keepAlive?: boolean }).keepAlive = false;
      }).toThrow(TypeError);
      setDeadPeerTimeout(accepted, 20_000);
      expect(held(accepted)).toMatchObject({ enable: 1, initialDelay: 4 });
    });
  });

  test('makes a plan once for each choice', async () => {
    const server = net.createServer().listen(0);
    await once(server, 'listening');
    const choices = [
      [20_000, {}],
      [20_000, { minProbes: 5 }],
      [60_000, {}],
      [20_000, { supervise: false }],
      [20_000, { supervise: false, zeroWindow: 'fail' }],
      [60_000, { supervise: false }],
    ] as const;
    const makeAll = () =>
      choices.map(([timeout, options]) => setDeadPeerTimeout(server, timeout, options));
    const plans = makeAll();
    expect(new Set(plans).size).toBe(choices.length);
    expect(plans.map(({ timeout }) => timeout)).toEqual(choices.map(([timeout]) => timeout));
    makeAll().forEach((plan, index) => {
      expect(plan).toBe(plans[index]);
    });
    server.close();
  });

  test('rejects a timeout that is too small, reports the smallest, and sets nothing', async () => {
    await withPair(({ client }) => {
      const before = held(client);
      for (const supervise of [true, false]) {
        const call = () => setDeadPeerTimeout(client, 3_999, { supervise });
        expect(call).toThrow(/must be >= 4000 ms, or null \(3 unanswered/);
      }
      expect(() => setDeadPeerTimeout(client, '5' as never)).toThrow(TypeError);
      expect(() => setDeadPeerTimeout(client, 20_000, { minprobes: 1 } as never)).toThrow(
        TypeError,
      );
      expect(held(client)).toEqual(before);
    });
  });

  test('null restores the values of a new socket', async () => {
    await withPair(({ client }) => {
      const before = held(client);
      setDeadPeerTimeout(client, 30_000, { zeroWindow: 'fail' });
      expect(held(client).userTimeout).toBeGreaterThan(0);
      expect(setDeadPeerTimeout(client, null)).toBeNull();
      expect(held(client)).toEqual(before);
      expectTimeoutMax(client, 120_000);
      expect(getDeadPeerBounds(client).idle).toBe(Number.POSITIVE_INFINITY);
    });
  });

  test('connections that a server accepts inherit its values', async () => {
    const server = net.createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const plan = setDeadPeerTimeout(server, 20_000, { supervise: false, zeroWindow: 'fail' });
    const client = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
    const [accepted] = (await once(server, 'connection')) as [net.Socket];
    expect(held(accepted)).toMatchObject({ enable: 1, initialDelay: 3, userTimeout: 7_720 });
    // No connection has a retransmission timeout yet: the initial one is assumed.
    expect(getDeadPeerBounds(server)).toMatchObject(plan.bounds);
    client.destroy();
    accepted.destroy();
    server.close();
  });

  test('throws for sockets that are not open, not listening, or no sockets', () => {
    expect(() => setDeadPeerTimeout(new net.Socket(), 20_000)).toThrow('not open');
    expect(() => setDeadPeerTimeout(net.createServer(), 20_000)).toThrow('not listening');
    expect(() => setDeadPeerTimeout({} as never, 20_000)).toThrow(TypeError);
    expect(() => getDeadPeerBounds(99_999)).toThrow('EBADF');
  });
});

describe('a server on a system where connections do not inherit every option', () => {
  const { platform } = process;
  let copy: typeof deadPeerTimeout;
  const set: [unknown, unknown][] = [];
  const supervised: unknown[] = [];

  beforeAll(async () => {
    // Loads the module as on macOS, over mocks that record their calls.
    Object.defineProperty(process, 'platform', { value: 'darwin' });
    vi.resetModules();
    vi.doMock('../../lib/core/socket', () => ({
      descriptorOf: fdOf,
      tcpHandleOf: (socket: { _handle: object }) => socket._handle,
    }));
    vi.doMock('../../lib/tcp-info/get-tcp-info', () => ({
      getTcpInfo: () => ({ rto: null, timeSinceLastAckReceived: null }),
    }));
    vi.doMock('../../lib/options/option', () => ({ isSupported: () => false }));
    const builtIn = { name: null, value: null };
    vi.doMock('../../lib/system-defaults/system-defaults', () => ({
      getSystemDefaults: () => ({
        ...{ retransmissionTimeoutMin: builtIn, retransmissionTimeoutMax: builtIn },
        retransmissions: builtIn,
      }),
    }));
    vi.doMock('../../lib/options/keepalive', () => ({}));
    vi.doMock('../../lib/options/options', () => ({
      setOptions: (fd: unknown, options: unknown) => set.push([fd, options]),
    }));
    vi.doMock('../../lib/dead-peer/supervision/supervisor', () => ({
      supervise: (socket: unknown) => supervised.push(socket),
      isSupervised: () => false,
      stopSupervision: () => undefined,
    }));
    copy = await import('../../lib/dead-peer/dead-peer-timeout.js');
  });
  afterAll(() => {
    Object.defineProperty(process, 'platform', { value: platform });
    vi.doUnmock('../../lib/core/socket');
    vi.resetModules();
  });

  test('sets the options once on each accepted connection, until null ends it', async () => {
    const server = net.createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const accept = async () => {
      const client = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
      const [accepted] = (await once(server, 'connection')) as [net.Socket];
      const fd = fdOf(accepted);
      client.destroy();
      accepted.destroy();
      return { accepted, fd };
    };
    copy.setDeadPeerTimeout(server, 30_000);
    const plan = copy.setDeadPeerTimeout(server, 20_000);
    expect(plan?.options).not.toHaveProperty('userTimeout');
    set.length = 0;
    const { accepted, fd } = await accept();
    expect(set).toEqual([[fd, plan?.options]]);
    expect(supervised).toEqual([accepted]);
    copy.setDeadPeerTimeout(server, null);
    set.length = 0;
    await accept();
    expect(set).toEqual([]);
    expect(supervised).toEqual([accepted]);
    expect(server.listenerCount('connection')).toBe(0);
    server.close();
  });
});

describe('getDeadPeerBounds', () => {
  beforeEach(onLinux('the rules of its sockets'));
  const said = (socket: net.Socket) => getDeadPeerBounds(socket).warnings.join('\n');

  test('a new socket is never given up while idle, and after about 15 minutes while it sends', async () => {
    await withPair(({ client }) => {
      const { idle, busy, worst } = getDeadPeerBounds(client);
      expect([idle, worst]).toEqual([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
      expect(busy).toBeGreaterThan(924_000);
      expect(busy).toBeLessThan(1_200_000);
      expect(said(client)).toContain('keepalive is off');
      expect(said(client)).toMatch(/hangs for about 1[5-9] minutes/);
    });
  });

  test('a supervised socket has the bounds and the warnings of its plan', async () => {
    await withPair(({ client }) => {
      const { bounds, warnings } = setDeadPeerTimeout(client, 1_800_000);
      expect(getDeadPeerBounds(client)).toEqual({ ...bounds, warnings });
      expect(said(client)).toContain('350 s');
      // Supervision sets them again.
      setKeepAlive(client, { enable: false });
      expect(getDeadPeerBounds(client)).toMatchObject(bounds);
      setDeadPeerTimeout(client, null);
      expect(getDeadPeerBounds(client).idle).toBe(Number.POSITIVE_INFINITY);
    });
  });

  test('includes late timers, a tail-loss probe and a window that was closed for long', async () => {
    await withPair(({ client }) => {
      setKeepAlive(client, { enable: true, initialDelay: 20_000, interval: 10_000, count: 3 });
      setOptions(client, { userTimeout: 0 });
      const { idle, closedWindow } = getDeadPeerBounds(client);
      expect(idle).toBeGreaterThan(52_000);
      expect(idle).toBeLessThan(50_000 * 1.13);
      expect(closedWindow).toBeGreaterThanOrEqual(16 * 120_000);
      setOptions(client, { userTimeout: 10_000 });
      const { busy, closedWindow: timed } = getDeadPeerBounds(client);
      expect(busy).toBeGreaterThan(10_400);
      expect(busy).toBeLessThan(12_000);
      expect(timed).toBeLessThan(busy);
    });
  });

  test('warns of each unsafe value', async () => {
    await withPair(({ client }) => {
      client.setKeepAlive(true);
      expect(said(client)).toMatch(/detected after 2 h [12]\d min/);
      setKeepAlive(client, { enable: true, initialDelay: 2_000, interval: 1_000, count: 3 });
      expect(said(client)).toMatch(/^there is no user timeout/);
      expect(said(client)).toContain('keeps writing postpones the end without limit');
      setOptions(client, { userTimeout: 1_500 });
      expect(said(client)).toContain('(1.5 s) leaves room for one keepalive probe');
      expect(said(client)).toContain('if it is lost, a living connection ends');
      setOptions(client, { userTimeout: 10_000 });
      expect(said(client)).toContain('the probe count (3) is ignored');
      // With late timers there are 8.
      expect(said(client)).toContain('after 8 unanswered probes');
      setOptions(client, { userTimeout: 5_000 });
      expect(said(client)).not.toContain('ignored');
      expect(said(client)).toContain('living peer that does not read loses its connection');
    });
  });

  test('TCP_RTO_MAX_MS shortens the bound of data in flight', async ({ skip }) => {
    skip(!isSupported('retransmissionTimeoutMax'), 'TCP_RTO_MAX_MS needs Linux 6.15');
    await withPair(({ client }) => {
      setOptions(client, { userTimeout: 0, retransmissionTimeoutMax: 1_000 });
      expect(getDeadPeerBounds(client).busy).toBeLessThan(17_000);
      expect(getDeadPeerBounds(client).closedWindow).toBeLessThan(18_500);
    });
  });
});

describe('explainDisconnect', () => {
  const error = (code: string, more = {}) => Object.assign(new Error(code), { code, ...more });

  test.each([
    ['ETIMEDOUT', 'vanished'],
    ['ECONNRESET', 'reset'],
    ['EPIPE', 'closed'],
    ['EHOSTUNREACH', 'unreachable'],
    ['ENETUNREACH', 'unreachable'],
    ['ECONNREFUSED', 'refused'],
    ['ECONNABORTED', 'ended here'],
    ['ENOENT', 'unknown'],
    ['constructor', 'unknown'],
  ])('%s is %s', (code, peer) => {
    const explained = explainDisconnect(error(code));
    expect(explained).toMatchObject({ peer, code, tcpInfo: null });
    expect(explained.message.length).toBeGreaterThan(20);
  });

  test("ETIMEDOUT of connect is 'unreachable', and an error without a code is 'unknown'", () => {
    expect(explainDisconnect(error('ETIMEDOUT', { syscall: 'connect' })).peer).toBe('unreachable');
    expect(explainDisconnect(new Error('other'))).toMatchObject({ peer: 'unknown', code: null });
    expect(() => explainDisconnect('ETIMEDOUT')).toThrow(TypeError);
  });

  test('with a socket that can be read, includes its last counters; with a destroyed one, null', async () => {
    await withPair(async ({ client, accepted }) => {
      accepted.pause();
      client.write('x'.repeat(1_000));
      const { tcpInfo, message } = explainDisconnect(error('ETIMEDOUT'), client);
      expect(tcpInfo?.state).toBe('ESTABLISHED');
      expect(message).toMatch(/Its last sign of life came \d+\.\d s ago/);
      client.destroy();
      expect(explainDisconnect(error('ETIMEDOUT'), client).tcpInfo).toBeNull();
    });
  });

  test('getKeepAlive reads a socket of Node', async () => {
    await withPair(({ client }) => expect(getKeepAlive(client).enable).toBe(false));
  });
});
