// The command line with streams, folders and arguments that are not as expected.

import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, test } from 'vitest';
import { durationOf, numberOf } from '../../lib/cli/arguments';
import { each, main, run } from '../support/command-line';
import { listen } from '../support/net';
import { onLinux } from '../support/platform';
import { needsPty, play } from '../support/terminal';

const COMMANDS = ['defaults', 'connections --json', 'plan 20s', '--help', 'watch 127.0.0.1:1'];

/** Runs a shell script in which $CLI is the command line. */
function shell(script: string) {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, CLI: `"${process.execPath}" "${main}"`, LANG: 'C' },
    timeout: 20_000,
  });
  return { status, stdout, stderr };
}

/** A server that echoes, and records what it received. */
async function withServer<T>(
  use: (server: { port: number; received(): string; connections(): number }) => Promise<T>,
): Promise<T> {
  let received = '';
  let connections = 0;
  const open = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    connections++;
    open.add(socket.on('error', () => {}).on('close', () => open.delete(socket)));
    socket.on('data', (chunk) => {
      received += chunk;
      socket.write(chunk);
    });
  });
  const port = await listen(server);
  try {
    return await use({ port, received: () => received, connections: () => connections });
  } finally {
    for (const socket of open) socket.destroy();
    server.close();
  }
}

describe('streams', () => {
  beforeEach(onLinux('a shell and its files'));

  test.each(COMMANDS)('%s reports a full disk as an error', (command) => {
    const { status, stderr } = shell(`eval $CLI ${command} >/dev/full`);
    expect(status).toBe(1);
    // watch fails before it writes anything.
    expect(stderr).toMatch(
      command.startsWith('watch')
        ? /^socket-options: cannot connect .*ECONNREFUSED.*\n$/
        : /^socket-options: cannot write the output: ENOSPC: no space left on device, write\n$/,
    );
  });

  test.each(COMMANDS)(
    '%s works with closed streams, without HOME, and in a deleted folder',
    (command) => {
      const expected = command.startsWith('watch') ? 1 : 0;
      const scripts = [
        `eval $CLI ${command} <&- >/dev/null`,
        `eval $CLI ${command} >&-`,
        `eval $CLI ${command} >/dev/null 2>&-`,
        `eval $CLI ${command} <&- >&- 2>&-`,
        `eval $CLI ${command} >/dev/null 2>/dev/full`,
        `cd "$(mktemp -d)" && rmdir "$PWD" && eval $CLI ${command} >/dev/null`,
      ];
      for (const script of scripts) {
        const { status, stderr } = shell(script);
        expect({ script, status }).toEqual({ script, status: expected });
        expect(stderr).not.toMatch(/\n {4}at /);
      }
    },
  );

  test('sets the exit code even if the error cannot be printed', () => {
    expect(shell('eval $CLI defaults --jsn 2>/dev/full')).toMatchObject({ status: 2, stderr: '' });
    expect(shell('eval $CLI plan 20s >/dev/full 2>/dev/full')).toMatchObject({ status: 1 });
  });

  test('watch exits with 0 when its reader closes the pipe', async () => {
    await withServer(async ({ port }) => {
      const command = `eval $CLI watch 127.0.0.1:${port} --write 100ms`;
      const script = `{ ${command}; echo status $? >&2; } | head -1`;
      const { stdout, stderr } = await promisify(execFile)('sh', ['-c', script], {
        env: { PATH: process.env.PATH, CLI: `"${process.execPath}" "${main}"` },
        timeout: 20_000,
      });
      expect(stdout).toMatch(/^ +\S+ s {2}connected: .*\n$/);
      expect(stderr).toBe('status 0\n');
    });
  });

  test('watch reports a full disk as an error', async () => {
    await withServer(async ({ port }) => {
      const script = `eval $CLI watch 127.0.0.1:${port} >/dev/full`;
      const child = spawn('sh', ['-c', script], {
        env: { PATH: process.env.PATH, CLI: `"${process.execPath}" "${main}"` },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let stderr = '';
      child.stderr.on('data', (chunk) => {
        stderr += chunk;
      });
      const [status] = await once(child, 'close');
      expect({ status, stderr }).toEqual({
        status: 1,
        stderr: 'socket-options: cannot write the output: ENOSPC: no space left on device, write\n',
      });
    });
  });

  test('watch into a pipe that is not read ends by SIGINT', async (context) => {
    needsPty(context);
    await withServer(async ({ port, received }) => {
      // Fills the pipe before the program starts.
      const script = `
import os, subprocess, sys
reader, writer = os.pipe()
os.set_blocking(writer, False)
try:
    while True: os.write(writer, b'x' * 4096)
except BlockingIOError: pass
os.set_blocking(writer, True)
child = subprocess.Popen(sys.argv[1:], stdout=writer)
print(child.pid, flush=True)
sys.exit(child.wait())`;
      const args = [process.execPath, main, 'watch', `127.0.0.1:${port}`, '--write', '100ms'];
      const python = spawn('python3', ['-c', script, ...args], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const ended = once(python, 'close');
      const [pid] = (await once(python.stdout.setEncoding('utf8'), 'data')) as [string];
      let status: unknown;
      try {
        // The program writes after it has added the listener for the signal.
        await expect.poll(received, { timeout: 10_000 }).not.toBe('');
        process.kill(Number(pid), 'SIGINT');
        status = await Promise.race([ended, sleep(10_000, 'still running', { ref: false })]);
      } finally {
        if (python.exitCode === null) process.kill(Number(pid), 'SIGKILL');
      }
      expect(status).toEqual([0, null]);
    });
  });
});

test('watch wraps its lines between words in a narrow terminal', async (context) => {
  needsPty(context);
  await withServer(async ({ port }) => {
    const { output } = await play(
      [process.execPath, main, 'watch', `127.0.0.1:${port}`],
      [
        ['until', 'noticed'],
        ['type', '\x03'],
        ['end', 5],
      ],
      { columns: 50 },
    );
    const lines = output.split('\r\n');
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(50);
    expect(lines[0]).toMatch(/^ +\d+\.\d{3} s {2}connected: /);
    expect(lines[1]).toMatch(/^ {13}\S/);
    expect(output.replace(/\r\n {13}/g, ' ')).toContain(
      'if the peer vanishes, the connection fails: idle never, with data in flight after',
    );
  });
});

describe('durations', () => {
  const INVALID_DURATIONS = [
    ...['', ' ', '10', 's', '-1s', '+1s', '1e9h', '0x10s', 'NaN', 'NaNs', 'Infinity', 'Infinityh'],
    ...['１0s', '٣s', '1s1s', '1 s', '1S', '1,5s', '.5s', '1.s', '1w', '1s\n'],
  ];

  test.each([
    ...INVALID_DURATIONS,
    '99ms',
    '0s',
    '0.0h',
    '24.1h',
    '600h',
    '25d',
    `${'9'.repeat(400)}h`,
  ])('durationOf rejects %j', (text) => {
    expect(() => durationOf('--write', text, '100ms', '24h')).toThrow(
      INVALID_DURATIONS.includes(text)
        ? `--write '${text}' is not a duration from 100ms to 24h: write 10s, 500ms, 2m, 1h or 1d`
        : `--write '${text}' must be from 100ms to 24h`,
    );
  });

  test.each([
    ['100ms', 100],
    ['0.1s', 100],
    ['1.5s', 1_500],
    ['24h', 86_400_000],
    ['1d', 86_400_000],
  ])('durationOf accepts %s', (text, milliseconds) => {
    expect(durationOf('--write', text, '100ms', '24h')).toBe(milliseconds);
  });

  test.each([
    '',
    ' 1',
    '-1',
    '+1',
    '1e1',
    '0x1',
    'NaN',
    'Infinity',
    '１',
    '1.',
    '.5',
    '9'.repeat(400),
  ])('numberOf rejects %j', (text) => {
    expect(() => numberOf('--interval', text, [0.1, 86_400], 'number of seconds')).toThrow(
      `--interval '${text}' is not a number of seconds from 0.1 to 86400`,
    );
  });

  test('numberOf rejects a fraction of a whole number', () => {
    expect(numberOf('--min-probes', '127', [1, 127], 'whole number')).toBe(127);
    expect(() => numberOf('--min-probes', '1.5', [1, 127], 'whole number')).toThrow(
      "--min-probes '1.5' is not a whole number from 1 to 127",
    );
  });

  test('rejects durations and numbers out of range before it connects', async () => {
    await withServer(async ({ port, connections }) => {
      const target = `127.0.0.1:${port}`;
      const cases = [
        ...['--write', '--dead-peer'].flatMap((option) =>
          ['0s', '600h', '1e9h', 'Infinity', '１0s', ''].map((text) => ({
            args: ['watch', target, option, text],
            expected: `${option} '${text}' `,
          })),
        ),
        ...['0s', '25d', '9'.repeat(400), ''].map((text) => ({
          args: ['plan', text],
          expected: `duration '${text}' `,
        })),
        ...['0s', '0.5ms', '121s', '-'].map((text) => ({
          args: ['plan', '20s', `--rto=${text}`],
          expected: `--rto '${text}' `,
        })),
        ...['0', '0.09', '86401', '0x10', '1e3', 'NaN', ''].map((text) => ({
          args: ['connections', '--watch', '--interval', text],
          expected: `--interval '${text}' `,
        })),
        { args: ['plan', '20s', '--loss', '101'], expected: "--loss '101' " },
        { args: ['plan', '20s', '--min-probes', '1.5'], expected: "--min-probes '1.5' " },
      ];
      await each(cases, async ({ args, expected }) => {
        const { status, stdout, stderr } = await run(args);
        expect({ args, status, stdout }).toEqual({ args, status: 2, stdout: '' });
        expect(stderr).toContain(`socket-options: ${expected}`);
        expect(stderr).toMatch(/ from \S+ to \S+/);
      });
      expect(connections()).toBe(0);
    });
  });

  test('exits with 2 if the library rejects the arguments of a plan', async () => {
    await each(
      [
        ['plan', '1ms'],
        ['plan', '20s', '--min-probes', '127'],
      ],
      async (args) => {
        expect(await run(args)).toMatchObject({ status: 2, stdout: '' });
      },
    );
  });

  test('accepts the longest plan and the longest interval between two writes', async () => {
    const { status, stdout } = await run(['plan', '24d', '--platform', 'linux', '--json']);
    expect({ status, timeout: JSON.parse(stdout).timeout }).toEqual({
      status: 0,
      timeout: 2_073_600_000,
    });
    await withServer(async ({ port, received }) => {
      const watching = spawn(
        process.execPath,
        [main, 'watch', `127.0.0.1:${port}`, '--write', '24h'],
        { stdio: ['ignore', 'pipe', 'ignore'] },
      );
      const ended = once(watching, 'close');
      // On systems without TCP_INFO the command ends with an error.
      await Promise.race([once(watching.stdout, 'data'), ended]);
      // A timer that overflowed would fire every millisecond.
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      watching.kill();
      await ended;
      expect(received()).toBe('');
    });
  });
});
