// Decodes connection tables of Windows and macOS that are made byte by byte from the documented layouts.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Connection } from '../../dist/index.js';
import { darwin, decodePcbList } from '../../lib/connections/darwin';
import { parseFilter } from '../../lib/connections/filter';
import { linux } from '../../lib/connections/linux/linux';
import { decodeTcpTable, win32, windowsDestroyRequest } from '../../lib/connections/win32';
import type { Binding } from '../../lib/core/addon';

const everyConnection = parseFilter(undefined, 'filter');

const addon = (createRequire(__filename)('node-gyp-build') as (root: string) => Binding)(
  join(__dirname, '../..'),
);

/** A connection that does not exist. */
const missingConnection: Connection = {
  ...(createRequire(__filename)('../fixtures/connection.json') as Connection),
  ...{ localAddress: '127.0.0.1', localPort: 1, remoteAddress: '127.0.0.1', remotePort: 1 },
  cookie: '1',
};

const mapped = '00000000000000000000ffff7f000001';

/** Windows: a count, then rows. A port is in network order in the first half of 32 bits. */
function windowsTable(family: 'IPv4' | 'IPv6', rows: readonly number[][]): Uint8Array {
  const size = family === 'IPv4' ? 24 : 56;
  const bytes = new Uint8Array(4 + rows.length * size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, rows.length, true);
  rows.forEach(([state = 0, localPort = 0, remotePort = 0, pid = 0], index) => {
    const at = 4 + index * size;
    if (family === 'IPv4') {
      view.setUint32(at, state, true);
      bytes.set([127, 0, 0, 1], at + 4);
      view.setUint16(at + 8, localPort);
      bytes.set([192, 0, 2, 7], at + 12);
      view.setUint16(at + 16, remotePort);
      view.setUint32(at + 20, pid, true);
    } else {
      bytes.set(Buffer.from(mapped, 'hex'), at);
      view.setUint32(at + 16, 5, true);
      view.setUint16(at + 20, localPort);
      bytes.set([0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], at + 24);
      view.setUint16(at + 44, remotePort);
      view.setUint32(at + 48, state, true);
      view.setUint32(at + 52, pid, true);
    }
  });
  return bytes;
}

const ALL_STATES = [
  'CLOSED',
  'LISTEN',
  'SYN-SENT',
  'SYN-RECEIVED',
  'ESTABLISHED',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'CLOSE-WAIT',
  'CLOSING',
  'LAST-ACK',
  'TIME-WAIT',
];

describe('Windows', () => {
  test('decodes addresses, ports, state and process for IPv4 and IPv6', () => {
    const filter = { ...everyConnection, owners: true };
    expect(
      decodeTcpTable(windowsTable('IPv4', [[5, 5432, 50_001, 77]]), 'IPv4', filter),
    ).toMatchObject([
      {
        family: 'IPv4',
        state: 'ESTABLISHED',
        localAddress: '127.0.0.1',
        localPort: 5432,
        remoteAddress: '192.0.2.7',
        remotePort: 50_001,
        owners: [{ pid: 77, name: null, fd: null }],
        timer: null,
        receiveQueue: null,
        cookie: null,
      },
    ]);
    expect(
      decodeTcpTable(windowsTable('IPv6', [[8, 5432, 50_001, 77]]), 'IPv6', filter),
    ).toMatchObject([
      {
        family: 'IPv6',
        state: 'CLOSE-WAIT',
        localAddress: '::ffff:127.0.0.1',
        localPort: 5432,
        remoteAddress: 'fe80::1',
        remotePort: 50_001,
      },
    ]);
  });

  test('decodes every state, reports port 0 for listening sockets, and leaves out unknown states', () => {
    const rows = Array.from({ length: 14 }, (_, state) => [state, 1, 2, 3]);
    const found = decodeTcpTable(windowsTable('IPv4', rows), 'IPv4', everyConnection);
    expect(found.map(({ state }) => state)).toEqual(ALL_STATES);
    expect(found.map(({ remotePort }) => remotePort)).toEqual(
      ALL_STATES.map((_, i) => (i === 1 ? 0 : 2)),
    );
  });

  test('filters by state, port, address and own process', () => {
    const table = windowsTable('IPv4', [
      [5, 1, 2, process.pid],
      [5, 3, 4, 1],
      [8, 1, 9, 1],
    ]);
    const ports = (filter: object) =>
      decodeTcpTable(table, 'IPv4', parseFilter(filter, 'filter')).map(
        ({ remotePort }) => remotePort,
      );
    expect(ports({ state: 'ESTABLISHED' })).toEqual([2, 4]);
    expect(ports({ port: 1 })).toEqual([2, 9]);
    expect(ports({ ownProcess: true })).toEqual([2]);
    expect(ports({ remoteAddress: '192.0.2.0/24', port: 4 })).toEqual([4]);
  });

  test('decodes only complete rows of a table that is cut off or has too large a count', () => {
    const table = windowsTable('IPv6', [
      [5, 1, 2, 3],
      [5, 4, 5, 6],
    ]);
    for (let length = 0; length <= table.length; length++) {
      const found = decodeTcpTable(table.slice(0, length), 'IPv6', everyConnection);
      expect(found).toHaveLength(length < 60 ? 0 : length < 116 ? 1 : 2);
    }
    table.fill(0xff, 0, 4);
    expect(decodeTcpTable(table, 'IPv6', everyConnection)).toHaveLength(2);
  });

  test('the request that closes a connection is its row with MIB_TCP_STATE_DELETE_TCB', () => {
    const connection = {
      family: 'IPv4',
      localAddress: '127.0.0.1',
      localPort: 0x1234,
      remoteAddress: '192.0.2.7',
      remotePort: 0xabcd,
    } as Connection;
    expect(Buffer.from(windowsDestroyRequest(connection)).toString('hex')).toBe(
      '0c000000' + '7f000001' + '12340000' + 'c0000207' + 'abcd0000',
    );
    for (const [wrong, code] of [
      [{ family: 'IPv6' }, 'ENOTSUP'],
      [{ localAddress: '::1' }, 'ERR_INVALID_ARG_VALUE'],
      [{ remotePort: 70_000 }, 'ERR_OUT_OF_RANGE'],
    ] as const) {
      const request = () => windowsDestroyRequest({ ...connection, ...wrong } as Connection);
      expect(request).toThrow(expect.objectContaining({ code }) as Error);
    }
  });
});

interface MacSocket {
  state: number;
  ipv6?: boolean;
  localPort?: number;
  remotePort?: number;
}

/** macOS: a header of 24 bytes, six records for each socket, each padded to 8 bytes, and a header. */
function macTable(sockets: readonly MacSocket[]): Uint8Array {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(24, 0);
  header.writeUInt32LE(sockets.length, 4);
  const parts: Buffer[] = [header];
  const record = (length: number, kind: number, fill: (bytes: Buffer) => void) => {
    const bytes = Buffer.alloc((length + 7) & ~7);
    bytes.writeUInt32LE(length, 0);
    bytes.writeUInt32LE(kind, 4);
    fill(bytes);
    parts.push(bytes);
  };
  for (const { state, ipv6 = false, localPort = 5_432, remotePort = 50_001 } of sockets) {
    record(108, 0x10, (bytes) => {
      bytes.writeUInt16BE(remotePort, 16);
      bytes.writeUInt16BE(localPort, 18);
      bytes[44] = ipv6 ? 2 : 1;
      if (ipv6) {
        bytes.set([0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], 48);
        bytes.set(Buffer.from(mapped, 'hex'), 64);
      } else {
        bytes.set([192, 0, 2, 7], 60);
        bytes.set([127, 0, 0, 1], 76);
      }
    });
    record(76, 0x01, (bytes) => {
      bytes.writeUInt16LE(3, 44);
      bytes.writeUInt16LE(128, 48);
      bytes.writeUInt32LE(501, 64);
    });
    record(36, 0x02, (bytes) => bytes.writeUInt32LE(1_000, 8));
    record(36, 0x04, (bytes) => bytes.writeUInt32LE(2_000, 8));
    record(136, 0x08, () => {});
    record(204, 0x20, (bytes) => bytes.writeInt32LE(state, 36));
  }
  parts.push(header);
  return Buffer.concat(parts);
}

describe('macOS', () => {
  test('decodes addresses, ports, state, queues and user for IPv4 and IPv6', () => {
    const found = decodePcbList(
      macTable([{ state: 4 }, { state: 5, ipv6: true }]),
      everyConnection,
    );
    expect(found).toMatchObject([
      {
        family: 'IPv4',
        state: 'ESTABLISHED',
        localAddress: '127.0.0.1',
        localPort: 5_432,
        remoteAddress: '192.0.2.7',
        remotePort: 50_001,
        receiveQueue: 1_000,
        sendQueue: 2_000,
        uid: 501,
        timer: null,
        owners: null,
      },
      {
        family: 'IPv6',
        state: 'CLOSE-WAIT',
        localAddress: '::ffff:127.0.0.1',
        remoteAddress: 'fe80::1',
      },
    ]);
  });

  test('decodes every state, and the accept queue of a listening socket', () => {
    const order = [0, 1, 2, 3, 4, 6, 9, 5, 7, 8, 10, 11, -1];
    const found = decodePcbList(macTable(order.map((state) => ({ state }))), everyConnection);
    expect(found.map(({ state }) => state)).toEqual(ALL_STATES);
    expect(found[1]).toMatchObject({ receiveQueue: 3, sendQueue: 128 });
  });

  test('filters by family, port and address', () => {
    const table = macTable([
      { state: 4, localPort: 1 },
      { state: 4, ipv6: true, localPort: 2 },
    ]);
    const ports = (filter: object) =>
      decodePcbList(table, parseFilter(filter, 'filter')).map(({ localPort }) => localPort);
    expect(ports({ family: 'IPv6' })).toEqual([2]);
    expect(ports({ localPort: 1 })).toEqual([1]);
    expect(ports({ localAddress: '127.0.0.1' })).toEqual([1, 2]);
  });

  test('decodes only complete sockets of a table that is cut off', () => {
    const table = macTable([{ state: 4 }, { state: 4 }]);
    for (let length = 0; length <= table.length; length++) {
      const found = decodePcbList(table.slice(0, length), everyConnection);
      expect(found.length).toBeLessThanOrEqual(length < 24 + 600 ? 0 : 2);
    }
    expect(decodePcbList(table, everyConnection)).toHaveLength(2);
  });
});

describe('requests to the real addon', () => {
  /** `kBadArgument` of native/addon.h. */
  const BAD_ARGUMENT = -65_536;

  test.each([
    ['Linux', linux, 1],
    ['macOS', darwin, 1],
    ['Windows', win32, 2],
  ] as const)('%s: every request is accepted by the addon', (_, system, least) => {
    const queries = system.queries(everyConnection);
    expect(queries.length).toBeGreaterThanOrEqual(least);
    for (const query of queries) {
      const { request } = query();
      const table = addon.openConnectionTable(request);
      expect(table).not.toBe(BAD_ARGUMENT);
      if (table > 0)
        expect(addon.readConnectionTable(table, new Uint8Array(64))).not.toBe(BAD_ARGUMENT);
      addon.closeConnectionTable(table);
    }
    expect(addon.destroyConnection(system.destroyRequest(missingConnection))).not.toBe(
      BAD_ARGUMENT,
    );
  });

  test('the empty request of macOS is accepted by the addon', ({ skip }) => {
    expect(darwin.queries(everyConnection).map((query) => query().request.length)).toEqual([0]);
    skip(
      process.platform !== 'linux',
      `the reply to an empty request is only known for Linux: ${process.platform}`,
    );
    for (const empty of [new Uint8Array(0), Buffer.alloc(0), new Uint8Array(4).subarray(4)]) {
      const table = addon.openConnectionTable(empty);
      const ENODATA = -61;
      // Since Linux 5.15, netlink rejects it; older kernels do not reply.
      if (table > 0) expect(addon.readConnectionTable(table, new Uint8Array(64))).toBe(0);
      else expect(table).toBe(ENODATA);
      addon.closeConnectionTable(table);
    }
  });
});

test('decodes any bytes without an exception or an endless loop', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), fc.nat(300), (bytes, at) => {
      decodeTcpTable(bytes, 'IPv4', everyConnection);
      decodeTcpTable(bytes, 'IPv6', everyConnection);
      decodePcbList(bytes, everyConnection);
      const real = macTable([{ state: 4 }, { state: 1 }]);
      real.set(bytes.subarray(0, 64), at);
      decodePcbList(real, everyConnection);
    }),
    { numRuns: 500 },
  );
});
