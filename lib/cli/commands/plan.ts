// socket-options plan: prints the options that keep a dead-peer timeout, and draws what happens when a peer
// vanishes.

import { type PlatformOption, type Row, rows } from '../../catalogue/catalogue';
import { type Timelines, timelinesOf } from '../../dead-peer/timeline';
import {
  type DeadPeerPlan,
  type DeadPeerPlatform,
  planDeadPeerTimeout,
  type ZeroWindow,
} from '../../index';
import { checkedBy, choiceOf, durationOf, numberOf, probesOf, TIMEOUT_RANGE } from '../arguments';
import type { Result, Values } from '../command';
import { formatDuration, formatTable, supportsUnicode, toJson, wrap } from '../view/text';

export const summary = 'show and draw the options that detect a vanished peer in time';

export const help = `Usage: socket-options plan <duration> [options]

Shows the options that setDeadPeerTimeout() sets so that a connection fails
within <duration> after its peer vanished. Then draws what happens until it
fails: when the connection is idle, when data is in flight, when the peer's
window was closed, and in the worst case, when data is written between probes.
Lines that begin with ! say what the plan cannot keep. A duration is written
20s, 1500ms, 2m, 1h or 1d; the longest is 24d.

  --platform <name>     linux, darwin, win32, freebsd, gvisor or mptcp
                        (Multipath TCP of Linux; default: this system)
  --kernel-only         the values of the kernel alone, for a bare descriptor
                        or supervise: false
  --min-probes <n>      the least number of unanswered segments before the
                        connection fails: 1 to 127 (default: 3)
  --max-silence <dur>   how long the connection may be silent, for devices on
                        the path that forget silent connections: 2s to 24d
  --zero-window <what>  what happens if a living peer does not read: fail ends
                        the connection, tolerate keeps it (default: tolerate)
  --rto <duration>      the retransmission timeout of the connection: 1ms to 2m
                        (default: 1s)
  --loss <percent>      also show how often an idle, living peer is taken for
                        dead if the path loses this share of the packets in each
                        direction: 0 to 100
  --json                print the plan and its timelines as one JSON object;
                        times are in milliseconds

Examples:
  socket-options plan 20s
  socket-options plan 30m --max-silence 4m
  socket-options plan 20s --kernel-only --loss 1 --rto 200ms
  socket-options plan 1m --platform win32 --json

Exit codes: 0 success, 2 wrong arguments.
`;

export const options = {
  platform: { type: 'string' },
  'kernel-only': { type: 'boolean' },
  'min-probes': { type: 'string' },
  'max-silence': { type: 'string' },
  'zero-window': { type: 'string' },
  rto: { type: 'string' },
  loss: { type: 'string' },
  json: { type: 'boolean' },
} as const;

export const operands = ['duration'] as const;

const ZERO_WINDOW_CHOICES: readonly ZeroWindow[] = ['fail', 'tolerate'];
const PLATFORMS: readonly DeadPeerPlatform[] = [
  ...(['linux', 'darwin', 'win32', 'freebsd'] as const),
  ...(['gvisor', 'mptcp'] as const),
];

/** The values that are known in advance, for shell completion. */
export const choices = { platform: PLATFORMS, 'zero-window': ZERO_WINDOW_CHOICES };

export function run(given: Values<typeof options>, [timeout = '']: readonly string[]): Result {
  const { platform, rto, loss } = given;
  const minProbes = given['min-probes'];
  const maxSilence = given['max-silence'];
  const zeroWindow = given['zero-window'];
  const milliseconds = durationOf('duration', timeout, ...TIMEOUT_RANGE);
  const plan = checkedBy(() =>
    planDeadPeerTimeout(milliseconds, {
      platform: platform === undefined ? undefined : choiceOf('--platform', platform, PLATFORMS),
      supervise: given['kernel-only'] !== true,
      minProbes: minProbes === undefined ? undefined : probesOf(minProbes),
      maxSilence:
        maxSilence === undefined ? undefined : durationOf('--max-silence', maxSilence, '2s', '24d'),
      zeroWindow:
        zeroWindow === undefined
          ? undefined
          : choiceOf('--zero-window', zeroWindow, ZERO_WINDOW_CHOICES),
      retransmissionTimeout: rto === undefined ? undefined : durationOf('--rto', rto, '1ms', '2m'),
      lossRate: loss === undefined ? undefined : numberOf('--loss', loss, [0, 100]) / 100,
    }),
  );
  const timelines = timelinesOf(plan);
  const output = given.json ? toJson({ ...plan, timelines }, 2) : formatText(plan, timelines, loss);
  return { output, complete: true };
}

function formatText(plan: DeadPeerPlan, timelines: Timelines, loss: string | undefined): string {
  const { platform, slowestAnswer, warnings } = plan;
  const sentences = [
    plan.why,
    `An answer of a living peer may take up to ${formatDuration(Math.floor(slowestAnswer / 100) * 100)}.`,
    ...falseAlarmSentences(plan, loss),
    ...(plan.zeroWindow === 'fail'
      ? [
          'A living peer is ended too if it does not read and its window stays closed for about that long.',
        ]
      : []),
    plan.measured
      ? `The rules behind these times were measured on ${platform}.`
      : `The rules behind these times come from the documents and the source code of ${platform}. They were not measured there.`,
  ];
  return [
    wrap(headlineOf(plan)),
    '',
    formatTable([['OPTION', 'VALUE', 'KERNEL'], ...optionRows(plan)]),
    '',
    wrap(
      'Time since the last segment of the peer (P probe, W write, R retransmission, X the connection fails):',
    ),
    '',
    ...drawTimelines(timelines, plan.bounds),
    '',
    ...sentences.map((sentence) => wrap(sentence)),
    ...(warnings.length > 0 ? [''] : []),
    ...warnings.map((warning) => wrap(`! ${warning}`)),
  ].join('\n');
}

function falseAlarmSentences(
  { falseAlarmsPerHour, falseAlarmsPerHourWriting }: DeadPeerPlan,
  loss: string | undefined,
): string[] {
  if (falseAlarmsPerHour === null) return [];
  const sentence = `On a path that loses ${loss} % of the packets in each direction, the chance that a living, idle peer is taken for dead is ${formatChance(falseAlarmsPerHour)} per hour.`;
  if (falseAlarmsPerHourWriting === null) return [sentence];
  return [
    `${sentence} While the program writes, it is at most ${formatChance(falseAlarmsPerHourWriting)}.`,
  ];
}

function headlineOf({ platform, timeout, bounds, promise }: DeadPeerPlan): string {
  const within = formatDuration(timeout);
  if (bounds.worst <= timeout && !promise.isToldInTime) {
    return `A peer that vanishes is noticed within ${within} on ${platform}, except in the cases below.`;
  }
  return bounds.worst <= timeout
    ? `A peer that vanishes is noticed within ${within} on ${platform}.`
    : `A peer that vanishes is noticed within ${formatDuration(bounds.worst)} on ${platform}, and not always within ${within}.`;
}

function optionRows({ options, platform }: DeadPeerPlan): string[][] {
  const system = platform === 'gvisor' || platform === 'mptcp' ? 'linux' : platform;
  return Object.entries(options).map(([name, value]) => {
    const row = rows()[name] as Row;
    const platformOption = row[system] as PlatformOption;
    const unit = row.kind === 'duration' ? (platformOption.unit ?? 'ms') : null;
    if (typeof value === 'boolean') return [name, value ? 'on' : 'off', `${platformOption.name} 1`];
    const number = value as number;
    const inUnits = unit === 's' ? Math.ceil(number / 1_000) : number;
    return [
      name,
      unit === null ? `${number}` : formatDuration(number),
      `${platformOption.name} ${inUnits}${unit === null ? '' : ` ${unit}`}`,
    ];
  });
}

function formatChance(share: number): string {
  if (share === 0) return '0';
  if (share >= 0.1) return `${Math.round(share * 100)} %`;
  const percent = share * 100;
  return percent >= 0.001
    ? `${Number(percent.toPrecision(2))} %`
    : `1 in ${Number((1 / share).toPrecision(2))}`;
}

const EVENT_LETTERS = {
  silence: '',
  write: 'W',
  probe: 'P',
  retransmission: 'R',
  end: 'X',
} as const;
const CASES = [
  ['idle', 'idle'],
  ['busy', 'busy'],
  ['closedWindow', 'closed'],
  ['worst', 'worst'],
] as const;
/** Widths, in columns: of the case's name, of its bound, and of the drawing between them. */
const LABEL_WIDTH = 8;
const MIN_BOUND_WIDTH = 10;
const MIN_DRAWING_WIDTH = 20;
const MAX_WIDTH = 120;
/** A case that takes so many times longer than others would leave no room for them. */
const FAR_LONGER = 4;

/** A line for each case, to scale, and an axis of seconds below. */
function drawTimelines(timelines: Timelines, bounds: DeadPeerPlan['bounds']): string[] {
  const longest = FAR_LONGER * Math.max(bounds.idle, bounds.busy);
  const drawn = CASES.filter(([name]) => bounds[name] <= longest);
  const end = Math.max(...drawn.map(([name]) => bounds[name]));
  const boundWidth = Math.max(MIN_BOUND_WIDTH, ...CASES.map(([name]) => boundOf(name).length));
  const columns = Math.min(process.stdout.columns || 80, MAX_WIDTH);
  const width = Math.max(MIN_DRAWING_WIDTH, columns - LABEL_WIDTH - boundWidth);
  const scale = (width - 1) / end;
  const dash = supportsUnicode() ? '─' : '-';
  function boundOf(name: keyof Timelines): string {
    return ` ${formatDuration(bounds[name])}`;
  }
  function drawingOf(name: keyof Timelines): string {
    if (bounds[name] > longest) return dash.repeat(width - 1).concat('>');
    const cells: string[] = [];
    for (const { at, what } of timelines[name]) {
      const column = Math.round(at * scale);
      while (cells.length < column) cells.push(dash);
      // Of two events in one column the later one is shown, so the end is always visible.
      if (EVENT_LETTERS[what] !== '') cells[column] = EVENT_LETTERS[what];
    }
    return cells.join('').padEnd(width);
  }
  const lines = CASES.map(([name, label]) =>
    `${label.padEnd(LABEL_WIDTH)}${drawingOf(name)}${boundOf(name)}`.trimEnd(),
  );
  return [...lines, `${' '.repeat(LABEL_WIDTH)}${drawAxis(end, scale, width)}`];
}

/** As many round numbers of seconds as fit. */
function drawAxis(longest: number, scale: number, width: number): string {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 36_000, 86_400];
  const step = (steps.find((seconds) => seconds * 1_000 * scale >= 8) ?? longest / 1_000) * 1_000;
  let line = '';
  for (let at = 0; at <= longest; at += step) {
    const label = at % 1_000 === 0 ? `${at / 1_000}` : '';
    const column = Math.round(at * scale);
    if (column + label.length > width) break;
    line = line.padEnd(column) + label;
  }
  return `${line} s`;
}
