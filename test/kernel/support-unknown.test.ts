// If the kernel's support for an option is unknown, nothing is guessed, and open sockets work.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import type net from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, type TestContext, test } from 'vitest';
import { supportedOptions } from '../../dist/index.js';
import { fdOf, withPair } from '../support/net';
import { onLinux } from '../support/platform';
import { getInt, IPPROTO_TCP, SO_KEEPALIVE, SOL_SOCKET } from '../support/reference-addon';

interface Said {
  readonly value?: unknown;
  readonly code?: string;
  readonly syscall?: string;
  readonly option?: string;
  readonly message?: string;
}
interface Report {
  readonly [call: string]: Said;
}

const strace = (...injections: string[]) => [
  'strace',
  ...['-f', '-qq', '-o', '/dev/null', '-e', 'signal=none'],
  ...injections.flatMap((injection) => ['-e', `inject=${injection}`]),
];

const withoutStrace: string | undefined = (() => {
  try {
    execFileSync('strace', ['-o', '/dev/null', 'true'], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `strace does not run here: ${String((error as Error).message).trim()}`;
  }
})();
const needsStrace = ({ skip }: TestContext) => skip(withoutStrace !== undefined, withoutStrace);

/** The report of the fixture on a connection, which is its descriptor 3. */
async function reportOf(client: net.Socket, command: string[], mode = ''): Promise<Report> {
  const [program = '', ...args] = [
    ...command,
    process.execPath,
    join(__dirname, '../fixtures/unknown-support.mjs'),
    mode,
  ];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit', client] });
  const [output] = await Promise.all([
    text(child.stdout as NodeJS.ReadableStream),
    once(child, 'exit'),
  ]);
  return JSON.parse(output) as Report;
}

describe('at the limit of descriptors', () => {
  test('isSupported throws the failed call, caches nothing, and open sockets work', async (context) => {
    onLinux('descriptors of a child, and numbers of the reference addon')(context);
    await withPair(async ({ client }) => {
      const fd = fdOf(client);
      const limited = ['sh', '-c', 'ulimit -n 64; exec "$@"', 'sh'];
      const report = await reportOf(client, limited, 'full');
      const refused = { code: 'EMFILE', syscall: 'socket' };
      expect(report.supported).toMatchObject({
        ...refused,
        option: 'TCP_USER_TIMEOUT',
        message:
          'EMFILE: too many open files, socket TCP_USER_TIMEOUT (cannot find out whether this kernel has the option; the next call tries again)',
      });
      expect(report.supportedOfIpv6).toMatchObject(refused);
      expect(report.all).toMatchObject(refused);
      // Calls that need no new socket work.
      for (const call of ['set', 'get', 'keepAlive', 'switchAlone', 'held', 'some', 'bounds']) {
        expect({ [call]: report[call]?.code }).toEqual({ [call]: undefined });
      }
      expect(report.get?.value).toBe(5_000);
      expect(report.held?.value).toEqual({
        enable: true,
        initialDelay: 7_000,
        interval: 2_000,
        count: 4,
      });
      expect(report.some?.value).toBe(true);
      // With a user timeout of 5 s, before the first probe at 7 s, one probe decides: after 9 s, or later by an eighth.
      expect(report.bounds?.value).toBeGreaterThan(9_000);
      expect(report.bounds?.value).toBeLessThan(10_200);
      // A default is what a new socket has.
      expect(report.asNew).toMatchObject({ ...refused, option: 'TCP_KEEPIDLE' });
      expect(report.off).toMatchObject(refused);
      expect([4, 5, 6, 18].map((name) => getInt(fd, IPPROTO_TCP, name))).toEqual([7, 2, 4, 5_000]);
      expect(getInt(fd, SOL_SOCKET, SO_KEEPALIVE)).toBe(1);
      // A value that could not be read is not replaced by the default of an older kernel.
      for (const [value, reason] of report.defaults as unknown as [unknown, string][]) {
        expect(value).toBeNull();
        expect(reason).toMatch(/^EMFILE|has no such setting/);
      }
      const after = report.after as { supported?: Said; all?: Said };
      expect(after.supported).toEqual({ value: true });
      expect(after.all).toEqual({ value: supportedOptions() });
    });
  });
});

describe('in a sandbox', () => {
  test('that refuses getsockopt, functions throw its error', async (context) => {
    needsStrace(context);
    await withPair(async ({ client }) => {
      const report = await reportOf(client, strace('getsockopt:error=EPERM'));
      const refused = { code: 'EPERM', syscall: 'getsockopt' };
      expect(report.supported).toMatchObject({ ...refused, option: 'TCP_USER_TIMEOUT' });
      expect(report.all).toMatchObject(refused);
      expect(report.get).toMatchObject({ ...refused, option: 'TCP_USER_TIMEOUT' });
      expect(report.held).toMatchObject(refused);
      // The failed call is the check for TCP, before setsockopt.
      expect(report.switchAlone).toMatchObject({
        ...refused,
        option: 'TCP_NODELAY',
        message: expect.stringMatching(
          /cannot find out whether the socket is TCP, and only TCP supports SO_KEEPALIVE/,
        ),
      });
      expect(report.set).toEqual({});
      expect(getInt(fdOf(client), IPPROTO_TCP, 18)).toBe(5_000);
    });
  });

  test('that refuses new sockets, IPv6 options are unsupported and IPv4 options throw', async (context) => {
    needsStrace(context);
    await withPair(async ({ client }) => {
      const report = await reportOf(client, strace('socket:error=EAFNOSUPPORT'));
      expect(report.supportedOfIpv6).toEqual({ value: false });
      expect(report.supported).toMatchObject({ code: 'EAFNOSUPPORT', syscall: 'socket' });
      expect(report.set).toEqual({});
      expect(report.get).toEqual({ value: 5_000 });
    });
  });

  test('that refuses setsockopt, functions throw its error', async (context) => {
    needsStrace(context);
    await withPair(async ({ client }) => {
      const report = await reportOf(client, strace('setsockopt:error=EACCES'));
      expect(report.supported).toEqual({ value: true });
      const refused = { code: 'EACCES', syscall: 'setsockopt' };
      expect(report.set).toMatchObject(refused);
      expect(report.switchAlone).toMatchObject({ ...refused, option: 'SO_KEEPALIVE' });
    });
  });
});
