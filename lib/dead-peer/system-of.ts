// Recognises the sockets of Linux that follow other rules: Multipath TCP, and everything inside gVisor.

import type { Platform } from '../catalogue/row';
import { isGvisor } from '../core/gvisor';
import { getOption } from '../options/options';
import type { DeadPeerPlatform } from './rules';

/** Returns the system whose rules a socket follows. */
export function systemOf(fd: number): DeadPeerPlatform {
  const platform = process.platform as Platform;
  if (platform !== 'linux') return platform;
  if (isGvisor()) return 'gvisor';
  return isMptcp(fd) ? 'mptcp' : 'linux';
}

/** A connection that fell back to TCP refuses the same options: Linux 6.18. */
function isMptcp(fd: number): boolean {
  try {
    return getOption(fd, 'protocol') === 'mptcp';
  } catch {
    return false;
  }
}
