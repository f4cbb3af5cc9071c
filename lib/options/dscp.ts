// The option `dscp`: the upper six bits of IP_TOS of IPv4 and IPV6_TCLASS of IPv6. The lower two bits are ECN.

import { constantTables } from '../core/constants';
import { getRecords, RECORD_HEADER_WORDS, reserveRecord, words } from '../core/record-buffer';
import type { Option } from './codec';
import { optionNamed } from './option';

const ECN = 0b11;

/** An option that a socket has, and its value in the kernel. */
interface Held {
  readonly option: Option;
  readonly word: number;
}

/** The option of IPv4, then the option of IPv6. */
let both: readonly Option[] | undefined;

function optionsOfBoth(): readonly Option[] {
  const ipv4 = optionNamed('dscp', 'getsockopt');
  const { values, levels } = constantTables();
  const { ipv6: name = '' } = ipv4.platformOption;
  const { [name]: option } = values;
  const { [name]: level } = levels;
  if (option === undefined || level === undefined) return [ipv4];
  return [ipv4, { ...ipv4, option, level, platformOption: { ...ipv4.platformOption, name } }];
}

/** Returns the options that the socket has. An IPv6 socket can have both: it sends IPv4 packets to an IPv4 peer. */
function readBoth(fd: number): Held[] {
  both ??= optionsOfBoth();
  let at = 0;
  for (const { level, option, codec } of both) at = reserveRecord(at, level, option, codec.room);
  getRecords(fd, both.length);
  return both
    .map((option, i) => ({ option, at: i * (RECORD_HEADER_WORDS + 1) }))
    .filter(({ at }) => (words[at + 2] as number) >= 0)
    .map(({ option, at }) => ({ option, word: words[at + RECORD_HEADER_WORDS] as number }));
}

/** Returns the DSCP of the socket's own family, or `undefined` for a socket without one. */
export function readDscp(fd: number): number | undefined {
  const word = readBoth(fd).at(-1)?.word;
  return word === undefined ? undefined : (word & 0xff) >> 2;
}

/** Returns the new value of each option that the socket has. The ECN bits do not change. */
export function dscpWords(fd: number, dscp: number): Held[] {
  const held = readBoth(fd);
  // The socket has neither option: the kernel's refusal is the error.
  if (held.length === 0) return [{ option: optionNamed('dscp', 'setsockopt'), word: dscp << 2 }];
  return held.map(({ option, word }) => ({ option, word: (dscp << 2) | (word & ECN) }));
}
