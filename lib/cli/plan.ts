// socket-options plan: the options that keep a dead-peer timeout, and what happens then.

import { type PlatformOption, type Row, rows } from '../catalogue/catalogue';
import { type Timelines, timelinesOf } from '../dead-peer/timeline';
import {
  type DeadPeerPlan,
  type DeadPeerPlatform,
  planDeadPeerTimeout,
  type ZeroWindow,
} from '../index';
import { checkedBy, choiceOf, durationOf, numberOf, probesOf, TIMEOUT_RANGE } from './arguments';
import type { Result, Values } from './command';
import { duration, json, paragraph, showsUnicode, table } from './text';

export const summary = 'show and draw the options that detect a vanished peer in time';

export const help = `Usage: socket-options plan <duration> [options]

Shows the options that setDeadPeerTimeout() sets so that a connection fails
within <duration> after its peer vanished. Then draws what happens until it
fails: when the connection is idle, when data is in flight, and in the worst
case, when data is written just before the last probe would end it. A duration
is written 20s, 1500ms, 2m, 1h or 1d; the longest is 24d.

  --platform <name>     linux, darwin, win32, freebsd or gvisor (default: this
                        system)
  --min-probes <n>      how many probes must be unanswered at least: 1 to 127
                        (default: 3)
  --zero-window <what>  a living peer that does not read: fail ends the
                        connection, tolerate keeps it (default: fail)
  --rto <duration>      the retransmission timeout of the connection: 1ms to 2m
                        (default: 1s)
  --loss <percent>      also show how often an idle, living peer is taken for
                        dead on a path that loses this share of the packets in
                        each direction: 0 to 100
  --json                print the plan and its timelines as one JSON object,
                        times in milliseconds

Examples:
  socket-options plan 20s
  socket-options plan 9s --loss 1 --rto 200ms
  socket-options plan 1m --platform win32 --json

Exit codes: 0 success, 2 wrong arguments.
`;

export const options = {
  platform: { type: 'string' },
  'min-probes': { type: 'string' },
  'zero-window': { type: 'string' },
  rto: { type: 'string' },
  loss: { type: 'string' },
  json: { type: 'boolean' },
} as const;

export const operands = ['duration'] as const;

const ZERO_WINDOW: readonly ZeroWindow[] = ['fail', 'tolerate'];
const SYSTEMS: readonly DeadPeerPlatform[] = ['linux', 'darwin', 'win32', 'freebsd', 'gvisor'];

export function run(given: Values<typeof options>, [timeout = '']: readonly string[]): Result {
  const { platform, rto, loss } = given;
  const minProbes = given['min-probes'];
  const zeroWindow = given['zero-window'];
  const milliseconds = durationOf('duration', timeout, ...TIMEOUT_RANGE);
  const plan = checkedBy(() =>
    planDeadPeerTimeout(milliseconds, {
      platform: platform === undefined ? undefined : choiceOf('--platform', platform, SYSTEMS),
      minProbes: minProbes === undefined ? undefined : probesOf(minProbes),
      zeroWindow:
        zeroWindow === undefined ? undefined : choiceOf('--zero-window', zeroWindow, ZERO_WINDOW),
      retransmissionTimeout: rto === undefined ? undefined : durationOf('--rto', rto, '1ms', '2m'),
      lossRate: loss === undefined ? undefined : numberOf('--loss', loss, [0, 100]) / 100,
    }),
  );
  const timelines = timelinesOf(plan);
  const output = given.json ? json({ ...plan, timelines }, 2) : text(plan, timelines, loss);
  return { output, complete: true };
}

function text(plan: DeadPeerPlan, timelines: Timelines, loss: string | undefined): string {
  const { platform, timeout, bounds, falseAlarmsPerHour } = plan;
  const sentences = [
    plan.why,
    ...(falseAlarmsPerHour === null
      ? []
      : [
          `On a path that loses ${loss} % of the packets in each direction, the chance that a living, idle peer is taken for dead is ${chance(falseAlarmsPerHour)} per hour.`,
        ]),
    ...(plan.zeroWindow === 'fail'
      ? [
          'A living peer is ended too if it does not read and its window stays closed for that long.',
        ]
      : []),
    plan.measured
      ? `The rules behind these times were measured on ${platform}.`
      : `The rules behind these times come from the documents and the source code of ${platform}. They were not measured there.`,
  ];
  return [
    `A peer that vanishes is noticed within ${duration(timeout)} on ${platform}.`,
    '',
    table([['OPTION', 'VALUE', 'KERNEL'], ...optionRows(plan)]),
    '',
    paragraph(
      'Time since the last segment of the peer (P probe, W write, R retransmission, X the connection fails):',
    ),
    '',
    ...drawn(timelines, bounds),
    '',
    ...sentences.map((sentence) => paragraph(sentence)),
  ].join('\n');
}

function optionRows({ options, platform }: DeadPeerPlan): string[][] {
  const system = platform === 'gvisor' ? 'linux' : platform;
  return Object.entries(options).map(([name, value]) => {
    const row = rows[name] as Row;
    const platformOption = row[system] as PlatformOption;
    const unit = row.kind === 'duration' ? (platformOption.unit ?? 'ms') : null;
    if (typeof value === 'boolean') return [name, value ? 'on' : 'off', `${platformOption.name} 1`];
    const number = value as number;
    const inUnits = unit === 's' ? Math.ceil(number / 1_000) : number;
    return [
      name,
      unit === null ? `${number}` : duration(number),
      `${platformOption.name} ${inUnits}${unit === null ? '' : ` ${unit}`}`,
    ];
  });
}

function chance(share: number): string {
  if (share === 0) return '0';
  if (share >= 0.1) return `${Math.round(share * 100)} %`;
  const percent = share * 100;
  return percent >= 0.001
    ? `${Number(percent.toPrecision(2))} %`
    : `1 in ${Number((1 / share).toPrecision(2))}`;
}

const LETTERS = { silence: '', write: 'W', probe: 'P', retransmission: 'R', end: 'X' } as const;
const CASES = ['idle', 'busy', 'worst'] as const;
const LABEL = 7;
const FIGURE = 10;
/** Columns for a drawing that shows anything. */
const NARROWEST = 20;

/** A line for each case, and the seconds below. */
function drawn(timelines: Timelines, bounds: DeadPeerPlan['bounds']): string[] {
  const figures = CASES.map((name) => ` ${duration(bounds[name])}`);
  const figure = Math.max(FIGURE, ...figures.map(({ length }) => length));
  const columns = Math.min(process.stdout.columns || 80, 120);
  const width = Math.max(NARROWEST, columns - LABEL - figure);
  const scale = (width - 1) / bounds.worst;
  const dash = showsUnicode() ? '─' : '-';
  const lines = CASES.map((name, index) => {
    const cells: string[] = [];
    for (const { at, what } of timelines[name]) {
      const place = Math.round(at * scale);
      while (cells.length < place) cells.push(dash);
      // The later of two events in one place is shown, so that the end always is.
      if (LETTERS[what] !== '') cells[place] = LETTERS[what];
    }
    return `${name.padEnd(LABEL)}${cells.join('').padEnd(width)}${figures[index]}`.trimEnd();
  });
  return [...lines, `${' '.repeat(LABEL)}${axis(bounds.worst, scale, width)}`];
}

/** Round numbers of seconds, as many as there is room for. */
function axis(longest: number, scale: number, width: number): string {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 36_000, 86_400];
  const step = (steps.find((seconds) => seconds * 1_000 * scale >= 8) ?? longest / 1_000) * 1_000;
  let line = '';
  for (let at = 0; at <= longest; at += step) {
    const label = at % 1_000 === 0 ? `${at / 1_000}` : '';
    const place = Math.round(at * scale);
    if (place + label.length > width) break;
    line = line.padEnd(place) + label;
  }
  return `${line} s`;
}
