// Reads an option of IPv4 together with the option of IPv6 that belongs to it. An IPv6 socket can have both.

import type { OptionName } from '../catalogue/catalogue';
import { constantTables } from '../core/constants';
import { getRecords, RECORD_HEADER_WORDS, reserveRecord, words } from '../core/record-buffer';
import type { Option } from './codec';
import { optionNamed } from './option';

/** One of the two options, with the answer of the kernel. */
export interface Answer {
  readonly option: Option;
  /** The length of the value, or a negative code. */
  readonly length: number;
  /** The place of the value in the record buffer. */
  readonly at: number;
}

/** The option of IPv4, then the option of IPv6, by the name of the row. */
const pairs = new Map<OptionName, readonly Option[]>();

function pairOf(name: OptionName): readonly Option[] {
  const ipv4 = optionNamed(name, 'getsockopt');
  const { values, levels } = constantTables();
  const { ipv6: kernelName = '' } = ipv4.platformOption;
  const { [kernelName]: option } = values;
  const { [kernelName]: level } = levels;
  if (option === undefined || level === undefined) return [ipv4];
  const platformOption = { ...ipv4.platformOption, name: kernelName };
  return [ipv4, { ...ipv4, option, level, platformOption }];
}

/** Reads both options in one call. The values are in the record buffer. */
export function readBoth(fd: number, name: OptionName): Answer[] {
  const pair = pairs.get(name) ?? pairOf(name);
  pairs.set(name, pair);
  let at = 0;
  for (const { level, option, codec } of pair) at = reserveRecord(at, level, option, codec.room);
  getRecords(fd, pair.length);
  at = 0;
  return pair.map((option) => {
    const answer = { option, length: words[at + 2] as number, at: at + RECORD_HEADER_WORDS };
    at = answer.at + ((option.codec.room + 3) >> 2);
    return answer;
  });
}
