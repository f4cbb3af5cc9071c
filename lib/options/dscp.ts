// The option `dscp`: one name for IP_TOS of IPv4 and IPV6_TCLASS of IPv6. Both hold it above two bits of ECN.

import { constantTables } from '../core/constants';
import { getRecords, RECORD_HEADER_WORDS, reserveRecord, words } from '../core/record-buffer';
import type { Option } from './codec';
import { optionNamed } from './option';

const ECN = 0b11;

/** An option that a socket has, and the word that the kernel holds for it. */
interface Held {
  readonly option: Option;
  readonly word: number;
}

/** `dscp` as IPv4 has it, then as IPv6 has it. */
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

/** An IPv6 socket may have both: with an IPv4 peer it sends IPv4 packets. */
function heldBy(fd: number): Held[] {
  both ??= optionsOfBoth();
  let at = 0;
  for (const { level, option, codec } of both) at = reserveRecord(at, level, option, codec.room);
  getRecords(fd, both.length);
  return both
    .map((option, i) => ({ option, at: i * (RECORD_HEADER_WORDS + 1) }))
    .filter(({ at }) => (words[at + 2] as number) >= 0)
    .map(({ option, at }) => ({ option, word: words[at + RECORD_HEADER_WORDS] as number }));
}

/** The DSCP of the socket's own family, or `undefined` for a socket that has none. */
export function readDscp(fd: number): number | undefined {
  const word = heldBy(fd).at(-1)?.word;
  return word === undefined ? undefined : (word & 0xff) >> 2;
}

/** What to write for `dscp`: into each option that the socket has, without a change of its bits of ECN. */
export function dscpWords(fd: number, dscp: number): Held[] {
  const held = heldBy(fd);
  // A socket that has neither: the kernel says why not.
  if (held.length === 0) return [{ option: optionNamed('dscp', 'setsockopt'), word: dscp << 2 }];
  return held.map(({ option, word }) => ({ option, word: (dscp << 2) | (word & ECN) }));
}
