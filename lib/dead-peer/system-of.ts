// Recognises the sockets of Linux that follow other rules: Multipath TCP, and everything inside gVisor.

import type { Platform } from '../catalogue/row';
import { isGvisor } from '../core/gvisor';
import { getOption } from '../options/options';
import type { DeadPeerPlatform } from './kernel-rules';

/** Returns the system whose rules the sockets of this process follow, except those of Multipath TCP. */
export function systemHere(): DeadPeerPlatform {
  return isGvisor() ? 'gvisor' : (process.platform as Platform);
}

/** Returns the system whose rules a socket follows. */
export function systemOf(fd: number): DeadPeerPlatform {
  return isMptcp(fd) ? 'mptcp' : systemHere();
}

/** Whether this is a socket of Multipath TCP. A connection that fell back to TCP refuses the same options: Linux 6.18. */
export function isMptcp(fd: number): boolean {
  if (systemHere() !== 'linux') return false;
  try {
    return getOption(fd, 'protocol') === 'mptcp';
  } catch {
    return false;
  }
}
