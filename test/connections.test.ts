// Connections without a namespace of their own: arguments, addresses, messages of any bytes, refusals.

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
import { beforeEach, describe, expect, test } from 'vitest';
import type { Binding } from '../dist/binding.js';
import * as internals from '../dist/connections/index.js';
import {
  type Connection,
  destroyConnection,
  getOption,
  listConnections,
  listConnectionsAsync,
  SocketOptionError,
  watchClosedConnections,
} from '../dist/index.js';
import { withPair } from './support/net';
import { needsStrace } from './support/strace';

const require = createRequire(__filename);
const addon = (require('node-gyp-build') as (root: string) => Binding)(join(__dirname, '..'));

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

/** Of a request for everything, with all that is known of it. */
const everything = () => internals.conditionsOf({ tcpInfo: true }, 'filter');

/** What the kernel answers, piece by piece. */
function answerTo(request: Uint8Array): Uint8Array[] {
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
  test('both ends of a connection, with the cookies that the sockets have', async () => {
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

  test('no descriptor is left, whatever happens', async () => {
    const descriptors = () => readdirSync('/proc/self/fd').length;
    listConnections();
    const before = descriptors();
    for (let i = 0; i < 20; i++) {
      listConnections({ tcpInfo: true, owners: i === 0 });
      await listConnectionsAsync({ ownProcess: true });
      watchClosedConnections().close();
      thrown(() => destroyConnection(ofNobody));
    }
    expect(descriptors()).toBe(before);
  });

  test('a worker that ends leaves no table open', async () => {
    const before = readdirSync('/proc/self/fd').length;
    const program = `
      const internals = require(${JSON.stringify(join(__dirname, '../dist/connections/index.js'))});
      const addon = require('node-gyp-build')(${JSON.stringify(join(__dirname, '..'))});
      require(${JSON.stringify(join(__dirname, '../dist/index.js'))}).listConnections();
      const request = internals.dumpRequest(2, 6, internals.conditionsOf({}, 'filter'));
      const numbers = [1, 2, 3].map(() => addon.openConnectionTable(request));
      require('node:worker_threads').parentPort.postMessage(
        [numbers, require('node:fs').readdirSync('/proc/self/fd').length]);`;
    const worker = new Worker(program, { eval: true });
    // Both from the start: the message and the end may come in one turn of the event loop.
    const [[[numbers, during]]] = (await Promise.all([
      once(worker, 'message'),
      once(worker, 'exit'),
    ])) as unknown as [[[number[], number]]];
    expect(numbers.every((number) => number > 0)).toBe(true);
    expect(during).toBeGreaterThanOrEqual(before + 3);
    expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before);
  });
});

const ofNobody: Connection = {
  ...{ family: 'IPv4', state: 'ESTABLISHED', timer: null, receiveQueue: 0, sendQueue: 0, uid: 0 },
  ...{ localAddress: '127.0.0.1', localPort: 1, remoteAddress: '127.0.0.1', remotePort: 1 },
  ...{ inode: 0, cookie: '1', interfaceIndex: 0, mptcp: null, congestionControl: null },
  ...{ tcpInfo: null, owners: null },
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
    [{ state: 'open' }, VALUE, /must be one of CLOSED, LISTEN, SYN-SENT/],
    [{ state: '' }, VALUE, /must be one of/],
    [{ state: 10 }, TYPE, /"filter.state".*Received type number \(10\)/],
    [{ state: [undefined] }, TYPE, /"filter.state"/],
    [{ family: 4 }, TYPE, /"filter.family" argument must be 'IPv4' or 'IPv6'/],
    [{ family: 'ipv4' }, VALUE, /"filter.family"/],
    [{ port: '80' }, TYPE, /"filter.port".*Received type string \('80'\)/],
    [{ port: [80, null] }, TYPE, /"filter.port"/],
    [{ localPort: 65_536 }, RANGE, /"filter.localPort".*>= 0 and <= 65535/],
    [{ remotePort: -1 }, RANGE, /"filter.remotePort"/],
    [{ remotePort: 1.5 }, RANGE, /"filter.remotePort"/],
    [{ localAddress: 1 }, TYPE, /"filter.localAddress"/],
    [{ localAddress: 'localhost' }, VALUE, /"filter.localAddress".*without a zone, or a prefix/],
    [{ localAddress: 'fe80::1%lo' }, VALUE, /"filter.localAddress"/],
    [{ remoteAddress: '10.0.0.0/33' }, VALUE, /"filter.remoteAddress"/],
    [{ remoteAddress: '::/129' }, VALUE, /"filter.remoteAddress"/],
    [{ remoteAddress: '10.0.0.0/' }, VALUE, /"filter.remoteAddress"/],
    [{ remoteAddress: '1/8' }, VALUE, /"filter.remoteAddress"/],
    [{ ownProcess: 1 }, TYPE, /"filter.ownProcess" argument must be a boolean/],
    [{ tcpInfo: 'yes' }, TYPE, /"filter.tcpInfo"/],
    [{ owners: null }, TYPE, /"filter.owners"/],
  ])('listConnections(%j): %s', async (filter, code, message) => {
    const error = thrown(() => listConnections(filter as never));
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
    await expect(listConnectionsAsync(filter as never)).rejects.toMatchObject({ code });
  });

  test('undefined is no condition, and a member is read once', () => {
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

  test('a list of ports is read once, item by item, with no method of its own', async () => {
    await withPair(({ client }) => {
      const { localPort: port, remotePort } = client as { localPort: number; remotePort: number };
      let reads = 0;
      const ports = [port];
      Object.defineProperty(ports, 0, {
        // Another port from the second time on.
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
        message: expect.stringContaining(`"filter.${name}"`),
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
    [{ ...ofNobody, cookie: null }, TYPE, /"connection.cookie"/],
    [{ ...ofNobody, cookie: 1 }, TYPE, /"connection.cookie".*Received type number \(1\)/],
    [{ ...ofNobody, cookie: 1n }, TYPE, /"connection.cookie".*Received type bigint \(1n\)/],
    [{ ...ofNobody, cookie: '' }, VALUE, /"connection.cookie" .* digits/],
    [{ ...ofNobody, cookie: '0' }, VALUE, /"connection.cookie" .* digits/],
    [{ ...ofNobody, cookie: '01' }, VALUE, /"connection.cookie" .* digits/],
    [{ ...ofNobody, cookie: '0x1' }, VALUE, /"connection.cookie" .* digits/],
    [{ ...ofNobody, cookie: '1.5' }, VALUE, /"connection.cookie" .* digits/],
    [{ ...ofNobody, cookie: '1\n' }, VALUE, /"connection.cookie" .* digits/],
    [{ ...ofNobody, cookie: '1'.repeat(21) }, VALUE, /"connection.cookie" .* digits/],
    // The kernel's word for "any socket with these ends".
    [{ ...ofNobody, cookie: `${2n ** 64n - 1n}` }, RANGE, /"connection.cookie"/],
    [{ ...ofNobody, cookie: `${2n ** 64n}` }, RANGE, /"connection.cookie"/],
    [{ ...ofNobody, family: 'IPv5' }, VALUE, /"connection.family"/],
    [{ ...ofNobody, localAddress: '::1' }, VALUE, /"connection.localAddress" .* IPv4 address/],
    [{ ...ofNobody, remoteAddress: undefined }, VALUE, /"connection.remoteAddress"/],
    [{ ...ofNobody, localPort: '1' }, TYPE, /"connection.localPort"/],
    [{ ...ofNobody, remotePort: 70_000 }, RANGE, /"connection.remotePort"/],
    [{ ...ofNobody, interfaceIndex: -1 }, RANGE, /"connection.interfaceIndex"/],
  ])('destroyConnection: %#', (connection, code, message) => {
    const error = thrown(() => destroyConnection(connection as never));
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test('destroyConnection reads each member once: a getter cannot change what was checked', () => {
    const reads: string[] = [];
    const counted = new Proxy(ofNobody, {
      get(target, name: keyof Connection) {
        reads.push(name);
        // Valid the first time, nonsense from then on.
        return reads.filter((one) => one === name).length > 1 ? Symbol('again') : target[name];
      },
    });
    expect(thrown(() => destroyConnection(counted))).toBeInstanceOf(SocketOptionError);
    expect(reads.sort()).toEqual([
      ...['cookie', 'family', 'interfaceIndex', 'localAddress', 'localPort'],
      ...['remoteAddress', 'remotePort'],
    ]);
  });

  test('destroyConnection: of one that is gone', () => {
    expect(thrown(() => destroyConnection(ofNobody))).toBeInstanceOf(SocketOptionError);
  });

  test.each([
    [5, TYPE, /"options" argument must be an object with any of filter, limit/],
    [{ limits: 5 }, VALUE, /unknown option "limits" \(did you mean "limit"\?\)/],
    [{ limit: '5' }, TYPE, /"options.limit"/],
    [{ limit: 0 }, RANGE, /"options.limit"/],
    [{ limit: 65_537 }, RANGE, /"options.limit"/],
    [{ limit: 1.5 }, RANGE, /"options.limit"/],
    [{ filter: { port: -1 } }, RANGE, /"options.filter.port"/],
    // Nothing of that is known of a connection that is over.
    [
      { filter: { state: 'CLOSED' } },
      VALUE,
      /unknown option "options.filter.state" \(known: family, port/,
    ],
    [{ filter: { ownProcess: true } }, VALUE, /unknown option "options.filter.ownProcess"/],
  ])('watchClosedConnections(%j): %s', (options, code, message) => {
    const error = thrown(() => watchClosedConnections(options as never).close());
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test('native code takes anything, and does nothing for it', () => {
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
    // Of two open tables the number selects one; and only a Uint8Array is filled.
    const [first, second] = [0, 1].map(() => addon.watchClosedConnections(1, () => {}));
    addon.closeConnectionTable(first as number);
    expect(addon.readConnectionTable(first as number, new Uint8Array(99))).toBe(BAD_ARGUMENT);
    expect(addon.readConnectionTable(second as number, new Uint8Array(99))).toBe(0);
    expect(addon.readConnectionTable(second as number, new Float64Array(9) as never)).toBe(
      BAD_ARGUMENT,
    );
    addon.closeConnectionTable(second as number);
    // Nobody takes it for a refusal: every error of a system, and of libuv, is a smaller number.
    expect(Object.values(osConstants.errno).map((number) => -number)).not.toContain(BAD_ARGUMENT);
    expect([...getSystemErrorMap().keys()]).not.toContain(BAD_ARGUMENT);
  });
});

describe('addresses', () => {
  const octet = fc.integer({ min: 0, max: 255 });
  /** With the runs of zeros that the short form is about. */
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

  test('are written as Node writes them, and read back', () => {
    const mapped = fc
      .array(octet, { minLength: 4, maxLength: 4 })
      .map((tail) => Uint8Array.from([...Array(10).fill(0), 255, 255, ...tail]));
    fc.assert(
      fc.property(fc.oneof(ipv6, mapped), (bytes) => {
        const { address } = new SocketAddress({ address: longForm(bytes), family: 'ipv6' });
        expect(internals.addressText(bytes, 0, 16)).toBe(address);
        expect(internals.addressBytes(address)).toEqual(bytes);
        expect(internals.addressBytes(longForm(bytes))).toEqual(bytes);
      }),
      { numRuns: 2_000 },
    );
    fc.assert(
      fc.property(fc.array(octet, { minLength: 4, maxLength: 4 }), (bytes) => {
        expect(internals.addressText(Uint8Array.from(bytes), 0, 4)).toBe(bytes.join('.'));
        expect(internals.addressBytes(bytes.join('.'))).toEqual(Uint8Array.from(bytes));
      }),
    );
    for (const text of ['', 'x', '1.2.3', '::g', '1::2::3', 'fe80::1%lo', '::1/8', ' ::1']) {
      expect(internals.addressBytes(text), text).toBeUndefined();
    }
  });

  test('a prefix is its first bits', () => {
    const bitsOf = (bytes: Uint8Array) =>
      [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
    fc.assert(
      fc.property(ipv6, ipv6, fc.integer({ min: 0, max: 128 }), (one, other, bits) => {
        const prefix = internals.prefixOf(`${longForm(one)}/${bits}`);
        expect(prefix && internals.isWithin(prefix, other, 0, 16)).toBe(
          bitsOf(one).slice(0, bits) === bitsOf(other).slice(0, bits),
        );
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('requests, byte by byte as the headers have them', () => {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
  const id = '00'.repeat(48);

  test('for all sockets of a family, with what is known of them', () => {
    expect(hex(internals.dumpRequest(2, 6, everything()))).toBe(
      // 72 bytes, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP; INFO and CONG; states 1 to 12.
      `48000000140001030000000000000000${'02060a00fe1f0000'}${id}`,
    );
  });

  test('of Multipath TCP: where the attribute is not known, for no protocol, and not for TCP', () => {
    const listening = internals.conditionsOf({ state: 'LISTEN' }, 'filter');
    expect(hex(internals.dumpRequest(10, 262, listening))).toBe(
      `50000000140001030000000000000000${'0a00000000040000'}${id}${'0800030006010000'}`,
    );
  });
});

describe('messages', () => {
  /** Reads all there is; every getter, too. */
  function readAll(bytes: Uint8Array): number {
    const messages = new internals.DiagMessages();
    messages.read(bytes);
    let count = 0;
    while (messages.next()) {
      internals.connectionOf(messages, true, null);
      expect(messages.key).toHaveLength(37);
      count++;
    }
    expect(messages.next()).toBe(false);
    return count;
  }

  test('any bytes whatever: no exception, no loop', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        expect(readAll(bytes)).toBeLessThanOrEqual(bytes.length / 88);
      }),
      { numRuns: 2_000 },
    );
  });

  test('bytes that look like messages', () => {
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

  test('what the kernel wrote, cut short, shifted, and with bytes changed', async () => {
    // Those of one port: the machine may have many thousands.
    const pieces = await withPair(({ client }) => {
      const port = client.remotePort as number;
      const few = internals.conditionsOf({ tcpInfo: true, port }, 'filter');
      return [2, 10].flatMap((family) => answerTo(internals.dumpRequest(family, 6, few)));
    });
    const whole = pieces.reduce((sum, piece) => sum + readAll(piece), 0);
    expect(whole).toBeGreaterThanOrEqual(3);
    for (const piece of pieces) {
      // From within a word, too.
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

  test('a state, a timer, a family that are newer than this package', () => {
    const piece = answerTo(internals.dumpRequest(2, 6, everything()))[0] as Uint8Array;
    const bytes = piece.slice();
    bytes.set([2, 77, 99], 16);
    const messages = new internals.DiagMessages();
    messages.read(bytes);
    messages.next();
    expect(internals.connectionOf(messages, false, null)).toMatchObject({
      state: 'CLOSED',
      timer: { kind: 'unknown' },
    });
  });
});

describe('what a kernel may answer', () => {
  /** The list over an addon that answers so, one answer for each time it is asked. */
  function listOver(answers: readonly (readonly (Uint8Array | number)[])[]): {
    list: () => Connection[];
    asked: () => number;
  } {
    const path = require.resolve('../dist/connections/index.js');
    delete require.cache[path];
    const copy = require(path) as typeof internals;
    let asked = 0;
    let pending: (Uint8Array | number)[] = [];
    const fake = {
      openConnectionTable: (request: Uint8Array) => {
        const [IPPROTO_TCP, ENOENT] = [6, -2];
        // For Multipath TCP, of which this machine may have sockets.
        if (request[17] !== IPPROTO_TCP) return ENOENT;
        pending = [...(answers[Math.min(asked++, answers.length - 1)] as Uint8Array[])];
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
    const errors = {
      SocketOptionError,
      describeErrno: (errno: number) => [`E${-errno}`, 'text'] as [string, string],
      isOptions: (value: unknown) => typeof value === 'object' && value !== null,
      rangeError: RangeError,
      typeError: TypeError,
      valueError: TypeError,
    };
    copy.useKit({ ...errors, binding: () => fake } as never);
    return { list: () => copy.listConnections({ family: 'IPv4' }), asked: () => asked };
  }

  /** A message of netlink: type, flags, payload. */
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
  const socket = message(20, 0, new Uint8Array(72));
  const interrupted = message(20, 0x10, new Uint8Array(72));
  const done = message(3, 0, code(0));

  test('everything', () => {
    const { list, asked } = listOver([[socket, socket, done]]);
    expect([list().length, asked()]).toEqual([2, 1]);
  });

  test('with gaps: it is asked again, and the first answer forgotten', () => {
    const { list, asked } = listOver([
      [interrupted, socket, done],
      [socket, done],
    ]);
    expect([list().length, asked()]).toEqual([1, 2]);
  });

  test('never with an end: an error, and no list', () => {
    const { list, asked } = listOver([[socket, socket]]);
    expect([thrown(list).code, asked()]).toEqual(['E71', 4]);
    // Not even that of nothing at all.
    expect(thrown(listOver([[]]).list).code).toBe('E71');
  });

  test('without an end: as with gaps', () => {
    const { list, asked } = listOver([
      [socket, socket, socket],
      [socket, done],
    ]);
    expect([list().length, asked()]).toEqual([1, 2]);
  });

  test('always with gaps: what there is, after four times', () => {
    const { list, asked } = listOver([[interrupted, done]]);
    expect([list().length, asked()]).toEqual([1, 4]);
  });

  test.each([
    ['an error', [message(2, 0, code(-13))], 'E13'],
    ['an error at the end', [socket, message(3, 0, code(-12))], 'E12'],
    ['half a socket', [message(20, 0, new Uint8Array(71)), done], 'E71'],
    ['half an error', [message(2, 0, new Uint8Array(2))], 'E71'],
    ['no message', [new Uint8Array(40)], 'E71'],
    ['nothing that can be read', [-105], 'E105'],
  ])('%s', (_, answer, wanted) => {
    const error = thrown(listOver([answer]).list);
    expect([error instanceof SocketOptionError, error.code]).toEqual([true, wanted]);
  });
});

describe('refusals, made by strace(1)', () => {
  beforeEach(needsStrace);

  async function with_(injected: string, path?: string): Promise<Record<string, string>> {
    const { stdout } = await promisify(execFile)(
      'strace',
      [
        ...['-f', '-qq', '-o', '/dev/null', '-e', `trace=${injected.split(':')[0]}`],
        ...(path === undefined ? [] : ['-P', path]),
        ...['-e', `inject=${injected}`, process.execPath],
        join(__dirname, 'fixtures/connections/refused.mjs'),
      ],
      { timeout: 15_000 },
    );
    return JSON.parse(stdout) as Record<string, string>;
  }
  const everywhere = (message: string) => ({
    list: message,
    listAsync: message,
    own: message,
    destroy: message,
    watch: message,
  });

  test('no sock_diag, as in gVisor', async () => {
    expect(await with_('socket:error=EPROTONOSUPPORT')).toEqual(
      everywhere(
        'EPROTONOSUPPORT: this kernel has no sock_diag for TCP (CONFIG_INET_DIAG), as in gVisor, socket',
      ),
    );
  });

  test.each(['EAFNOSUPPORT', 'EACCES'])('AF_NETLINK denied: %s', async (code) => {
    expect(await with_(`socket:error=${code}`)).toEqual(
      everywhere(
        `${code}: sockets of AF_NETLINK are denied to this process, as by RestrictAddressFamilies of systemd, socket`,
      ),
    );
  });

  test('a call that a sandbox refuses later: its name, and no guess at the reason', async () => {
    const { list, destroy } = await with_('sendto:error=EPERM');
    expect([list, destroy]).toEqual(Array(2).fill('EPERM: operation not permitted, sendto'));
  });

  test('no descriptor left to look at those of this process: no empty list', async () => {
    const { own, list } = await with_('openat:error=EMFILE', '/proc/self/fd');
    expect([own, list]).toEqual([
      'EMFILE: filter.ownProcess needs /proc/self/fd, which cannot be read, opendir',
      'done',
    ]);
  });

  test('interruptions: survived, unless they do not end', async () => {
    const { list, destroy } = await with_('recvfrom:error=EINTR:when=1..5');
    expect([list, destroy]).toEqual(['done', expect.stringMatching(/^ENOENT: /)]);
    expect((await with_('recvfrom:error=EINTR')).list).toMatch(/^EINTR: /);
  });

  test('a kernel that cannot destroy, and one that has nothing to say', async () => {
    const { destroy, list } = await with_('recvfrom:error=EOPNOTSUPP');
    expect(destroy).toBe(
      'ENOTSUP: this kernel cannot end connections of others (CONFIG_INET_DIAG_DESTROY), recvfrom',
    );
    expect(list).toMatch(/^ENOTSUP: /);
    // No answer at all: nothing hangs, and it is no empty list.
    expect(await with_('recvfrom:error=EAGAIN')).toMatchObject({
      list: "EPROTO: the kernel's answer has no end, or is not one that this package can read, sock_diag",
      listAsync: expect.stringMatching(/^EPROTO: /),
      destroy: expect.stringMatching(/^EAGAIN: /),
    });
  });
});
