// Comparing versions of Linux.

import { beforeEach, expect, test, vi } from 'vitest';

const running = vi.hoisted(() => ({ release: '' }));
vi.mock('node:os', () => ({ release: () => running.release }));

beforeEach(() => vi.resetModules());

test.each([
  ['6.18.44-cloud-amd64', false],
  ['6.99', false],
  ['7.0-rc1', true],
  ['7.0.0', true],
  ['7.3.0-rc7', true],
  ['10.1.2', true],
])('%s is at least 7.0: %s', async (release, expected) => {
  running.release = release;
  const { isLinuxAtLeast } = await import('../../lib/core/linux-release.js');
  expect(isLinuxAtLeast(7, 0)).toBe(expected);
});

test('compares the minor version as a number', async () => {
  running.release = '6.10.3';
  const { isLinuxAtLeast } = await import('../../lib/core/linux-release.js');
  expect([isLinuxAtLeast(6, 9), isLinuxAtLeast(6, 10), isLinuxAtLeast(6, 11)]).toEqual([
    true,
    true,
    false,
  ]);
});
