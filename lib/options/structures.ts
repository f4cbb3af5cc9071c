// Decodes structures of the kernel from the record buffer: struct ucred, struct sockaddr.

import type { OriginalDestination, PeerCredentials } from '../catalogue/catalogue';
import { formatAddress } from '../core/address';
import { firstHalf } from '../core/byte-order';
import { constantTables } from '../core/constants';
import { bytes, words } from '../core/record-buffer';

/** Decodes `struct ucred` at word `at`. A socket without a peer that has credentials has the ids -1. */
export function decodeCredentials(at: number): PeerCredentials | null {
  const [pid = 0, uid = -1, gid = -1] = words.subarray(at, at + 3);
  return uid === -1 && gid === -1 ? null : { pid, uid: uid >>> 0, gid: gid >>> 0 };
}

/** Decodes `struct sockaddr_in` or `struct sockaddr_in6` of Linux at word `at`. */
export function decodeAddress(at: number): OriginalDestination {
  const start = at * 4;
  const isIpv4 = firstHalf(words[at] as number) === constantTables().values.AF_INET;
  return {
    address: isIpv4 ? formatAddress(bytes, start + 4, 4) : formatAddress(bytes, start + 8, 16),
    port: ((bytes[start + 2] as number) << 8) | (bytes[start + 3] as number),
    family: isIpv4 ? 'IPv4' : 'IPv6',
  };
}
