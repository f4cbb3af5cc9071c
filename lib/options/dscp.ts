// The option `dscp`: the upper six bits of IP_TOS of IPv4 and IPV6_TCLASS of IPv6. The lower two bits are ECN.

import { words } from '../core/record-buffer';
import { type Answer, readBoth } from './both-families';
import type { Option } from './codec';
import { optionNamed } from './option';

const ECN = 0b11;

/** An option that a socket has, and its value in the kernel. */
interface Held {
  readonly option: Option;
  readonly word: number;
}

/** Returns the options that the socket has. An IPv6 socket has both: it sends IPv4 packets to an IPv4 peer. */
function readHeld(fd: number): Held[] {
  const isHeld = ({ length }: Answer): boolean => length >= 0;
  return readBoth(fd, 'dscp')
    .filter(isHeld)
    .map(({ option, at }) => ({ option, word: words[at] as number }));
}

/** Returns the DSCP of the socket's own family, or `undefined` for a socket without one. */
export function readDscp(fd: number): number | undefined {
  const word = readHeld(fd).at(-1)?.word;
  return word === undefined ? undefined : (word & 0xff) >> 2;
}

/** Returns the new value of each option that the socket has. The ECN bits do not change. */
export function dscpWords(fd: number, dscp: number): Held[] {
  const held = readHeld(fd);
  // The socket has neither option: the kernel's refusal is the error.
  if (held.length === 0) return [{ option: optionNamed('dscp', 'setsockopt'), word: dscp << 2 }];
  return held.map(({ option, word }) => ({ option, word: (dscp << 2) | (word & ECN) }));
}
