// Tests that hold on Linux alone: of its numbers, or of what only it tells.

import type { TestContext } from 'vitest';

export const isLinux = process.platform === 'linux';

/** For `beforeEach`: skips a test by name, with the reason, on other systems. */
export function needsLinux({ skip }: Pick<TestContext, 'skip'>): void {
  skip(!isLinux, `a test of Linux, and this is ${process.platform}`);
}
