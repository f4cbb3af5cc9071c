// Heartbeats of peers that are lost in every way, and of living peers.

import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { certificate } from '../../support/certificate';
import { inNamespace, needsNamespace } from '../../support/namespace';
import type { Observed } from './observed';

interface Case extends Observed {
  readonly fate: string;
  readonly way: string;
  readonly isSecure: boolean;
  readonly interval: number;
  readonly timeout: number;
  readonly pingsReceived: number | null;
}

interface Return {
  readonly fate: string;
  /** Whether the old connection stayed open until the new one came, and only the new one after that. */
  readonly wasOpen: boolean;
  readonly isAlone: boolean;
  readonly isOpen: boolean;
}

interface Report {
  readonly cases: readonly Case[];
  readonly again: readonly Return[];
  /** The connections of each link, from ss(8). */
  readonly established: Readonly<Record<string, number>>;
  readonly identities: number;
  readonly canPersist: boolean;
  readonly lag: number;
}

/** Tolerance for timers on two processors that are shared with other programs, in ms. */
const SLACK = 250;

/** Tolerance for reads and for the turn of the event loop before a verdict, in ms. */
const LATENESS = 20;

const WAYS = ['request and answer', 'both send', 'watch only'];

/** What is known of a lost peer. It depends on whether the heartbeat sends pings or only watches. */
const reason = (way: string, known: string) => (way === 'watch only' ? 'unknown' : known);

describe('heartbeats', () => {
  beforeEach(needsNamespace);

  let report: Report;
  beforeAll(async () => {
    report = await inNamespace<Report>('dead-peers/heartbeats.mjs', JSON.stringify(certificate()));
    const lateness = report.cases
      .filter(({ sinceHeard }) => sinceHeard !== null)
      .map(({ sinceHeard, timeout }) => (sinceHeard as number) - timeout)
      .sort((a, b) => a - b);
    console.log(
      `told dead ${lateness[0]} to ${lateness.at(-1)} ms after the timeout, event loop at most ${report.lag} ms late`,
    );
  });
  const of = (fate: string, way: string) =>
    report.cases.filter((one) => one.fate === fate && one.way === way);

  /** Expects one report in time, and a closed socket. */
  function expectDeath(one: Case, why: string): void {
    const { interval, timeout, way, isSecure } = one;
    const name = `${way}, ${isSecure ? 'TLS' : 'TCP'}`;
    expect(one, name).toMatchObject({ deaths: 1, code: 'ETIMEDOUT', isClosed: true });
    expect(one.death?.reason, name).toBe(why);
    expect(one.explained, name).toBe(why);
    expect(one.sinceHeard, name).toBeGreaterThanOrEqual(timeout);
    const step = Math.min(interval, timeout - interval) / 8;
    // As promised, except for delays of the event loop.
    expect(one.sinceHeard, name).toBeLessThanOrEqual(timeout + step + 40 + report.lag + LATENESS);
  }

  describe.each(WAYS)('%s, over TCP and TLS', (way) => {
    test.each([
      ['unplugged', 'vanished'],
      ['link down', 'vanished'],
      ['stopped', 'silent'],
      ['rebooted, back after the timeout', 'vanished'],
    ])('%s: is found dead in time, as %s', (fate, known) => {
      const found = of(fate, way);
      expect(found.map(({ isSecure }) => isSecure).sort()).toEqual([false, true]);
      for (const one of found) {
        expectDeath(one, reason(way, known));
        if (way === 'watch only') expect(one.pings).toBe(0);
        else expect(one.death?.unansweredPings).toBeGreaterThan(0);
      }
    });

    test('killed: the peer closes the connection, and the heartbeat emits nothing', () => {
      const found = of('killed', way);
      expect(found).toHaveLength(2);
      for (const one of found) expect(one).toMatchObject({ deaths: 0, isClosed: true });
    });

    test('rebooted and answers with resets: the socket fails if anything was sent', () => {
      const found = of('rebooted, answers with resets', way);
      expect(found).toHaveLength(2);
      for (const one of found) {
        if (way === 'watch only') expectDeath(one, 'unknown');
        else expect(one).toMatchObject({ deaths: 0, code: 'ECONNRESET', isClosed: true });
      }
    });

    test('rebooted and back within the timeout: is superseded, not dead', () => {
      const found = of('rebooted, back within the timeout', way);
      expect(found).toHaveLength(2);
      for (const one of found) {
        expect(one).toMatchObject({ deaths: 0, code: 'ERR_PEER_SUPERSEDED', isClosed: true });
      }
    });

    test('living: stays open to the end', () => {
      const found = of('lives', way);
      expect(found).toHaveLength(2);
      for (const one of found) {
        expect(one).toMatchObject({ deaths: 0, code: null, isOpen: true });
        // The last ping may be in flight.
        expect([one.pings, one.pings - 1]).toContain(one.pingsReceived);
        if (way === 'request and answer') expect(one.rtt).toBeLessThan(SLACK);
      }
    });
  });

  test('back within the timeout: claim() closes the old connection', () => {
    const back = report.again.filter(({ fate }) => fate.endsWith('back within the timeout'));
    expect(back).toHaveLength(2 * WAYS.length);
    for (const one of back)
      expect(one).toMatchObject({ wasOpen: true, isAlone: true, isOpen: true });
    // In the kernel: link 4 would still have the old connections.
    expect(report.established.atOnce).toBe(2 * WAYS.length);
    expect(report.established[4]).toBe(2 * WAYS.length);
  });

  test('back after the timeout: the old connection was already closed', () => {
    const back = report.again.filter(({ fate }) => fate.endsWith('back after the timeout'));
    expect(back).toHaveLength(2 * WAYS.length);
    for (const one of back) expect(one).toMatchObject({ wasOpen: false, isOpen: true });
    expect(report.established[5]).toBe(2 * WAYS.length);
  });

  test('leaves no connection of a lost peer in the kernel or in the registry', () => {
    for (const link of [2, 3, 6]) expect(report.established[link], `link ${link}`).toBe(0);
    const living = report.cases.filter(({ isOpen }) => isOpen).length;
    expect(report.identities).toBe(living + 4 * WAYS.length);
  });

  test('a peer that answers late is alive', () => {
    const found = of('lives', 'slow to answer');
    expect(found).toHaveLength(2);
    for (const one of found) expect(one).toMatchObject({ deaths: 0, isOpen: true });
  });

  test('does not declare a peer dead while this program does not read its socket', () => {
    const found = of('lives', 'not read here');
    expect(found).toHaveLength(2);
    for (const one of found) {
      expect(one).toMatchObject({ deaths: 0, isOpen: true });
      // The pings arrive; only the answers are not read.
      expect([one.pings, one.pings - 1]).toContain(one.pingsReceived);
      expect(one.pings).toBeGreaterThan(10);
    }
  });

  test('finds an unplugged peer of a socket that this program does not read', () => {
    const found = of('unplugged', 'not read here');
    expect(found).toHaveLength(2);
    for (const one of found) {
      const { timeout, sinceLost, interval } = one;
      expect(one).toMatchObject({ deaths: 1, code: 'ETIMEDOUT', explained: 'vanished' });
      expect(one.death?.reason).toBe('vanished');
      // Acknowledgements count because nothing is read.
      expect(sinceLost).toBeLessThanOrEqual(timeout + interval / 8 + SLACK);
    }
  });

  describe('a path that loses 30 % in each direction', () => {
    beforeEach(({ skip }) => {
      skip(
        !report.canPersist,
        'retransmissions cannot be held to one in a second before Linux 6.15',
      );
    });

    test('peers that answer are alive for 40 s', () => {
      const found = of('lives', 'bad path');
      expect(found).toHaveLength(24);
      for (const one of found) {
        expect(one).toMatchObject({ deaths: 0, code: null, isOpen: true });
        expect(one.pings).toBeGreaterThan(40);
      }
    });

    test('an unplugged peer is found in time', () => {
      const [one] = of('unplugged', 'bad path') as [Case];
      expectDeath(one, 'vanished');
    });
  });
});
