// strace(1), which makes system calls fail and writes down those that were made.

import { execFileSync } from 'node:child_process';
import type { TestContext } from 'vitest';

/** Why strace(1) does not run here, or `undefined` where it does. */
export const withoutStrace: string | undefined = (() => {
  try {
    execFileSync('strace', ['-o', '/dev/null', 'true'], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `strace does not run here: ${String((error as Error).message).trim()}`;
  }
})();

/** For `beforeEach`: skips a test by name, with the reason, where strace(1) does not run. */
export function needsStrace({ skip }: TestContext): void {
  skip(withoutStrace !== undefined, withoutStrace);
}
