// socket-options defaults: prints the system's defaults, and what they mean when a peer vanishes.

import { getSystemDefaults, type SystemDefault, type SystemDefaults } from '../../index';
import { retransmissionTime } from '../../system-defaults/retransmission-time';
import type { Result, Values } from '../command';
import { formatDuration, formatTable, toJson, toPrintable, wrap } from '../view/text';

export const summary = 'show the defaults of keepalive and retransmission on this system';

export const help = `Usage: socket-options defaults [--json]

Shows the defaults of keepalive and retransmission on this system, where each
comes from, and how long it takes with them to detect a peer that has vanished.

  --json   print one JSON object: for each setting { value, unit, source, name,
           scope, reason }. Times are in milliseconds. An unknown value is null;
           its reason explains why

Exit codes: 0 success, 1 a setting of this system could not be read, 2 wrong
arguments.
`;

export const options = { json: { type: 'boolean' } } as const;

export function run(given: Values<typeof options>): Result {
  const defaults = getSystemDefaults();
  const hasUnreadable = Object.values<SystemDefault>(defaults).some(
    ({ value, name }) => value === null && name !== null,
  );
  return {
    output: given.json ? toJson(defaults, 2) : formatText(defaults),
    complete: !hasUnreadable,
  };
}

function formatText(defaults: SystemDefaults): string {
  const rows = Object.entries<SystemDefault>(defaults).map(([key, setting]) => [
    key,
    formatValue(setting),
    toPrintable(formatOrigin(setting)),
  ]);
  const { scope } = defaults.keepAliveInitialDelay;
  return [
    `Defaults of ${process.platform} (${scope === 'machine' ? 'this machine' : `the ${scope} of this process`})`,
    '',
    formatTable([['SETTING', 'VALUE', 'FROM'], ...rows]),
    '',
    ...explain(defaults).map((sentence) => wrap(sentence)),
  ].join('\n');
}

function formatValue({ value, unit }: SystemDefault): string {
  if (value === null) return '-';
  return unit === 'ms' ? formatDuration(value) : String(value);
}

function formatOrigin({ name, source, reason }: SystemDefault): string {
  if (reason !== null) return name === null ? reason : `${name}: ${reason}`;
  return source === 'builtin' ? `built in (${name})` : `${source} ${name}`;
}

/** How long it takes to detect a vanished peer, as far as the numbers are known. */
function explain(defaults: SystemDefaults): string[] {
  const sentences: string[] = [];
  const { keepAliveInitialDelay, keepAliveInterval, keepAliveCount } = defaults;
  if (
    keepAliveInitialDelay.value !== null &&
    keepAliveInterval.value !== null &&
    keepAliveCount.value !== null
  ) {
    const idle = keepAliveInitialDelay.value + keepAliveInterval.value * keepAliveCount.value;
    sentences.push(
      'On an idle connection without keepalive (the default of every socket), a vanished peer is never detected.',
      `On an idle connection with keepalive as above, it is detected after ${formatDuration(idle)}.`,
    );
  }
  const { retransmissions, retransmissionTimeoutMin, retransmissionTimeoutMax } = defaults;
  if (
    process.platform === 'linux' &&
    retransmissions.value !== null &&
    retransmissionTimeoutMin.value !== null &&
    retransmissionTimeoutMax.value !== null
  ) {
    const busy = retransmissionTime(
      retransmissions.value,
      retransmissionTimeoutMin.value,
      retransmissionTimeoutMax.value,
    );
    sentences.push(
      `While data is in flight, keepalive does not run: the write fails after ${formatDuration(busy)} or more, unless a user timeout is set.`,
    );
  }
  return sentences;
}
