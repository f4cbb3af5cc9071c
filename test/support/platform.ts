// Tests about one system only: elsewhere they are skipped by name, with the reason.

import type { TestContext } from 'vitest';

/** For `beforeEach`, or at the begin of a test: `why` says what it is that only Linux has. */
export const onLinux =
  (why: string) =>
  ({ skip }: Pick<TestContext, 'skip'>): void =>
    skip(process.platform !== 'linux', `of Linux: ${why}`);
