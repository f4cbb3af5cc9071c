// socket-options plan: what keeps a dead-peer timeout, and what happens then.

import type { Row, Spelling } from '../catalogue/row';
import { type Timelines, timelinesOf } from '../dead-peer/timeline';
import {
  type DeadPeerPlan,
  type DeadPeerPlatform,
  planDeadPeerTimeout,
  type ZeroWindow,
} from '../index';
import { rows } from '../options/index';
import { choiceOf, durationOf, numberOf, orTooSmall } from './arguments';
import type { Result, Values } from './command';
import { duration, paragraph, showsUnicode, table } from './text';

export const summary = 'the values that find a vanished peer within a time, drawn';

export const help = `Usage: socket-options plan <duration> [options]

Shows what setDeadPeerTimeout() would set so that a socket fails within that
time after its peer vanished, and draws what happens until then: on an idle
connection, with data in flight, and at the worst, where data is written just
before the last probe ends it. A duration is written 20s, 1500ms, 2m or 1h.

  --platform <name>     linux, darwin, win32, freebsd, gvisor; else this system
  --min-probes <n>      probes that have to go unanswered at the least; 3
  --zero-window <what>  a peer that does not read: fail or tolerate; fail
  --rto <duration>      the connection's retransmission timeout; 1s
  --loss <percent>      tell the chance per hour that a living, idle peer is
                        taken for dead on a path that loses so many packets in
                        each direction
  --json                the plan and its timelines as one object, times in ms

Examples:
  socket-options plan 20s
  socket-options plan 9s --loss 1 --rto 200ms
  socket-options plan 1m --platform win32 --json
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
  const milliseconds = durationOf('duration', timeout);
  const plan = orTooSmall(() =>
    planDeadPeerTimeout(milliseconds, {
      platform: platform === undefined ? undefined : choiceOf('--platform', platform, SYSTEMS),
      minProbes: minProbes === undefined ? undefined : numberOf('--min-probes', minProbes, 1, 127),
      zeroWindow:
        zeroWindow === undefined ? undefined : choiceOf('--zero-window', zeroWindow, ZERO_WINDOW),
      retransmissionTimeout: rto === undefined ? undefined : durationOf('--rto', rto),
      lossRate: loss === undefined ? undefined : numberOf('--loss', loss, 0, 100) / 100,
    }),
  );
  const timelines = timelinesOf(plan);
  const output = given.json
    ? JSON.stringify({ ...plan, timelines }, null, 2)
    : text(plan, timelines, loss);
  return { output, complete: true };
}

function text(plan: DeadPeerPlan, timelines: Timelines, loss: string | undefined): string {
  const { platform, timeout, bounds, falseAlarmsPerHour } = plan;
  const says = [
    plan.why,
    ...(falseAlarmsPerHour === null
      ? []
      : [
          `On a path that loses ${loss} % of the packets in each direction, the chance that a living, idle peer is taken for dead is ${chance(falseAlarmsPerHour)} per hour.`,
        ]),
    ...(plan.zeroWindow === 'fail'
      ? ['A living peer that does not read for so long that its window stays closed is ended too.']
      : []),
    plan.measured
      ? 'Measured on this system: docs/dead-peers.md has the table.'
      : 'By the documents and source of that system: it has not been run there.',
  ];
  return [
    `A peer that vanishes is noticed within ${duration(timeout)} on ${platform}.`,
    '',
    table([['OPTION', 'VALUE', 'KERNEL'], ...optionRows(plan)]),
    '',
    'After the last segment of the peer (P probe, W write, R retransmission, X end):',
    '',
    ...drawn(timelines, bounds),
    '',
    ...says.map(paragraph),
  ].join('\n');
}

function optionRows({ options, platform }: DeadPeerPlan): string[][] {
  const system = platform === 'gvisor' ? 'linux' : platform;
  return Object.entries(options).map(([name, value]) => {
    const row = rows[name] as Row;
    const spelling = row[system] as Spelling;
    const unit = row.kind === 'duration' ? (spelling.unit ?? 'ms') : null;
    if (typeof value === 'boolean') return [name, value ? 'on' : 'off', `${spelling.name} 1`];
    const number = value as number;
    const inUnits = unit === 's' ? Math.ceil(number / 1_000) : number;
    return [
      name,
      unit === null ? `${number}` : duration(number),
      `${spelling.name} ${inUnits}${unit === null ? '' : ` ${unit}`}`,
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

/** One line for each case, and the seconds below. */
function drawn(timelines: Timelines, bounds: DeadPeerPlan['bounds']): string[] {
  const width = Math.min(process.stdout.columns || 80, 120) - LABEL - FIGURE;
  const scale = (width - 1) / bounds.worst;
  const dash = showsUnicode() ? '─' : '-';
  const lines = CASES.map((name) => {
    const cells: string[] = [];
    for (const { at, what } of timelines[name]) {
      const place = Math.round(at * scale);
      while (cells.length < place) cells.push(dash);
      // Two in one place: the later one is what matters, and an end above all.
      if (LETTERS[what] !== '') cells[place] = LETTERS[what];
    }
    return `${name.padEnd(LABEL)}${cells.join('').padEnd(width)} ${duration(bounds[name])}`.trimEnd();
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
