// Heartbeats of connections that are paused, not read or half-closed, and of peers that are lost in each way.

import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { PeerDeath } from '../../dist/heartbeat.js';
import type { KeepAlive } from '../../dist/index.js';
import { inNamespace, needsNamespace, withoutNamespace } from '../support/namespace';
import { onLinux } from '../support/platform';

interface Case {
  readonly fate: string;
  readonly state: string;
  readonly hasPings: boolean;
  /** The number of the kernel: linux/tcp_states.h. */
  readonly stateBefore: number;
  readonly interval: number;
  readonly timeout: number;
  readonly deaths: readonly PeerDeath[];
  readonly errors: readonly { name: string; code: string; explained: string }[];
  /** Since the heartbeat began. `null`: the socket is open. */
  readonly closedAfter: number | null;
  readonly keepAliveBefore: KeepAlive;
  readonly keepAlive: KeepAlive | null;
  /** Unanswered probes, at the verdict or at the end. */
  readonly probes?: number;
}

/** The states and their numbers in the kernel. */
const STATES = {
  'half-closed by the peer': 8,
  'half-closed by the peer, not read': 8,
  'half-closed by this side': 5,
  'half-closed by this side, paused': 5,
  paused: 1,
  'not read, with a full buffer': 1,
};

/** Tolerance for timers on two processors that are shared with other programs, in ms. */
const SLACK = 750;

/** In this state Node polls the socket, and gets the kernel's error itself. The peer is expected to send. */
const HEARS = 'half-closed by this side';

describe('a connection whose peer the program cannot hear', () => {
  beforeEach((context) => {
    onLinux('its probes and its firewall')(context);
    needsNamespace(context);
  });

  let cases: readonly Case[];
  beforeAll(async () => {
    if (withoutNamespace !== undefined) return;
    cases = await inNamespace<Case[]>('heartbeat-states.mjs');
  }, 60_000);
  const of = (fate: string) => {
    const found = cases.filter((one) => one.fate === fate);
    expect(found).toHaveLength(2 * Object.keys(STATES).length);
    return found.map((one) => {
      const { state, hasPings, stateBefore } = one;
      expect(stateBefore, state).toBe(STATES[state as keyof typeof STATES]);
      return [one, `${state}, ${hasPings ? 'pings' : 'watch only'}`] as const;
    });
  };

  test('a living peer stays connected, and keepalive is as the program has set it', () => {
    for (const [one, name] of of('living')) {
      expect(one, name).toMatchObject({ deaths: [], errors: [], closedAfter: null });
      expect(one.keepAlive, name).toEqual(one.keepAliveBefore);
      expect(one.keepAlive?.enable, name).toBe(false);
    }
  });

  test.each(['black hole', 'supervised, black hole'])(
    '%s: is found within the timeout, with and without pings',
    (fate) => {
      for (const [one, name] of of(fate)) {
        const hears = one.state === HEARS && fate === 'black hole';
        const reason = hears ? 'unknown' : 'vanished';
        expect(one.deaths, name).toMatchObject([{ reason, code: 'ETIMEDOUT' }]);
        const error = { name: 'HeartbeatTimeoutError', code: 'ETIMEDOUT', explained: reason };
        expect(one.errors, name).toMatchObject([error]);
        expect(one.closedAfter, name).toBeGreaterThanOrEqual(one.timeout - 20);
        expect(one.closedAfter, name).toBeLessThanOrEqual(one.timeout + SLACK);
      }
    },
  );

  test('three probes in a row decide, which are too far apart for the peer’s rate limit', () => {
    const probed = of('black hole').filter(({ 0: one }) => one.state === 'paused' && !one.hasPings);
    expect(probed).toHaveLength(1);
    for (const [{ probes, interval, timeout }] of probed) {
      expect(probes).toBeGreaterThanOrEqual(3);
      // Linux answers one in 500 ms: net.ipv4.tcp_invalid_ratelimit.
      expect(probes).toBeLessThanOrEqual(1 + (timeout - interval) / 2 / 500);
    }
  });

  test('a supervised socket with the shorter timeout is ended by supervision, with one error', () => {
    for (const [one, name] of of('supervised with the shorter timeout, black hole')) {
      expect(one.deaths, name).toEqual([]);
      const error = { name: 'Error', code: 'ETIMEDOUT', explained: 'vanished' };
      expect(one.errors, name).toMatchObject([error]);
      expect(one.closedAfter, name).toBeLessThan(one.timeout);
    }
  });

  test.each(['reset', 'supervised, reset'])('%s: is found within the timeout', (fate) => {
    for (const [one, name] of of(fate)) {
      const code = one.stateBefore === 8 ? 'EPIPE' : 'ECONNRESET';
      expect(one.errors, name).toMatchObject([{ code }]);
      // Without a ping, Node does not notice the reset.
      const isHeartbeats = fate === 'reset' && !one.hasPings && one.state !== HEARS;
      if (isHeartbeats) expect(one.errors, name).toMatchObject([{ explained: 'reset' }]);
      const death = { reason: 'reset', code, state: 'CLOSED' };
      if (isHeartbeats) expect(one.deaths, name).toMatchObject([death]);
      expect(one.closedAfter, name).toBeLessThanOrEqual(one.timeout + SLACK);
    }
  });

  test('a heartbeat sends no more probes than the program’s keepalive count allows', () => {
    const paused = of('one probe allowed, black hole').filter(({ 0: one }) => {
      return one.state === 'paused' && !one.hasPings;
    });
    expect(paused).toHaveLength(1);
    for (const [one] of paused) expect(one).toMatchObject({ deaths: [], errors: [], probes: 1 });
  });

  test('a connection that the kernel gave up is found within the timeout', () => {
    for (const [one, name] of of('kernel timeout')) {
      expect(one.errors, name).toMatchObject([{ code: 'ETIMEDOUT', explained: 'vanished' }]);
      // With pings, Node's own write may report the error before the heartbeat looks.
      if (one.state === HEARS) expect(one.deaths, name).toEqual([]);
      else if (one.hasPings) expect(one.deaths.length, name).toBeLessThanOrEqual(1);
      else expect(one.deaths, name).toMatchObject([{ reason: 'vanished', state: 'CLOSED' }]);
      expect(one.closedAfter, name).toBeLessThanOrEqual(one.timeout + SLACK);
    }
  });
});
