// getSystemDefaults() as in gVisor, with the sockets of this kernel.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Binding } from '../../lib/core/addon';
import { defaultOf } from '../../lib/core/record-buffer';
import { getSystemDefaults } from '../../lib/system-defaults/system-defaults';
import { onLinux } from '../support/platform';
import { AF_INET, getInt, IPPROTO_TCP, SOCK_STREAM, withSocket } from '../support/reference-addon';

// In the sources, unlike in dist/, a test can replace the system.
vi.mock('../../lib/core/addon', () => {
  const load = createRequire(__filename)('node-gyp-build') as (root: string) => Binding;
  const addon = load(join(__dirname, '../..'));
  return { addon, binding: () => addon };
});
vi.mock('../../lib/core/gvisor', () => ({ isGvisor: () => true }));
vi.mock('../../lib/core/record-buffer', { spy: true });

beforeEach(onLinux('gVisor has the options of Linux'));
afterEach(() => vi.resetAllMocks());

test('values of options come from a new socket, in milliseconds', () => {
  const defaults = getSystemDefaults();
  withSocket(AF_INET, SOCK_STREAM, (fd) => {
    expect(defaults.keepAliveInitialDelay.value).toBe(getInt(fd, IPPROTO_TCP, 4) * 1_000);
    expect(defaults.keepAliveInterval.value).toBe(getInt(fd, IPPROTO_TCP, 5) * 1_000);
    expect(defaults.keepAliveCount.value).toBe(getInt(fd, IPPROTO_TCP, 6));
    expect(defaults.synRetries.value).toBe(getInt(fd, IPPROTO_TCP, 7));
    expect(defaults.finWait2Timeout.value).toBe(getInt(fd, IPPROTO_TCP, 8) * 1_000);
  });
  expect(defaults.keepAliveInterval).toMatchObject({
    unit: 'ms',
    source: 'new socket',
    name: 'TCP_KEEPINTVL',
    scope: 'machine',
    reason: null,
  });
});

test('no value comes from a sysctl', () => {
  const known = Object.entries(getSystemDefaults()).filter(([, { value }]) => value !== null);
  expect(known.map(([name, { source }]) => [name, source])).toEqual([
    ['keepAliveInitialDelay', 'new socket'],
    ['keepAliveInterval', 'new socket'],
    ['keepAliveCount', 'new socket'],
    ['retransmissions', 'builtin'],
    ['retransmissionTimeoutMin', 'builtin'],
    ['retransmissionTimeoutMax', 'builtin'],
    ['synRetries', 'new socket'],
    ['finWait2Timeout', 'new socket'],
  ]);
  expect(getSystemDefaults().routeCheckRetries).toMatchObject({
    value: null,
    name: null,
    reason: 'gVisor has no such setting',
  });
});

test('a value is null with the reason if no socket can be opened', () => {
  const EMFILE = -24;
  vi.mocked(defaultOf).mockReturnValue({ status: EMFILE, value: 0, syscall: 'socket' });
  expect(getSystemDefaults().keepAliveCount).toMatchObject({
    value: null,
    name: 'TCP_KEEPCNT',
    reason: 'EMFILE: too many open files',
  });
});
