// socket-options plan, and socket-options watch on connections whose peers really vanish.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { planDeadPeerTimeout } from '../../dist/index.js';
import { parseDuration } from '../../lib/cli/view/text';
import { timelinesOf } from '../../lib/dead-peer/timeline';
import { inNamespace, needsNamespace, withoutNamespace } from '../support/namespace';
import { REFUSING_PORT } from '../support/net';

const main = join(__dirname, '../../dist/cli/main.js');

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

  test('Linux: probes when idle, doubling retransmissions when busy, both in the worst case', () => {
    const { idle, busy, worst } = timelinesOf(planDeadPeerTimeout(9_000, { platform: 'linux' }));
    expect(idle.map(({ at, what }) => `${what} ${at}`)).toEqual([
      'silence 0',
      'probe 1000',
      'probe 2000',
      'probe 3000',
      'end 4000',
    ]);
    expect(busy.map(({ at, what }) => `${what} ${at}`)).toEqual([
      'silence 0',
      'write 0',
      'retransmission 1000',
      'retransmission 3000',
      'end 4500',
    ]);
    expect(worst.map(({ at, what }) => `${what} ${at}`)).toEqual([
      'silence 0',
      'probe 1000',
      'probe 2000',
      'probe 3000',
      'write 4000',
      'retransmission 5000',
      'retransmission 7000',
      'end 8500',
    ]);
  });

  test('macOS: probes continue during retransmissions', () => {
    const { busy, worst } = timelinesOf(planDeadPeerTimeout(5_000, { platform: 'darwin' }));
    expect(at(busy, 'probe')).toEqual([1_000, 2_000, 3_000]);
    expect(at(busy, 'retransmission')).toEqual([1_000, 3_000]);
    expect([at(busy, 'end'), at(worst, 'end')]).toEqual([[4_000], [4_000]]);
    for (const events of [busy, worst]) {
      const times = events.map((event) => event.at);
      expect(times).toEqual([...times].sort((a, b) => a - b));
    }
  });

  test('with zeroWindow tolerate, retransmissions reach the longest timeout', () => {
    const plan = planDeadPeerTimeout(30_000, { platform: 'linux', zeroWindow: 'tolerate' });
    const sent = at(timelinesOf(plan).busy, 'retransmission');
    expect(sent.slice(0, 3)).toEqual([1_000, 2_176, 3_352]);
  });
});

describe('socket-options plan', () => {
  test('--json prints the plan and its timelines', () => {
    const { status, stdout } = run(['plan', '20s', '--platform', 'linux', '--loss', '5', '--json']);
    const plan = planDeadPeerTimeout(20_000, { platform: 'linux', lossRate: 0.05 });
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ ...plan, timelines: timelinesOf(plan) });
  });

  test('prints values, kernel names and three timelines to scale within 80 columns', () => {
    const { status, stdout, stderr } = run(['plan', '9s', '--platform', 'linux', '--loss', '1']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^userTimeout +3\.5 s +TCP_USER_TIMEOUT 3500 ms$/m);
    const [idle = '', busy = '', worst = ''] = ['idle', 'busy', 'worst'].map(
      (name) => new RegExp(`^${name} .*$`, 'm').exec(stdout)?.[0] ?? '',
    );
    expect(idle.replace(/[─ ]+/g, ' ')).toBe('idle P P P X 4 s');
    expect(busy.replace(/[─ ]+/g, ' ')).toBe('busy W R R X 4.5 s');
    expect(worst.replace(/[─ ]+/g, ' ')).toBe('worst P P P W R R X 8.5 s');
    // To scale: the idle case ends where the worst case writes.
    expect(idle.indexOf('X')).toBe(worst.indexOf('W'));
    expect(stdout).toMatch(/taken for dead is \d/);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    // The docs are not in the npm package.
    expect(stdout).not.toMatch(/docs\/|\.md\b/);
  });

  test('prints ASCII for every system if the locale is not Unicode', () => {
    for (const platform of ['linux', 'darwin', 'win32', 'freebsd', 'gvisor']) {
      const { status, stdout } = run(['plan', '1m', '--platform', platform], { LC_ALL: 'C' });
      expect(status).toBe(0);
      expect(stdout).toMatch(/^[\n -~]*$/);
    }
  });

  test.each([
    [['plan'], /plan needs <duration>\nUsage: socket-options plan <duration> /],
    [['plan', '10'], /duration '10' is not a duration from 1ms to 24d: write 10s/],
    [['plan', '5s'], /too small: at least 8\.9s is possible \(3 unanswered probes/],
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
    const probes = lines.flatMap((line) => /^ +(\S+) s {2}keepalive probe (\d)/.exec(line) ?? []);
    expect([probes[2], probes[5], probes[8]]).toEqual(['1', '2', '3']);
    for (const [place, second] of [
      [1, 1],
      [4, 2],
      [7, 3],
    ] as const) {
      expect(Math.abs(Number(probes[place]) - second)).toBeLessThan(0.4);
    }
    expect(lines.at(-1)).toMatch(
      /ETIMEDOUT: The peer acknowledged nothing new .* silent for 4\.\d s \(promised: 9 s, kept\)$/,
    );
    expect(lines[1]).toMatch(/idle after 4 s, with data in flight after 3\.7 s, .*promised: 9 s/);
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
    expect(probes.at(-1)).toMatchObject({ answered: false, probes: 1 });
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
