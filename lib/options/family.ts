// Finds the IP version of a socket.

import { binding } from '../core/addon';
import { firstHalf } from '../core/byte-order';
import { constantTables } from '../core/constants';
import { bytes, words } from '../core/record-buffer';

const HAS_LENGTH_BYTE = process.platform === 'darwin' || process.platform === 'freebsd';

/**
 * Returns the version of the packets that a socket sends; `undefined` for another socket. An IPv6 socket with an IPv4 address
 * (::ffff:192.0.2.1) sends IPv4. Windows refuses the question for a new socket. It uses the record buffer, and leaves the local
 * address there.
 */
export function familyOf(fd: number): 4 | 6 | undefined {
  if (binding().readAddress(fd, false) < 4) return undefined;
  const family = HAS_LENGTH_BYTE ? bytes[1] : firstHalf(words[0] as number);
  const { AF_INET, AF_INET6 } = constantTables().values;
  if (family === AF_INET) return 4;
  if (family !== AF_INET6) return undefined;
  return MAPPED.every((byte, index) => bytes[8 + index] === byte) ? 4 : 6;
}

/** How an IPv4 address begins in struct sockaddr_in6. */
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
