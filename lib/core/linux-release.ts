// Compares the version of the running Linux.

import { release } from 'node:os';

let version: readonly number[] | undefined;

/** Whether the running Linux is at least of this version. Later versions may have backports: ask only without another way. */
export function isLinuxAtLeast(major: number, minor: number): boolean {
  version ??= release().split('.', 2).map(Number.parseFloat);
  const [runningMajor = 0, runningMinor = 0] = version;
  return runningMajor > major || (runningMajor === major && runningMinor >= minor);
}
