// Options that act only before bind, listen or connect: what was on the wire and in the kernel's counters, in a namespace.

import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { inNamespace, needsNamespace, withoutNamespace } from '../support/namespace';

type Report = Record<string, unknown>;

describe('before the first packet', () => {
  let seen: Report = {};
  beforeEach(needsNamespace);
  beforeAll(async () => {
    if (withoutNamespace !== undefined) return;
    seen = await inNamespace<Report>('before-connect.mjs');
  }, 120_000);

  const connected = { outcome: 'connected' };

  describe('the SYN of connect()', () => {
    test('has the mark, and none without the option', () => {
      expect(seen.mark).toEqual({ ...connected, marked: 1 });
      expect(seen.plain).toEqual({ ...connected, unmarked: 1 });
    });

    test('has the mark for each address that is tried: the dead one and the winner', () => {
      expect(seen.markOfBoth).toEqual({ ...connected, marked: 2, 'marked, IPv6': 1 });
    });

    test('has the mark when the socket is bound to a local address', () => {
      expect(seen.markWithLocalAddress).toEqual({ ...connected, marked: 1 });
    });

    test('leaves by the device', () => {
      // The route goes by up0.
      expect(seen.device).toEqual({ 'by up1': 1, unmarked: 1 });
    });

    test('has the segment size, the window scale of the receive buffer, and the DSCP', () => {
      expect(seen.segmentSize).toMatchObject({ 'segment size 1000': 1 });
      expect(seen.windowScale).toMatchObject({ 'window scale 0': 1 });
      expect(seen.dscp).toMatchObject({ 'expedited forwarding': 1 });
    });

    test('has a source address that this machine does not have', () => {
      expect(seen.foreignAddress).toMatchObject({ 'from 192.0.2.66': 1 });
    });

    test('asks for Multipath TCP, and carries data with Fast Open', () => {
      expect(seen.mptcp).toEqual({ MPCapableSYNTX: 1 });
      // The first connection gets the cookie.
      expect(seen.fastOpenClient).toEqual({ TCPFastOpenActive: 1 });
    });

    test('is repeated as often as synRetries says, or as long as userTimeout', () => {
      const { outcome, seconds, 'to the silent port': sent } = seen.synRetries as Report;
      expect(outcome).toBe('ETIMEDOUT');
      // 7 SYNs in 130 s without the option.
      expect(sent).toBeLessThan(5);
      expect(seconds).toBeLessThan(30);
      expect(seen.userTimeout).toMatchObject({ outcome: 'ETIMEDOUT' });
      expect((seen.userTimeout as Report).seconds).toBeLessThan(30);
    });
  });

  test('connectTimeout ends connecting', () => {
    expect(seen.connectTimeout).toMatchObject({ outcome: 'ETIMEDOUT' });
    expect((seen.connectTimeout as Report).seconds).toBeLessThan(30);
  });

  test("connecting with Fast Open is bounded, although Node emits 'connect' before the first packet", () => {
    // The kernel alone takes about 2 minutes.
    for (const [name, timeout] of [
      ['fastOpenVanished', 2],
      ['fastOpenVanishedTuned', 4],
      // Nothing was written, and the timeout was chosen in a listener of 'connect'.
      ['fastOpenChosenLate', 4],
    ] as const) {
      const { events, seconds } = seen[name] as Report;
      expect(events, name).toEqual(['connect', expect.stringMatching(/^connect ETIMEDOUT/)]);
      expect(seconds, name).toBeGreaterThanOrEqual(timeout);
      expect(seconds, name).toBeLessThan(30);
    }
  });

  test("setDeadPeerTimeout() with null removes the bound of Fast Open after 'connect', too", () => {
    expect(seen.fastOpenLifted).toEqual(['connect']);
  });

  test('with bindAddressNoPort, 20 ports serve 60 connections', () => {
    expect(seen.ports).toBe(60);
    expect(seen.portsWithout).toBeLessThanOrEqual(20);
  });

  test('a descriptor of openSocket() has its options when Node connects it', () => {
    expect(seen.descriptor).toEqual({ ...connected, marked: 1 });
  });

  describe('tuneSockets()', () => {
    test('has the mark on each SYN, and the window scale', () => {
      expect(seen.markTuned).toEqual({ ...connected, failures: [], marked: 1 });
      expect(seen.markOfBothTuned).toMatchObject({ ...connected, failures: [], marked: 2 });
      expect(seen.windowScaleTuned).toMatchObject({ failures: [], 'window scale 0': 1 });
    });

    test('shares one port among servers', () => {
      expect(seen.sharedPortTuned).toEqual(['listening', 'listening']);
      expect(seen.sharedPortWithout).toEqual(['listening', 'EADDRINUSE']);
    });
  });

  describe('listen() and bind()', () => {
    test('listen on an address that comes later', () => {
      expect(seen.absentAddress).toBe('listening');
      expect(seen.absentAddressWithout).toBe('EADDRNOTAVAIL');
    });

    test('share one port', () => {
      expect(seen.sharedPort).toEqual(['listening', 'listening']);
      expect(seen.datagrams).toEqual(['127.0.0.1', '127.0.0.1', '192.0.2.77']);
    });

    test('accept Multipath TCP and Fast Open', () => {
      expect(seen.mptcpServer).toEqual({ MPCapableSYNRX: 1 });
      expect((seen.fastOpenServer as Report).TCPFastOpenPassive).toBeGreaterThan(0);
    });
  });
});
