// The command line escapes text that would take over a terminal, forge a line of a log, or hide itself.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Ended, each, optionsOf, run, runFaked } from '../support/command-line';
import { listen } from '../support/net';
import { onLinux } from '../support/platform';

const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => String.fromCharCode(from + index)).join('');

/** C0 without NUL (no argument has one), DEL, C1, bidirectional controls, no width, separators. */
const HOSTILE = `${range(1, 0x1f)}[2J${range(0x7f, 0x9f)}${range(0x200b, 0x200f)}${range(0x2028, 0x202e)}${range(0x2060, 0x2069)}\ufeff`;

/** Characters that must not be printed; newlines of the command line itself are allowed. */
const UNSAFE = /[^\n\P{C}]|[\p{Zl}\p{Zp}]/u;

function expectHarmless({ stdout, stderr }: Ended, unicode = true): void {
  for (const output of [stdout, stderr]) {
    expect(output).not.toMatch(UNSAFE);
    // Node writes to a Windows console in Unicode, whatever the locale is.
    if (!unicode && process.platform !== 'win32') expect(output).toMatch(/^[\n -~]*$/);
  }
}

/** Options that another option requires. */
const CONTEXT: Readonly<Record<string, readonly string[]>> = {
  'connections --interval': ['--watch'],
  'watch --min-probes': ['--dead-peer', '20s'],
};
const OPERANDS: Readonly<Record<string, readonly string[]>> = {
  defaults: [],
  connections: [],
  plan: ['20s'],
  watch: ['127.0.0.1:1'],
};
/** Valid values, to which hostile text is added. */
const PLAUSIBLE: Readonly<Record<string, string>> = {
  '--state': 'LISTEN',
  '--local': '127.0.0.1',
  '--remote': 'fe80::1%',
  '--platform': 'linux',
  '--zero-window': 'fail',
  '--rto': '1s',
  '--dead-peer': '20s',
  '--write': '1s',
};

describe.each(Object.keys(OPERANDS))('arguments of %s', (command) => {
  const operands = OPERANDS[command] ?? [];

  test('rejects hostile values of each option, and prints them escaped in one line', {
    timeout: 120_000,
  }, async () => {
    const options = await optionsOf(command);
    expect(options.length).toBeGreaterThan(0);
    const cases = options.flatMap(({ name, hasValue }) => {
      const option = `--${name}`;
      const base = [command, ...operands, ...(CONTEXT[`${command} ${option}`] ?? [])];
      if (!hasValue) return [[...base, `${option}=${HOSTILE}`]];
      const plausible = PLAUSIBLE[option] ?? '1';
      return [
        [...base, option, HOSTILE],
        [...base, `${option}=${plausible}${HOSTILE}`],
        [...base, option, `${HOSTILE}${plausible}`],
        [...base, option, `-${HOSTILE}`],
      ];
    });
    await each(cases, async (args) => {
      const ended = await run(args);
      expectHarmless(ended);
      expect(ended, args.join(' ')).toMatchObject({ status: 2, stdout: '' });
      expect(ended.stderr).toMatch(/\\x01.*\\x0a.*\\x1b.*\\x9b.*\\u\{202e\}/);
      // The message, the usage, and the hint to --help.
      expect(ended.stderr.match(/\n/g)).toHaveLength(3);
    });
  });

  test('rejects hostile option names and operands', async () => {
    const cases = [
      [command, ...operands, `--${HOSTILE}`],
      [command, ...operands, `--${HOSTILE}=${HOSTILE}`],
      [command, ...operands, `--json=${HOSTILE}`],
      [command, ...operands, `-\u009b`],
      [command, ...operands, HOSTILE],
      [command, HOSTILE],
      [command, `20s${HOSTILE}`],
      [command, `host${HOSTILE}:80`],
      [command, `[::1${HOSTILE}]:80`],
      [command, `host:80${HOSTILE}`],
    ];
    await each(cases, async (args) => {
      for (const LC_ALL of ['C.UTF-8', 'C']) {
        const ended = await run(args, { LC_ALL });
        expectHarmless(ended, LC_ALL !== 'C');
        expect(ended, args.join(' ')).toMatchObject({ status: 2, stdout: '' });
        expect(ended.stderr).toMatch(/\\x9b/);
      }
    });
  });
});

test('rejects hostile command names and shells', async () => {
  const cases = [
    [HOSTILE],
    [`--${HOSTILE}`],
    [`watch${HOSTILE}`, '--help'],
    ['completion', HOSTILE],
  ];
  await each(cases, async (args) => {
    const ended = await run(args);
    expectHarmless(ended);
    expect(ended).toMatchObject({ status: 2, stdout: '' });
    expect(ended.stderr).toMatch(/\\x1b/);
  });
});

test('escapes the message of an error, and indents its further lines', async () => {
  const ended = await runFaked('hostile error', ['connections']);
  expect(ended).toEqual({
    status: 1,
    stdout: '',
    stderr: 'socket-options: a\\x1b[31m\\x9b2J\n  b\\u{202e}\n',
  });
});

test('escapes names of processes and settings', async () => {
  await each([['connections', '--process'], ['defaults'], ['defaults', '--json']], async (args) => {
    for (const LC_ALL of ['C.UTF-8', 'C']) {
      const ended = await runFaked('hostile', args, { LC_ALL });
      expectHarmless(ended, LC_ALL !== 'C');
      expect(ended.stdout).toMatch(/\\x1b|\\u001b/);
    }
  });
});

describe('environment variables', () => {
  const folder = mkdtempSync(join(tmpdir(), 'socket-options-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test('that describe the terminal do not reach the output', async () => {
    const env = Object.fromEntries(
      ['TERM', 'COLUMNS', 'LINES', 'NO_COLOR', 'FORCE_COLOR', 'LANG', 'LC_ALL', 'HOME'].map(
        (name) => [name, HOSTILE],
      ),
    );
    await each(
      [[], ['defaults'], ['connections'], ['plan', '20s'], ['watch', '127.0.0.1:1'], ['x']],
      async (args) => expectHarmless(await run(args, env), false),
    );
  });

  test('that name an addon are escaped in the error', async (context) => {
    onLinux('file names with control characters')(context);
    const named = join(folder, `a\u001b[2J\u009b\u202eb`);
    const prebuilds = join(named, 'prebuilds', `${process.platform}-${process.arch}`);
    mkdirSync(prebuilds, { recursive: true });
    writeFileSync(join(prebuilds, 'socket-options.node'), 'no addon');
    await each([named, HOSTILE], async (SOCKET_OPTIONS_PREBUILD) => {
      const ended = await run(['defaults'], { SOCKET_OPTIONS_PREBUILD });
      expectHarmless(ended);
      expect(ended.status).toBe(1);
      expect(ended.stderr).toMatch(/^socket-options: .*\\x1b/s);
    });
  });
});

describe('--json', () => {
  test.each([
    ['plan', '20s', '--json'],
    ['plan', '24d', '--platform', 'freebsd', '--loss', '1', '--json'],
    ['defaults', '--json'],
    ['connections', '--process', '--json'],
  ])('%s %s prints parseable ASCII', async (...args) => {
    const { status, stdout } = await run(args);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^[\n -~]*$/);
    expect(JSON.parse(stdout)).toBeTypeOf('object');
  });

  test('watch --json prints parseable ASCII lines', async () => {
    const server = net.createServer((socket) => {
      socket.once('data', () => socket.resetAndDestroy()).on('error', () => {});
    });
    const port = await listen(server);
    try {
      for (const scenario of ['few', 'hostile']) {
        const args = ['watch', `127.0.0.1:${port}`, '--write', '100ms', '--json'];
        const ended = await runFaked(scenario, args);
        expect(ended).toMatchObject({ status: 1, stderr: '' });
        expect(ended.stdout).toMatch(/^[\n -~]*$/);
        const lines = ended.stdout.trimEnd().split('\n');
        const events = lines.map((line) => JSON.parse(line) as { event: string; message?: string });
        expect(events.at(-1)?.event).toBe('failed');
        if (scenario === 'hostile') expect(events.at(-1)?.message).toContain('\u001b[31m');
      }
      for (const LC_ALL of ['C.UTF-8', 'C']) {
        const args = ['watch', `127.0.0.1:${port}`, '--write', '100ms'];
        const ended = await runFaked('hostile', args, { LC_ALL });
        expectHarmless(ended, LC_ALL !== 'C');
        expect(ended.stdout).toMatch(/a\\x1b\[31m/);
      }
    } finally {
      server.close();
    }
  });
});
