// The system calls that reach the kernel, and their order, recorded by strace(1).

import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, beforeEach, expect, type TestContext, test } from 'vitest';
import { isSupported } from '../../dist/index.js';

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

test('setKeepAlive makes four calls, SO_KEEPALIVE last', () => {
  expect(calls.setKeepAlive).toEqual(
    SET('TCP_KEEPIDLE', 'TCP_KEEPINTVL', 'TCP_KEEPCNT', 'SO_KEEPALIVE'),
  );
  expect(calls.setOptionsAnyOrder).toEqual(
    SET('TCP_KEEPIDLE', 'TCP_KEEPINTVL', 'TCP_KEEPCNT', 'SO_KEEPALIVE'),
  );
});

test('setKeepAlive with one value makes one call', () => {
  expect(calls.oneValue).toEqual(SET('TCP_KEEPINTVL'));
});

test('setKeepAlive(true) makes one call after the check for TCP', () => {
  expect(calls.switchAlone).toEqual([...GET('TCP_NODELAY'), ...SET('SO_KEEPALIVE')]);
});

test('setDeadPeerTimeout reads TCP_INFO and what is set already, then sets its values', () => {
  const times = ['TCP_KEEPIDLE', 'TCP_KEEPINTVL', 'TCP_KEEPCNT'];
  // TCP_RTO_MAX_MS, for which strace has no name.
  const longest = isSupported('retransmissionTimeoutMax') ? ['0x2c'] : [];
  const values = [...times, 'SO_KEEPALIVE', 'TCP_USER_TIMEOUT', ...longest];
  expect(calls.setDeadPeerTimeout).toEqual([
    ...GET('TCP_INFO', 'SO_KEEPALIVE', ...times, ...longest, 'TCP_USER_TIMEOUT'),
    // Keepalive is on already. It is off while its times change.
    ...SET('SO_KEEPALIVE', ...values),
  ]);
  // TCP_INFO has the length of the queue, whose connections have the values of before.
  expect(calls.tuneServer).toEqual([...SET(...values), ...GET('TCP_INFO')]);
});

test('an accepted connection of a tuned server costs no more system calls than of a plain one', () => {
  expect(calls.tunedAccept).toEqual(calls.plainAccept);
});

test('a refused value stops the rest, so SO_KEEPALIVE is not set', () => {
  expect(calls.refused).toEqual(SET('TCP_KEEPIDLE'));
});

test('getKeepAlive makes four calls, getOption one, and setOptions one for each option', () => {
  expect(calls.getKeepAlive).toEqual(
    GET('TCP_KEEPIDLE', 'TCP_KEEPINTVL', 'TCP_KEEPCNT', 'SO_KEEPALIVE'),
  );
  expect(calls.getOption).toEqual(GET('TCP_USER_TIMEOUT'));
  expect(calls.setOptions).toEqual(SET('TCP_USER_TIMEOUT', 'TCP_NODELAY'));
});

test('an option that this system lacks, and wrong input, cause no call', () => {
  expect(calls.unsupported).toEqual([]);
  expect(calls.badInput).toEqual([]);
});

test('this package makes no call for a connection that a tuned server accepts', () => {
  // The only call is libuv's on the client side: the result of connect.
  expect(calls.accepted).toEqual(GET('SO_ERROR'));
});

test('an option that the running kernel lacks is not supported, and ENOPROTOOPT', async () => {
  // strace(1) answers every getsockopt as a kernel without the option does.
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

test('loading the package makes no call', () => {
  expect(calls.load).toEqual([]);
});
