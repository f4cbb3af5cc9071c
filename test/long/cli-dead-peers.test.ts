// socket-options plan, and socket-options watch on connections whose peers really vanish.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, type TestContext, test } from 'vitest';
import { isSupported, planDeadPeerTimeout } from '../../dist/index.js';
import { parseDuration } from '../../lib/core/duration';
import { timelinesOf } from '../../lib/dead-peer/timeline';
import { inNamespace, needsNamespace, withoutNamespace } from '../support/namespace';
import { REFUSING_PORT } from '../support/net';

const main = join(__dirname, '../../dist/cli/main.js');

/** The plans for this Linux have other values before 6.15. */
const needsTimeoutMax = ({ skip }: TestContext) =>
  skip(
    process.platform === 'linux' && !isSupported('retransmissionTimeoutMax'),
    'TCP_RTO_MAX_MS needs Linux 6.15',
  );

function run(args: string[], env: NodeJS.ProcessEnv = { LC_ALL: 'C.UTF-8' }) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, ...env },
  });
  return { status, stdout, stderr };
}

test.each([
  ['10s', 10_000],
  ['500ms', 500],
  ['1.5m', 90_000],
  ['2min', 120_000],
  ['1h', 3_600_000],
  ['24d', 2_073_600_000],
  ['10', undefined],
  ['', undefined],
  ['-5s', undefined],
  ['1e3s', undefined],
  ['5 s', undefined],
])('parseDuration(%j) is %j', (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds);
});

describe('timelinesOf', () => {
  const at = (events: readonly { at: number; what: string }[], what: string) =>
    events.filter((event) => event.what === what).map((event) => event.at);
  const texts = (events: readonly { at: number; what: string }[]) =>
    events.map(({ at, what }) => `${what} ${at}`);

  test('supervised: everything ends at the timeout', (context) => {
    needsTimeoutMax(context);
    const { bounds, options, ...plan } = planDeadPeerTimeout(9_000, { platform: 'linux' });
    const timelines = timelinesOf({ ...plan, bounds, options });
    expect(texts(timelines.idle)).toEqual([
      ...['silence 0', 'probe 2000', 'probe 3000', 'probe 4000', 'probe 5000', 'probe 6000'],
      ...['probe 7000', 'probe 8000', 'end 9000'],
    ]);
    const longest = options.retransmissionTimeoutMax as number;
    expect(at(timelines.closedWindow, 'probe').slice(0, 2)).toEqual([longest, 2 * longest]);
    // A tail-loss probe, and then waits that double up to the longest one.
    expect(at(timelines.busy, 'retransmission').slice(0, 3)).toEqual([
      1_000,
      2_000,
      2_000 + longest,
    ]);
    expect(at(timelines.worst, 'write')).toEqual([4_500]);
    for (const events of Object.values(timelines))
      expect(events.at(-1)).toEqual({ at: 9_000, what: 'end' });
  });

  test('kernel values alone: in the worst case the waits add up', () => {
    const chosen = { platform: 'linux', supervise: false, zeroWindow: 'fail' } as const;
    const plan = planDeadPeerTimeout(20_000, chosen);
    const { idle, busy, worst } = timelinesOf(plan);
    expect(at(idle, 'probe')).toEqual([3_000, 4_000, 5_000, 6_000, 7_000]);
    expect(at(busy, 'retransmission')).toEqual([1_000, 2_000, 4_000, 8_000]);
    const write = plan.bounds.idle;
    expect(at(worst, 'write')).toEqual([write]);
    expect(at(worst, 'probe')).toEqual(at(idle, 'probe'));
    expect(at(worst, 'retransmission')).toEqual(
      [1_000, 2_000, 4_000, 8_000].map((time) => write + time),
    );
    expect(at(worst, 'end')).toEqual([plan.bounds.worst]);
  });

  test('macOS: probes continue during retransmissions', () => {
    const { busy, worst } = timelinesOf(planDeadPeerTimeout(5_000, { platform: 'darwin' }));
    expect(at(busy, 'probe')).toEqual([1_000, 2_000, 3_000, 4_000]);
    expect(at(busy, 'retransmission')).toEqual([1_000, 2_000, 4_000]);
    for (const events of [busy, worst]) {
      const times = events.map((event) => event.at);
      expect(times).toEqual([...times].sort((a, b) => a - b));
    }
  });

  test('every plan has timelines of a bounded length, in order, that end at its bounds', () => {
    for (const platform of ['linux', 'darwin', 'win32', 'freebsd', 'gvisor', 'mptcp'] as const) {
      for (const supervise of [true, false]) {
        for (const timeout of [4_000, 20_000, 1_800_000, 2 ** 31 - 1]) {
          const plan = planDeadPeerTimeout(timeout, {
            platform,
            supervise,
            retransmissionTimeout: 1,
          });
          for (const [name, events] of Object.entries({ ...timelinesOf(plan) })) {
            expect(events.length).toBeLessThan(5_000);
            const times = events.map((event) => event.at);
            expect(times).toEqual([...times].sort((a, b) => a - b));
            expect(times.at(-1)).toBe(plan.bounds[name as keyof typeof plan.bounds]);
          }
        }
      }
    }
  });
});

describe('socket-options plan', () => {
  test('--json prints the plan and its timelines', () => {
    const { status, stdout } = run(['plan', '20s', '--platform', 'linux', '--loss', '5', '--json']);
    const plan = planDeadPeerTimeout(20_000, { platform: 'linux', lossRate: 0.05 });
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ ...plan, timelines: timelinesOf(plan) });
  });

  test('passes each option on', () => {
    const words = ['--kernel-only', '--max-silence', '5s', '--min-probes', '2', '--rto', '200ms'];
    const more = ['--zero-window', 'fail', '--platform', 'linux', '--json'];
    const { stdout } = run(['plan', '1m', ...words, ...more]);
    const plan = planDeadPeerTimeout(60_000, {
      ...{ supervise: false, maxSilence: 5_000, minProbes: 2, retransmissionTimeout: 200 },
      ...{ zeroWindow: 'fail', platform: 'linux' },
    });
    expect(plan.options.keepAliveInitialDelay).toBe(4_000);
    expect(JSON.parse(stdout)).toEqual({ ...plan, timelines: timelinesOf(plan) });
  });

  const drawn = (stdout: string) =>
    ['idle', 'busy', 'closed', 'worst'].map(
      (name) => new RegExp(`^${name} .*$`, 'm').exec(stdout)?.[0] ?? '',
    ) as [string, string, string, string];
  const letters = (line: string) => line.replace(/[─ ]+/g, ' ');

  test('prints values, kernel names and four timelines to scale within 80 columns', (context) => {
    needsTimeoutMax(context);
    const { status, stdout, stderr } = run(['plan', '9s', '--platform', 'linux', '--loss', '1']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^A peer that vanishes is noticed within 9 s on linux\.$/m);
    expect(stdout).toMatch(/^keepAliveInitialDelay +2 s +TCP_KEEPIDLE 2 s$/m);
    const [idle, busy, closed, worst] = drawn(stdout);
    expect(letters(idle)).toBe('idle P P P P P P P X 9 s');
    expect(letters(busy)).toMatch(/^busy W R R (R )+X 9 s$/);
    expect(letters(closed)).toMatch(/^closed (P )+X 9 s$/);
    expect(letters(worst)).toMatch(/^worst P P P W (R )+X 9 s$/);
    // To scale: all end at the same time, the last second has the last probe.
    expect(new Set([idle, busy, closed, worst].map((line) => line.indexOf('X'))).size).toBe(1);
    expect(stdout).toMatch(/taken for dead is \d/);
    expect(stdout).not.toContain('!');
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    // The docs are not in the npm package.
    expect(stdout).not.toMatch(/docs\/|\.md\b/);
  });

  test('prints what kernel values alone cannot keep, and the bound instead', (context) => {
    needsTimeoutMax(context);
    const { stdout } = run(['plan', '20s', '--platform', 'linux', '--kernel-only']);
    const text = stdout.replaceAll('\n', ' ');
    expect(text).toMatch(/^A peer .* within 21\.96 s on linux, and not always within 20 s\./);
    expect(text).toContain('! The kernel alone cannot keep 20 s here.');
    expect(text).toContain('! A program that keeps writing postpones the end without limit');
    const [idle, , , worst] = drawn(stdout);
    expect(letters(idle)).toBe('idle P P P X 4.32 s');
    // To scale: the idle case ends where the worst case writes.
    expect(idle.indexOf('X')).toBe(worst.indexOf('W'));
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  test('a case that takes far longer does not compress the others', () => {
    const { stdout } = run(['plan', '20s', '--platform', 'mptcp']);
    const [idle, , closed] = drawn(stdout);
    expect(letters(idle)).toMatch(/^idle (P ){8}X 20 s$/);
    expect(letters(closed)).toBe('closed > 6 min 46.242 s');
    expect(stdout.replaceAll('\n', ' ')).toContain(
      '! A peer that vanishes after its window was closed',
    );
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  test('prints ASCII for every system if the locale is not Unicode', () => {
    for (const platform of ['linux', 'darwin', 'win32', 'freebsd', 'gvisor', 'mptcp']) {
      const { status, stdout } = run(['plan', '1m', '--platform', platform], { LC_ALL: 'C' });
      expect(status).toBe(0);
      expect(stdout).toMatch(/^[\n -~]*$/);
    }
  });

  test.each([
    [['plan'], /plan needs <duration>\nUsage: socket-options plan <duration> /],
    [['plan', '10'], /duration '10' is not a duration from 1ms to 24d: write 10s/],
    [['plan', '3s'], /too small: at least 4s is possible \(3 unanswered probes/],
    [['plan', '20s', '--max-silence', '1s'], /--max-silence '1s' must be from 2s to 24d/],
    [['plan', '20s', '--kernel-only', 'yes'], /unexpected argument 'yes'/],
    [['plan', '20s', '30s'], /unexpected argument '30s'/],
    [
      ['plan', '20s', '--platform', 'beos'],
      /unknown value of --platform 'beos' \(known: linux, darwin/,
    ],
    [['plan', '20s', '--min-probes', '0'], /not a whole number from 1 to 127/],
    [['plan', '20s', '--loss', '5%'], /not a number from 0 to 100/],
    [
      ['plan', '20s', '--zero-window', 'kill'],
      /unknown value of --zero-window 'kill' \(known: fail, tolerate\)/,
    ],
    [['watch'], /watch needs <host:port>\nUsage: socket-options watch <host:port> /],
    // Nobody listens on port 1: it does not connect first.
    [['watch', '127.0.0.1:1', '--dead-peer', '3s'], /too small: at least 4s is possible/],
    [['watch', 'localhost'], /not <host:port>/],
    [['watch', '[127.0.0.1]:5'], /not <host:port>/],
    [['watch', 'localhost:0'], /the port of 'localhost:0' is not a number from 1 to 65535/],
    [['watch', 'localhost:80', '--dead-peer', '9'], /--dead-peer '9' is not a duration/],
    [['watch', 'localhost:80', '--min-probes', '2'], /--min-probes needs --dead-peer/],
  ])('rejects %j with exit code 2', (args, message) => {
    const { status, stdout, stderr } = run(args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });

  test.each(['plan', 'watch'])('%s --help prints the usage within 80 columns', (command) => {
    const { status, stdout } = run([command, '--help']);
    expect(status).toBe(0);
    expect(stdout).toContain(`Usage: socket-options ${command} <`);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });
});

interface Run {
  readonly name: string;
  readonly port: number;
  readonly output: string;
  readonly errors: string;
  readonly status: number | null;
}

describe('socket-options watch', () => {
  beforeEach(needsNamespace);

  let report: { readonly took: number; readonly runs: readonly Run[] };
  beforeAll(async () => {
    if (withoutNamespace !== undefined) return;
    report = await inNamespace('cli-watch.mjs');
  }, 60_000);
  const named = (name: string) => report.runs.find((one) => one.name === name) as Run;
  const events = (name: string) =>
    named(name)
      .output.trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  test('idle: prints each probe, the end with its reason, and that the promise was kept', () => {
    const { output, status } = named('idle');
    expect(status).toBe(1);
    const lines = output.trim().split('\n');
    const probes = lines.flatMap((line) => {
      const [, at, count] = /^ +(\S+) s {2}keepalive probe (\d+)/.exec(line) ?? [];
      return at === undefined ? [] : [[Number(at), Number(count)] as const];
    });
    // The kernel's own first probe. Later some are asked for by supervision.
    expect(Math.abs((probes[0]?.[0] as number) - 2)).toBeLessThan(0.5);
    const all = probes.map(([, count]) => count);
    // On a busy machine, the first probe may be sent before the peer is cut: its answer begins a new count.
    const counts = all.slice(all.lastIndexOf(1));
    expect(counts[0]).toBe(1);
    // Two probes may be sent between two looks of the command, on a busy machine.
    expect(counts).toEqual([...new Set(counts)].sort((a, b) => a - b));
    expect(counts.at(-1)).toBeGreaterThanOrEqual(7);
    expect(lines.at(-1)).toMatch(
      /ETIMEDOUT: Nothing came from the peer for .* silent for [89]\.\d s \(promised: 9 s, kept\)$/,
    );
    expect(lines[1]).toMatch(
      /idle after 9 s, with data in flight after 9 s, with its window closed after 9 s, .*promised: 9 s/,
    );
  });

  test('busy: prints retransmissions and the end within the promised time', () => {
    expect(named('writes').status).toBe(1);
    const sentAgain = events('writes').filter(({ event }) => event === 'retransmission');
    expect(sentAgain.length).toBeGreaterThanOrEqual(3);
    expect(sentAgain.at(-1)).toMatchObject({
      inARow: expect.any(Number),
      unacked: expect.any(Number),
    });
    const last = events('writes').at(-1) as { silent: number };
    expect(last).toMatchObject({ event: 'failed', code: 'ETIMEDOUT', peer: 'vanished' });
    expect(last.silent).toBeLessThanOrEqual(9_250);
  });

  test('prints answered probes of a living peer, and unanswered ones after it vanished', () => {
    const probes = events('lives').filter(({ event }) => event === 'probe');
    expect(probes[0]).toMatchObject({ kind: 'keepalive probe', answered: true });
    expect(probes.at(-1)).toMatchObject({ answered: false, probes: expect.any(Number) });
  });

  test('prints data in both directions', () => {
    const names = events('data').map(({ event }) => event);
    expect(names).toContain('sent');
    expect(names).toContain('received');
  });

  test('prints a last line and sets the exit code for a closed, reset and interrupted connection', () => {
    expect(named('closed')).toMatchObject({
      status: 0,
      output: expect.stringMatching(/the peer closed the connection\n$/),
    });
    expect(named('closed').output).toContain('! keepalive is off');
    expect(named('reset').status).toBe(1);
    expect(events('reset').at(-1)).toMatchObject({
      event: 'failed',
      code: 'ECONNRESET',
      peer: 'reset',
    });
    expect(named('interrupted')).toMatchObject({
      status: 0,
      output: expect.stringMatching(/ended by Ctrl-C\n$/),
    });
  });

  test('exits with 1 if the connection is refused', () => {
    const { status, stdout, stderr } = run(['watch', `127.0.0.1:${REFUSING_PORT}`]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/ECONNREFUSED/);
  });
});
