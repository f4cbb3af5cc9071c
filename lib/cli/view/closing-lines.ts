// What stands below a table of connections: problems, counts by state, and what the system does not report.

import type { Selection, Survey } from '../selection';
import { formatStateCounts } from './connection-warnings';
import { wrap } from './text';

/** Why values are missing that other systems report. */
export const FALLBACK_NOTE =
  'This system refuses netlink, so the list comes from /proc/net/tcp: when peers last answered, round-trip times, retransmission totals and bytes are missing.';

const NO_KEEPALIVE_NOTE = 'This system does not report whether keepalive is on.';

/** Ends with a newline. */
export function closingLines(selection: Selection, survey: Survey, unicode: boolean): string {
  const sentences = survey.warnings.sentences(unicode).map((text) => wrap(`! ${text}`));
  const { count, selected, leftOut, isFallback } = survey;
  const { limit, withoutKeepAlive } = selection;
  const isCut = count > limit;
  const lines = [
    ...(count === 0
      ? []
      : [
          `${count} connection${count === 1 ? '' : 's'}: ${formatStateCounts(selected)}.${isCut ? ` Shown: the first ${limit}.` : ''}`,
        ]),
    ...(leftOut.size === 0 ? [] : [`Left out: ${formatStateCounts(leftOut)} (--all shows them).`]),
    ...(withoutKeepAlive && process.platform !== 'linux' ? [NO_KEEPALIVE_NOTE] : []),
    ...(isFallback ? [FALLBACK_NOTE] : []),
  ].map((line) => wrap(line));
  const parts = [
    ...(sentences.length > 0 ? [sentences.join('\n')] : []),
    ...(lines.length > 0 ? [lines.join('\n')] : []),
  ];
  return parts.map((part) => `\n${part}\n`).join('');
}
