// The numbers that the docs, JSDoc and --help name are those that the code has: ranges, defaults and thresholds. A range is
// found by calling the check: both ends pass, and the next value beyond each does not.

import { PassThrough } from 'node:stream';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { Heartbeat } from '../../dist/heartbeat.js';
import {
  getRawOption,
  isSupported,
  planDeadPeerTimeout,
  setDeadPeerTimeout,
  setKeepAlive,
  setOptions,
  setRawOption,
} from '../../dist/index.js';
import { type Row, rows } from '../../lib/catalogue/catalogue';
import { help as connectionsHelp } from '../../lib/cli/commands/connections-help';
import { help as metricsHelp } from '../../lib/cli/commands/metrics';
import * as planCommand from '../../lib/cli/commands/plan';
import { help as watchHelp } from '../../lib/cli/commands/watch';
import { parseInterval, parseSelection } from '../../lib/cli/selection-arguments';
import { parseFilter } from '../../lib/connections/filter';
import { problemsOf } from '../../lib/connections/problems';
import { validateConnectTimeout, validatePlanOptions } from '../../lib/dead-peer/validate-options';
import { validateMetricsOptions } from '../../lib/metrics/metrics-options';
import { validateRegistryOptions } from '../../lib/peer-registry/registry-options';
import { make, timer } from '../support/made-up-connections';
import { onLinux } from '../support/platform';
import { docs, eachNode, jsDocOf, library, membersOf, pages, read } from '../support/sources';

/** A descriptor that no process has: a value that passes the check fails with EBADF after it. */
const NOWHERE = 2_000_000_000;

/** Whether a call does not reject its argument. */
function accepts(call: () => unknown): boolean {
  try {
    call();
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return !['ERR_OUT_OF_RANGE', 'ERR_INVALID_ARG_VALUE', 'ERR_INVALID_ARG_TYPE'].includes(
      code ?? '',
    );
  }
}

const NUMBER = String.raw`-?\d(?:[\d ]*\d)?(?:\.\d+)?(?:\^\d+(?: - 1)?)?`;
const UNITS: Readonly<Record<string, number>> = { s: 1_000, ms: 1 };

/** `'32 767'`, `'2^31 - 1'`, `'-2^31'`. */
function numberOf(text: string): number {
  const [, sign, base, power, less] = /^(-?)(\d+)\^(\d+)( - 1)?$/.exec(text) ?? [];
  if (base === undefined) return Number(text.replaceAll(' ', ''));
  const number = Number(base) ** Number(power) - (less === undefined ? 0 : 1);
  return sign === '-' ? -number : number;
}

interface Range {
  readonly text: string;
  readonly min: number | undefined;
  readonly max: number | undefined;
}

/** The ranges in a sentence: '1 to 127', '1 ms to 32 767 s', 'at most 15', '2 000 or more'. */
function rangesIn(text: string): Range[] {
  const unit = '(?: (ms|s)\\b)?';
  const pairs = [...text.matchAll(new RegExp(`(${NUMBER})${unit} to (${NUMBER})${unit}`, 'g'))];
  const most = [...text.matchAll(new RegExp(`(?:at most|up to) (${NUMBER})${unit}`, 'gi'))];
  const least = [
    ...text.matchAll(new RegExp(`(?:at least (${NUMBER})|(${NUMBER}) or more)`, 'gi')),
  ];
  const scaled = (number = '', name = 'ms') => numberOf(number) * (UNITS[name] as number);
  return [
    ...pairs.map(([whole, from, fromUnit, to, toUnit]) => ({
      ...{ text: whole, min: scaled(from, fromUnit ?? toUnit), max: scaled(to, toUnit) },
    })),
    ...most.map(([whole, to, toUnit]) => ({
      text: whole,
      min: undefined,
      max: scaled(to, toUnit),
    })),
    ...least.map(([whole, one, other]) => ({
      text: whole,
      min: scaled(one ?? other),
      max: undefined,
    })),
  ];
}

/** The ranges that JSDoc names for Linux or for every system, and not those of other systems. */
function rangesOnLinux(doc: string): Range[] {
  // Times of the kernel's clock tick are no limits of a value.
  const text = doc.replaceAll(/\((?:1 to 10 ms|macOS[^)]*|Windows[^)]*)\)/g, '');
  return text.split(/(?<=[;.])\s/).flatMap((clause) => {
    const systems = /^(?:Linux|macOS|Windows|FreeBSD|[Oo]ther systems)[\w\d., ]*(?=: )/.exec(
      clause,
    )?.[0];
    return systems === undefined || systems.includes('Linux') ? rangesIn(clause) : [];
  });
}

/** Expects that the check takes both ends of a range, and nothing beyond. */
function expectEnds({ text, min, max }: Range, check: (value: number) => boolean, step = 1): void {
  const taken = {
    ...(min === undefined ? {} : { min: check(min), below: check(min - step) }),
    ...(max === undefined ? {} : { max: check(max), above: check(max + step) }),
  };
  const expected = {
    ...(min === undefined ? {} : { min: true, below: false }),
    ...(max === undefined ? {} : { max: true, above: false }),
  };
  expect(taken, text).toEqual(expected);
}

describe('the ranges of options in the catalogue', () => {
  const comments = new Map<string, string>();
  for (const file of ['tcp', 'socket', 'ip']) {
    eachNode(library.get(`lib/catalogue/${file}.ts`) as ts.SourceFile, (node) => {
      if (ts.isPropertyAssignment(node) && jsDocOf(node) !== '') {
        comments.set(node.name.getText(), jsDocOf(node));
      }
    });
  }

  /** The kernel takes more than 0 to 6 with a privilege, which the check does not know. */
  const PRIVILEGED = 'priority';

  function exampleValue({ kind }: Row, number: number): unknown {
    if (kind === 'string') return 'x'.repeat(number);
    if (kind === 'portRange') return { low: number, high: number };
    return kind === 'linger' ? { enable: true, timeout: number } : number;
  }

  const writable = Object.entries(rows()).filter(
    ([name, row]) =>
      row.access === undefined &&
      row.linux !== null &&
      row.linux.access === undefined &&
      name !== PRIVILEGED,
  );

  test.for(writable)('%s: the range in the JSDoc is that of the check', ([name, row], { skip }) => {
    onLinux('other systems have other ranges')({ skip });
    skip(!isSupported(name), 'this kernel does not have the option');
    const ranges = rangesOnLinux(comments.get(name) as string);
    for (const range of ranges) {
      expectEnds(range, (number) =>
        accepts(() => setOptions(NOWHERE, { [name]: exampleValue(row, number) })),
      );
    }
  });
});

const plan = (options: object, timeout = 2 ** 31 - 1) =>
  planDeadPeerTimeout(timeout, { platform: 'linux', ...options });

/** The checks of numbers whose range is in the JSDoc, by their type and member, or by their function. */
const CHECKS: Readonly<Record<string, (value: number) => unknown>> = {
  setDeadPeerTimeout: (value) => setDeadPeerTimeout(NOWHERE, value),
  planDeadPeerTimeout: (value) => plan({}, value),
  'DeadPeerOptions.minProbes': (minProbes) => plan({ minProbes }),
  'DeadPeerOptions.maxSilence': (maxSilence) => plan({ maxSilence }),
  'PlanOptions.retransmissionTimeout': (retransmissionTimeout) => plan({ retransmissionTimeout }),
  'PlanOptions.lossRate': (lossRate) => plan({ lossRate }),
  'KeepAliveOptions.initialDelay': (initialDelay) => setKeepAlive(NOWHERE, { initialDelay }),
  'KeepAliveOptions.interval': (interval) => setKeepAlive(NOWHERE, { interval }),
  'KeepAliveOptions.count': (count) => setKeepAlive(NOWHERE, { count }),
  'HeartbeatOptions.interval': (interval) => new Heartbeat(new PassThrough(), { interval }).close(),
  'HeartbeatOptions.timeout': (timeout) =>
    new Heartbeat(new PassThrough(), { interval: 50, timeout }).close(),
  'ConnectionFilter.port': (port) => parseFilter({ port }, 'x'),
  'ConnectionFilter.localPort': (localPort) => parseFilter({ localPort }, 'x'),
  'ConnectionFilter.remotePort': (remotePort) => parseFilter({ remotePort }, 'x'),
  'PeerRegistryOptions.limit': (limit) => validateRegistryOptions({ limit }),
  'PeerRegistryOptions.aliveWithin': (aliveWithin) => validateRegistryOptions({ aliveWithin }),
  'TcpMetricsOptions.interval': (interval) => validateMetricsOptions({ interval }),
  'TcpMetricsOptions.maxPeers': (maxPeers) => validateMetricsOptions({ maxPeers }),
  getRawOption: (length) => getRawOption(NOWHERE, 6, 4, length),
  // It has a range of numbers, and a largest number of bytes.
  setRawOption: (value) => {
    setRawOption(NOWHERE, 6, 4, Math.abs(value) < 2 ** 20 ? new Uint8Array(value) : value);
  },
};

/** What calls return. */
const RESULTS = /^(?:Connection|MptcpSubflow|MptcpInfo|DeadPeerPlan|TcpInfo)\./;
/** Numbers in JSDoc that are no range of an argument, and ranges that other tests call. */
const NO_ARGUMENT: Readonly<Record<string, string>> = {
  'ConnectionWatchOptions.limit': 'each end opens a netlink socket: below',
  'TcpMetricsOptions.peer': 'the length of a name: test/unit/metrics.test.ts',
  listConnections: 'a duration',
  listConnectionsAsync: 'a duration',
  connect: 'versions of Node',
  getMptcpInfo: 'kernel versions',
};

/** Each exported function and each member of an exported interface or class, with its JSDoc. */
function documented(): [key: string, doc: string][] {
  const found: [string, string][] = [];
  for (const [path, file] of library) {
    if (
      path.startsWith('lib/catalogue') ||
      path.startsWith('lib/cli') ||
      path.startsWith('lib/tcp-info/')
    )
      continue;
    for (const node of file.statements) {
      const isExported =
        ts.canHaveModifiers(node) &&
        ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
      if (!isExported) continue;
      if (ts.isFunctionDeclaration(node)) found.push([node.name?.text ?? '', jsDocOf(node)]);
      if (ts.isInterfaceDeclaration(node)) {
        for (const member of node.members) {
          found.push([`${node.name.text}.${member.name?.getText()}`, jsDocOf(member)]);
        }
      }
    }
  }
  // Remarks in parentheses come between the ends of a range.
  return found.map(([key, doc]) => [key, doc.replaceAll(/ \([^)]*\)/g, '')]);
}

describe('the ranges of arguments in JSDoc', () => {
  const isRange = ({ min, max }: Range) => min !== undefined && max !== undefined;
  const withRange = documented().filter(([, doc]) => rangesIn(doc).some(isRange));

  test('each one has a check here, or a reason', () => {
    const known = [...Object.keys(CHECKS), ...Object.keys(NO_ARGUMENT)];
    const unknown = withRange.filter(([key]) => !known.includes(key) && !RESULTS.test(key));
    expect(unknown).toEqual([]);
    expect(withRange.length).toBeGreaterThan(10);
  });

  test.for(Object.keys(CHECKS))('%s: both ends pass, and nothing beyond', (key, { skip }) => {
    const isOfLinux = key.startsWith('KeepAliveOptions');
    skip(isOfLinux && process.platform !== 'linux', 'the range is that of Linux');
    const docsOf = documented().filter(([name]) => name === key);
    const ranges = docsOf.flatMap(([, doc]) => rangesOnLinux(doc));
    // The JSDoc of these members is optional; a range that it has must be right.
    if (!key.startsWith('ConnectionFilter')) expect(ranges, key).not.toEqual([]);
    // A fraction is too fine a step for the smallest loss rate.
    const step = key === 'PlanOptions.lossRate' ? 0.001 : 1;
    for (const range of ranges)
      expectEnds(range, (value) => accepts(() => CHECKS[key]?.(value)), step);
  });

  test('a connect timeout has the range of the dead-peer timeout, from 1 ms on', () => {
    const check = (value: number) => accepts(() => validateConnectTimeout(value, 'x'));
    expectEnds({ text: '', min: 1, max: 2 ** 31 - 1 }, check);
  });

  test('docs/dead-peers.md has the smallest timeout', () => {
    const [, seconds] =
      /The smallest timeout is (\d+) s/.exec(pages.get('docs/dead-peers.md') as string) ?? [];
    expectEnds({ text: '', min: Number(seconds) * 1_000, max: undefined }, (value) =>
      accepts(() => plan({}, value)),
    );
  });
});

describe('defaults', () => {
  /** The default of each member that names one, from the check of its object. */
  const DEFAULTS: Readonly<Record<string, unknown>> = {
    ...prefixed('DeadPeerOptions', validatePlanOptions({}, 'x')),
    ...prefixed('PeerRegistryOptions', validateRegistryOptions({})),
    ...prefixed('TcpMetricsOptions', validateMetricsOptions({})),
    'PlanOptions.retransmissionTimeout': plan({}).retransmissionTimeout,
    'HeartbeatOptions.timeout': 'twice the interval',
  };

  function prefixed(name: string, members: object): Record<string, unknown> {
    return Object.fromEntries(
      Object.entries(members).map(([key, value]) => [`${name}.${key}`, value]),
    );
  }

  /** 'Default: 15 000', 'by default `true`', "`'tolerate'` (the default)". */
  function defaultIn(doc: string): string | undefined {
    const pattern =
      /[Dd]efault: (`[^`]+`|[\d ]+\d|\d|twice the interval)|by default (`[^`]+`|[\d ]+\d|\d)|(`[^`]+`) \(the default\)/;
    const [, ...found] = pattern.exec(doc) ?? [];
    return found.find((text) => text !== undefined)?.replaceAll(/[`']/g, '');
  }

  const LISTED = [
    'DeadPeerOptions',
    'PlanOptions',
    'HeartbeatOptions',
    'PeerRegistryOptions',
    'TcpMetricsOptions',
  ];

  test('of JSDoc are those of the checks', () => {
    const named = LISTED.flatMap((type) =>
      membersOf(type).flatMap(({ name, doc }) => {
        const value = defaultIn(doc);
        const isOwn = `${type}.${name}` in DEFAULTS;
        return value === undefined || !isOwn ? [] : [[`${type}.${name}`, value] as const];
      }),
    );
    expect(named.length).toBeGreaterThanOrEqual(9);
    for (const [key, value] of named) {
      const expected = String(DEFAULTS[key]);
      expect(/^[\d ]+$/.test(value) ? String(numberOf(value)) : value, key).toBe(expected);
    }
  });

  test('of a heartbeat: twice the interval', () => {
    const heartbeat = new Heartbeat(new PassThrough(), { interval: 5_000 });
    expect(heartbeat.timeout).toBe(10_000);
    heartbeat.close();
  });

  test('of docs/metrics.md are those of the check', () => {
    const page = pages.get('docs/metrics.md') as string;
    const { interval, maxPeers } = validateMetricsOptions({});
    const cell = (name: string) => {
      const row = page.split('\n').find((line) => line.startsWith(`| \`${name}\` |`)) as string;
      return numberOf((row.split('|')[2] as string).trim());
    };
    expect({ interval: cell('interval'), maxPeers: cell('maxPeers') }).toEqual({
      interval,
      maxPeers,
    });
    const [range] = rangesIn(
      page.split('\n').find((line) => line.startsWith('| `interval` |')) as string,
    );
    expectEnds(range as Range, (value) =>
      accepts(() => validateMetricsOptions({ interval: value })),
    );
  });
});

describe('--help', () => {
  /** The paragraph of each option. */
  function optionsIn(help: string): Map<string, string> {
    const parts = help.split(/^ {2}(?=--)/m).slice(1);
    return new Map(
      parts.map((part) => {
        const [paragraph = ''] = part.split(/\n(?! {4})/);
        return [/^--([\w-]+)/.exec(paragraph)?.[1] ?? '', paragraph.replaceAll(/\s+/g, ' ')];
      }),
    );
  }

  const HELPS = {
    connections: connectionsHelp,
    plan: planCommand.help,
    watch: watchHelp,
    metrics: metricsHelp,
  };
  const VALUE = String.raw`\d+(?:\.\d+)?(?:ms|s|m|h|d)?`;

  /** The ranges of all options: 'plan --rto' -> ['1ms', '2m']. */
  const ranges = Object.entries(HELPS).flatMap(([command, help]) =>
    [...optionsIn(help)].flatMap(([option, text]) => {
      const [, from, to] = new RegExp(`(${VALUE}) to (${VALUE})`).exec(text) ?? [];
      return from === undefined ? [] : [[`${command} --${option}`, from, to as string] as const];
    }),
  );

  const planWith = (option: string) => (text: string) => {
    planCommand.run({ [option]: text } as never, ['24d']);
  };
  /** How each range is checked without a connection. */
  const PARSERS: Readonly<Record<string, (text: string) => unknown>> = {
    'connections --limit': (limit) => parseSelection({ limit } as never),
    'connections --interval': parseInterval,
    'plan --min-probes': planWith('min-probes'),
    'plan --max-silence': planWith('max-silence'),
    'plan --rto': planWith('rto'),
    'plan --loss': planWith('loss'),
  };
  /** Options whose range test/long/cli.test.ts reaches by running the command. */
  const ELSEWHERE = ['watch --min-probes', 'watch --write', 'metrics --port'];

  test('each range has a check here', () => {
    expect(ranges.map(([key]) => key).toSorted()).toEqual(
      [...Object.keys(PARSERS), ...ELSEWHERE].toSorted(),
    );
  });

  const parses = (parse: (text: string) => unknown, text: string) => {
    try {
      parse(text);
      return true;
    } catch {
      return false;
    }
  };
  const LENGTHS: Readonly<Record<string, number>> = { ms: 1, s: 1e3, m: 6e4, h: 3.6e6, d: 8.64e7 };

  /** The value next to a limit: a millisecond, a whole number, or a hundredth. */
  function beside(text: string, direction: 1 | -1): string {
    const [, number, unit = ''] = /^([\d.]+)(ms|[smhd])?$/.exec(text) ?? [];
    const length = LENGTHS[unit];
    if (length !== undefined) return `${Number(number) * length + direction}ms`;
    return `${Number((Number(text) + direction * (text.includes('.') ? 0.01 : 1)).toFixed(2))}`;
  }

  test.each(ranges.filter(([key]) => key in PARSERS))('%s: %s to %s', (key, from, to) => {
    const parse = PARSERS[key] as (text: string) => unknown;
    const taken = [beside(from, -1), from, to, beside(to, 1)].map((text) => parses(parse, text));
    expect(taken).toEqual([false, true, true, false]);
  });

  test('the longest duration of plan', () => {
    const [, longest = ''] = /the longest is (\w+)\./.exec(planCommand.help) ?? [];
    const parse = (text: string) => planCommand.run({}, [text]);
    expect([longest, beside(longest, 1)].map((text) => parses(parse, text))).toEqual([true, false]);
  });

  test('its defaults are those without the option', () => {
    const defaultOf = (help: string, option: string) =>
      /\(default: ([\w.]+)/.exec(optionsIn(help).get(option) as string)?.[1] as string;
    const usual = planCommand.run({ platform: 'linux' }, ['20s']).output;
    for (const option of ['min-probes', 'zero-window', 'rto']) {
      const given = { platform: 'linux', [option]: defaultOf(planCommand.help, option) } as never;
      expect(planCommand.run(given, ['20s']).output, option).toBe(usual);
    }
    expect(parseInterval(defaultOf(connectionsHelp, 'interval'))).toBe(parseInterval());
    expect(defaultOf(watchHelp, 'min-probes')).toBe(defaultOf(planCommand.help, 'min-probes'));
    const usualHost = /const DEFAULT_HOST|host \?\? '([\d.]+)'/.exec(
      read('lib/cli/commands/metrics.ts'),
    )?.[1];
    expect(defaultOf(metricsHelp, 'host')).toBe(usualHost);
  });
});

describe('docs/diagnostics.md has the thresholds of each problem', () => {
  const page = pages.get('docs/diagnostics.md') as string;
  const rowOf = (problem: string) =>
    page.split('\n').find((line) => line.startsWith(`| \`${problem}\` |`)) as string;
  const secondsIn = (problem: string, pattern: RegExp) =>
    Number(pattern.exec(rowOf(problem))?.[1]) * 1_000;
  const has = (problem: string, connection: ReturnType<typeof make>) =>
    problemsOf({ ...connection, keepAlive: null }).find((one) => one.problem === problem);

  test('close-wait', () => {
    const limit = secondsIn('close-wait', /warning after (\d+) s, before info/);
    const closed = (silence: number) =>
      make(
        { state: 'CLOSE-WAIT' },
        { timeSinceLastDataReceived: silence, timeSinceLastAckReceived: silence },
      );
    expect(has('close-wait', closed(limit))?.severity).toBe('warning');
    expect(has('close-wait', closed(limit - 1))?.severity).toBe('info');
  });

  test('unread', () => {
    const limit = secondsIn('unread', /for (\d+) s nothing new/);
    const waiting = (time: number) =>
      make({ receiveQueue: 1 }, { timeSinceLastDataReceived: time });
    expect(has('unread', waiting(limit))).toBeDefined();
    expect(has('unread', waiting(limit - 1))).toBeUndefined();
  });

  test('window-closed', () => {
    const limit = secondsIn('window-closed', /not read for (\d+) s/);
    const closed = (time: number) =>
      make({ ...timer('persist', 0), sendQueue: 1 }, { rto: time, backoff: 1, sendWindow: 0 });
    expect(has('window-closed', closed(limit))).toBeDefined();
    expect(has('window-closed', closed(limit - 1))).toBeUndefined();
  });

  test('lossy-path', () => {
    const [, percent, kilobytes] =
      /(\d+) % of the bytes were sent again, of (\d+) kB/.exec(rowOf('lossy-path')) ?? [];
    const bytes = Number(kilobytes) * 1_000;
    const again = (bytes * Number(percent)) / 100;
    const lossy = (bytesSent: number, bytesRetransmitted: number) =>
      make({}, { bytesSent, bytesRetransmitted });
    expect(has('lossy-path', lossy(bytes, again))).toBeDefined();
    expect(has('lossy-path', lossy(bytes, again - 1))).toBeUndefined();
    expect(has('lossy-path', lossy(bytes - 1, again))).toBeUndefined();
  });

  test('half-open and handshake-unanswered', () => {
    const NUMBERS: Readonly<Record<string, number>> = { two: 2, three: 3, four: 4 };
    const [, probes = ''] = /\| (\w+) keepalive probes/.exec(rowOf('half-open')) ?? [];
    const count = NUMBERS[probes] as number;
    const probed = (sent: number) => make(timer('keepalive', sent), { rtt: 1, probes: sent });
    expect(has('half-open', probed(count))).toBeDefined();
    expect(has('half-open', probed(count - 1))).toBeUndefined();

    const [, attempts = ''] =
      /was sent (\w+) times or more/.exec(rowOf('handshake-unanswered')) ?? [];
    const sent = (times: number) =>
      make(
        { state: 'SYN-SENT', ...timer('retransmission', times - 1) },
        { consecutiveTimeouts: 0 },
      );
    expect(has('handshake-unanswered', sent(NUMBERS[attempts] as number))).toBeDefined();
    expect(has('handshake-unanswered', sent((NUMBERS[attempts] as number) - 1))).toBeUndefined();
  });
});

describe('docs/dead-peers.md', () => {
  const page = pages.get('docs/dead-peers.md') as string;

  test('has the share of the timeout that an answer may take on Linux', () => {
    const [, least, most] =
      /on Linux (\d+) to (\d+) % of a timeout up to 15 minutes/.exec(page) ?? [];
    const shares = Array.from({ length: 897 }, (_, index) => {
      const timeout = 4_000 + index * 1_000;
      const { slowestAnswer } = planDeadPeerTimeout(timeout, { platform: 'linux' });
      return (100 * slowestAnswer) / timeout;
    });
    expect([Math.floor(Math.min(...shares)), Math.ceil(Math.max(...shares))]).toEqual([
      Number(least),
      Number(most),
    ]);
  });

  test('has the silence from which on a plan warns of devices that forget it', () => {
    const [, seconds] = /can be silent for (\d+) s or more/.exec(page) ?? [];
    const limit = Number(seconds) * 1_000;
    for (let timeout = limit; timeout < 10 * limit; timeout += 999) {
      const { options, warnings } = plan({}, timeout);
      const silence = Number(options.keepAliveInitialDelay);
      const warns = warnings.some((text) => /forget/.test(text));
      // The kernel's timer may be late.
      if (silence < 0.9 * limit || silence >= limit)
        expect(warns, `${timeout}`).toBe(silence >= limit);
    }
  });
});

test('every text has the same number of time series of a peer group', () => {
  const texts = [docs, ...['lib/metrics/metrics-options.ts', 'examples/metrics.mjs'].map(read)];
  const numbers = texts.flatMap((text) =>
    [...text.matchAll(/(\d+) time series/g)].map(([, number]) => number),
  );
  expect(numbers.length).toBeGreaterThanOrEqual(3);
  expect(new Set(numbers).size).toBe(1);
});
