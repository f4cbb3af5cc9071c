// Any value whatever, to every public function: either it is one of the few that are right, or it
// throws before the kernel hears of it, and the socket stays as it was.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as face from '../../dist/index.js';
import { type Platform, rows } from '../../lib/catalogue/catalogue';
import { anything, expectChecked, outcome } from '../support/any-value';
import {
  AF_INET,
  AF_INET6,
  changes,
  SOCK_STREAM,
  snapshot,
  withSocket,
} from '../support/reference-addon';

// Each system call takes Wine so much longer.
const RUNS = { numRuns: process.platform === 'win32' ? 40 : 100 };

describe('values of options', () => {
  const writable = Object.entries(rows()).filter(
    ([name, row]) =>
      row.access === undefined &&
      row[process.platform as Platform]?.access !== 'read' &&
      face.isSupported(name),
  );

  test.each(writable)('%s', (name, row) => {
    const domain = ['trafficClass', 'hopLimit', 'ipv6Only'].includes(name) ? AF_INET6 : AF_INET;
    fc.assert(
      fc.property(anything, (value) => {
        withSocket(domain, SOCK_STREAM, (fd) => {
          const before = snapshot(fd);
          const error = outcome(() => face.setOptions(fd, { [name]: value } as never));
          if (error === undefined) {
            expect(isRight(row.kind, value, row.system === true), String(value)).toBe(true);
            return;
          }
          // A value of the right kind the kernel may still refuse: a device that is not there.
          if (error instanceof face.SocketOptionError) {
            expect(isRight(row.kind, value, row.system === true), error.message).toBe(true);
          } else {
            expectChecked(error);
          }
          expect(changes(fd, before)).toEqual([]);
        });
      }),
      RUNS,
    );
  });

  /** The kinds of value that may pass at all, stated a second time and from the outside. */
  function isRight(kind: string, value: unknown, system: boolean): boolean {
    if (value === undefined) return true;
    if (value === 'system') return system || kind === 'string';
    if (kind === 'boolean') return typeof value === 'boolean';
    if (kind === 'string' || kind === 'enum') return typeof value === 'string';
    if (kind === 'linger') return typeof value === 'object' && value !== null && 'enable' in value;
    if (kind === 'rate' && value === Number.POSITIVE_INFINITY) return true;
    return typeof value === 'number' && value >= 0 && Number.isFinite(value);
  }
});

describe('arguments of functions', () => {
  /** Each public function with one argument to vary, the others being right. */
  const calls: Record<string, (fd: number, value: never) => unknown> = {
    'getOption: socket': (_, value) => face.getOption(value, 'noDelay'),
    'getOption: name': (fd, value) => face.getOption(fd, value),
    'getOptions: socket': (_, value) => face.getOptions(value),
    'getOptions: names': (fd, value) => face.getOptions(fd, value),
    'getOptions: a name': (fd, value) => face.getOptions(fd, [value]),
    'setOptions: socket': (_, value) => face.setOptions(value, { noDelay: true }),
    'setOptions: options': (fd, value) => face.setOptions(fd, value),
    'getKeepAlive: socket': (_, value) => face.getKeepAlive(value),
    'setKeepAlive: socket': (_, value) => face.setKeepAlive(value, true),
    'setKeepAlive: options': (fd, value) => face.setKeepAlive(fd, value),
    'setKeepAlive: enable': (fd, value) => face.setKeepAlive(fd, { enable: value }),
    'setKeepAlive: initialDelay': (fd, value) => face.setKeepAlive(fd, { initialDelay: value }),
    'setKeepAlive: interval': (fd, value) => face.setKeepAlive(fd, { interval: value }),
    'setKeepAlive: count': (fd, value) => face.setKeepAlive(fd, { count: value }),
    'isSupported: name': (_, value) => face.isSupported(value),
    'isReusable: socket': (_, value) => face.isReusable(value),
    'getRawOption: socket': (_, value) => face.getRawOption(value, 6, 4),
    'getRawOption: level': (fd, value) => face.getRawOption(fd, value, 4),
    'getRawOption: name': (fd, value) => face.getRawOption(fd, 6, value),
    'getRawOption: length': (fd, value) => face.getRawOption(fd, 6, 4, value),
    'setRawOption: socket': (_, value) => face.setRawOption(value, 6, 1, 1),
    'setRawOption: level': (fd, value) => face.setRawOption(fd, value, 1_000, 1),
    'setRawOption: name': (fd, value) => face.setRawOption(fd, 9_999, value, 1),
    'setRawOption: value': (fd, value) => face.setRawOption(fd, 9_999, 1, value),
    'getSysctl: name': (_, value) => face.getSysctl(value),
    'getMptcpInfo: socket': (_, value) => face.getMptcpInfo(value),
    'getTcpInfo: socket': (_, value) => face.getTcpInfo(value),
    'getKernelTcpInfo: socket': (_, value) => face.getKernelTcpInfo(value),
    'getKernelTcpInfo: options': (fd, value) => face.getKernelTcpInfo(fd, value),
    'getKernelTcpInfo: details': (fd, value) => face.getKernelTcpInfo(fd, { details: value }),
    'TcpInfoReader: socket': (_, value) => new face.TcpInfoReader().read(value),
    'readTcpInfos: sockets': (_, value) => face.readTcpInfos(value),
    'readTcpInfos: a socket': (_, value) => face.readTcpInfos([value]),
    'readTcpInfos: fields': (fd, value) => face.readTcpInfos([fd], value),
    'readTcpInfos: a field': (fd, value) => face.readTcpInfos([fd], [value]),
    'readTcpInfos: out': (fd, value) => face.readTcpInfos([fd], ['rtt'], value),
    'readTcpInfosAsync: a socket': async (_, value) => {
      await face.readTcpInfosAsync([value]).catch(expectChecked);
    },
    'listConnections: filter': (_, value) => face.listConnections(value),
    'listConnections: state': (_, value) => face.listConnections({ state: value }),
    'listConnections: family': (_, value) => face.listConnections({ family: value }),
    'listConnections: port': (_, value) => face.listConnections({ port: value }),
    'listConnections: localAddress': (_, value) => face.listConnections({ localAddress: value }),
    'listConnections: tcpInfo': (_, value) => face.listConnections({ tcpInfo: value }),
    'listConnections: problems': (_, value) => face.listConnections({ problems: value }),
    'diagnoseConnections: filter': (_, value) => face.diagnoseConnections(value),
    'listConnectionsAsync: filter': async (_, value) => {
      await face.listConnectionsAsync(value).catch(expectChecked);
    },
    'destroyConnection: connection': (_, value) => face.destroyConnection(value),
    'destroyConnection: a member of it': (_, value) =>
      face.destroyConnection({ family: 'IPv4', cookie: '1', localAddress: value } as never),
    'setDeadPeerTimeout: socket': (_, value) => face.setDeadPeerTimeout(value, 20_000),
    'setDeadPeerTimeout: timeout': (fd, value) => face.setDeadPeerTimeout(fd, value),
    'setDeadPeerTimeout: options': (fd, value) => face.setDeadPeerTimeout(fd, 20_000, value),
    'setDeadPeerTimeout: minProbes': (fd, value) =>
      face.setDeadPeerTimeout(fd, 20_000, { minProbes: value }),
    'planDeadPeerTimeout: timeout': (_, value) => face.planDeadPeerTimeout(value),
    'planDeadPeerTimeout: options': (_, value) => face.planDeadPeerTimeout(20_000, value),
    'planDeadPeerTimeout: lossRate': (_, value) =>
      face.planDeadPeerTimeout(20_000, { lossRate: value }),
    'planDeadPeerTimeout: retransmissionTimeout': (_, value) =>
      face.planDeadPeerTimeout(20_000, { retransmissionTimeout: value }),
    'getDeadPeerBounds: socket': (_, value) => face.getDeadPeerBounds(value),
    'explainDisconnect: error': (_, value) => face.explainDisconnect(value),
    'explainDisconnect: socket': (_, value) => face.explainDisconnect(new Error('x'), value),
    'tuneSockets: options': (_, value) => face.tuneSockets(value).close(),
    'tuneSockets: client': (_, value) => face.tuneSockets({ client: value }).close(),
    'tuneSockets: deadPeerTimeout': (_, value) =>
      face.tuneSockets({ server: { deadPeerTimeout: value } }).close(),
    'watchClosedConnections: options': (_, value) => face.watchClosedConnections(value).close(),
    'watchClosedConnections: limit': (_, value) =>
      face.watchClosedConnections({ limit: value }).close(),
    'watchClosedConnections: filter': (_, value) =>
      face.watchClosedConnections({ filter: value }).close(),
  };

  test('every public function is here', () => {
    const functions = Object.entries(face)
      .filter(([name, value]) => typeof value === 'function' && name !== 'SocketOptionError')
      .map(([name]) => name);
    const withoutArguments = ['supportedOptions', 'getSystemDefaults'];
    const inAnyOpenings = ['connect', 'listen', 'bind', 'openSocket'];
    const others = [...withoutArguments, ...inAnyOpenings];
    for (const name of functions.filter((one) => !others.includes(one))) {
      expect(
        Object.keys(calls).some((call) => call.startsWith(`${name}:`)),
        name,
      ).toBe(true);
    }
  });

  test.each(Object.entries(calls))('%s', (name, call) => {
    fc.assert(
      fc.property(anything, (value) => {
        // A small number is a descriptor of this process: that is a right argument.
        fc.pre(!(name.endsWith('socket') && isDescriptor(value)));
        withSocket(AF_INET, SOCK_STREAM, (fd) => {
          const before = snapshot(fd);
          const error = outcome(() => call(fd, value as never));
          if (error === undefined || error instanceof face.SocketOptionError) return;
          expectChecked(error);
          expect(changes(fd, before)).toEqual([]);
        });
      }),
      RUNS,
    );
  });

  function isDescriptor(value: unknown): boolean {
    const fd =
      typeof value === 'object' && value !== null && 'fd' in value ? value.fd : (value as unknown);
    return typeof fd === 'number' && Number.isInteger(fd) && fd >= 0 && fd < 2 ** 31;
  }
});

describe('objects that look like sockets', () => {
  const oddSocket = fc.record(
    {
      _handle: fc.oneof(
        fc.constant(null),
        anything,
        fc.record({ fd: fc.oneof(fc.constant(-1), anything) }),
      ),
      type: anything,
      fd: fc.oneof(fc.constant(-1), fc.string()),
      socket: anything,
      goaway: fc.oneof(fc.func(fc.anything()), anything),
      destroyed: fc.boolean(),
      connecting: fc.boolean(),
      pending: fc.boolean(),
      listening: fc.boolean(),
    },
    { requiredKeys: [] },
  );

  test('none crashes, none is taken for one', () => {
    fc.assert(
      fc.property(oddSocket, (socket) => {
        const error = outcome(() => face.setKeepAlive(socket as never, true));
        expect(error).toBeInstanceOf(Error);
        if (!(error instanceof face.SocketOptionError)) expectChecked(error);
      }),
      { numRuns: 3_000 },
    );
  });
});
