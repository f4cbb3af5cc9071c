// The option `dscp`: the upper six bits of IP_TOS of IPv4 and IPV6_TCLASS of IPv6. The lower two bits are ECN.

import { describeErrno } from '../core/errors';
import { words } from '../core/record-buffer';
import { type Answer, readBoth } from './both-families';
import type { Option } from './codec';
import { familyOf } from './family';
import { optionNamed } from './option';

const ECN = 0b11;

/** An option that a socket has, and its value in the kernel. */
interface Held {
  readonly option: Option;
  readonly word: number;
}

/** Returns the options that the socket has. An IPv6 socket has both: it sends IPv4 packets to an IPv4 peer. */
function heldAmong(answers: readonly Answer[]): Held[] {
  return answers
    .filter(({ length }) => length >= 0)
    .map(({ option, at }) => ({ option, word: words[at] as number }));
}

/** Returns the DSCP of the socket's own family, or `undefined` for a socket without one. */
export function readDscp(fd: number): number | undefined {
  const answers = readBoth(fd, 'dscp');
  const word = heldAmong(answers).at(-1)?.word;
  return word === undefined || missesIpv6(fd, answers) !== undefined
    ? undefined
    : (word & 0xff) >> 2;
}

/** Returns the new value of each option that the socket has. The ECN bits do not change. */
export function dscpWords(fd: number, dscp: number): Held[] {
  const answers = readBoth(fd, 'dscp');
  const held = heldAmong(answers);
  // The kernel's refusal is the error.
  const missing = held.length === 0 ? optionNamed('dscp', 'setsockopt') : missesIpv6(fd, answers);
  if (missing !== undefined) return [{ option: missing, word: dscp << 2 }];
  return held.map(({ option, word }) => ({ option, word: (dscp << 2) | (word & ECN) }));
}

/**
 * Returns the option of IPv6 if this is an IPv6 socket without it: Multipath TCP on Linux 6.18 has only that of IPv4, and sends
 * IPv6 packets without a DSCP. It uses the record buffer.
 */
function missesIpv6(fd: number, [, ipv6]: readonly Answer[]): Option | undefined {
  // Other IPv4 sockets return ENOPROTOOPT for it.
  if (ipv6 === undefined || ipv6.length >= 0) return undefined;
  if (describeErrno(ipv6.length)[0] === 'ENOPROTOOPT') return undefined;
  return familyOf(fd) === 6 ? ipv6.option : undefined;
}
