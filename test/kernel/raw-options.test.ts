import { readdirSync } from 'node:fs';
import vm from 'node:vm';
import { beforeEach, describe, expect, test } from 'vitest';
import { constants, getRawOption, SocketOptionError, setRawOption } from '../../dist/index.js';
import { withPair } from '../support/net';
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  changes,
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
  snapshot,
  withSocket,
} from '../support/reference-addon';

const withTcp = (use: (fd: number) => void) => withSocket(AF_INET, SOCK_STREAM, use);

describe('getRawOption and setRawOption', () => {
  test('write and read a number as an int', () => {
    withTcp((fd) => {
      setRawOption(fd, IPPROTO_TCP, 4, 55);
      expect(getInt(fd, IPPROTO_TCP, 4)).toBe(55);
      expect(getRawOption(fd, IPPROTO_TCP, 4)).toBe(55);
      setRawOption(fd, IPPROTO_TCP, 25, 0xffff_ffff);
      expect(getInt(fd, IPPROTO_TCP, 25)).toBe(-1);
      expect(getRawOption(fd, IPPROTO_TCP, 25)).toBe(-1);
    });
  });

  test('write bytes unchanged and return as many bytes as the kernel wrote', () => {
    withTcp((fd) => {
      setRawOption(fd, IPPROTO_TCP, 13, Buffer.from('reno'));
      expect(getRawOption(fd, IPPROTO_TCP, 13, 16).toString()).toMatch(/^reno\0/);
    });
  });

  test('return a Buffer that does not share the addon’s memory', () => {
    withTcp((fd) => {
      const first = getRawOption(fd, IPPROTO_TCP, 4, 4);
      setRawOption(fd, IPPROTO_TCP, 5, 1);
      expect(first.readInt32LE(0)).toBe(7_200);
      first.fill(0xff);
      expect(getRawOption(fd, IPPROTO_TCP, 4)).toBe(7_200);
      expect(first.buffer.byteLength).not.toBe(16 * 1024);
    });
  });

  test('return TCP_INFO in the length of this kernel', async () => {
    await withPair(({ client }) => {
      const fd = (client as unknown as { _handle: { fd: number } })._handle.fd;
      const info = getRawOption(client, constants.IPPROTO_TCP, constants.TCP_INFO as number, 512);
      expect(info).toHaveLength(getBytes(fd, 6, 11, 512).length);
      expect(info[0], 'ESTABLISHED').toBe(1);
    });
  });

  test('name a refused option as the headers do, or by its numbers', () => {
    withTcp((fd) => {
      expect(() => getRawOption(fd, IPPROTO_TCP, 999)).toThrow(/ENOPROTOOPT.*getsockopt 6\/999/);
      expect(() => setRawOption(fd, IPPROTO_TCP, 4, 0)).toThrow(/EINVAL.*setsockopt TCP_KEEPIDLE/);
      expect(() => setRawOption(fd, SOL_SOCKET, 3, 1)).toThrow(
        expect.objectContaining({ code: 'ENOPROTOOPT', option: 'SO_TYPE', syscall: 'setsockopt' }),
      );
    });
  });

  test('accept lengths from 0 to 16356 bytes', () => {
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

  test('write bytes of shared, resizable and other kinds of memory', () => {
    const resizable = new (ArrayBuffer as unknown as ResizableBuffer)(8, { maxByteLength: 64 });
    const arrays: Uint8Array[] = [
      Uint8Array.of(70, 0, 0, 0),
      Buffer.from([70, 0, 0, 0]),
      new Uint8Array(Uint8Array.of(9, 9, 70, 0, 0, 0, 9).buffer, 2, 4),
      new Uint8Array(new SharedArrayBuffer(4)),
      new Uint8Array(resizable, 4, 4),
      new Uint8Array(resizable, 4),
      vm.runInNewContext('new Uint8Array(4)'),
      new (class extends Uint8Array {
        static get [Symbol.species](): Uint8ArrayConstructor {
          throw new Error('nobody asks for it');
        }
      })(4),
    ];
    for (const bytes of arrays) {
      bytes[0] = 70;
      withTcp((fd) => {
        setRawOption(fd, IPPROTO_TCP, 4, bytes);
        expect(getInt(fd, IPPROTO_TCP, 4)).toBe(70);
      });
    }
  });

  test('reject an object that only looks like a Uint8Array, and write nothing', () => {
    withTcp((fd) => {
      withTcp((other) => {
        const before = [snapshot(fd), snapshot(other)] as const;
        const evil = () => {
          attempt(() => setRawOption(other, IPPROTO_TCP, 6, 77));
          return 4;
        };
        const members = { length: { get: evil }, 0: { get: evil }, 1: { value: 0 } };
        const proxy = new Proxy(new Uint8Array(4), {});
        const named = { [Symbol.toStringTag]: 'Uint8Array', length: 4, valueOf: evil };
        for (const value of [
          Object.create(Uint8Array.prototype, members),
          Object.defineProperties(Object.create(Buffer.prototype), members),
          proxy,
          named,
          [9, 0, 0, 0],
          new DataView(new ArrayBuffer(4)),
          new Uint16Array(2),
          new ArrayBuffer(4),
        ]) {
          expect(() => setRawOption(fd, IPPROTO_TCP, 4, value)).toThrow(
            expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
          );
        }
        expect(changes(fd, before[0])).toEqual([]);
        expect(changes(other, before[1])).toEqual([]);
      });
    });
  });

  test('ignore own getters of a real Uint8Array', () => {
    withTcp((fd) => {
      const bytes = Object.defineProperties(Uint8Array.of(70, 0, 0, 0), {
        length: { get: () => 1 },
        byteOffset: { get: () => 2 },
        buffer: { get: () => new ArrayBuffer(0) },
        constructor: { get: () => Array },
        [Symbol.toStringTag]: { get: () => 'Array' },
        [Symbol.iterator]: { get: () => undefined },
      });
      setRawOption(fd, IPPROTO_TCP, 4, bytes);
      expect(getInt(fd, IPPROTO_TCP, 4)).toBe(70);
    });
  });

  test('reject a detached array', () => {
    const detached = new Uint8Array(4);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    const resizable = new (ArrayBuffer as unknown as ResizableBuffer)(8, { maxByteLength: 64 });
    const outside = new Uint8Array(resizable, 4, 4);
    resizable.resize(4);
    withTcp((fd) => {
      for (const gone of [detached, outside]) {
        expect(() => setRawOption(fd, IPPROTO_TCP, 4, gone)).toThrow(
          expect.objectContaining({
            code: 'ERR_INVALID_ARG_TYPE',
            message: expect.stringContaining('not detached'),
          }),
        );
      }
    });
  });

  test('copy the bytes before reading the descriptor, whose getter may detach them', () => {
    withTcp((fd) => {
      const bytes = Uint8Array.of(70, 0, 0, 0);
      const socket = {
        get fd() {
          structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
          return fd;
        },
      };
      setRawOption(socket, IPPROTO_TCP, 4, bytes);
      expect(bytes).toHaveLength(0);
      expect(getInt(fd, IPPROTO_TCP, 4)).toBe(70);
    });
  });
});

/** Node 20 has resizable buffers, which its types lack. */
type ResizableBuffer = new (
  length: number,
  options: { maxByteLength: number },
) => ArrayBuffer & { resize(length: number): void };

function attempt<T>(call: () => T): T | string {
  try {
    return call();
  } catch (error) {
    return (error as Error).message;
  }
}

describe('memory of an earlier call', () => {
  const LEVELS = [SOL_SOCKET, IPPROTO_IP, IPPROTO_TCP, IPPROTO_IPV6, 17, 132, 270, 282, 284];
  const LENGTHS = [undefined, 0, 1, 2, 3, 4, 8, 64, 4_096];
  // Values of Linux that change by themselves.
  const UNSTEADY = new Set([
    ...['1/49' /* SO_INCOMING_CPU */, '1/55' /* SO_MEMINFO */],
    ...['6/11' /* TCP_INFO */, '6/12' /* TCP_QUICKACK */, '6/24' /* TCP_TIMESTAMP */],
  ]);

  test.for([
    ['TCP over IPv4', AF_INET, SOCK_STREAM],
    ['TCP over IPv6', AF_INET6, SOCK_STREAM],
    ['UDP over IPv6', AF_INET6, SOCK_DGRAM],
    ['a Unix socket', AF_UNIX, SOCK_STREAM],
    ['netlink', 16, SOCK_DGRAM],
  ] as const)('is in no value of any option and length: %s', ([, domain, type]) => {
    const wrong: string[] = [];
    withSocket(domain, type, (fd) => {
      const readAfter = (left: number, level: number, name: number, length?: number) => {
        attempt(() => setRawOption(fd, SOL_SOCKET, 9_999, Buffer.alloc(16_356, left)));
        const answer = attempt(() => getRawOption(fd, level, name, length as number));
        return Buffer.isBuffer(answer) ? answer.toString('hex') : answer;
      };
      for (const level of LEVELS) {
        for (let name = 0; name <= 135; name++) {
          if (UNSTEADY.has(`${level}/${name}`)) continue;
          for (const length of LENGTHS) {
            const [first, second] = [0xaa, 0x55].map((left) =>
              readAfter(left, level, name, length),
            );
            if (first !== second) wrong.push(`${level}/${name} in ${length}: ${first}, ${second}`);
          }
        }
      }
    });
    expect(wrong).toEqual([]);
  });

  test('is not in a Buffer, which has its own memory and no pool', () => {
    withTcp((fd) => {
      expect(getRawOption(fd, IPPROTO_TCP, 4 /* TCP_KEEPIDLE */, 4).buffer.byteLength).toBe(4);
    });
  });

  test('is not returned if the kernel writes nothing: an empty Buffer, or an error without a length', () => {
    withTcp((fd) => {
      for (const [level, name, called] of [
        [IPPROTO_TCP, 28, 'TCP_SAVED_SYN'],
        [IPPROTO_TCP, 31, 'TCP_ULP'],
        [SOL_SOCKET, 25, 'SO_BINDTODEVICE'],
        [IPPROTO_IP, 4, 'IP_OPTIONS'],
      ] as const) {
        expect(getBytes(fd, level, name, 64), called).toHaveLength(0);
        expect(getRawOption(fd, level, name, 64), called).toHaveLength(0);
        expect(() => getRawOption(fd, level, name)).toThrow(
          expect.objectContaining({
            code: 'ERR_INVALID_ARG_VALUE',
            message: expect.stringContaining(`"length" argument must be given for ${called}`),
          }),
        );
      }
    });
  });

  test('is not returned if the kernel reports more bytes than the length', () => {
    withSocket(16, SOCK_DGRAM, (fd) => {
      const [SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, NETLINK_LIST_MEMBERSHIPS] = [270, 1, 9];
      setInt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, 1);
      expect(
        referenceAddon.get(fd, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, Buffer.alloc(0)),
      ).toBeGreaterThan(0);
      expect(getRawOption(fd, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, 0)).toHaveLength(0);
    });
  });
});

describe('options for which the kernel reads or writes beyond the value', () => {
  const READ: [number, number, string][] = [
    [1, 26, 'SO_ATTACH_FILTER'],
    [1, 77, 'SO_PEERPIDFD'],
    [6, 35, 'TCP_ZEROCOPY_RECEIVE'],
    [6, 41, 'TCP_AO_GET_KEYS'],
    [284, 4, 'MPTCP_FULL_INFO'],
    [0, 129, 'EBT_SO_GET_ENTRIES'],
    [0, 131, 'EBT_SO_GET_INIT_ENTRIES'],
    [132, 102, 'SCTP_SOCKOPT_PEELOFF'],
    [132, 111, 'SCTP_SOCKOPT_CONNECTX3'],
    [132, 122, 'SCTP_SOCKOPT_PEELOFF_FLAGS'],
  ];
  const WRITE: [number, number, string][] = [
    [1, 26, 'SO_ATTACH_FILTER'],
    [1, 51, 'SO_ATTACH_REUSEPORT_CBPF'],
    [0, 64, 'IPT_SO_SET_REPLACE'],
    [41, 64, 'IP6T_SO_SET_REPLACE'],
    [0, 96, 'ARPT_SO_SET_REPLACE'],
    [0, 128, 'EBT_SO_SET_ENTRIES'],
    [0, 129, 'EBT_SO_SET_COUNTERS'],
    [263, 22, 'PACKET_FANOUT_DATA'],
    [276, 2, 'RDS_GET_MR'],
    [276, 7, 'RDS_GET_MR_FOR_DEST'],
    [283, 4, 'XDP_UMEM_REG'],
  ];
  const refusal = (name: string) =>
    expect.objectContaining({
      name: 'TypeError',
      code: 'ERR_INVALID_ARG_VALUE',
      message: expect.stringContaining(`cannot be ${name} for `),
    });

  beforeEach(({ skip }) => skip(process.platform !== 'linux', 'the numbers are those of Linux'));

  test.for(READ)(
    'reading %i/%i (%s) is rejected before the socket is read',
    ([level, number, name]) => {
      for (const length of [undefined, 0, 4, 4_096]) {
        expect(() => getRawOption(null as never, level, number, length as number)).toThrow(
          refusal(name),
        );
      }
    },
  );

  test.for(WRITE)(
    'writing %i/%i (%s) is rejected before the socket is read',
    ([level, number, name]) => {
      for (const value of [1, new Uint8Array(0), new Uint8Array(128)]) {
        expect(() => setRawOption(null as never, level, number, value)).toThrow(refusal(name));
      }
    },
  );

  test('the rejected numbers equal those of the headers', () => {
    for (const [, number, name] of [...READ, ...WRITE]) {
      expect(constants[name] ?? number, name).toBe(number);
    }
  });

  test('options with neighbouring numbers are passed to the kernel', () => {
    withTcp((fd) => {
      setRawOption(fd, SOL_SOCKET, 44 /* SO_LOCK_FILTER */, 0);
      expect(getRawOption(fd, SOL_SOCKET, 44)).toBe(0);
      expect(() => getRawOption(fd, IPPROTO_TCP, 40 /* TCP_AO_INFO */, 64)).toThrow(
        SocketOptionError,
      );
      expect(getRawOption(fd, SOL_SOCKET, 17 /* SO_PEERCRED */, 12)).toHaveLength(12);
    });
  });

  test('reading opens no descriptor', () => {
    withSocket(AF_UNIX, SOCK_STREAM, (fd) => {
      const before = readdirSync('/proc/self/fd').length;
      for (const level of [1, 132]) {
        for (let name = 0; name < 135; name++) {
          attempt(() => getRawOption(fd, level, name, 64));
        }
      }
      expect(readdirSync('/proc/self/fd')).toHaveLength(before);
    });
  });
});

describe('constants', () => {
  test('have the numbers of the kernel, also names that are newer than the headers', () => {
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
      SO_PASSRIGHTS: 83,
      SO_INQ: 84,
      SO_RIGHTS_NOTRUNC: 85,
      SO_DEVMEM_LINEAR: 78,
      SO_DEVMEM_DONTNEED: 80,
      SO_WIFI_STATUS: 41,
      SO_NOFCS: 43,
      SO_TIMESTAMP_NEW: 63,
      SO_SNDTIMEO_NEW: 67,
      SO_ORIGINAL_DST: 80,
      IP6T_SO_ORIGINAL_DST: 80,
      SOL_MPTCP: 284,
      MPTCP_INFO: 1,
      MPTCP_FULL_INFO: 4,
      SOL_TLS: 282,
      TLS_TX: 1,
      TLS_TX_MAX_PAYLOAD_LEN: 5,
      SO_VM_SOCKETS_BUFFER_SIZE: 0,
      SO_VM_SOCKETS_CONNECT_TIMEOUT_NEW: 8,
      IP_RECVFRAGSIZE: 25,
      IP_PKTOPTIONS: 9,
      IPV6_ADDR_PREFERENCES: 72,
      IPV6_2292HOPLIMIT: 8,
      IPV6_FLOWINFO: 11,
      MCAST_JOIN_GROUP: 42,
      TCP_REPAIR_OFF_NO_WP: -1,
    });
    expect(constants.TCP_MAXRTMS).toBeUndefined();
  });

  test('are frozen', () => {
    expect(Object.isFrozen(constants)).toBe(true);
  });
});
