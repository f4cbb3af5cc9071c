// socket-options defaults: the system's defaults, and what they mean when a peer vanishes.

import { getSystemDefaults, type SystemDefault, type SystemDefaults } from '../index';
import { retransmissionTime } from '../system-defaults/retransmission-time';
import type { Result, Values } from './command';
import { duration, json, paragraph, printable, table } from './text';

export const summary = 'show the defaults of keepalive and retransmission on this system';

export const help = `Usage: socket-options defaults [--json]

Shows the defaults of keepalive and retransmission on this system, where each
comes from, and when a connection notices with them that its peer has vanished.

  --json   print one JSON object: for each setting { value, unit, source, name,
           scope, reason }. Times are in milliseconds. A value that is not known
           is null, and its reason says why

Exit codes: 0 success, 1 a setting of this system could not be read, 2 wrong
arguments.
`;

export const options = { json: { type: 'boolean' } } as const;

export function run(given: Values<typeof options>): Result {
  const defaults = getSystemDefaults();
  const unread = Object.values<SystemDefault>(defaults).some(
    ({ value, name }) => value === null && name !== null,
  );
  return { output: given.json ? json(defaults, 2) : text(defaults), complete: !unread };
}

function text(defaults: SystemDefaults): string {
  const rows = Object.entries<SystemDefault>(defaults).map(([key, setting]) => [
    key,
    valueText(setting),
    printable(originText(setting)),
  ]);
  const { scope } = defaults.keepAliveInitialDelay;
  return [
    `Defaults of ${process.platform} (${scope === 'machine' ? 'this machine' : `the ${scope} of this process`})`,
    '',
    table([['SETTING', 'VALUE', 'FROM'], ...rows]),
    '',
    ...meaning(defaults).map((sentence) => paragraph(sentence)),
  ].join('\n');
}

function valueText({ value, unit }: SystemDefault): string {
  if (value === null) return '-';
  return unit === 'ms' ? duration(value) : String(value);
}

function originText({ name, source, reason }: SystemDefault): string {
  if (reason !== null) return name === null ? reason : `${name}: ${reason}`;
  return source === 'builtin' ? `built in (${name})` : `${source} ${name}`;
}

/** When a vanished peer is noticed, as far as the numbers are known. */
function meaning(defaults: SystemDefaults): string[] {
  const sentences: string[] = [];
  const { keepAliveInitialDelay, keepAliveInterval, keepAliveCount } = defaults;
  if (
    keepAliveInitialDelay.value !== null &&
    keepAliveInterval.value !== null &&
    keepAliveCount.value !== null
  ) {
    const idle = keepAliveInitialDelay.value + keepAliveInterval.value * keepAliveCount.value;
    sentences.push(
      `Idle connection, keepalive off (as every socket starts): a vanished peer is never noticed.`,
      `Idle connection, keepalive on as above: noticed after ${duration(idle)}.`,
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
      `Data in flight: keepalive does not run, and the write fails after ${duration(busy)} or more, unless a user timeout is set.`,
    );
  }
  return sentences;
}
