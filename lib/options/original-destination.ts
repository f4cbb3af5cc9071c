// The option `originalDestination`: SO_ORIGINAL_DST of IPv4 and IP6T_SO_ORIGINAL_DST of IPv6.

import type { OriginalDestination } from '../catalogue/catalogue';
import { describeErrno } from '../core/errors';
import { readBoth } from './both-families';
import { decodeAddress } from './structures';

/**
 * Returns the address; `null` if connection tracking does not know the connection, `undefined` for a socket without the
 * option. An IPv6 socket with an IPv4 peer has the option of IPv4.
 */
export function readOriginalDestination(fd: number): OriginalDestination | null | undefined {
  const answers = readBoth(fd, 'originalDestination');
  const found = answers.find(({ length }) => length >= 0);
  if (found !== undefined) return decodeAddress(found.at);
  return answers.some(({ length }) => describeErrno(length)[0] === 'ENOENT') ? null : undefined;
}
