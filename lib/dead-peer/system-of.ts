// Recognises the sockets of Linux that follow other rules: Multipath TCP, and everything inside gVisor.

import type { Platform } from '../catalogue/row';
import { getRawOption } from '../options/raw';
import type { DeadPeerPlatform } from './rules';

/** include/uapi/linux/tcp.h, since Linux 5.16. */
const IPPROTO_TCP = 6;
const TCP_IS_MPTCP = 43;

/** Returns the system whose rules a socket follows. */
export function systemOf(fd: number): DeadPeerPlatform {
  const platform = process.platform as Platform;
  if (platform !== 'linux') return platform;
  return isMptcp(fd) ? 'mptcp' : 'linux';
}

/** A connection that fell back to TCP follows the rules of TCP. */
function isMptcp(fd: number): boolean {
  try {
    return getRawOption(fd, IPPROTO_TCP, TCP_IS_MPTCP) === 1;
  } catch {
    return false;
  }
}
