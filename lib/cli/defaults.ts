// socket-options defaults: the system's defaults, and what they mean for a peer that vanishes.

import { getSystemDefaults, type SystemDefault, type SystemDefaults } from '../index';
import { retransmissionTime } from '../retransmission';
import type { Result, Values } from './command';
import { duration, paragraph, table } from './text';

export const summary = 'the defaults of keepalive and retransmission on this system';

export const help = `Usage: socket-options defaults [--json]

Shows ${summary}, where
each comes from, and what they mean for a connection whose peer vanishes.

  --json   print one JSON object: by name { value, unit, source, name, scope,
           reason }, times in milliseconds; value is null where the system does
           not tell it, and reason says why

Exit code 1 if a setting that this system has could not be read.
`;

export const options = { json: { type: 'boolean' } } as const;

export function run({ json }: Values<typeof options>): Result {
  const defaults = getSystemDefaults();
  const unread = Object.values<SystemDefault>(defaults).some(
    ({ value, name }) => value === null && name !== null,
  );
  return { output: json ? JSON.stringify(defaults, null, 2) : text(defaults), complete: !unread };
}

function text(defaults: SystemDefaults): string {
  const rows = Object.entries<SystemDefault>(defaults).map(([key, setting]) => [
    key,
    valueText(setting),
    originText(setting),
  ]);
  const { scope } = defaults.keepAliveInitialDelay;
  const whose = scope === 'machine' ? 'this machine' : `this process's ${scope}`;
  return [
    `Defaults of ${process.platform}, as ${whose} has them`,
    '',
    table([['SETTING', 'VALUE', 'FROM'], ...rows]),
    '',
    ...meaning(defaults).map(paragraph),
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

/** What the numbers mean for a dead peer, as far as they are known. */
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
      `Idle, keepalive off (what every socket starts with): a peer that vanishes is never noticed.`,
      `Idle, keepalive on with these defaults: noticed after ${duration(idle)}.`,
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
