import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { getSystemDefaults } from '../dist/index.js';
import { duration, paragraph, table } from '../lib/cli/text';
import { retransmissionTime } from '../lib/retransmission';
import { version } from '../package.json';

const main = join(__dirname, '../dist/cli/main.js');

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('socket-options defaults', () => {
  test('--json: what getSystemDefaults gives', () => {
    const { status, stdout, stderr } = run('defaults', '--json');
    expect(JSON.parse(stdout)).toEqual(getSystemDefaults());
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  test('a table of 80 columns, with the source of each value and what it means', () => {
    const { status, stdout, stderr } = run('defaults');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^keepAliveInitialDelay +2 h +sysctl net\.ipv4\.tcp_keepalive_time$/m);
    expect(stdout).toMatch(/^retransmissions +15 +sysctl net\.ipv4\.tcp_retries2$/m);
    expect(stdout).toMatch(/noticed after 2 h 11 min 15 s\./);
    expect(stdout).toMatch(/fails after 15 min 24\.6 s\nor more/);
    // The escape character would start a colour.
    expect(stdout).not.toContain('\u001b');
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  test('--help', () => {
    expect(run('defaults', '--help')).toEqual({
      status: 0,
      stdout: expect.stringMatching(/^Usage: socket-options defaults \[--json\]/),
      stderr: '',
    });
  });
});

describe('socket-options', () => {
  test.each([['--help'], ['-h'], ['help']])('%s', (argument) => {
    const { status, stdout } = run(argument);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^ {2}defaults {2}/m);
  });

  test('--version', () => {
    expect(run('--version')).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
  });

  test.each([
    [[], /no command given/],
    [['default'], /unknown command 'default'/],
    [['toString'], /unknown command 'toString'/],
    [['--defaults'], /unknown option '--defaults'/],
    [['defaults', '--jsn'], /Unknown option '--jsn'/],
    [['defaults', 'all'], /Unexpected argument 'all'/],
    [['defaults', '--json=1'], /does not take an argument/],
  ])('wrong arguments %j: exit code 2, and nothing on stdout', (args, message) => {
    const { status, stdout, stderr } = run(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/Try 'socket-options --help'/);
  });

  test('a reader that closes the pipe early is no failure', () => {
    const { status, stderr } = spawnSync(
      'bash',
      ['-c', `set -o pipefail; "${process.execPath}" "${main}" defaults --json | true`],
      { encoding: 'utf8' },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});

test('npm start: what Node leaves in the kernel, and what tuning makes of it', () => {
  const example = join(__dirname, '../examples/first-look.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [example], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const [, , asOpened, byNode, tuned] = stdout.split(/^== /m);
  expect(asOpened).toMatch(/enable +false.*while idle: +never/s);
  expect(byNode).toMatch(/enable +true.*initialDelay +7200 s.*while idle: +after 7875 s/s);
  expect(tuned).toMatch(/initialDelay +30 s.*interval +5 s.*userTimeout +45 s/s);
  expect(tuned).toMatch(/while idle: +after 45 s\n +during a write: +after about 45 s/s);
  expect(stdout).not.toContain('\u001b');
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
});

describe('words', () => {
  test.each([
    [0, '0 ms'],
    [0.5, '0.5 ms'],
    [200, '200 ms'],
    [1_000, '1 s'],
    [1_500, '1.5 s'],
    [60_000, '1 min'],
    [75_000, '1 min 15 s'],
    [7_200_000, '2 h'],
    [7_875_000, '2 h 11 min 15 s'],
    [924_600, '15 min 24.6 s'],
    [3_600_001, '1 h 0.001 s'],
  ])('%d ms is %s', (milliseconds, words) => {
    expect(duration(milliseconds)).toBe(words);
  });

  test('columns and paragraphs', () => {
    expect(
      table([
        ['a', 'bb', 'c'],
        ['aaa', '', 'c'],
      ]),
    ).toBe('a    bb  c\naaa      c');
    expect(
      paragraph('word '.repeat(40).trim())
        .split('\n')
        .map(({ length }) => length),
    ).toEqual([79, 79, 39]);
    expect(paragraph('x'.repeat(100))).toBe('x'.repeat(100));
  });

  // ip-sysctl: "The default value of 15 yields a hypothetical timeout of 924.6 seconds"; the
  // second is measured, in keepalive experiments with TCP_RTO_MAX_MS 1000, as 14.8 s.
  test.each([
    [15, 200, 120_000, 924_600],
    [15, 200, 1_000, 14_400],
    [3, 200, 120_000, 3_000],
    [0, 200, 120_000, 200],
  ])('%d retransmissions from %d to %d ms take %d ms', (retries, shortest, longest, time) => {
    expect(retransmissionTime(retries, shortest, longest)).toBeCloseTo(time, 6);
  });
});
