// What reaches the kernel at all, counted by strace(1): which calls, how many, in which order.

import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, beforeEach, expect, type TestContext, test } from 'vitest';

const withoutStrace: string | undefined = (() => {
  try {
    execFileSync('strace', ['-o', '/dev/null', 'true'], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `strace does not run here: ${String((error as Error).message).trim()}`;
  }
})();

/** The socket option calls between two marks of the fixture, as `name OPTION`. */
let calls: Record<string, string[]>;

beforeEach(({ skip }: TestContext) => skip(withoutStrace !== undefined, withoutStrace));

beforeAll(async () => {
  if (withoutStrace !== undefined) return;
  const { stderr } = await promisify(execFile)(
    'strace',
    [
      ...['-f', '-qq', '-e', 'signal=none', '-e', 'trace=setsockopt,getsockopt,access'],
      ...[process.execPath, join(__dirname, '../fixtures/syscalls.mjs')],
    ],
    { timeout: 30_000, maxBuffer: 2 ** 26 },
  );
  calls = {};
  let mark = '';
  for (const line of stderr.split('\n')) {
    const marked = /access\("\/mark\/([^"]+)"/.exec(line)?.[1];
    if (marked !== undefined) {
      mark = marked;
      calls[mark] = [];
    }
    const call = /\b([gs]etsockopt)\(\d+, \w+, (\w+)/.exec(line);
    if (call && mark !== '') calls[mark]?.push(`${call[1]} ${call[2]}`);
  }
});

const SET = (...options: string[]) => options.map((option) => `setsockopt ${option}`);
const GET = (...options: string[]) => options.map((option) => `getsockopt ${option}`);

test('setKeepAlive: four calls, the switch last', () => {
  expect(calls.setKeepAlive).toEqual(
    SET('TCP_KEEPIDLE', 'TCP_KEEPINTVL', 'TCP_KEEPCNT', 'SO_KEEPALIVE'),
  );
  expect(calls.setOptionsAnyOrder).toEqual(
    SET('TCP_KEEPIDLE', 'TCP_KEEPINTVL', 'TCP_KEEPCNT', 'SO_KEEPALIVE'),
  );
});

test('setKeepAlive with one value: one call', () => {
  expect(calls.oneValue).toEqual(SET('TCP_KEEPINTVL'));
});

test('setKeepAlive(true): one call, after asking whether the socket is TCP', () => {
  expect(calls.switchAlone).toEqual([...GET('TCP_NODELAY'), ...SET('SO_KEEPALIVE')]);
});

test('setDeadPeerTimeout: what is known of the connection, then the five values', () => {
  const values = [
    ...['TCP_KEEPIDLE', 'TCP_KEEPINTVL', 'TCP_KEEPCNT', 'SO_KEEPALIVE', 'TCP_USER_TIMEOUT'],
  ];
  expect(calls.setDeadPeerTimeout).toEqual([...GET('TCP_INFO'), ...SET(...values)]);
  expect(calls.tuneServer).toEqual([...GET('TCP_INFO'), ...SET(...values)]);
});

test('what a tuned server accepts costs no system call', () => {
  expect(calls.tunedAccept).toEqual(calls.plainAccept);
});

test('a refused value stops the rest: keepalive is not left half on', () => {
  expect(calls.refused).toEqual(SET('TCP_KEEPIDLE'));
});

test('getKeepAlive: four calls; getOption: one; setOptions: one for each', () => {
  expect(calls.getKeepAlive).toEqual(
    GET('TCP_KEEPIDLE', 'TCP_KEEPINTVL', 'TCP_KEEPCNT', 'SO_KEEPALIVE'),
  );
  expect(calls.getOption).toEqual(GET('TCP_USER_TIMEOUT'));
  expect(calls.setOptions).toEqual(SET('TCP_USER_TIMEOUT', 'TCP_NODELAY'));
});

test('what this system does not have, and bad input: no call', () => {
  expect(calls.unsupported).toEqual([]);
  expect(calls.badInput).toEqual([]);
});

test('a connection that a tuned server accepts: no call', () => {
  // The one call is libuv's and on the client's side: how its connect ended.
  expect(calls.accepted).toEqual(GET('SO_ERROR'));
});

test('an option that the headers know and the running kernel does not have', async () => {
  // Every getsockopt of the process is answered as a kernel does that does not know the option.
  const { stdout, stderr } = await promisify(execFile)(
    'strace',
    [
      ...['-f', '-qq', '-e', 'signal=none', '-e', 'trace=setsockopt,getsockopt'],
      ...['-e', 'inject=getsockopt:error=ENOPROTOOPT'],
      ...[process.execPath, join(__dirname, '../fixtures/older-kernel.mjs')],
    ],
    { timeout: 30_000 },
  );
  expect(JSON.parse(stdout)).toEqual({
    supported: false,
    among: [],
    set: 'ENOPROTOOPT: this kernel does not have the option, setsockopt TCP_USER_TIMEOUT',
    get: 'ENOPROTOOPT: this kernel does not have the option, getsockopt TCP_USER_TIMEOUT',
    keepAlive: 'ENOPROTOOPT',
  });
  expect(stderr).toMatch(/getsockopt\(\d+, SOL_TCP, TCP_USER_TIMEOUT, .*INJECTED/);
  expect(stderr).not.toMatch(/setsockopt/);
});

test('loading the package: no call', () => {
  expect(calls.load).toEqual([]);
});
