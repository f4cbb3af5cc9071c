// What supervision reads of a connection on each system, from structures as their kernels write them.

import { describe, expect, test } from 'vitest';
import {
  evidenceOf,
  REPORT_FIELDS,
  type Report,
  type ReportColumns,
  reportAt,
} from '../../lib/dead-peer/supervision/report';
import { judge, newMemory, type Terms } from '../../lib/dead-peer/supervision/rule';
import { tcpInfoFields } from '../../lib/tcp-info/generated/field-names';
import { tcpStates } from '../../lib/tcp-info/states';
import { systems } from '../../lib/tcp-info/system';
import { newValues } from '../../lib/tcp-info/values';
import { darwin, freebsd, linux, structure, win32 } from '../support/layouts';
import { TERMS } from '../support/reports';

const ESTABLISHED = tcpStates.indexOf('ESTABLISHED');

describe('the evidence of a system', () => {
  const AT = 2;

  /** The report in the structure that a kernel wrote. */
  function decoded(system: string, bytes: Uint8Array): Report {
    const words = new Uint32Array(AT + 160);
    new Uint8Array(words.buffer).set(bytes, AT * 4);
    const values = newValues();
    systems[system as keyof typeof systems].fillValues(words, AT, bytes.length, values);
    const columns = REPORT_FIELDS.map((name) => [name, [values[tcpInfoFields.indexOf(name)]]]);
    return reportAt(Object.fromEntries(columns) as unknown as ReportColumns, 0);
  }

  test('Linux reports all of it', () => {
    const fields = {
      ...{
        state: 1,
        retransmits: 2,
        probes: 4,
        unacked: 5,
        last_data_recv: 900,
        last_ack_recv: 700,
      },
      ...{ segs_out: 30, segs_in: 20, notsent_bytes: 60, data_segs_in: 7 },
    };

    expect(evidenceOf('linux')).toBe('clock');
    expect(evidenceOf('mptcp')).toBe('clock');
    expect(decoded('linux', structure(linux, 248, fields))).toEqual({
      state: ESTABLISHED,
      silence: 700,
      dataSilence: 900,
      segmentsSent: 30,
      segmentsReceived: 20,
      unackedSegments: 5,
      unsentBytes: 60,
      timeouts: 2,
      probes: 4,
    });
  });

  test('Linux reports the earlier of both times', () => {
    const times = {
      state: 1,
      last_data_recv: 300,
      last_ack_recv: 700,
      segs_in: 2,
      data_segs_in: 1,
    };

    expect(decoded('linux', structure(linux, 248, times)).silence).toBe(300);
    expect(decoded('linux', structure(linux, 248, { ...times, data_segs_in: 0 })).silence).toBe(
      700,
    );
  });

  test('macOS counts segments: life is known to the looks, and keepalive is set only if nothing was sent', () => {
    const terms: Terms = { ...TERMS, evidence: evidenceOf('darwin') };
    const at = (txpackets: number, rxpackets: number) =>
      decoded('darwin', structure(darwin, 112, { state: 4, txpackets, rxpackets }));
    const memory = newMemory(0, -Infinity);
    const look = (time: number, sent: number, received: number) =>
      judge(memory, at(sent, received), time, terms);

    expect(terms.evidence).toBe('counters');
    expect(look(0, 10, 10)).toEqual({ verdict: 'alive', lookAt: 1_000, request: 'nothing' });
    expect(look(1_000, 11, 11)).toMatchObject({ lookAt: 2_000 });
    expect(look(5_000, 11, 11)).toMatchObject({ verdict: 'alive', request: 'keepalive' });
    expect(look(6_000, 13, 11)).toMatchObject({ verdict: 'alive', request: 'nothing' });
    expect(look(8_000, 15, 11)).toMatchObject({ verdict: 'alive' });
    expect(look(9_000, 16, 11)).toMatchObject({ verdict: 'dead' });
    expect(look(9_001, 16, 12)).toMatchObject({ verdict: 'alive', lookAt: 10_001 });
  });

  test.each([
    ['win32', structure(win32, 152, { State: 4, Mss: 1_460, BytesIn: 5 })],
    ['freebsd', structure(freebsd, 256, { state: 4, last_data_recv: 90_000_000, snd_mss: 1_460 })],
    ['gvisor', structure(linux, 248, { state: 1, rto: 200_000 })],
  ] as const)('%s only shows that the kernel closed the connection', (system, bytes) => {
    const terms: Terms = { ...TERMS, evidence: evidenceOf(system) };
    const open = decoded(system === 'gvisor' ? 'linux' : system, bytes);
    const memory = newMemory(0, -Infinity);

    expect(terms.evidence).toBe('state');
    for (const time of [0, 8_000, 80_000]) {
      const decision = { verdict: 'alive', lookAt: time + 4_000, request: 'nothing' };
      expect(judge(memory, open, time, terms)).toEqual(decision);
    }
    const closed = { ...open, state: tcpStates.indexOf('CLOSED') };
    expect(judge(memory, closed, 90_000, terms).verdict).toBe('closed');
  });
});
