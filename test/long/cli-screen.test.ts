// socket-options connections --watch in real terminals, with made-up connections.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { beforeEach, describe, expect, test } from 'vitest';
import { faked, needsPty, needsTmux, play, Tmux } from '../support/terminal';

const watch = (scenario: string, ...args: string[]) =>
  faked(scenario, '--watch', '--interval', '0.2', ...args);

const ESC = '\x1b';
/** Characters that only hostile text contains. */
const UNPRINTABLE = /[\u0080-\u009f\u202e]/;

/** The modes that escape codes set (h) and reset (l), in order: `?25l ?25h`. */
const modeCodes = (output: string) =>
  [...output.matchAll(new RegExp(`${ESC}\\[(\\?\\d+[hl])`, 'g'))].map(([, code]) => code);

const SCREEN_ENTERED = ['?1049h', '?25l', '?7l', '?2004h'];
const SCREEN_LEFT = ['?2004l', '?7h', '?25h', '?1049l'];

/** A test with its own tmux. */
const tmuxTest = test.extend<{ tmux: Tmux }>({
  tmux: async ({ skip }, use) => {
    needsTmux({ skip });
    const tmux = await Tmux.start(100, 24);
    await use(tmux).finally(() => tmux.end());
  },
});

describe.concurrent('in tmux', () => {
  tmuxTest(
    'updates the table in place, and restores the shell when q is pressed',
    async ({ tmux }) => {
      const before = await tmux.modes();
      await tmux.press('C-l');
      await tmux.enter(watch('few'));
      const screen = await tmux.until(/TREND/);
      expect(await tmux.screenModes()).toEqual({
        alternateScreen: true,
        cursor: false,
        wrap: false,
      });
      const lines = screen.split('\n').map((line) => line.trimEnd());
      expect(lines[0]).toMatch(/^connections every 0\.2 s {2}\d\d:\d\d:\d\d {2}q quits, \? keys$/);
      expect(lines[1]).toBe('2 ESTABLISHED; left out: 1 LISTEN, 1 TIME-WAIT');
      expect(lines[2]).toMatch(/^ {2}STATE +LOCAL +PEER +ALIVE +RTT +TREND +TIMER$/);
      expect(lines[3]).toMatch(/^! ESTABLISHED .*:40002 /);
      expect(lines[4]).toMatch(/^ {2}ESTABLISHED .*:40001 /);
      expect(lines[22]).toMatch(/^! 192\.0\.2\.1:5432 - 192\.0\.2\.7:40002: the peer may be gone/);
      // The trend grows with each sample.
      await tmux.until(/▁▁▁/);
      // In place: the heading stays where it is.
      expect((await tmux.screen()).match(/STATE/g)).toHaveLength(1);
      await tmux.press('q');
      const after = await tmux.until(/prompt\$ $/m);
      expect(after).not.toMatch(/STATE|TREND|may be gone|\[\?/);
      expect(await tmux.modes()).toEqual(before);
    },
  );

  tmuxTest.for(['C-c', 'SIGTERM', 'SIGHUP', 'SIGINT'])(
    '%s restores the terminal',
    async (how, { tmux }) => {
      const before = await tmux.modes();
      await tmux.press('C-l');
      await tmux.enter(watch('few'));
      await tmux.until(/TREND/);
      if (how === 'C-c') await tmux.press(how);
      else process.kill(await tmux.child(), how);
      await tmux.until((screen) => /prompt\$ \n*$/.test(screen) && !screen.includes('TREND'));
      expect(await tmux.screen()).not.toMatch(/STATE|may be gone|\[\?|\^C/);
      expect(await tmux.modes()).toEqual(before);
    },
  );

  tmuxTest('a resize redraws the screen within its new size', async ({ tmux }) => {
    await tmux.enter(watch('many'));
    await tmux.until(/rows 1-21 of 200/);
    await tmux.resize(50, 10);
    const small = await tmux.until(/rows 1-7 of/);
    expect(small.trimEnd().split('\n')).toHaveLength(10);
    expect(small).toMatch(/^ {2}STATE +LOCAL +PEER +ALIVE +TIMER *$/m);
    expect(small.match(/^ {2}ESTAB +:5432 .* off *$/gm)).toHaveLength(7);
    await tmux.resize(20, 10);
    // Cut, with an ellipsis.
    await tmux.until(/^ {2}\S+…\S+ .*…$/m);
    await tmux.resize(140, 40);
    // The terminal may show the last line before those above it.
    const rowsOf = (screen: string) => screen.match(/ESTABLISHED {2}/g)?.length;
    const large = await tmux.until(
      (screen) => screen.includes('rows 1-37 of 200') && rowsOf(screen) === 37,
    );
    expect(large.match(/STATE/g)).toHaveLength(1);
    expect(large).toMatch(/q quits, \? keys/);
    await tmux.resize(1, 1);
    await tmux.resize(80, 24);
    await tmux.until(/rows 1-21 of 200/);
    await tmux.press('q');
    await tmux.until(/prompt\$ $/m);
  });

  tmuxTest(
    'moves the cursor by rows, by pages and to the first and last row, but no further',
    async ({ tmux }) => {
      await tmux.enter(watch('many'));
      await tmux.until(/rows 1-21 of 200/);
      for (const [key, rows] of [
        ['Down', '1-21'],
        ['PageDown', '3-23'],
        ['j', '4-24'],
        ['k', '4-24'],
        ['PageUp', '2-22'],
        ['Up', '1-21'],
        ['Up', '1-21'],
        ['End', '180-200'],
        ['Down', '180-200'],
        ['Home', '1-21'],
      ] as const) {
        await tmux.press(key);
        await tmux.until(new RegExp(`rows ${rows} of 200`));
      }
      await tmux.press('End');
      expect(await tmux.until(/rows 180-200/)).toMatch(/:10200 /);
      await tmux.press('q');
      await tmux.until(/prompt\$ $/m);
    },
  );

  tmuxTest('Ctrl-Z restores the terminal, fg shows the screen again', async ({ tmux }) => {
    const before = await tmux.modes();
    await tmux.press('C-l');
    await tmux.enter(watch('few'));
    await tmux.until(/TREND/);
    await tmux.press('C-z');
    await tmux.until(/Stopped.*prompt\$ $/ms);
    expect(await tmux.modes()).toEqual(before);
    await tmux.enter(['fg']);
    await tmux.until(/TREND/);
    expect(await tmux.screenModes()).toEqual({ alternateScreen: true, cursor: false, wrap: false });
    // Keys work again.
    await tmux.press('q');
    await tmux.until((screen) => /prompt\$ \n*$/.test(screen) && !screen.includes('TREND'));
    expect(await tmux.modes()).toEqual(before);
  });

  tmuxTest('fg after SIGSTOP shows the whole screen again, and keys work', async ({ tmux }) => {
    const before = await tmux.modes();
    await tmux.press('C-l');
    await tmux.enter(watch('few'));
    await tmux.until(/TREND/);
    process.kill(await tmux.child(), 'SIGSTOP');
    await tmux.until(/Stopped/);
    await tmux.enter(['fg']);
    await tmux.until((screen) => screen.includes('TREND') && !screen.includes('Stopped'));
    expect(await tmux.screenModes()).toEqual({
      alternateScreen: true,
      cursor: false,
      wrap: false,
    });
    await tmux.press('q');
    await tmux.until((screen) => /prompt\$ \n*$/.test(screen) && !screen.includes('TREND'));
    expect(await tmux.modes()).toEqual(before);
  });

  tmuxTest('colours suspects, unless NO_COLOR is set', async ({ tmux }) => {
    await tmux.enter(watch('few'));
    await tmux.until(/TREND/);
    // The cursor is on the first row: then only the sentence is coloured.
    await tmux.press('Down');
    await tmux.until(/TREND/);
    await expect
      .poll(async () => {
        const lines = (await tmux.styled()).split('\n');
        return lines.filter((line) => line.includes(`${ESC}[31m`) || line.includes(`${ESC}[33m`));
      })
      .toEqual([
        expect.stringMatching(/^\S*31m\S*! ESTABLISHED .*:40002/),
        expect.stringMatching(/^\S*33m\S*! 192\.0\.2\.1:5432 - /),
      ]);
    await tmux.press('q');
    await tmux.until((screen) => !screen.includes('TREND'));
    await tmux.enter(['NO_COLOR=1', ...watch('few')]);
    await tmux.until(/TREND/);
    expect(await tmux.styled()).not.toContain('\x1b[');
    await tmux.press('q');
  });
});

describe.concurrent('keys in tmux', () => {
  const rowsOf = (screen: string) =>
    screen
      .split('\n')
      .flatMap((line) => /^[! ] \S+ .*7:(\d+) .*(?:off|probe)/.exec(line)?.[1] ?? []);

  tmuxTest('/ filters, and q is a letter of the filter; Esc clears it', async ({ tmux }) => {
    await tmux.enter(watch('many'));
    await tmux.until(/rows 1-21 of 200/);
    await tmux.press('/', '1', '0', '1', '9');
    const filtered = await tmux.until(/^filter: 1019_/m);
    expect(rowsOf(filtered)).toHaveLength(10);
    await tmux.press('q');
    await tmux.until(/^filter: 1019q_/m);
    await tmux.press('BSpace', 'Enter');
    // Also in the next samples.
    await tmux.until(/filter: 1019 {2}q quits/);
    await tmux.press('Escape');
    await tmux.until(/rows 1-21 of 200/);
    await tmux.press('q');
    await tmux.until(/prompt\$ $/m);
  });

  tmuxTest('s sorts, ! shows only problems, p pauses, ? helps', async ({ tmux }) => {
    await tmux.enter(watch('few'));
    await tmux.until(/TREND/);
    await tmux.press('s', 's');
    expect(rowsOf(await tmux.until(/ by rtt /))).toEqual(['40002', '40001']);
    await tmux.press('!');
    await tmux.until((screen) => / problems only /.test(screen) && rowsOf(screen).length === 1);
    await tmux.press('!', 'p');
    const paused = await tmux.until(/PAUSED/);
    const clock = /\d\d:\d\d:\d\d/.exec(paused)?.[0];
    await tmux.press('?');
    await tmux.until(/^ {2}p, space +pause, and continue/m);
    await tmux.press('x');
    // The samples would have gone on meanwhile.
    expect(await tmux.until(/PAUSED/)).toContain(clock);
    await tmux.press('Space');
    await tmux.until((screen) => /TREND/.test(screen) && !/PAUSED/.test(screen));
    await tmux.press('q');
    await tmux.until(/prompt\$ $/m);
  });

  tmuxTest(
    'Enter opens the connection at the cursor, q goes back, and q quits',
    async ({ tmux }) => {
      await tmux.enter(watch('few'));
      await tmux.until(/TREND/);
      await tmux.press('Enter');
      const opened = await tmux.until(/Since it was opened/);
      expect(opened).toMatch(/^192\.0\.2\.1:5432 - 192\.0\.2\.7:40002 {2}ESTABLISHED/);
      expect(opened).toMatch(/^timer +probe 4 in 0\.4 s/m);
      expect(opened).toMatch(/^! the peer may be gone: 3 keepalive probes are unanswered/m);
      await tmux.press('q');
      await tmux.until(/TREND/);
      await tmux.press('q');
      await tmux.until(/prompt\$ $/m);
    },
  );

  test.for([200, 80, 50, 40])(
    'shows the table and the connection in %d columns',
    async (columns, { skip }) => {
      needsTmux({ skip });
      const tmux = await Tmux.start(columns, 24);
      try {
        await tmux.enter(watch('few'));
        const screen = await tmux.until(/TIMER/);
        expect(screen).toMatch(/PEER.* ALIVE .*TIMER/);
        expect(screen).toMatch(/^! .*:?40002 .*2\.4 s .*probe 4/m);
        expect(/STATE/.test(screen)).toBe(columns > 50);
        for (const line of screen.split('\n')) expect(line.length).toBeLessThanOrEqual(columns);
        await tmux.press('o');
        await tmux.until(/Since it was opened/);
        await tmux.press('Escape');
        await tmux.until(/TIMER/);
        await tmux.press('q');
      } finally {
        await tmux.end();
      }
    },
  );
});

describe.concurrent('in a bare terminal', () => {
  beforeEach(needsPty);

  test('resets at the end each mode that it sets', async () => {
    const { output, status, modesRestored, timedOut } = await play(watch('few'), [
      ['until', ':40001'],
      ['read', 0.5],
      ['type', 'q'],
      ['end', 5],
    ]);
    expect({ status, modesRestored, timedOut }).toEqual({
      status: 0,
      modesRestored: true,
      timedOut: [],
    });
    expect(modeCodes(output)).toEqual([...SCREEN_ENTERED, ...SCREEN_LEFT]);
    expect(output.endsWith('\x1b[?1049l')).toBe(true);
  });

  test('writes only lines that changed', async () => {
    const { output } = await play(
      watch('few'),
      [
        ['until', ':40001'],
        ['read', 1.2],
        ['type', 'q'],
        ['end', 5],
      ],
      { columns: 120 },
    );
    // The connections get a longer trend; the heading of the table stays.
    expect(output.match(/:40001 /g)?.length).toBeGreaterThan(3);
    expect(output.match(/STATE/g)).toHaveLength(1);
    expect(output.match(/may be gone/g)).toHaveLength(1);
  });

  test.each([
    ['an error of the listing', 'failing', /socket-options: the third sample failed\r\n$/],
    ['an uncaught exception', 'throwing', /Error: a defect/],
  ])('restores the terminal before the message of %s', async (_, scenario, message) => {
    const { output, status, modesRestored } = await play(watch(scenario), [['end', 5]]);
    expect({ status, modesRestored }).toEqual({ status: 1, modesRestored: true });
    expect(modeCodes(output)).toEqual([...SCREEN_ENTERED, ...SCREEN_LEFT]);
    expect(output.slice(output.lastIndexOf('\x1b[?1049l'))).toMatch(message);
  });

  test('prints an error of the first sample without showing a screen', async () => {
    const { output, status } = await play(watch('refused'), [['end', 5]]);
    expect({ output, status }).toEqual({
      output: 'socket-options: listing was refused\r\n',
      status: 1,
    });
  });

  test.each([
    ['SIGTERM', -15],
    ['SIGHUP', -1],
    ['SIGINT', -2],
    ['SIGQUIT', -3],
  ] as const)(
    '%s restores all modes and then ends the program by the same signal',
    async (name, number) => {
      const { output, status, modesRestored } = await play(watch('few'), [
        ['until', ':40001'],
        ['signal', name],
        ['end', 5],
      ]);
      expect({ status, modesRestored }).toEqual({ status: number, modesRestored: true });
      expect(modeCodes(output)).toEqual([...SCREEN_ENTERED, ...SCREEN_LEFT]);
    },
  );

  test('ends by SIGHUP if the terminal disappears', async () => {
    const { status } = await play(watch('few'), [['until', ':40001'], ['hangup'], ['end', 3]]);
    expect(status).toBe(-1);
  });

  test('drops frames while the terminal does not read, and q still works', async ({ skip }) => {
    skip(process.env.LD_PRELOAD?.includes('asan') === true, 'sanitizers use additional memory');
    const { output, status, rss, modesRestored } = await play(
      faked('many', '--watch', '--interval', '0.1'),
      [
        ['until', ':10040'],
        ['rss', 'before'],
        ['sleep', 1.8],
        ['rss', 'after'],
        ['type', 'q'],
        // The program can only restore the terminal after the terminal reads again.
        ['sleep', 0.3],
        ['end', 5],
      ],
      { columns: 200, rows: 60 },
    );
    expect({ status, modesRestored }).toEqual({ status: 0, modesRestored: true });
    expect(modeCodes(output)).toEqual([...SCREEN_ENTERED, ...SCREEN_LEFT]);
    // Of 18 frames, only those in the terminal's buffer and the one that was being written: fewer than 8.
    const frames = output.match(/:10040 /g)?.length;
    expect(frames).toBeGreaterThan(1);
    expect(frames).toBeLessThan(8);
    expect((rss.after ?? Infinity) - (rss.before ?? 0)).toBeLessThan(30_000);
  });

  test.each([
    ['SIGTERM', [['signal', 'SIGTERM']], -15],
    [
      'Ctrl-C twice',
      [
        ['type', '\x03'],
        ['sleep', 0.3],
        ['type', '\x03'],
      ],
      0,
    ],
  ] as const)(
    '%s ends the program although the terminal never reads again',
    async (_, steps, expected) => {
      const { status } = await play(
        faked('many', '--watch', '--interval', '0.1'),
        [['until', ':10040'], ['sleep', 1], ...steps, ['end', 3, 'unread']],
        { columns: 200, rows: 60 },
      );
      expect(status).toBe(expected);
    },
  );

  test('Ctrl-Z without a shell that could continue the program shows the screen again', async () => {
    const { output, status } = await play(watch('few'), [
      ['until', ':40001'],
      ['type', '\x1a'],
      ['until', ':40001'],
      ['type', 'q'],
      ['end', 5],
    ]);
    expect(modeCodes(output)).toEqual([
      ...SCREEN_ENTERED,
      ...SCREEN_LEFT,
      ...SCREEN_ENTERED,
      ...SCREEN_LEFT,
    ]);
    expect(status).toBe(0);
  });

  test('pasted text is no keys, but is typed into the filter', async () => {
    const paste = (text: string) => ['type', `${ESC}[200~${text}${ESC}[201~`] as const;
    const { output, status, modesRestored } = await play(watch('few'), [
      ['until', ':40001'],
      paste('qp!\nq'),
      ['type', '/'],
      ['until', 'filter: _'],
      paste('40002q'),
      ['until', 'filter: 40002q_'],
      ['type', `${ESC}`],
      ['until', 'q quits'],
      ['type', 'q'],
      ['end', 5],
    ]);
    expect({ status, modesRestored }).toEqual({ status: 0, modesRestored: true });
    expect(output).not.toMatch(/PAUSED|problems only/);
  });

  test('works without keys if stdin is not a terminal', async () => {
    const { output, status } = await play(
      watch('few'),
      [
        ['until', ':40001'],
        ['read', 0.3],
        ['signal', 'SIGINT'],
        ['end', 5],
      ],
      { stdin: false },
    );
    expect(output).toContain('Ctrl-C quits');
    expect(output).not.toContain('q quits');
    expect(modeCodes(output)).toEqual([...SCREEN_ENTERED, ...SCREEN_LEFT]);
    expect(status).toBe(-2);
  });

  test('prints ASCII in a locale without Unicode', async () => {
    const { output } = await play(
      watch('many'),
      [
        ['until', ':10003'],
        ['read', 0.6],
        ['type', 'q'],
        ['end', 5],
      ],
      { env: { LC_ALL: 'C' }, columns: 81 },
    );
    expect(output).toMatch(/[_.:=+*#-]{3}/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what may be there.
    expect(output).toMatch(/^[\x1b\r\n -~]*$/);
  });

  test('prints lines on a dumb terminal', async () => {
    const { output } = await play(
      watch('few'),
      [
        ['until', ':40001'],
        ['type', '\x03'],
        ['end', 5],
      ],
      {
        env: { TERM: 'dumb' },
      },
    );
    expect(output).toMatch(/^\d{4}-\d\d-\d\dT\S+Z ESTABLISHED /);
    expect(output).not.toContain('\x1b');
  });

  test('escapes control characters in process names', async () => {
    for (const args of [['--process'], ['--process', '--json'], ['--process', '--watch']]) {
      const { output } = await play(faked('hostile', ...args), [
        ['until', '[31m'],
        ['read', 0.2],
        ['type', 'q'],
        ['end', 5],
      ]);
      expect(output).toContain('[31m');
      expect(output).not.toContain(`${ESC}[31m`);
      expect(output).not.toMatch(UNPRINTABLE);
    }
  });
});

/** Reads more than `count` lines of output from a pipe, and closes it. */
async function piped([command = '', ...args]: readonly string[], count: number) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit');
  let stdout = '';
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  for await (const chunk of child.stdout) {
    stdout += chunk;
    if (stdout.split('\n').length > count) break;
  }
  // `break` closes the stream, so the program's next write fails with EPIPE.
  const [status] = await ended;
  return { lines: stdout.trimEnd().split('\n'), stderr, status };
}

describe.concurrent('not in a terminal', () => {
  test('prints a line per connection and sample, and ends silently when the pipe is closed', async () => {
    const { lines, stderr, status } = await piped(watch('few'), 6);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const time = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z';
    const ends = '192\\.0\\.2\\.1:5432 192\\.0\\.2\\.7';
    for (const [index, line] of lines.entries()) {
      const port = index % 2 === 0 ? 40002 : 40001;
      expect(line).toMatch(new RegExp(`^${time} ESTABLISHED ${ends}:${port}; alive [ -~]*$`));
    }
    expect(lines[0]).toMatch(
      /timer probe 4 in 0\.4 s; the peer may be gone: 3 keepalive probes are unan/,
    );
  });

  test('--json prints one line per sample', async () => {
    const { lines } = await piped(watch('growing', '--json'), 3);
    for (const [index, line] of lines.entries()) {
      const { time, connections } = JSON.parse(line);
      expect(new Date(time).toISOString()).toBe(time);
      expect(connections).toHaveLength(index + 1);
      expect(connections.at(-1).cookie).toBe(String(20_001 + index));
    }
  });

  test('--problems prints nothing until something is wrong', async () => {
    const { lines } = await piped(watch('ailing', '--problems'), 1);
    expect(lines[0]).toMatch(/^\S+Z ESTABLISHED .*the peer may be gone/);
  });

  test('prints a line for a sample without connections', async () => {
    const { lines } = await piped(watch('none'), 1);
    expect(lines[0]).toMatch(/^\S+Z No connections\.$/);
  });
});
