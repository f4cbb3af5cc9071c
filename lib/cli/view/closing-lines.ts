// What stands below a table of connections: problems, counts by state, and what the system does not report.

import { plural } from '../../core/text';
import type { ProblemCode } from '../../index';
import type { Selection, Survey } from '../selection';
import { formatStateCounts } from './connection-warnings';
import { wrap } from './text';

const FALLBACK_NOTE =
  'This system refuses netlink, so the list comes from /proc/net/tcp: when peers last answered, round-trip times, retransmission totals and bytes are missing.';

const NO_KEEPALIVE_NOTE = 'This system does not report whether keepalive is on.';

/** What the system does not report, as far as it matters for the selection. */
export function sourceNotes(
  { problems, withoutKeepAlive }: Selection,
  { isFallback, undetectable }: Survey,
): string[] {
  const isAsked = (code: ProblemCode) => !(problems instanceof Set) || problems.has(code);
  const missing = isFallback || problems !== null ? undetectable.filter(isAsked) : [];
  return [
    ...(isFallback ? [FALLBACK_NOTE] : []),
    ...(missing.length === 0
      ? []
      : [`These problems cannot be found here: ${missing.join(', ')}.`]),
    ...(withoutKeepAlive && undetectable.includes('no-keepalive') ? [NO_KEEPALIVE_NOTE] : []),
  ];
}

/** What is shown instead of a table: no connection is selected. */
export function emptyText(
  { problems, withoutKeepAlive, text }: Selection,
  { checked, undetectable }: Survey,
): string {
  if (checked === 0) return 'No connections.';
  const codes = problems instanceof Set ? [...problems] : [];
  const detectable = codes.filter((code) => !undetectable.includes(code));
  const wanted = [
    ...(problems === 'marked' ? ['has a problem that is critical or a warning'] : []),
    ...(codes.length > 0 ? [`has the problem ${detectable.join(' or ')}`] : []),
    ...(withoutKeepAlive ? ['has its keepalive off'] : []),
    ...(text ? ['matches the filter'] : []),
  ];
  return `No connection ${wanted.join(' and ')}. Checked: ${plural(checked, 'socket')}.`;
}

/** Ends with a newline. */
export function closingLines(selection: Selection, survey: Survey, unicode: boolean): string {
  const sentences = [
    ...survey.warnings.sentences(unicode).map((text) => `! ${text}`),
    ...survey.warnings.hints(unicode),
  ].map((text) => wrap(text));
  const { count, selected, leftOut } = survey;
  const { limit } = selection;
  const isCut = count > limit;
  const lines = [
    ...(count === 0
      ? []
      : [
          `${count} connection${count === 1 ? '' : 's'}: ${formatStateCounts(selected)}.${isCut ? ` Shown: the first ${limit}.` : ''}`,
        ]),
    ...(leftOut.size === 0 ? [] : [`Left out: ${formatStateCounts(leftOut)} (--all shows them).`]),
    ...sourceNotes(selection, survey),
  ].map((line) => wrap(line));
  const parts = [
    ...(sentences.length > 0 ? [sentences.join('\n')] : []),
    ...(lines.length > 0 ? [lines.join('\n')] : []),
  ];
  return parts.map((part) => `\n${part}\n`).join('');
}
