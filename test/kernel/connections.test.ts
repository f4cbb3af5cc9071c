// The functions for connections outside a network namespace: arguments, addresses, decoding of any bytes, errors.

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { SocketAddress } from 'node:net';
import { constants as osConstants } from 'node:os';
import { join } from 'node:path';
import { getSystemErrorMap, promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import {
  type Connection,
  type ConnectionFilter,
  destroyConnection,
  getOption,
  listConnections,
  listConnectionsAsync,
  SocketOptionError,
  watchClosedConnections,
} from '../../dist/index.js';
import { parseFilter } from '../../lib/connections/filter';
import { connectionFromMessage } from '../../lib/connections/linux/linux';
import { DiagMessages } from '../../lib/connections/linux/messages';
import { dumpRequest, dumpTcpRequest } from '../../lib/connections/linux/request';
import { listConnections as listFromSource } from '../../lib/connections/list';
import type * as addonModule from '../../lib/core/addon';
import type { Binding } from '../../lib/core/addon';
import {
  AddressFormatter,
  formatAddress,
  isInPrefix,
  parseAddress,
  parsePrefix,
} from '../../lib/core/address';
import { SocketOptionError as SourceError } from '../../lib/core/errors';
import { withPair } from '../support/net';
import { needsStrace } from '../support/strace';

// In the sources, unlike in dist/, a test can replace the addon.
const fake = vi.hoisted(() => ({ addon: undefined as Partial<Binding> | undefined }));
vi.mock('../../lib/core/addon', async (original) => {
  const source = await original<typeof addonModule>();
  return { ...source, binding: () => (fake.addon as Binding | undefined) ?? source.binding() };
});

const require = createRequire(__filename);
const addon = (require('node-gyp-build') as (root: string) => Binding)(join(__dirname, '../..'));

type Thrown = Error & { code: string };

function thrown(call: () => unknown): Thrown {
  try {
    call();
  } catch (error) {
    return error as Thrown;
  }
  throw new Error('nothing was thrown');
}

/** `kBadArgument` of native/addon.h. */
const BAD_ARGUMENT = -65_536;

/** A filter for every connection, with TCP_INFO. */
const everyConnection = () => parseFilter({ tcpInfo: true }, 'filter');

/** The chunks of the kernel's reply. */
function replyTo(request: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  const table = addon.openConnectionTable(request);
  for (;;) {
    const memory = new Uint8Array(32 * 1024);
    const length = addon.readConnectionTable(table, memory);
    if (length <= 0) break;
    pieces.push(memory.slice(0, length));
  }
  addon.closeConnectionTable(table);
  return pieces;
}

describe('in this process', () => {
  test('lists both ends of a connection, with the cookies of the sockets', async () => {
    await withPair(async ({ client, accepted, server }) => {
      const port = client.remotePort as number;
      const list = listConnections({ port, ownProcess: true, owners: true, tcpInfo: true });
      expect(list.map(({ cookie }) => cookie).sort()).toEqual(
        [client, accepted, server].map((socket) => getOption(socket, 'cookie')).sort(),
      );
      for (const { owners } of list) {
        expect(owners).toMatchObject([{ pid: process.pid }]);
      }
      expect(await listConnectionsAsync({ port, owners: true, tcpInfo: false })).toMatchObject(
        listConnections({ port, owners: true, tcpInfo: false }).map(({ cookie }) => ({ cookie })),
      );
      const { localPort, remotePort } = client as { localPort: number; remotePort: number };
      const [one] = listConnections({ localPort, remotePort });
      expect(one).toMatchObject({ tcpInfo: null, congestionControl: null, owners: null });
    });
  });

  test('leaves no descriptor open, also after errors', async () => {
    const descriptors = () => readdirSync('/proc/self/fd').length;
    listConnections();
    const before = descriptors();
    for (let i = 0; i < 20; i++) {
      listConnections({ tcpInfo: true, owners: i === 0 });
      await listConnectionsAsync({ ownProcess: true });
      watchClosedConnections().close();
      thrown(() => destroyConnection(missingConnection));
    }
    expect(descriptors()).toBe(before);
  });

  test('closes the tables of a worker that ends', async () => {
    const before = readdirSync('/proc/self/fd').length;
    const program = `
      const addon = require('node-gyp-build')(${JSON.stringify(join(__dirname, '../..'))});
      require(${JSON.stringify(join(__dirname, '../../dist/index.js'))}).listConnections();
      const request = require('node:worker_threads').workerData;
      const numbers = [1, 2, 3].map(() => addon.openConnectionTable(request));
      require('node:worker_threads').parentPort.postMessage(
        [numbers, require('node:fs').readdirSync('/proc/self/fd').length]);`;
    const workerData = dumpRequest(2, 6, parseFilter({}, 'filter'));
    const worker = new Worker(program, { eval: true, workerData });
    // Both listeners are added first: the message and the exit may come in the same turn.
    const [[[numbers, during]]] = (await Promise.all([
      once(worker, 'message'),
      once(worker, 'exit'),
    ])) as unknown as [[[number[], number]]];
    expect(numbers.every((number) => number > 0)).toBe(true);
    expect(during).toBeGreaterThanOrEqual(before + 3);
    expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before);
  });
});

const missingConnection: Connection = {
  ...{ family: 'IPv4', state: 'ESTABLISHED', timer: null, receiveQueue: 0, sendQueue: 0, uid: 0 },
  ...{ localAddress: '127.0.0.1', localPort: 1, remoteAddress: '127.0.0.1', remotePort: 1 },
  ...{ inode: 0, cookie: '1', interfaceIndex: 0, mptcp: null, congestionControl: null },
  ...{ tcpInfo: null, owners: null, problems: null },
};

describe('arguments', () => {
  const TYPE = 'ERR_INVALID_ARG_TYPE';
  const VALUE = 'ERR_INVALID_ARG_VALUE';
  const RANGE = 'ERR_OUT_OF_RANGE';

  test.each([
    [5, TYPE, /"filter" argument must be an object with any of state, family/],
    [null, TYPE, /"filter" argument/],
    [[], TYPE, /"filter" argument/],
    [{ ports: 1 }, VALUE, /^unknown option "filter.ports" \(did you mean "port"\?\)$/],
    [{ LocalPort: 1 }, VALUE, /unknown option "filter.LocalPort" \(did you mean "localPort"\?\)/],
    [{ toString: 1 }, VALUE, /unknown option "filter.toString" \(known: state, family/],
    [{ state: 'established' }, VALUE, /"filter.state".*\(did you mean 'ESTABLISHED'\?\)/],
    [{ state: 'TIME_WAIT' }, VALUE, /did you mean 'TIME-WAIT'/],
    [{ state: 'FIN-WAIT1' }, VALUE, /did you mean 'FIN-WAIT-1'/],
    [{ state: ['LISTEN', 'syn_recv'] }, VALUE, /did you mean 'SYN-RECEIVED'/],
    [{ state: 'open' }, VALUE, /must be one of 'CLOSED', 'LISTEN', 'SYN-SENT'/],
    [{ state: '' }, VALUE, /must be one of/],
    [{ state: 10 }, TYPE, /"filter.state".*Received type number \(10\)/],
    [{ state: [undefined] }, TYPE, /"filter.state"/],
    [{ family: 4 }, TYPE, /"filter.family" argument must be one of 'IPv4', 'IPv6'/],
    [{ family: 'ipv4' }, VALUE, /"filter.family"/],
    [{ port: '80' }, TYPE, /"filter.port".*Received type string \('80'\)/],
    [{ port: [80, null] }, TYPE, /"filter.port"/],
    [{ localPort: 65_536 }, RANGE, /"filter.localPort".*>= 0 and <= 65535/],
    [{ remotePort: -1 }, RANGE, /"filter.remotePort"/],
    [{ remotePort: 1.5 }, RANGE, /"filter.remotePort"/],
    [{ localAddress: 1 }, TYPE, /"filter.localAddress"/],
    [{ localAddress: '192.0.2.0/08' }, VALUE, /"filter.localAddress".*a prefix/],
    [{ localAddress: 'localhost' }, VALUE, /"filter.localAddress".*without a zone, or a prefix/],
    [{ localAddress: 'fe80::1%lo' }, VALUE, /"filter.localAddress"/],
    [{ remoteAddress: '10.0.0.0/33' }, VALUE, /"filter.remoteAddress"/],
    [{ remoteAddress: '::/129' }, VALUE, /"filter.remoteAddress"/],
    [{ remoteAddress: '10.0.0.0/' }, VALUE, /"filter.remoteAddress"/],
    [{ remoteAddress: '1/8' }, VALUE, /"filter.remoteAddress"/],
    [{ ownProcess: 1 }, TYPE, /"filter.ownProcess" argument must be a boolean/],
    [{ tcpInfo: 'yes' }, TYPE, /"filter.tcpInfo"/],
    [{ owners: null }, TYPE, /"filter.owners"/],
  ])('listConnections(%j) throws %s', async (filter, code, message) => {
    const error = thrown(() => listConnections(filter as never));
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
    await expect(listConnectionsAsync(filter as never)).rejects.toMatchObject({ code });
  });

  test('listConnections ignores undefined members and reads each member once', () => {
    let reads = 0;
    const filter = {
      state: undefined,
      port: undefined,
      get family() {
        reads++;
        return 'IPv6' as const;
      },
    };
    expect(listConnections(filter).every(({ family }) => family === 'IPv6')).toBe(true);
    expect(reads).toBe(1);
  });

  test('listConnections reads each item of a list once, without calling methods of the list', async () => {
    await withPair(({ client }) => {
      const { localPort: port, remotePort } = client as { localPort: number; remotePort: number };
      let reads = 0;
      const ports = [port];
      Object.defineProperty(ports, 0, {
        // A different port from the second read on.
        get: () => (reads++ === 0 ? port : 1),
      });
      const hostile = () => {
        throw new Error('was called');
      };
      Object.assign(ports, { map: hostile, [Symbol.iterator]: hostile, includes: () => true });
      const found = listConnections({ localPort: ports, remotePort });
      expect([found.map(({ localPort }) => localPort), reads]).toEqual([[port], 1]);
      expect(listConnections({ localPort: [] })).toEqual([]);
    });
    const long = new Proxy([80], { get: (_, name) => (name === 'length' ? 2 ** 32 - 1 : 80) });
    for (const name of ['port', 'localPort', 'remotePort', 'state']) {
      expect(thrown(() => listConnections({ [name]: long }))).toMatchObject({
        code: RANGE,
        message: expect.stringContaining(`"filter.${name}.length"`),
      });
    }
    expect(thrown(() => listConnections({ port: new Array(2 ** 32 - 1) })).code).toBe(RANGE);
    const all = Array.from({ length: 65_536 }, (_, port) => port);
    expect(listConnections({ localPort: all }).length).toBeGreaterThanOrEqual(0);
  });

  test.each([
    [null, TYPE, /"connection" argument/],
    [1, TYPE, /"connection" argument/],
    [{}, TYPE, /"connection.cookie" argument must be a string of decimal digits/],
    [{ ...missingConnection, cookie: null }, 'ENOTSUP', /has no cookie .*\/proc\/net\/tcp/],
    [{ ...missingConnection, cookie: undefined }, TYPE, /"connection.cookie"/],
    [{ ...missingConnection, cookie: 1 }, TYPE, /"connection.cookie".*Received type number \(1\)/],
    [
      { ...missingConnection, cookie: 1n },
      TYPE,
      /"connection.cookie".*Received type bigint \(1n\)/,
    ],
    [{ ...missingConnection, cookie: '' }, VALUE, /"connection.cookie" .* digits/],
    [{ ...missingConnection, cookie: '0' }, VALUE, /"connection.cookie" .* digits/],
    [{ ...missingConnection, cookie: '01' }, VALUE, /"connection.cookie" .* digits/],
    [{ ...missingConnection, cookie: '0x1' }, VALUE, /"connection.cookie" .* digits/],
    [{ ...missingConnection, cookie: '1.5' }, VALUE, /"connection.cookie" .* digits/],
    [{ ...missingConnection, cookie: '1\n' }, VALUE, /"connection.cookie" .* digits/],
    [{ ...missingConnection, cookie: '1'.repeat(26) }, RANGE, /"connection.cookie"/],
    // INET_DIAG_NOCOOKIE: it would mean any socket with these addresses.
    [{ ...missingConnection, cookie: `${2n ** 64n - 1n}` }, RANGE, /"connection.cookie"/],
    [{ ...missingConnection, cookie: `${2n ** 64n}` }, RANGE, /"connection.cookie"/],
    [{ ...missingConnection, family: 'IPv5' }, VALUE, /"connection.family"/],
    [
      { ...missingConnection, localAddress: '::1' },
      VALUE,
      /"connection.localAddress" .* IPv4 address/,
    ],
    [{ ...missingConnection, remoteAddress: undefined }, VALUE, /"connection.remoteAddress"/],
    [{ ...missingConnection, localPort: '1' }, TYPE, /"connection.localPort"/],
    [{ ...missingConnection, remotePort: 70_000 }, RANGE, /"connection.remotePort"/],
    [{ ...missingConnection, interfaceIndex: -1 }, RANGE, /"connection.interfaceIndex"/],
  ])('destroyConnection rejects argument %#', (connection, code, message) => {
    const error = thrown(() => destroyConnection(connection as never));
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test('destroyConnection reads each member once, so that a getter cannot change a checked value', () => {
    const reads: string[] = [];
    const counted = new Proxy(missingConnection, {
      get(target, name: keyof Connection) {
        reads.push(name);
        // Valid on the first read, invalid on later ones.
        return reads.filter((one) => one === name).length > 1 ? Symbol('again') : target[name];
      },
    });
    expect(thrown(() => destroyConnection(counted))).toBeInstanceOf(SocketOptionError);
    expect(reads.sort()).toEqual([
      ...['cookie', 'family', 'interfaceIndex', 'localAddress', 'localPort'],
      ...['remoteAddress', 'remotePort'],
    ]);
  });

  test('destroyConnection throws for a connection that does not exist', () => {
    expect(thrown(() => destroyConnection(missingConnection))).toBeInstanceOf(SocketOptionError);
  });

  test.each([
    [5, TYPE, /"options" argument must be an object with any of filter, limit/],
    [{ limits: 5 }, VALUE, /unknown option "limits" \(did you mean "limit"\?\)/],
    [{ limit: '5' }, TYPE, /"options.limit"/],
    [{ limit: 0 }, RANGE, /"options.limit"/],
    [{ limit: 65_537 }, RANGE, /"options.limit"/],
    [{ limit: 1.5 }, RANGE, /"options.limit"/],
    [{ filter: { port: -1 } }, RANGE, /"options.filter.port"/],
    // Not known of a closed connection.
    [{ filter: { state: 'CLOSED' } }, VALUE, /unknown option "filter.state" \(known: family, port/],
    [{ filter: { ownProcess: true } }, VALUE, /unknown option "filter.ownProcess"/],
  ])('watchClosedConnections(%j) throws %s', (options, code, message) => {
    const error = thrown(() => watchClosedConnections(options as never).close());
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test('the addon rejects arguments of any other type without crashing', () => {
    const odd = [
      ...[
        undefined,
        null,
        0,
        -1,
        1,
        2 ** 31,
        Number.NaN,
        '',
        'x',
        {},
        [],
        () => {},
        Symbol('s'),
        1n,
      ],
      ...[new Uint8Array(0), new Int8Array(99), new Uint32Array(99), new ArrayBuffer(99)],
      ...[Buffer.alloc(3), new DataView(new ArrayBuffer(99)), new Uint8Array(99)],
    ];
    const detached = new Uint8Array(99);
    structuredClone(detached, { transfer: [detached.buffer] });
    for (const one of [...odd, detached]) {
      for (const other of odd) {
        addon.closeConnectionTable(addon.openConnectionTable(one as never));
        expect(addon.readConnectionTable(one as never, other as never)).toBe(BAD_ARGUMENT);
        addon.closeConnectionTable(one as never);
        expect(addon.destroyConnection(one as never)).toBeLessThan(0);
        expect(addon.watchClosedConnections(one as never, undefined as never)).toBe(BAD_ARGUMENT);
        addon.holdWatch(one as never, other as never);
      }
    }
    const closed = addon.watchClosedConnections(1, () => {});
    addon.closeConnectionTable(closed);
    expect(addon.readConnectionTable(closed, new Uint8Array(99))).toBe(BAD_ARGUMENT);
    // It cannot be mistaken for an error of the system or of libuv.
    expect(Object.values(osConstants.errno).map((number) => -number)).not.toContain(BAD_ARGUMENT);
    expect([...getSystemErrorMap().keys()]).not.toContain(BAD_ARGUMENT);
  });

  test('the number of a table selects it, and only a Uint8Array is filled', ({ skip }) => {
    skip(process.platform !== 'linux', `only Linux has watches: ${process.platform}`);
    const [first, second] = [0, 1].map(() => addon.watchClosedConnections(1, () => {}));
    addon.closeConnectionTable(first as number);
    expect(addon.readConnectionTable(first as number, new Uint8Array(99))).toBe(BAD_ARGUMENT);
    // A connection of another test may have closed meanwhile.
    const bytes = addon.readConnectionTable(second as number, new Uint8Array(99));
    expect(bytes).toBeGreaterThanOrEqual(0);
    expect(addon.readConnectionTable(second as number, new Float64Array(9) as never)).toBe(
      BAD_ARGUMENT,
    );
    addon.closeConnectionTable(second as number);
  });
});

describe('addresses', () => {
  const octet = fc.integer({ min: 0, max: 255 });
  /** Often with runs of zeros, which RFC 5952 shortens. */
  const ipv6 = fc
    .array(
      fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 0xffff })),
      {
        minLength: 8,
        maxLength: 8,
      },
    )
    .map((groups) => Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff])));
  const longForm = (bytes: Uint8Array) => {
    const groups: string[] = [];
    for (let i = 0; i < 16; i += 2) {
      groups.push((((bytes[i] as number) << 8) | (bytes[i + 1] as number)).toString(16));
    }
    return groups.join(':');
  };

  test('are formatted as by Node, and parsed back', () => {
    const mapped = fc
      .array(octet, { minLength: 4, maxLength: 4 })
      .map((tail) => Uint8Array.from([...Array(10).fill(0), 255, 255, ...tail]));
    fc.assert(
      fc.property(fc.oneof(ipv6, mapped), (bytes) => {
        const { address } = new SocketAddress({ address: longForm(bytes), family: 'ipv6' });
        expect(formatAddress(bytes, 0, 16)).toBe(address);
        expect(parseAddress(address)).toEqual(bytes);
        expect(parseAddress(longForm(bytes))).toEqual(bytes);
      }),
      { numRuns: 2_000 },
    );
    fc.assert(
      fc.property(fc.array(octet, { minLength: 4, maxLength: 4 }), (bytes) => {
        expect(formatAddress(Uint8Array.from(bytes), 0, 4)).toBe(bytes.join('.'));
        expect(parseAddress(bytes.join('.'))).toEqual(Uint8Array.from(bytes));
      }),
    );
    for (const text of ['', 'x', '1.2.3', '::g', '1::2::3', 'fe80::1%lo', '::1/8', ' ::1']) {
      expect(parseAddress(text), text).toBeUndefined();
    }
  });

  test('a formatter returns the same text for the same bytes, however many addresses it has seen', () => {
    const formatter = new AddressFormatter();
    for (let i = 0; i < 3_000; i++) {
      const bytes = Uint8Array.of(10, i & 255, i >> 8, 1);
      expect(formatter.format(bytes, 0, 4)).toBe(formatAddress(bytes, 0, 4));
    }
    // Few values, so that addresses often differ in one byte.
    const byte = fc.constantFrom(0, 1, 255);
    const bytes = (length: number) => fc.array(byte, { minLength: length, maxLength: length });
    const address = fc.oneof(bytes(4), bytes(16)).map((each) => Uint8Array.from(each));
    fc.assert(
      fc.property(fc.array(address, { minLength: 1, maxLength: 50 }), (addresses) => {
        // Between other bytes. Each address twice: the second one is known.
        const twice = [...addresses, ...addresses];
        const memory = Uint8Array.from([7, ...twice.flatMap((one) => [...one]), 7]);
        let at = 1;
        for (const one of twice) {
          expect(formatter.format(memory, at, one.length)).toBe(formatAddress(one, 0, one.length));
          at += one.length;
        }
      }),
      { numRuns: 200 },
    );
  });

  test('a prefix contains the addresses with the same first bits', () => {
    const bitsOf = (bytes: Uint8Array) =>
      [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
    fc.assert(
      fc.property(ipv6, ipv6, fc.integer({ min: 0, max: 128 }), (one, other, bits) => {
        const prefix = parsePrefix(`${longForm(one)}/${bits}`);
        expect(prefix && isInPrefix(prefix, other, 0, 16)).toBe(
          bitsOf(one).slice(0, bits) === bitsOf(other).slice(0, bits),
        );
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('netlink requests, byte by byte as in the kernel headers', () => {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
  const id = '00'.repeat(48);

  test('a dump of all TCP sockets of a family, with TCP_INFO', () => {
    expect(hex(dumpRequest(2, 6, everyConnection()))).toBe(
      // 72 bytes, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP; INFO and CONG; states 1 to 12.
      `48000000140001030000000000000000${'02060a00fe1f0000'}${id}`,
    );
  });

  test('a dump of all TCP sockets of both families, with TCP_INFO', () => {
    expect(hex(dumpTcpRequest(everyConnection()))).toBe(
      // 76 bytes, TCPDIAG_GETSOCK, NLM_F_REQUEST | NLM_F_DUMP; INFO and CONG; states 1 to 12.
      `4c000000120001030000000000000000${'0000000a'}${id}${'fe1f000000000000'}`,
    );
  });

  test('a dump of the sockets with a port contains the bytecode behind the structure', () => {
    const oneLocalPort = parseFilter({ localPort: 80 }, 'filter');
    // { S_GE, 8 bytes to the next, 20 to the rejection }, { the port in the place of `no` }; S_LE.
    const bytecode = `${'14000100'}${'02081400'}${'00005000'}${'03080c00'}${'00005000'}`;
    expect(hex(dumpRequest(2, 6, oneLocalPort)).slice(2 * 72)).toBe(bytecode);
    expect(hex(dumpTcpRequest(oneLocalPort)).slice(2 * 76)).toBe(bytecode);
  });

  test('a dump of Multipath TCP asks older kernels for no protocol instead of TCP', () => {
    const listening = parseFilter({ state: 'LISTEN' }, 'filter');
    expect(hex(dumpRequest(10, 262, listening))).toBe(
      `50000000140001030000000000000000${'0a00000000040000'}${id}${'0800030006010000'}`,
    );
  });
});

describe('DiagMessages', () => {
  /** Reads every message with every getter; returns the number of sockets. */
  function readAll(bytes: Uint8Array): number {
    const messages = new DiagMessages();
    messages.load(bytes);
    let count = 0;
    while (messages.next()) {
      connectionFromMessage(messages, true, null);
      expect(messages.endpointKey).toHaveLength(37);
      count++;
    }
    expect(messages.next()).toBe(false);
    return count;
  }

  test('reads any bytes without an exception or an endless loop', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        expect(readAll(bytes)).toBeLessThanOrEqual(bytes.length / 88);
      }),
      { numRuns: 2_000 },
    );
  });

  test('reads bytes that look like messages', () => {
    const word = fc.oneof(
      fc.constantFrom(0, 4, 16, 20, 72, 88, 0xff, 0xffff, 0xffffffff),
      fc.integer({ min: 0, max: 200 }),
    );
    const message = fc
      .tuple(
        fc.oneof(fc.integer({ min: 0, max: 400 }), fc.constantFrom(-1, 2 ** 31 - 1)),
        fc.constantFrom(0, 1, 2, 3, 4, 20, 20, 20, 21),
        fc.integer({ min: 0, max: 0x3ff }),
        fc.array(word, { maxLength: 100 }),
      )
      .map(([length, type, flags, words]) => {
        const bytes = Buffer.alloc(16 + 4 * words.length);
        bytes.writeInt32LE(length > 0 && length < 40 ? length : Math.min(length, bytes.length), 0);
        bytes.writeUInt16LE(type, 4);
        bytes.writeUInt16LE(flags, 6);
        for (const [i, value] of words.entries()) bytes.writeUInt32LE(value, 16 + 4 * i);
        return bytes;
      });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 6 }), (messages) => {
        readAll(new Uint8Array(Buffer.concat(messages)));
      }),
      { numRuns: 3_000 },
    );
  });

  test('reads real replies that are cut off, shifted or changed', async () => {
    // Only one port: the machine may have many thousands of connections.
    const pieces = await withPair(({ client }) => {
      const port = client.remotePort as number;
      const few = parseFilter({ tcpInfo: true, port }, 'filter');
      const requests = [dumpRequest(2, 6, few), dumpRequest(10, 6, few), dumpTcpRequest(few)];
      return requests.flatMap(replyTo);
    });
    const whole = pieces.reduce((sum, piece) => sum + readAll(piece), 0);
    expect(whole).toBeGreaterThanOrEqual(3);
    for (const piece of pieces) {
      // Also from an unaligned offset.
      const shifted = new Uint8Array(piece.length + 1).subarray(1);
      shifted.set(piece);
      expect(readAll(shifted)).toBe(readAll(piece));
      for (let length = 0; length < Math.min(piece.length, 1_200); length++) {
        readAll(piece.slice(0, length));
      }
    }
    const piece = pieces[0]?.slice(0, 2_000) as Uint8Array;
    const changes = fc.array(fc.tuple(fc.nat(piece.length - 1), fc.nat(255)), { maxLength: 20 });
    fc.assert(
      fc.property(changes, (changed) => {
        const bytes = piece.slice();
        for (const [at, value] of changed) bytes[at] = value;
        readAll(bytes);
      }),
      { numRuns: 3_000 },
    );
  });

  test('accepts states, timers and families that are newer than this package', () => {
    const piece = replyTo(dumpRequest(2, 6, everyConnection()))[0] as Uint8Array;
    const bytes = piece.slice();
    bytes.set([2, 77, 99], 16);
    const messages = new DiagMessages();
    messages.load(bytes);
    messages.next();
    expect(connectionFromMessage(messages, false, null)).toMatchObject({
      state: 'CLOSED',
      timer: { kind: 'unknown' },
    });
  });
});

describe('listConnections with made-up replies of the kernel', () => {
  /** `listConnections` over an addon with these replies, one for each query; the last one is repeated. */
  function listFromReplies(
    replies: readonly (readonly (Uint8Array | number)[])[],
    filter: ConnectionFilter = { family: 'IPv4' },
  ): {
    list: () => Connection[];
    queryCount: () => number;
  } {
    let queryCount = 0;
    let pending: (Uint8Array | number)[] = [];
    fake.addon = {
      openConnectionTable: (request: Uint8Array) => {
        const [IPPROTO_TCP, TCPDIAG_GETSOCK, ENOENT] = [6, 18, -2];
        // This machine may have sockets of Multipath TCP, which are queried first.
        if (request[4] !== TCPDIAG_GETSOCK && request[17] !== IPPROTO_TCP) return ENOENT;
        pending = [...(replies[Math.min(queryCount++, replies.length - 1)] as Uint8Array[])];
        return 1;
      },
      readConnectionTable: (_: number, bytes: Uint8Array) => {
        const next = pending.shift() ?? 0;
        if (typeof next === 'number') return next;
        bytes.set(next);
        return next.length;
      },
      closeConnectionTable: () => {},
      failedCall: () => null,
    };
    return { list: () => listFromSource(filter), queryCount: () => queryCount };
  }

  /** A netlink message. */
  function message(type: number, flags: number, payload: Uint8Array): Uint8Array {
    const bytes = Buffer.alloc(16 + payload.length);
    bytes.writeUInt32LE(bytes.length, 0);
    bytes.writeUInt16LE(type, 4);
    bytes.writeUInt16LE(flags, 6);
    bytes.set(payload, 16);
    return new Uint8Array(bytes);
  }
  const code = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    return bytes;
  };
  /** `struct inet_diag_msg` with this cookie. */
  const socketWith = (cookie: number, flags = 0) => {
    const bytes = Buffer.alloc(72);
    bytes.writeUInt32LE(cookie, 44);
    return message(20, flags, bytes);
  };
  const socket = socketWith(1);
  const interrupted = socketWith(2, 0x10);
  const done = message(3, 0, code(0));

  test('returns every socket of a complete reply', () => {
    const { list, queryCount } = listFromReplies([[socket, socket, done]]);
    expect([list().length, queryCount()]).toEqual([2, 1]);
  });

  test('repeats a query whose reply has gaps, and adds what was missing', () => {
    const { list, queryCount } = listFromReplies([
      [interrupted, socket, done],
      [socket, socketWith(3), done],
    ]);
    expect([list().map(({ cookie }) => cookie), queryCount()]).toEqual([['2', '1', '3'], 2]);
  });

  test('a connection in several chunks of later replies comes once', () => {
    const { list, queryCount } = listFromReplies([
      [interrupted, socket, done],
      [interrupted, socketWith(3), done],
      [socket, socketWith(3), socketWith(4), done],
    ]);
    expect([list().map(({ cookie }) => cookie), queryCount()]).toEqual([['2', '1', '3', '4'], 3]);
  });

  test('asks once for both families, and reads the replies of that request', () => {
    const dual = Buffer.from(socketWith(1, 0));
    dual.writeUInt16LE(18, 4);
    const { list, queryCount } = listFromReplies([[new Uint8Array(dual), socketWith(2), done]], {});
    expect([list().map(({ cookie }) => cookie), queryCount()]).toEqual([['1', '2'], 1]);
  });

  test('lists from /proc/net/tcp if the kernel has no such request for both families', async () => {
    const EOPNOTSUPP = -95;
    const { list, queryCount } = listFromReplies([[message(2, 0, code(EOPNOTSUPP))]], {});
    // Not the exact list: other programs open and close connections while the file is read.
    const cookies = await withPair(() => list().map(({ cookie }) => cookie));
    expect([new Set(cookies), queryCount()]).toEqual([new Set([null]), 1]);
  });

  test('a cookie has 64 bits, the lower word first', () => {
    const bytes = Buffer.from(socketWith(7));
    bytes.writeUInt32LE(0x8000_0001, 16 + 48);
    const { list } = listFromReplies([[new Uint8Array(bytes), done]]);
    expect(list()[0]?.cookie).toBe(String(0x8000_0001_0000_0007n));
  });

  test('throws EPROTO if no reply ever ends', () => {
    const { list, queryCount } = listFromReplies([[socket, socket]]);
    expect([thrown(list).code, queryCount()]).toEqual(['EPROTO', 4]);
    // Also if the reply is empty.
    expect(thrown(listFromReplies([[]]).list).code).toBe('EPROTO');
  });

  test('repeats a query whose reply does not end', () => {
    const { list, queryCount } = listFromReplies([
      [socket, socketWith(2), socketWith(3)],
      [socket, done],
    ]);
    expect([list().length, queryCount()]).toEqual([3, 2]);
  });

  test('accepts the fourth reply even if it has gaps', () => {
    const { list, queryCount } = listFromReplies([[interrupted, done]]);
    expect([list().length, queryCount()]).toEqual([1, 4]);
  });

  test.each([
    ['an error', [message(2, 0, code(-22))], 'EINVAL'],
    ['an error in NLMSG_DONE', [socket, message(3, 0, code(-12))], 'ENOMEM'],
    ['a truncated socket', [message(20, 0, new Uint8Array(71)), done], 'EPROTO'],
    ['a truncated error', [message(2, 0, new Uint8Array(2))], 'EPROTO'],
    ['bytes that are no message', [new Uint8Array(40)], 'EPROTO'],
    ['a failed read', [-105], 'ENOBUFS'],
  ])('throws for %s', (_, reply, wanted) => {
    const error = thrown(listFromReplies([reply]).list);
    expect([error instanceof SourceError, error.code]).toEqual([true, wanted]);
  });
});

describe('system calls that fail (injected by strace(1))', () => {
  beforeEach(needsStrace);

  async function runWithFailure(injected: string, path?: string): Promise<Record<string, string>> {
    const { stdout } = await promisify(execFile)(
      'strace',
      [
        ...['-f', '-qq', '-o', '/dev/null', '-e', `trace=${injected.split(':')[0]}`],
        ...(path === undefined ? [] : ['-P', path]),
        ...['-e', `inject=${injected}`, process.execPath],
        join(__dirname, '../fixtures/connections/refused.mjs'),
      ],
      { timeout: 15_000 },
    );
    return JSON.parse(stdout) as Record<string, string>;
  }
  /** Lists come from /proc/net/tcp then. */
  const exceptLists = (message: string) => ({
    ...{ list: 'done', listAsync: 'done', own: 'done' },
    destroy: message,
    watch: message,
  });

  test('a kernel without sock_diag: functions that need it name the cause', async () => {
    expect(await runWithFailure('socket:error=EPROTONOSUPPORT')).toEqual(
      exceptLists(
        'EPROTONOSUPPORT: this kernel has no sock_diag for TCP (gVisor, or built without CONFIG_INET_DIAG), socket',
      ),
    );
  });

  test.each(['EAFNOSUPPORT', 'EACCES'])(
    'AF_NETLINK is denied with %s: functions that need it name the cause',
    async (code) => {
      expect(await runWithFailure(`socket:error=${code}`)).toEqual(
        exceptLists(
          `${code}: this process may not open AF_NETLINK sockets (for example by RestrictAddressFamilies of systemd), socket`,
        ),
      );
    },
  );

  test('a denied later call: the error names the call and does not guess a cause', async () => {
    const { list, destroy } = await runWithFailure('sendto:error=EPERM');
    expect([list, destroy]).toEqual(['done', 'EPERM: operation not permitted, sendto']);
    expect((await runWithFailure('sendto:error=ENOBUFS')).list).toMatch(/^ENOBUFS: .*, sendto$/);
  });

  test('ownProcess throws if /proc/self/fd cannot be opened', async () => {
    const { own, list } = await runWithFailure('openat:error=EMFILE', '/proc/self/fd');
    expect([own, list]).toEqual([
      'EMFILE: filter.ownProcess needs /proc/self/fd, which cannot be read, opendir',
      'done',
    ]);
  });

  test('EINTR is retried, and reported if it does not end', async () => {
    const { list, destroy } = await runWithFailure('recvfrom:error=EINTR:when=1..5');
    expect([list, destroy]).toEqual(['done', expect.stringMatching(/^ENOENT: /)]);
    expect((await runWithFailure('recvfrom:error=EINTR')).list).toMatch(/^EINTR: /);
  });

  test('a kernel that cannot close connections, and one that never replies', async () => {
    const { destroy, list } = await runWithFailure('recvfrom:error=EOPNOTSUPP');
    // A kernel without CONFIG_INET_DIAG answers with this error: the list comes from /proc/net/tcp then.
    expect(destroy).toBe(
      'ENOTSUP: this kernel cannot close connections (it was built without CONFIG_INET_DIAG_DESTROY), recvfrom',
    );
    expect(list).toBe('done');
    // Without a reply, nothing hangs and no empty list is returned.
    expect(await runWithFailure('recvfrom:error=EAGAIN')).toMatchObject({
      list: "EPROTO: the kernel's reply is incomplete or malformed, sock_diag",
      listAsync: expect.stringMatching(/^EPROTO: /),
      destroy: expect.stringMatching(/^EAGAIN: /),
    });
  });
});
