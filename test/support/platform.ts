// Skips tests that only apply to one system, with the reason.

import type { TestContext } from 'vitest';

/** For `beforeEach`, or at the beginning of a test. `why` names what only Linux has. */
export const onLinux =
  (why: string) =>
  ({ skip }: Pick<TestContext, 'skip'>): void =>
    skip(process.platform !== 'linux', `of Linux: ${why}`);
