import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { getSystemDefaults } from '../../dist/index.js';
import { messageOf } from '../../lib/cli/command';
import { options } from '../../lib/cli/selection-arguments';
import { formatDuration, formatTable, wrap } from '../../lib/cli/view/text';
import type { Connection } from '../../lib/connections/connection';
import { retransmissionTime } from '../../lib/system-defaults/retransmission-time';
import { version } from '../../package.json';
import { onLinux } from '../support/platform';
import { faked } from '../support/terminal';

const main = join(__dirname, '../../dist/cli/main.js');

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('socket-options defaults', () => {
  test('--json prints what getSystemDefaults() returns', () => {
    const { status, stdout, stderr } = run('defaults', '--json');
    expect(JSON.parse(stdout)).toEqual(getSystemDefaults());
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  test('prints a table within 80 columns, with the source of each value and what it means', () => {
    const { status, stdout, stderr } = run('defaults');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^keepAliveInitialDelay +2 h +sysctl net\.ipv4\.tcp_keepalive_time$/m);
    expect(stdout).toMatch(/^retransmissions +15 +sysctl net\.ipv4\.tcp_retries2$/m);
    expect(stdout).toMatch(/detected after 2 h\s11\smin\s15\ss\./);
    expect(stdout).toMatch(/fails after 15 min\n24\.6 s or more/);
    // No colours.
    expect(stdout).not.toContain('\u001b');
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  test('--help prints the usage', () => {
    expect(run('defaults', '--help')).toEqual({
      status: 0,
      stdout: expect.stringMatching(/^Usage: socket-options defaults \[--json\]/),
      stderr: '',
    });
  });
});

describe('socket-options', () => {
  test.each([[[]], [['--help']], [['-h']], [['help']]])(
    '%j prints the list of commands',
    (args) => {
      const { status, stdout, stderr } = run(...args);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout).toMatch(/^ {2}defaults {2}.*^ {2}connections {2}/ms);
      for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    },
  );

  test.each(['defaults', 'connections', 'plan', 'watch', 'metrics', 'completion'])(
    'help %s prints what %s --help prints',
    (command) => {
      expect(run('help', command)).toEqual(run(command, '--help'));
    },
  );

  test('--version prints the version of the package', () => {
    expect(run('--version')).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
  });

  test.each([
    [['default'], /unknown command 'default' \(did you mean 'defaults'\?\)\nTry/],
    [['conections'], /unknown command 'conections' \(did you mean 'connections'\?\)/],
    [
      ['toString'],
      /unknown command 'toString' \(known: defaults, connections, plan, watch, metrics, /,
    ],
    [[''], /unknown command '' \(known: defaults/],
    [['--vresion'], /unknown option '--vresion' \(did you mean '--version'\?\)/],
    [['--defaults'], /unknown option '--defaults' \(known: --help, --version\)/],
    [['defaults', '--jsn'], /unknown option '--jsn' \(did you mean '--json'\?\)\nUsage: socket/],
    [['defaults', '--__proto__'], /unknown option '--__proto__' \(known: --json, --help\)/],
    [['defaults', '-j'], /unknown option '-j' \(known: --json, --help\)/],
    [['defaults', 'all'], /unexpected argument 'all'/],
    [['defaults', '--', '--json'], /unexpected argument '--json'/],
    [['defaults', '--json=1'], /--json takes no value, but '1' is given/],
    [['connections', '--port'], /--port needs a value\n/],
    [['connections', '--problems='], /--problems needs a value\n/],
    [['connections', '--state='], /--state needs a value\n/],
    [['help', 'conections'], /'conections' \(did you mean 'connections'\?/],
    [['help', 'plan', 'watch'], /unexpected argument 'watch'/],
    [['connections', '--port', '--json'], /--port needs a value, but '--json' follows/],
    [['connections', '--port', '-1'], /if it is the value, write --port=-1\n/],
    [['connections', '--interfal', '2'], /'--interfal' \(did you mean '--interval'\?\)/],
    [['connections', '--state', 'Establishd'], /state 'Establishd' \(did you mean 'ESTABLISHED'\?/],
    [['plan', '20s', '--platform', 'linus'], /'linus' \(did you mean 'linux'\?\)/],
  ])('rejects %j with exit code 2 and nothing on stdout', (args, message) => {
    const { status, stdout, stderr } = run(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(message);
    const [name = ''] = args;
    const help = stderr.includes('Usage:')
      ? `socket-options ${name} --help`
      : 'socket-options --help';
    expect(stderr.endsWith(`\nTry '${help}'.\n`)).toBe(true);
  });

  test('exits with 0 if the reader closes the pipe early', () => {
    const { status, stderr } = spawnSync(
      'bash',
      ['-c', `set -o pipefail; "${process.execPath}" "${main}" defaults --json | true`],
      { encoding: 'utf8' },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});

describe('socket-options connections with made-up connections', () => {
  const run = (scenario: string, ...args: string[]) => {
    const [command = '', ...rest] = faked(scenario, ...args);
    const { status, stdout, stderr } = spawnSync(command, rest, {
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
    });
    return { status, stdout, stderr };
  };

  test('prints a table, a sentence for each problem, and the number by state', () => {
    expect(run('few')).toEqual({
      status: 0,
      stdout: `\
  STATE        LOCAL           PEER             ALIVE   RTT      TIMER
! ESTABLISHED  192.0.2.1:5432  192.0.2.7:40002  2.4 s   12.3 ms  probe 4 in 0.4 s
  ESTABLISHED  192.0.2.1:5432  192.0.2.7:40001  0.4 s   0.04 ms  off

! 192.0.2.1:5432 - 192.0.2.7:40002: the peer may be gone: 3 keepalive probes are
unanswered, its last sign of life came 2.4 s ago

2 connections: 2 ESTABLISHED.
Left out: 1 LISTEN, 1 TIME-WAIT (--all shows them).
`,
      stderr: '',
    });
    expect(run('none')).toEqual({ status: 0, stdout: 'No connections.\n', stderr: '' });
  });

  test('--all and --state show every selected state', () => {
    for (const args of [['--all'], ['--state', 'listen,time-wait,established']]) {
      const { stdout } = run('few', ...args);
      expect(stdout).toMatch(/^ {2}LISTEN .*^ {2}TIME-WAIT /ms);
      expect(stdout).not.toMatch(/Left out/);
    }
  });

  test('--json prints one array in ASCII, with cookies as strings', () => {
    const { stdout } = run('few', '--json');
    expect(JSON.parse(stdout)).toEqual([
      expect.objectContaining({
        cookie: '40002',
        timer: { kind: 'keepalive', expires: 400, count: 3 },
        tcpInfo: expect.objectContaining({ rtt: 12.3, mss: 1_448, pathMtu: null }),
        problems: [expect.objectContaining({ problem: 'half-open', severity: 'critical' })],
      }),
      expect.objectContaining({
        ...{ cookie: '40001', timer: null },
        problems: [expect.objectContaining({ problem: 'no-keepalive' })],
      }),
    ]);
    expect(run('none', '--json').stdout).toBe('[]\n');
    const hostile = run('hostile', '--json', '--process').stdout;
    expect(hostile).toMatch(/^[\n -~]*$/);
    expect(JSON.parse(hostile)[0].owners[0].name).toBe('a\u001b[31m\u009b2J\nb\u202e');
  });

  test.each<[string[], object]>([
    [[], {}],
    [['--process'], { owners: true }],
    [
      ['--state', 'estab,Close_Wait', '--state', 'FIN-WAIT-1'],
      {
        state: ['ESTABLISHED', 'CLOSE-WAIT', 'FIN-WAIT-1'],
      },
    ],
    [['--port', '80,443', '--port', '65535'], { port: [80, 443, 65_535] }],
    [
      ['--local', '::1', '--remote', '10.0.0.0/8'],
      {
        localAddress: ['::1'],
        remoteAddress: ['10.0.0.0/8'],
      },
    ],
    [['--peer', 'fe80::/10'], { remoteAddress: ['fe80::/10'] }],
    [
      ['--peer', '10.0.0.5, ::1', '--peer', '::ffff:192.0.2.7'],
      { remoteAddress: ['10.0.0.5', '::1', '192.0.2.7'] },
    ],
    [['--state', 'ESTABLISHED, CLOSE-WAIT'], { state: ['ESTABLISHED', 'CLOSE-WAIT'] }],
    [['--group-by', 'process'], { owners: true }],
    [['--problems', '--no-keepalive', '--sort', 'rtt', '--limit', '3'], {}],
  ])('%j lists with the filter %j', (args, filter) => {
    const { status, stderr } = run('filter', ...args);
    expect(status).toBe(1);
    expect(JSON.parse(stderr.replace('socket-options: ', ''))).toEqual({
      problems: true,
      ...filter,
    });
  });

  test.each([
    [['--state', 'open'], /unknown state 'open' \(known: CLOSED, LISTEN, .*, TIME-WAIT\)\n/],
    [['--state', 'established,'], /unknown state ''/],
    [['--state', 'listen', '--all'], /--all and --state cannot be used together/],
    [['--port', '0'], /--port '0' is not a whole number from 1 to 65535/],
    [['--port', '65536'], /--port '65536'/],
    [['--port', '80,x'], /--port 'x'/],
    [['--port', '0x50'], /--port '0x50'/],
    [
      ['--local', 'localhost'],
      /--local 'localhost' is not an IP address \(without a zone\) or prefix, such as/,
    ],
    [['--remote', '10.0.0.0/33'], /--remote '10.0.0.0\/33' is/],
    [['--remote', '::1/'], /--remote '::1\/' is/],
    [['--remote', '::1/64/2'], /--remote '::1\/64\/2' is/],
    [['--local', 'fe80::1%lo'], /--local 'fe80::1%lo' is/],
    [['--interval', '1'], /--interval needs --watch/],
    [['--watch', '--interval', '0'], /--interval '0' is not a number of seconds from 0\.1/],
    [['--watch', '--interval', ''], /--interval '' is not/],
    [['--watch', '--interval', '1s'], /--interval '1s' is not/],
    [['--own'], /unknown option '--own'/],
    [['--peer', '::1', '--remote', '::1'], /--peer and --remote are the same/],
    [['--peer', 'db.example'], /--peer 'db.example' is not an IP address/],
    [['--problems', 'half-opne'], /unknown problem 'half-opne' \(did you mean 'half-open'\?\)/],
    [['--problems=half-open,'], /unknown problem '' \(known: half-open, handshake-unanswered/],
    [['--problems', '5432'], /unknown problem '5432'/],
    [['--problems', '--problems=unread'], /--problems is given with names and without/],
    [['--sort', 'rtt', '--sort', 'sent'], /--sort is given twice, but takes one value/],
    [['--limit', '1', '--limit=1'], /--limit is given twice/],
    [['--group-by', 'peer', '--group-by', 'state'], /--group-by is given twice/],
    [['--sort', 'rt'], /unknown value of --sort 'rt' \(did you mean 'rtt'\?\)/],
    [['--sort', 'size'], /'size' \(known: problems, alive, rtt, .*, peer\)/],
    [['--group-by', 'peers'], /--group-by 'peers' \(did you mean 'peer'\?\)/],
    [['--limit', '0'], /--limit '0' is not a whole number from 1 to 1000000/],
    [['--limit', 'all'], /--limit 'all' is not/],
    [
      ['--group-by', 'peer', '--sort', 'sent'],
      /--group-by cannot be sorted by sent, but by problems/,
    ],
    [['--group-by', 'peer', '--watch'], /--group-by cannot be used with --watch/],
    [['--process', '--json', '--group-by', 'peer'], /use --group-by process/],
    [['--fail-on-problems', '--watch'], /--fail-on-problems needs an end/],
    [['5432'], /unexpected argument '5432'/],
  ])('rejects %j with exit code 2 before it lists anything', (args, message) => {
    const { status, stdout, stderr } = run('refused', ...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });

  test.each([[[]], [['--json']], [['--watch']], [['--watch', '--json']]])(
    '%j exits with 1 and the message if listing fails',
    (args) => {
      expect(run('refused', ...args)).toEqual({
        status: 1,
        stdout: '',
        stderr: 'socket-options: listing was refused\n',
      });
    },
  );

  const ports = (...args: string[]) => {
    const { status, stdout } = run('mixed', '--json', ...args);
    const found = (JSON.parse(stdout) as Connection[]).map(({ remotePort }) => remotePort);
    return { status, ports: found };
  };

  test.each<[string[], number[]]>([
    [[], [40_002, 40_004, 40_001, 40_003]],
    [['--problems'], [0, 40_002, 40_004]],
    [
      ['--problems', 'close-wait,no-keepalive'],
      [40_004, 40_001],
    ],
    [
      ['--problems=half-open', '--problems', 'close-wait'],
      [40_002, 40_004],
    ],
    [
      ['--sort', 'rtt', '--limit', '2'],
      [40_002, 40_001],
    ],
    [['--sort', 'sent', '--limit', '1'], [40_003]],
    [
      ['--problems', '--sort', 'peer'],
      [0, 40_002, 40_004],
    ],
    [
      ['--limit', '2'],
      [40_002, 40_004],
    ],
  ])('%j shows the connections %j', (args, expected) => {
    expect(ports(...args)).toEqual({ status: 0, ports: expected });
  });

  test('--no-keepalive shows only connections whose keepalive is known to be off', (context) => {
    onLinux('the timers of connections')(context);
    // 40002 has unacknowledged data.
    expect(ports('--no-keepalive')).toEqual({ status: 0, ports: [40_004, 40_001, 40_003] });
  });

  test('--fail-on-problems exits with 3 if a selected connection has a problem', () => {
    expect(ports('--fail-on-problems').status).toBe(3);
    expect(ports('--fail-on-problems', '--problems', 'no-keepalive')).toEqual({
      ...{ status: 0, ports: [40_001] },
    });
    expect(run('few', '--fail-on-problems', '--limit', '1').status).toBe(3);
    expect(run('none', '--fail-on-problems').status).toBe(0);
    // A full accept queue, although its socket has no row.
    expect(run('mixed', '--fail-on-problems', '--group-by', 'state').status).toBe(3);
  });

  test('--limit shows the first rows, and counts and describes all', () => {
    const { stdout } = run('mixed', '--limit', '1');
    expect(stdout.match(/^[! ] (ESTAB|CLOSE)/gm)).toHaveLength(1);
    expect(stdout).toMatch(/40004: the peer has closed/);
    expect(stdout).toMatch(/^4 connections: 3 ESTABLISHED, 1 CLOSE-WAIT\. Shown: the first 1\.$/m);
  });

  test('--group-by prints a line for each group, and JSON with --json', () => {
    const { stdout } = run('mixed', '--group-by', 'peer');
    expect(stdout.split('\n').slice(0, 3)).toEqual([
      '  PEER       COUNT  PROBLEMS                     SILENCE  RTT      UNREAD  UNACKED  STATES',
      '! 192.0.2.7  2      1 half-open, 1 no-keepalive  13 s     6.00 ms          700 B    2 ESTABLISHED',
      '! 192.0.2.8  2      1 close-wait                 90 s     1.50 ms  2.0 kB           1 ESTABLISHED, 1 CLOSE-WAIT',
    ]);
    const json = run('mixed', '--group-by', 'process', '--json', '--limit', '1').stdout;
    expect(JSON.parse(json)).toEqual([
      expect.objectContaining({ group: '(not known)', connections: 3, marked: 1 }),
    ]);
    expect(run('none', '--group-by', 'peer', '--json').stdout).toBe('[]\n');
  });

  test.each([
    [
      ['--problems'],
      'No connection has a problem that is critical or a warning. Checked: 2 sockets.',
    ],
    [
      ['--problems', 'unread,Lossy-Path'],
      'No connection has the problem unread or lossy-path. Checked: 2 sockets.',
    ],
    [['--problems', '--group-by', 'peer'], 'No connection has a problem that is critical or a'],
  ])('%j among healthy connections says that none has a problem', (args, sentence) => {
    const { status, stdout, stderr } = run('healthy', ...args);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout.replaceAll('\n', ' ')).toContain(sentence);
    expect(run('healthy', '--json', ...args)).toEqual({ status: 0, stdout: '[]\n', stderr: '' });
    expect(run('none', ...args).stdout).toBe('No connections.\n');
  });

  test('problems that the list cannot show are an error, not an empty list', (context) => {
    onLinux('/proc/net/tcp')(context);
    const ways = [[], ['--json'], ['--watch'], ['--watch', '--json'], ['--group-by', 'peer']];
    for (const args of ways) {
      expect(run('fallback', '--problems', 'accept-queue-full,unread', ...args)).toEqual({
        ...{ status: 1, stdout: '' },
        stderr:
          'socket-options: accept-queue-full, unread cannot be found here: this system refuses netlink, and /proc/net/tcp does not report what shows it (can be found: half-open, handshake-unanswered, close-wait, no-keepalive)\n',
      });
    }
  });

  test('says which of the problems the list cannot show', (context) => {
    onLinux('/proc/net/tcp')(context);
    const args = ['--problems', 'accept-queue-full,half-open'];
    const note = 'These problems cannot be found here: accept-queue-full.';
    const { status, stdout } = run('fallback', ...args);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^No connection has the problem half-open\. Checked: 1 socket\.$/m);
    expect(stdout).toContain(note);
    for (const more of [[], ['--group-by', 'peer']]) {
      expect(run('fallback', '--json', ...args, ...more)).toMatchObject({
        ...{ status: 0, stdout: '[]\n', stderr: expect.stringContaining(note) },
      });
    }
  });

  test('says what is missing from a list of /proc/net/tcp, and leaves JSON as it is', (context) => {
    onLinux('/proc/net/tcp')(context);
    const { stdout } = run('fallback');
    expect(stdout).toMatch(
      /^This system refuses netlink, so the list comes from \/proc\/net\/tcp: when/m,
    );
    const json = run('fallback', '--json');
    expect(JSON.parse(json.stdout)).toHaveLength(1);
    expect(json.stderr).toMatch(
      /^socket-options: This system refuses netlink, .* missing\.\nsocket-options: These problems cannot be found here: accept-queue-full, window-closed, unread, lossy-path\.\n$/,
    );
  });

  test('prints a long list as it is read, and its problems at the end', () => {
    const { stdout } = run('thousands');
    const lines = stdout.trimEnd().split('\n');
    expect(lines.filter((line) => line.startsWith('  ESTABLISHED'))).toHaveLength(11_999);
    expect(lines.filter((line) => line.startsWith('! ESTABLISHED'))).toHaveLength(1);
    expect(lines.at(-1)).toBe('12000 connections: 12000 ESTABLISHED.');
    expect(lines.at(-4)).toMatch(/^! 192\.0\.2\.1:5432 - 192\.0\.2\.7:11001: the peer may be gone/);
    const json = JSON.parse(run('thousands', '--json').stdout) as Connection[];
    expect(new Set(json.map(({ cookie }) => cookie)).size).toBe(12_000);
    // An order needs the whole list.
    expect(run('thousands', '--limit', '3').stdout).toMatch(/^.*TIMER\n! ESTAB/);
  });

  test.each([
    ['head', 'head -n 3', /^ {2}STATE.*\n {2}ESTAB.*\n {2}ESTAB.*\n$/],
    ['jq', 'jq length', /^12000\n$/],
    ['jq that reads one', "jq -cn 'first(inputs[0].cookie)'", /^"\d+"\n$/],
  ])('works in a pipe with %s, and ends quietly', (name, reader, expected) => {
    const json = name.startsWith('jq') ? ['--json'] : [];
    const command = faked('thousands', ...json)
      .map((word) => `'${word}'`)
      .join(' ');
    const { status, stdout, stderr } = spawnSync(
      'bash',
      ['-c', `set -o pipefail; ${command} | ${reader}`],
      { encoding: 'utf8' },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(expected);
  });

  test('--help documents every option within 80 columns', () => {
    const { status, stdout } = run('refused', '--help');
    expect(status).toBe(0);
    for (const option of Object.keys(options)) expect(stdout).toMatch(`\n  --${option} `);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });
});

test('npm start prints what Node sets in the kernel and what tuning changes', () => {
  const example = join(__dirname, '../../examples/first-look.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [example], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const [, , asOpened, byNode, tuned, oneNumber] = stdout.split(/^== /m);
  expect(asOpened).toMatch(/enable +false.*while idle: +never/s);
  expect(byNode).toMatch(/enable +true.*initialDelay +7200 s.*while idle: +after 8794\.9 s/s);
  expect(tuned).toMatch(/initialDelay +30 s.*interval +5 s.*userTimeout +45 s/s);
  expect(tuned).toMatch(/while idle: +after 48\.6 s\n +during a write: +after 47\.5 s/s);
  expect(oneNumber).toMatch(/while idle: +after 20\.0 s.*at worst: +after 20\.0 s/s);
  expect(stdout).not.toContain('\u001b');
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
});

test('messageOf joins the messages of an AggregateError that has none', () => {
  // net.connect fails so, without a message, for a name with an IPv6 and an IPv4 address.
  const both = new AggregateError([new Error('connect ECONNREFUSED ::1:1'), new Error('second')]);
  expect(messageOf(both)).toBe('connect ECONNREFUSED ::1:1; second');
  expect(messageOf(new AggregateError([], 'said'))).toBe('said');
  expect(messageOf(new Error('one'))).toBe('one');
  expect(messageOf('text')).toBe('text');
});

describe('text', () => {
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
  ])('formatDuration(%d) is %s', (milliseconds, words) => {
    expect(formatDuration(milliseconds)).toBe(words);
  });

  test('formatTable aligns columns, wrap breaks lines between words', () => {
    expect(
      formatTable([
        ['a', 'bb', 'c'],
        ['aaa', '', 'c'],
      ]),
    ).toBe('a    bb  c\naaa      c');
    expect(
      wrap('word '.repeat(40).trim())
        .split('\n')
        .map(({ length }) => length),
    ).toEqual([79, 79, 39]);
    expect(wrap('x'.repeat(100))).toBe('x'.repeat(100));
  });

  // ip-sysctl: "The default value of 15 yields a hypothetical timeout of 924.6 seconds". The second case
  // was measured on Linux with TCP_RTO_MAX_MS 1000: 14.8 s.
  test.each([
    [15, 200, 120_000, 924_600],
    [15, 200, 1_000, 14_400],
    [3, 200, 120_000, 3_000],
    [0, 200, 120_000, 200],
  ])('%d retransmissions from %d to %d ms take %d ms', (retries, shortest, longest, time) => {
    expect(retransmissionTime(retries, shortest, longest)).toBeCloseTo(time, 6);
  });
});
