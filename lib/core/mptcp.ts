// Recognises sockets of Multipath TCP (RFC 8684), whose options differ from those of TCP.

import { constants } from './constants';
import { getRecords, RECORD_HEADER_WORDS, words, writeIntRecord } from './record-buffer';

/** Returns an option of 32 bits; `undefined` if the kernel refuses it. */
function read(fd: number, level: number, option: number): number | undefined {
  writeIntRecord(0, level, option, 0);
  return getRecords(fd, 1) === 1 ? words[RECORD_HEADER_WORDS] : undefined;
}

/**
 * Whether a descriptor is a socket of Multipath TCP that has not fallen back to TCP. One system call; before Linux 5.16,
 * which has no `TCP_IS_MPTCP`, two, and a socket that fell back counts as Multipath TCP. `false` for any other descriptor.
 */
export function isMptcp(fd: number): boolean {
  const { TCP_IS_MPTCP, IPPROTO_TCP, SOL_SOCKET, SO_PROTOCOL, IPPROTO_MPTCP } = constants;
  if (TCP_IS_MPTCP === undefined || SO_PROTOCOL === undefined) return false;
  const answer = read(fd, IPPROTO_TCP, TCP_IS_MPTCP);
  if (answer !== undefined) return answer === 1;
  return read(fd, SOL_SOCKET, SO_PROTOCOL) === IPPROTO_MPTCP;
}
