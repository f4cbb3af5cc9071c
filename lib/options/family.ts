// Finds the IP version of a socket.

import { binding } from '../core/addon';
import { constantTables } from '../core/constants';
import { bytes, words } from '../core/record-buffer';

const HAS_LENGTH_BYTE = process.platform === 'darwin' || process.platform === 'freebsd';

/**
 * Returns the IP version; `undefined` for another socket. Windows refuses the question for a new socket. It uses the record
 * buffer, and leaves the local address there.
 */
export function familyOf(fd: number): 4 | 6 | undefined {
  if (binding().readAddress(fd, false) < 4) return undefined;
  const family = HAS_LENGTH_BYTE ? bytes[1] : (words[0] as number) & 0xffff;
  const { AF_INET, AF_INET6 } = constantTables().values;
  if (family === AF_INET) return 4;
  return family === AF_INET6 ? 6 : undefined;
}
