// Decoding of the structures of every system, built from their documented layouts.

import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { TcpInfo, TcpState } from '../../dist/index.js';
import { systems } from '../../lib/tcp-info/system';
import { newValues, tcpInfoOf } from '../../lib/tcp-info/values';
import { valuesByColumn } from '../support/columns';
import { bitFields, darwin, freebsd, linux, structure, win32 } from '../support/layouts';

const running = vi.hoisted(() => ({ linux: 7 }));
vi.mock('../../lib/core/linux-release', () => ({
  isLinuxAtLeast: (major: number) => running.linux >= major,
}));

const layouts = { linux, darwin, win32, freebsd };

type System = 'linux' | 'darwin' | 'win32' | 'freebsd';
type Fields = Readonly<Record<string, number | null>>;

/** Words around the structure that must not be decoded. */
const NOISE = 0xa5a5_a5a5;
const AT = 3;

function memory(bytes: Uint8Array): Uint32Array {
  const words = new Uint32Array(AT + 160).fill(NOISE);
  new Uint8Array(words.buffer).set(bytes, AT * 4);
  return words;
}

function normalised(system: System, bytes: Uint8Array): TcpInfo {
  const { decode } = systems[system];
  return decode(memory(bytes), AT, bytes.length);
}

function fieldsOf(system: System, bytes: Uint8Array): Fields {
  const { decodeStructure } = systems[system];
  return decodeStructure(memory(bytes).subarray(AT), bytes.length) as Fields;
}

const SYSTEMS: readonly System[] = ['linux', 'darwin', 'win32', 'freebsd'];
const LONGEST = { linux: 280, darwin: 112, win32: 152, freebsd: 256 };
const prefix = (system: System) => (system === 'win32' ? '' : 'tcpi_');

/** Fields that share a byte with others, or exist only from a certain length on. */
const BITS: Readonly<Record<System, Readonly<Record<string, number>>>> = {
  linux: {
    tcpi_snd_wscale: 7,
    tcpi_rcv_wscale: 7,
    tcpi_delivery_rate_app_limited: 168,
    tcpi_fastopen_client_fail: 232,
    tcpi_ecn_mode: 280,
    tcpi_accecn_opt_seen: 280,
    tcpi_accecn_fail_mode: 280,
    tcpi_options2: 280,
  },
  darwin: {
    tcpi_tfo_cookie_req: 53,
    tcpi_tfo_cookie_rcv: 53,
    tcpi_tfo_syn_loss: 53,
    tcpi_tfo_syn_data_sent: 53,
    tcpi_tfo_syn_data_acked: 53,
    tcpi_tfo_syn_data_rcv: 53,
    tcpi_tfo_cookie_req_rcv: 53,
    tcpi_tfo_cookie_sent: 53,
    tcpi_tfo_cookie_invalid: 54,
    tcpi_tfo_cookie_wrong: 54,
    tcpi_tfo_no_cookie_rcv: 54,
    tcpi_tfo_heuristics_disable: 54,
    tcpi_tfo_send_blackhole: 54,
    tcpi_tfo_recv_blackhole: 54,
    tcpi_tfo_onebyte_proxy: 54,
  },
  win32: {},
  freebsd: { tcpi_snd_wscale: 7, tcpi_rcv_wscale: 7 },
};

const ESTABLISHED = { linux: 1, darwin: 4, win32: 4, freebsd: 4 };

/** The sources of each normalised field, by the kernel's names. */
const SOURCES: Readonly<Record<System, Readonly<Record<string, string>>>> = {
  linux: {
    state: 'state',
    rtt: 'rtt',
    rttVariance: 'rtt rttvar',
    minRtt: 'min_rtt',
    rto: 'rto',
    mss: 'snd_mss',
    pathMtu: 'pmtu',
    congestionWindow: 'snd_cwnd snd_mss',
    slowStartThreshold: 'snd_ssthresh snd_mss',
    sendWindow: 'snd_wnd',
    receiveWindow: 'rcv_wnd',
    bytesSent: 'bytes_sent',
    bytesReceived: 'bytes_received',
    bytesAcked: 'bytes_acked',
    bytesRetransmitted: 'bytes_retrans',
    bytesInFlight: 'unacked bytes_sent bytes_retrans bytes_acked',
    unsentBytes: 'notsent_bytes',
    segmentsSent: 'segs_out',
    dataSegmentsSent: 'data_segs_out',
    segmentsReceived: 'segs_in',
    segmentsRetransmitted: 'total_retrans',
    spuriousRetransmissions: 'dsack_dups',
    segmentsReceivedOutOfOrder: 'rcv_ooopack',
    unackedSegments: 'unacked',
    lostSegments: 'lost',
    deliveryRate: 'delivery_rate',
    deliveryRateAppLimited: 'delivery_rate_app_limited',
    pacingRate: 'pacing_rate',
    busyTime: 'busy_time',
    receiveWindowLimitedTime: 'rwnd_limited',
    sendBufferLimitedTime: 'sndbuf_limited',
    timeSinceLastDataSent: 'last_data_sent data_segs_out',
    timeSinceLastDataReceived: 'last_data_recv data_segs_in',
    timeSinceLastAckReceived: 'last_ack_recv segs_in',
    probes: 'probes',
    backoff: 'backoff',
    consecutiveTimeouts: 'retransmits',
    totalTimeouts: 'total_rto',
  },
  darwin: {
    state: 'state',
    rtt: 'srtt',
    rttVariance: 'srtt rttvar',
    rto: 'rto',
    mss: 'maxseg',
    congestionWindow: 'snd_cwnd',
    slowStartThreshold: 'snd_ssthresh',
    sendWindow: 'snd_wnd',
    receiveWindow: 'rcv_wnd',
    bytesSent: 'txbytes',
    bytesReceived: 'rxbytes',
    bytesRetransmitted: 'txretransmitbytes',
    segmentsSent: 'txpackets',
    segmentsReceived: 'rxpackets',
    segmentsRetransmitted: 'txretransmitpackets',
  },
  win32: {
    state: 'State',
    rtt: 'RttUs',
    minRtt: 'MinRttUs',
    mss: 'Mss',
    congestionWindow: 'Cwnd',
    sendWindow: 'SndWnd',
    receiveWindow: 'RcvWnd',
    bytesSent: 'BytesOut',
    bytesReceived: 'BytesIn',
    bytesRetransmitted: 'BytesRetrans',
    bytesInFlight: 'BytesInFlight',
    segmentsReceivedOutOfOrder: 'OutOfOrderPktsIn',
    receiveWindowLimitedTime: 'SndLimTimeRwin',
    totalTimeouts: 'TimeoutEpisodes',
  },
  freebsd: {
    state: 'state',
    rtt: 'rtt',
    rttVariance: 'rtt rttvar',
    rto: 'rto',
    mss: 'snd_mss',
    congestionWindow: 'snd_cwnd',
    slowStartThreshold: 'snd_ssthresh',
    sendWindow: 'snd_wnd',
    receiveWindow: 'rcv_space',
    bytesInFlight: 'snd_una snd_max',
    segmentsRetransmitted: 'snd_rexmitpack',
    segmentsReceivedOutOfOrder: 'rcv_ooopack',
    timeSinceLastDataReceived: 'last_data_recv',
  },
};

type Name = keyof TcpInfo;

/** Fields for which 0 means "no value yet" if the rest of the structure is 0 too. */
const NONE_AT_ZERO: Readonly<Record<System, readonly Name[]>> = {
  linux: [
    ...(['rtt', 'rttVariance', 'rto', 'pathMtu', 'deliveryRate'] as const),
    'timeSinceLastDataSent',
    ...(['timeSinceLastDataReceived', 'timeSinceLastAckReceived'] as const),
  ],
  darwin: ['rtt', 'rttVariance', 'rto'],
  win32: ['rtt', 'minRtt'],
  freebsd: ['rtt', 'rttVariance', 'rto', 'timeSinceLastDataReceived'],
};

/** Members that show that a value exists, and the fields that may then be 0. */
const SAMPLES: Readonly<Record<System, readonly string[]>> = {
  linux: ['rtt', 'data_segs_out', 'data_segs_in', 'segs_in'],
  darwin: ['srtt'],
  win32: [],
  freebsd: ['rtt'],
};
const NEEDS_SAMPLE: Readonly<Record<System, readonly Name[]>> = {
  linux: [
    ...(['rttVariance', 'timeSinceLastDataSent', 'timeSinceLastDataReceived'] as const),
    'timeSinceLastAckReceived',
  ],
  darwin: ['rttVariance'],
  win32: [],
  freebsd: ['rttVariance'],
};

/** Members that report a large number while they have no value: the member, the field, the smallest such number, and
 * the other members that the field needs. */
const SENTINELS: Readonly<
  Record<System, readonly [string, Name, bigint, Readonly<Record<string, number>>?][]>
> = {
  linux: [
    ['min_rtt', 'minRtt', 0xffff_ffffn],
    ['snd_ssthresh', 'slowStartThreshold', 0x7fff_ffffn, { snd_mss: 1 }],
    ['pacing_rate', 'pacingRate', 2n ** 64n - 1n],
  ],
  darwin: [['snd_ssthresh', 'slowStartThreshold', 65_535n << 14n]],
  win32: [['MinRttUs', 'minRtt', 0xffff_ffffn]],
  freebsd: [['snd_ssthresh', 'slowStartThreshold', 65_535n << 14n]],
};

/** The length from which on a field exists. */
function lengthsNeeded(system: System): Record<string, number> {
  const needed: Record<string, number> = { ...BITS[system] };
  for (const [offset, bytes, name] of layouts[system]) {
    needed[prefix(system) + name] = offset + bytes;
  }
  return needed;
}

test('linux: the last four bytes are not decoded before Linux 7.0, which has them elsewhere', () => {
  const last = bitFields.linux?.filter(([offset]) => offset >= 276) ?? [];
  const names = last.map(([, , , name]) => `tcpi_${name}`);
  running.linux = 6;
  const fields = fieldsOf('linux', new Uint8Array(280).fill(0xff));
  running.linux = 7;
  expect(names.map((name) => fields[name])).toEqual([null, null, null, null]);
});

describe.each(SYSTEMS)('%s: the kernel’s own fields', (system) => {
  const layout = layouts[system];

  test('reads each field at its offset and width', () => {
    for (const [, bytes, name] of layout) {
      const value = bytes === 8 ? 0x0012_3456_789a_bcden : 0xfedc_ba98n >> BigInt(32 - 8 * bytes);
      const fields = fieldsOf(system, structure(layout, LONGEST[system], { [name]: value }));
      const set = Object.entries(fields).filter(([, found]) => found !== 0);
      expect(set).toEqual([[prefix(system) + name, Number(value)]]);
    }
  });

  test('the bytes of other fields do not change a field', () => {
    for (const [offset, bytes, name] of layout) {
      const others = new Uint8Array(LONGEST[system]).fill(0xff).fill(0, offset, offset + bytes);
      expect(fieldsOf(system, others)[prefix(system) + name], name).toBe(0);
    }
  });

  test('reads each bit field from its own bits', () => {
    for (const [offset, shift, bits, name] of bitFields[system] ?? []) {
      const own = new Uint8Array(LONGEST[system]);
      const mask = (2 ** bits - 1) * 2 ** shift;
      for (let byte = 0; byte < 4; byte++) own[offset + byte] = mask >>> (8 * byte);
      const set = Object.entries(fieldsOf(system, own)).filter(([, found]) => found !== 0);
      expect(set).toEqual([[prefix(system) + name, 2 ** bits - 1]]);
      const others = own.map((byte) => ~byte);
      expect(fieldsOf(system, others)[prefix(system) + name], name).toBe(0);
    }
  });

  test('at every length from 0 to 512, a field is not null exactly if the kernel wrote all of it', () => {
    const needed = lengthsNeeded(system);
    for (let length = 0; length <= 512; length++) {
      const fields = fieldsOf(system, new Uint8Array(length).fill(1));
      expect(Object.keys(fields).sort()).toEqual(Object.keys(needed).sort());
      const present = Object.keys(fields).filter((name) => fields[name] !== null);
      const expected = Object.keys(needed).filter((name) => (needed[name] as number) <= length);
      expect(present.sort(), `length ${length}`).toEqual(expected.sort());
    }
  });

  test('any bytes of any length decode to finite numbers >= 0 or null', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 512 }), (bytes) => {
        const { state, ...numbers } = normalised(system, bytes);
        expect(state === null || typeof state === 'string').toBe(true);
        for (const value of [
          ...Object.values(numbers),
          ...Object.values(fieldsOf(system, bytes)),
        ]) {
          if (value !== null && !(Number.isFinite(value) && value >= 0)) {
            throw new Error(`${value} in ${JSON.stringify(numbers)}`);
          }
        }
      }),
      // Shrinking a counterexample of this size takes too long.
      { numRuns: 500, endOnFailure: true },
    );
  });

  test('fillValues and fillColumn decode the same as the object', () => {
    const { fillValues } = systems[system];
    const words = fc.array(fc.oneof(fc.nat(), fc.constantFrom(0, 1, 0x7fff_ffff, 0xffff_ffff)), {
      minLength: 128,
      maxLength: 128,
    });
    const ones = Array<number>(128).fill(1);
    const lengths = Array.from({ length: 513 }, (_, length) => length);
    fc.assert(
      fc.property(words, fc.nat(512), fc.nat(12), (memory, length, state) => {
        memory[0] = ((memory[0] as number) & ~0xff) | state;
        const bytes = new Uint8Array(Uint32Array.from(memory).buffer).slice(0, length);
        const values = newValues();
        fillValues(Uint32Array.from([7, 7, 7, ...memory]), 3, length, values);
        expect(tcpInfoOf(values)).toEqual(normalised(system, bytes));
        const columns = valuesByColumn(systems[system], Uint32Array.from(memory), length);
        expect(tcpInfoOf(columns)).toEqual(normalised(system, bytes));
      }),
      // Also every length, for the boundary of each field.
      {
        numRuns: 1_000,
        endOnFailure: true,
        examples: lengths.map((length) => [ones, length, ESTABLISHED[system]]),
      },
    );
  });

  test('at every length from 0 to 512, a normalised field is not null exactly if all its sources are', () => {
    const needed = lengthsNeeded(system);
    for (let length = 0; length <= 512; length++) {
      const bytes = new Uint8Array(length).fill(1);
      if (length > 0) bytes[0] = ESTABLISHED[system];
      if (system === 'win32') bytes.fill(0, 1, 4);
      const info = normalised(system, bytes);
      const present = Object.keys(info).filter((field) => info[field as keyof TcpInfo] !== null);
      const expected = Object.entries(SOURCES[system])
        .filter(([, sources]) =>
          sources.split(' ').every((name) => (needed[prefix(system) + name] as number) <= length),
        )
        .map(([field]) => field);
      expect(present.sort(), `length ${length}`).toEqual(expected.sort());
    }
  });

  test('0 is decoded as 0, except where the system writes 0 for "no value"', () => {
    const name = system === 'win32' ? 'State' : 'state';
    const state = { [name]: ESTABLISHED[system] };
    const fresh = normalised(system, structure(layout, LONGEST[system], state));
    const { state: _, ...expected } = Object.fromEntries(
      Object.keys(SOURCES[system]).map((field) => [field, 0 as number | null]),
    );
    for (const field of NONE_AT_ZERO[system]) expected[field] = null;
    expect(fresh).toMatchObject(expected);
    // With a first sample, and after the first segments.
    const samples = Object.fromEntries(SAMPLES[system].map((member) => [member, 1]));
    const sampled = normalised(
      system,
      structure(layout, LONGEST[system], { ...state, ...samples }),
    );
    for (const field of NEEDS_SAMPLE[system]) expect(sampled[field], field).toBe(0);
  });

  test('the sentinels of the system decode to null, and the numbers below them to numbers', () => {
    for (const [member, field, none, other = {}] of SENTINELS[system]) {
      const read = (value: bigint) => {
        const state = { [system === 'win32' ? 'State' : 'state']: ESTABLISHED[system] };
        const values = { ...state, ...other, [member]: value };
        return normalised(system, structure(layout, LONGEST[system], values))[field];
      };
      expect(read(none), member).toBeNull();
      // Numbers are doubles: those of 64 bits have gaps of 2 048 below 2^64.
      expect(read(none - (none >= 2n ** 63n ? 2_048n : 1n)), member).toBeGreaterThan(0);
    }
  });

  test('an empty structure decodes to null', () => {
    const none = normalised(system, new Uint8Array(0));
    expect(new Set(Object.values(none))).toEqual(new Set([null]));
  });
});

const NUMBERS: Readonly<Record<System, Readonly<Record<number, TcpState | null>>>> = {
  linux: {
    1: 'ESTABLISHED',
    2: 'SYN-SENT',
    3: 'SYN-RECEIVED',
    4: 'FIN-WAIT-1',
    5: 'FIN-WAIT-2',
    6: 'TIME-WAIT',
    7: 'CLOSED',
    8: 'CLOSE-WAIT',
    9: 'LAST-ACK',
    10: 'LISTEN',
    11: 'CLOSING',
    12: 'SYN-RECEIVED',
    0: null,
    13: null,
    255: null,
  },
  darwin: bsd(),
  win32: {
    0: 'CLOSED',
    1: 'LISTEN',
    2: 'SYN-SENT',
    3: 'SYN-RECEIVED',
    4: 'ESTABLISHED',
    5: 'FIN-WAIT-1',
    6: 'FIN-WAIT-2',
    7: 'CLOSE-WAIT',
    8: 'CLOSING',
    9: 'LAST-ACK',
    10: 'TIME-WAIT',
    11: null,
    4294967295: null,
  },
  freebsd: bsd(),
};

function bsd(): Record<number, TcpState | null> {
  return {
    0: 'CLOSED',
    1: 'LISTEN',
    2: 'SYN-SENT',
    3: 'SYN-RECEIVED',
    4: 'ESTABLISHED',
    5: 'CLOSE-WAIT',
    6: 'FIN-WAIT-1',
    7: 'CLOSING',
    8: 'LAST-ACK',
    9: 'FIN-WAIT-2',
    10: 'TIME-WAIT',
    11: null,
    255: null,
  };
}

describe.each(SYSTEMS)('%s: states', (system) => {
  test.each(Object.entries(NUMBERS[system]))('%s is %s', (number, state) => {
    const field = system === 'win32' ? 'State' : 'state';
    const bytes = structure(layouts[system], LONGEST[system], { [field]: Number(number) });
    expect(normalised(system, bytes).state).toBe(state);
  });

  test('a listening socket has its state and its accept queue, and null for the rest', () => {
    const [number] = Object.entries(NUMBERS[system]).find(([, state]) => state === 'LISTEN') as [
      string,
      string,
    ];
    const bytes = new Uint8Array(LONGEST[system]).fill(1);
    new DataView(bytes.buffer).setUint8(0, Number(number));
    if (system === 'win32') new DataView(bytes.buffer).setUint32(0, Number(number), true);
    const { state, acceptQueue, acceptQueueLimit, ...rest } = normalised(system, bytes);
    expect(state).toBe('LISTEN');
    expect(new Set(Object.values(rest))).toEqual(new Set([null]));
    const queue = system === 'linux' ? 0x0101_0101 : null;
    expect([acceptQueue, acceptQueueLimit]).toEqual([queue, queue]);
    for (const [length, queues] of [
      [27, [null, null]],
      [28, [queue, null]],
      [31, [queue, null]],
      [32, [queue, queue]],
    ] as const) {
      const cut = normalised(system, bytes.slice(0, length));
      expect([cut.acceptQueue, cut.acceptQueueLimit], `length ${length}`).toEqual(queues);
    }
  });
});

/** What a system does not report stays null. */
function expected(some: Partial<TcpInfo>): TcpInfo {
  const none = normalised('linux', new Uint8Array(0));
  return { ...none, ...some };
}

describe('normalised values: milliseconds, bytes, null for a missing value', () => {
  test('decodes a structure of Linux', () => {
    const bytes = structure(layouts.linux, 280, {
      ...{ state: 1, retransmits: 2, probes: 3, backoff: 4, rto: 204_000, snd_mss: 1_448 },
      ...{ unacked: 5, lost: 6, last_data_sent: 44, last_data_recv: 52, last_ack_recv: 56 },
      ...{ pmtu: 1_500, rtt: 31_250, rttvar: 1_500, snd_ssthresh: 7, snd_cwnd: 10 },
      ...{
        total_retrans: 8,
        pacing_rate: 2n ** 40n,
        bytes_acked: 1_000,
        bytes_received: 2n ** 33n,
      },
      ...{ segs_out: 21, segs_in: 22, notsent_bytes: 23, min_rtt: 30_000 },
      ...{ data_segs_in: 24, data_segs_out: 25, delivery_rate: 125_000, busy_time: 1_500 },
      ...{ rwnd_limited: 2_500, sndbuf_limited: 3_500, bytes_sent: 9_000, bytes_retrans: 500 },
      ...{ rcv_ooopack: 26, snd_wnd: 64_000, rcv_wnd: 65_000, total_rto: 27, dsack_dups: 28 },
    });
    // The lowest bit of this byte is tcpi_delivery_rate_app_limited.
    bytes[7] = 1;
    expect(normalised('linux', bytes)).toEqual({
      state: 'ESTABLISHED',
      rtt: 31.25,
      rttVariance: 1.5,
      minRtt: 30,
      rto: 204,
      mss: 1_448,
      pathMtu: 1_500,
      congestionWindow: 14_480,
      slowStartThreshold: 10_136,
      sendWindow: 64_000,
      receiveWindow: 65_000,
      bytesSent: 9_000,
      bytesReceived: 8_589_934_592,
      bytesAcked: 1_000,
      bytesRetransmitted: 500,
      bytesInFlight: 7_500,
      unsentBytes: 23,
      segmentsSent: 21,
      dataSegmentsSent: 25,
      segmentsReceived: 22,
      segmentsRetransmitted: 8,
      spuriousRetransmissions: 28,
      segmentsReceivedOutOfOrder: 26,
      unackedSegments: 5,
      lostSegments: 6,
      deliveryRate: 125_000,
      deliveryRateAppLimited: 1,
      pacingRate: 1_099_511_627_776,
      busyTime: 1.5,
      receiveWindowLimitedTime: 2.5,
      sendBufferLimitedTime: 3.5,
      timeSinceLastDataSent: 44,
      timeSinceLastDataReceived: 52,
      timeSinceLastAckReceived: 56,
      probes: 3,
      backoff: 4,
      consecutiveTimeouts: 2,
      totalTimeouts: 27,
      acceptQueue: null,
      acceptQueueLimit: null,
    } satisfies TcpInfo);
  });

  test('linux: decodes the kernel’s "none yet" to null, and 0 to 0', () => {
    const bytes = structure(layouts.linux, 280, {
      ...{ state: 2, rttvar: 250_000, snd_ssthresh: 0x7fff_ffff, min_rtt: 0xffff_ffff },
      ...{ last_data_sent: 9_999, last_data_recv: 9_999, last_ack_recv: 9_999, snd_mss: 1_448 },
      ...{ pacing_rate: 2n ** 64n - 1n, bytes_acked: 1, rto: 1_000_000 },
    });
    const info = normalised('linux', bytes);
    expect(info).toMatchObject({
      rtt: null,
      rttVariance: null,
      minRtt: null,
      slowStartThreshold: null,
      timeSinceLastDataSent: null,
      timeSinceLastDataReceived: null,
      timeSinceLastAckReceived: null,
      pacingRate: null,
      deliveryRate: null,
    });
    expect(info).toMatchObject({
      bytesSent: 0,
      bytesInFlight: 0,
      sendWindow: 0,
      probes: 0,
      rto: 1_000,
    });
  });

  test('linux: the acknowledged SYN of a client leaves 0 bytes in flight', () => {
    const bytes = structure(layouts.linux, 280, { state: 1, unacked: 1, bytes_acked: 1 });
    expect(normalised('linux', bytes).bytesInFlight).toBe(0);
  });

  test('linux: an empty accept queue and a backlog of 0 are 0', () => {
    const bytes = structure(layouts.linux, 280, { state: 10 });
    expect(normalised('linux', bytes)).toMatchObject({ acceptQueue: 0, acceptQueueLimit: 0 });
  });

  test('linux before 4.19 (200 bytes): bytesInFlight is 0 without unacknowledged segments, else null', () => {
    const idle = structure(layouts.linux, 200, { state: 1, bytes_acked: 9 });
    expect(normalised('linux', idle).bytesInFlight).toBe(0);
    const busy = structure(layouts.linux, 200, { state: 1, bytes_acked: 9, unacked: 1 });
    expect(normalised('linux', busy).bytesInFlight).toBeNull();
  });

  test('linux 5.4 (232 bytes): later fields are null', () => {
    const bytes = structure(layouts.linux, 232, { state: 1, snd_wnd: 1_024 });
    expect(normalised('linux', bytes)).toMatchObject({
      sendWindow: 1_024,
      receiveWindow: null,
      totalTimeouts: null,
      bytesSent: 0,
    });
  });

  test('decodes a structure of macOS', () => {
    const bytes = structure(layouts.darwin, 112, {
      ...{ state: 4, rto: 230, maxseg: 1_448, snd_ssthresh: 20_000, snd_cwnd: 30_000 },
      ...{ snd_wnd: 64_000, rcv_wnd: 65_000, rttcur: 29, srtt: 31, rttvar: 4, txpackets: 11 },
      ...{ txbytes: 2n ** 34n, txretransmitbytes: 500, rxpackets: 12, rxbytes: 2n ** 33n },
      ...{ txretransmitpackets: 3 },
    });
    expect(normalised('darwin', bytes)).toEqual(
      expected({
        state: 'ESTABLISHED',
        rtt: 31,
        rttVariance: 4,
        rto: 230,
        mss: 1_448,
        congestionWindow: 30_000,
        slowStartThreshold: 20_000,
        sendWindow: 64_000,
        receiveWindow: 65_000,
        bytesSent: 17_179_869_184,
        bytesReceived: 8_589_934_592,
        bytesRetransmitted: 500,
        segmentsSent: 11,
        segmentsReceived: 12,
        segmentsRetransmitted: 3,
      }),
    );
    expect(normalised('darwin', bytes.slice(0, 104)).segmentsRetransmitted).toBeNull();
    const idle = structure(layouts.darwin, 112, {
      state: 4,
      snd_ssthresh: 65_535 << 14,
      rttvar: 9,
    });
    expect(normalised('darwin', idle)).toMatchObject({
      rto: null,
      rtt: null,
      rttVariance: null,
      slowStartThreshold: null,
    });
  });

  test('decodes v2, v1 and v0 of Windows', () => {
    const bytes = structure(layouts.win32, 152, {
      ...{ State: 4, Mss: 1_460, RttUs: 31_250, MinRttUs: 30_000, BytesInFlight: 2_920 },
      ...{ Cwnd: 14_600, SndWnd: 64_000, RcvWnd: 65_000, BytesOut: 2n ** 34n },
      ...{ BytesIn: 2n ** 33n, BytesRetrans: 500, TimeoutEpisodes: 2, SndLimTimeRwin: 77 },
      ...{ OutOfOrderPktsIn: 6 },
    });
    const v0 = expected({
      state: 'ESTABLISHED',
      rtt: 31.25,
      minRtt: 30,
      mss: 1_460,
      congestionWindow: 14_600,
      sendWindow: 64_000,
      receiveWindow: 65_000,
      bytesSent: 17_179_869_184,
      bytesReceived: 8_589_934_592,
      bytesRetransmitted: 500,
      bytesInFlight: 2_920,
      totalTimeouts: 2,
    });
    const v1 = { ...v0, receiveWindowLimitedTime: 77 };
    expect(normalised('win32', bytes.slice(0, 88))).toEqual(v0);
    expect(normalised('win32', bytes.slice(0, 136))).toEqual(v1);
    expect(normalised('win32', bytes)).toEqual({ ...v1, segmentsReceivedOutOfOrder: 6 });
    const fresh = structure(layouts.win32, 152, { State: 4, MinRttUs: 0xffff_ffff });
    expect(normalised('win32', fresh)).toMatchObject({ rtt: null, minRtt: null });
  });

  test('decodes the newest structure of FreeBSD, and what FreeBSD 14 and 13 fill', () => {
    const bytes = structure(layouts.freebsd, 256, {
      ...{ state: 4, rto: 230_000, snd_mss: 1_448, last_data_recv: 5_500, rtt: 31_250 },
      ...{ rttvar: 1_500, snd_ssthresh: 20_000, snd_cwnd: 30_000, rcv_space: 65_000 },
      ...{ snd_wnd: 64_000, snd_rexmitpack: 3, rcv_ooopack: 6, snd_una: 4_294_967_290, snd_max: 4 },
    });
    const newest = expected({
      state: 'ESTABLISHED',
      rtt: 31.25,
      rttVariance: 1.5,
      rto: 230,
      mss: 1_448,
      congestionWindow: 30_000,
      slowStartThreshold: 20_000,
      sendWindow: 64_000,
      receiveWindow: 65_000,
      // Sequence numbers wrap.
      bytesInFlight: 10,
      segmentsRetransmitted: 3,
      segmentsReceivedOutOfOrder: 6,
      timeSinceLastDataReceived: 5.5,
    });
    expect(normalised('freebsd', bytes)).toEqual(newest);
    expect(normalised('freebsd', bytes.slice(0, 196))).toEqual(newest);
    expect(normalised('freebsd', bytes.slice(0, 132))).toEqual({ ...newest, bytesInFlight: null });
  });
});
