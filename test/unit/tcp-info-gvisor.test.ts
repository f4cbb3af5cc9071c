// TCP_INFO as gVisor fills it, by bytes that were read in gVisor (release of July 2024).

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isGvisorKernel } from '../../lib/core/gvisor';
import { gvisorMembers } from '../../lib/tcp-info/structures/gvisor';
import { linuxStructure } from '../../lib/tcp-info/structures/linux';
import { isFromGvisor, type System, system, systems } from '../../lib/tcp-info/system';
import { newValues, tcpInfoOf } from '../../lib/tcp-info/values';
import { valuesByColumn } from '../support/columns';
import { onLinux } from '../support/platform';

const { gvisor } = systems;
const LENGTH = 224;
const STATE = 0;
const RTO = 2;
const SND_MSS = 4;
const RTT = 17;
const RTTVAR = 18;
const SND_CWND = 20;

/** The words that gVisor wrote for an established connection; all others are 0. */
const ESTABLISHED = {
  [STATE]: 1,
  [RTO]: 200_000,
  [RTT]: 1_000,
  [RTTVAR]: 305,
  19: 0xffff_ffff,
  [SND_CWND]: 11,
};
/** A retransmission timeout passed: the congestion state is Loss. */
const LOSS = { ...ESTABLISHED, [STATE]: 0x0401, [RTO]: 2_998_010, [SND_CWND]: 1 };

function structureOf(words: Readonly<Record<number, number>>): Uint32Array {
  const structure = new Uint32Array(128);
  for (const [word, value] of Object.entries(words)) structure[Number(word)] = value;
  return structure;
}

/** The fields that are not null. */
const known = (info: object) =>
  Object.fromEntries(Object.entries(info).filter(([, value]) => value !== null));

describe('decoding', () => {
  test('reports the state and the round-trip time, and null for the rest', () => {
    const info = gvisor.decode(structureOf(ESTABLISHED), 0, LENGTH);
    expect(known(info)).toEqual({ state: 'ESTABLISHED', rtt: 1, rttVariance: 0.305, rto: 200 });
    expect(Object.keys(info)).toEqual(
      Object.keys(systems.linux.decode(new Uint32Array(128), 0, 0)),
    );
  });

  test.each([
    [{ [STATE]: 10 }, 'LISTEN'],
    [{ [STATE]: 7 }, 'CLOSED'],
  ])('before the connection, reports only the state: %o', (words, state) => {
    expect(known(gvisor.decode(structureOf(words), 0, LENGTH))).toEqual({ state });
  });

  test("under the kernel's names, reports the members that gVisor fills", () => {
    expect(known(gvisor.decodeStructure(structureOf(LOSS), LENGTH))).toEqual({
      tcpi_state: 1,
      tcpi_ca_state: 4,
      tcpi_rto: 2_998_010,
      tcpi_rtt: 1_000,
      tcpi_rttvar: 305,
      tcpi_snd_ssthresh: 0xffff_ffff,
      tcpi_snd_cwnd: 1,
      tcpi_reord_seen: 0,
    });
  });

  test('reports no other member, whatever its bytes are', () => {
    const members = gvisor.decodeStructure(new Uint32Array(128).fill(0x0101_0101), 280);
    expect(Object.keys(known(members)).sort()).toEqual([...gvisorMembers].sort());
    expect(Object.keys(members)).toEqual(Object.keys(linuxStructure));
  });

  test('fillValues and fillColumn decode the same as the object, also over values of another socket', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const words = new Uint32Array(128);
        new Uint8Array(words.buffer).set(bytes);
        const values = newValues().fill(1);
        gvisor.fillValues(words, 0, bytes.length, values);
        expect(tcpInfoOf(values)).toEqual(gvisor.decode(words, 0, bytes.length));
        expect(valuesByColumn(gvisor, words, bytes.length)).toEqual(values);
      }),
      { numRuns: 200 },
    );
  });
});

describe('recognition by the structure', () => {
  test.each([
    ['an established connection', ESTABLISHED],
    ['a connection after a timeout', LOSS],
    ['a listening socket', { [STATE]: 10 }],
    ['a new socket', { [STATE]: 7 }],
  ])('takes %s of gVisor for one', (_, words) => {
    expect(isFromGvisor(structureOf(words), 0, LENGTH)).toBe(true);
  });

  test.each([
    ['a new socket', { [STATE]: 7, [SND_MSS]: 536, [SND_CWND]: 10 }],
    ['a listening socket', { [STATE]: 10, [SND_CWND]: 10 }],
    ['a connection', { ...ESTABLISHED, [SND_MSS]: 1_448 }],
  ])('does not take %s of Linux for one of gVisor', (_, words) => {
    expect(isFromGvisor(structureOf(words), 0, LENGTH)).toBe(false);
  });

  test('reads nothing beyond the length', () => {
    for (const stale of [0, 7]) {
      const words = new Uint32Array(128).fill(stale);
      expect(isFromGvisor(words, 0, 0)).toBe(false);
      words.set([1, 0, 0, 0, 0]);
      expect(isFromGvisor(words, 0, 20)).toBe(false);
    }
  });

  test('reads the members at the offsets of the structure', () => {
    expect(linuxStructure.tcpi_snd_mss.offset).toBe(4 * SND_MSS);
    expect(linuxStructure.tcpi_snd_cwnd.offset).toBe(4 * SND_CWND);
  });

  test('decides what the decoders of Linux report', ({ skip }) => {
    onLinux('gVisor has the structure of Linux')({ skip });
    const ofGvisor = structureOf(ESTABLISHED);
    const ofLinux = structureOf({ ...ESTABLISHED, [SND_MSS]: 1_448 });
    const mss = (system: System, words: Uint32Array) => {
      const { decode, fillValues, decodeStructure } = system;
      const values = newValues();
      fillValues(words, 0, LENGTH, values);
      return [
        decode(words, 0, LENGTH).mss,
        tcpInfoOf(values).mss,
        tcpInfoOf(valuesByColumn(system, words, LENGTH)).mss,
        decodeStructure(words, LENGTH).tcpi_snd_mss,
      ];
    };
    expect(mss(system, ofGvisor)).toEqual([null, null, null, null]);
    expect(mss(system, ofLinux)).toEqual([1_448, 1_448, 1_448, 1_448]);
  });
});

describe('recognition by uname(2)', () => {
  const VERSION = '#1 SMP Sun Jan 10 15:06:54 PST 2016';

  test.each([
    ['4.4.0', VERSION],
    ['4.19.0-gvisor', VERSION],
  ])('%s, %s is gVisor', (release, version) => {
    expect(isGvisorKernel(release, version)).toBe(true);
  });

  test.each([
    ['4.4.0', '#1 SMP Sun Jan 10 22:58:36 UTC 2016'],
    ['4.4.0-21-generic', '#37-Ubuntu SMP Mon Apr 18 18:33:37 UTC 2016'],
    ['4.4.0-21-generic', VERSION],
    ['6.18.0', VERSION],
    ['6.18.0-gvisor', '#1 SMP PREEMPT_DYNAMIC Sun Nov 30 12:00:00 UTC 2025'],
  ])('%s, %s is Linux', (release, version) => {
    expect(isGvisorKernel(release, version)).toBe(false);
  });
});
