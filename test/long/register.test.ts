// socket-options/register, preloaded into programs that do not know this package. The kernel reports what their sockets have.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { inNamespace, needsNamespace } from '../support/namespace';
import { copyPackage } from '../support/package-copy';
import { onLinux } from '../support/platform';
import {
  getInt,
  IPPROTO_IP,
  IPPROTO_TCP,
  referenceAddon,
  SO_KEEPALIVE,
  SOL_SOCKET,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
} from '../support/reference-addon';

const REGISTER = join(__dirname, '../../dist/register.js');
const PROGRAM = join(__dirname, '../fixtures/registered/program.mjs');
const COMMONJS = join(__dirname, '../fixtures/registered/program.cjs');
const REQUIRE = ['--require', REGISTER];
const IMPORT = ['--import', pathToFileURL(REGISTER).href];

/** The switch, initial delay, interval and count of a dead-peer timeout of 20 s, of one of 60 s, and of a new socket. */
const TUNED = [1, 4, 2, 17];
const TUNED_60 = [1, 12, 6, 17];
const UNTUNED = [0, 7_200, 75, 9];
const IP_TTL = 2;

beforeEach(onLinux('descriptors of another process'));

/** The environment of a program. A lane may have set variables for this process. */
const environment = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  ...process.env,
  NODE_OPTIONS: undefined,
  SOCKET_OPTIONS: undefined,
  ...env,
});

interface Options {
  readonly program?: string;
  /** The arguments of the program. */
  readonly args?: readonly string[];
  /** For Node, before the program. */
  readonly flags?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

interface Ends {
  readonly client: number[];
  readonly server: number[];
}

interface Outcome {
  /** What `read` has read from both ends of the connection of the program. */
  readonly ends: Ends;
  readonly stderr: string;
  /** How often a tuning has set its options: NODE_DEBUG prints that. */
  readonly tunings: number;
}

/** The switch, initial delay, interval and count. */
function keepAlive(fd: number): number[] {
  const names = [TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT];
  return [
    getInt(fd, SOL_SOCKET, SO_KEEPALIVE),
    ...names.map((name) => getInt(fd, IPPROTO_TCP, name)),
  ];
}

/** Runs a program until it has opened its connection, and reads both ends. */
async function run(
  { program = PROGRAM, args = [], flags = [], env = {}, cwd }: Options,
  read = keepAlive,
): Promise<Outcome> {
  const child = spawn(process.execPath, [...flags, program, ...args], {
    env: environment({ NODE_DEBUG: 'socket-options', ...env }),
    cwd,
  });
  const closed = once(child, 'close');
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  try {
    const line = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
    expect(line.done, stderr).toBe(false);
    const { pid, client, server } = JSON.parse(line.value as string);
    const ends = { client: readFrom(pid, client, read), server: readFrom(pid, server, read) };
    child.stdin.end();
    await closed;
    const tunings = stderr.match(/^SOCKET-OPTIONS \d+: tuned /gm)?.length ?? 0;
    return { ends, stderr, tunings };
  } finally {
    child.kill('SIGKILL');
  }
}

/** Reads from a duplicate of a descriptor of another process. */
function readFrom(pid: number, theirs: number, read: (fd: number) => number[]): number[] {
  const fd = referenceAddon.take(pid, theirs);
  expect(fd).toBeGreaterThanOrEqual(0);
  try {
    return read(fd);
  } finally {
    referenceAddon.close(fd);
  }
}

const tuned: Ends = { client: TUNED, server: TUNED };
const untuned: Ends = { client: UNTUNED, server: UNTUNED };

test('without it, the program has no keepalive', async () => {
  const { ends, tunings } = await run({ env: { SOCKET_OPTIONS: '20s' } });
  expect([ends, tunings]).toEqual([untuned, 0]);
});

describe('preloaded', () => {
  const SOCKET_OPTIONS = '20s';

  test.each<[string, Options]>([
    ['by --import, into an ES module', { flags: IMPORT }],
    ['by --import, into a CommonJS program', { flags: IMPORT, program: COMMONJS }],
    ['by --require, into an ES module', { flags: REQUIRE }],
    ['by --require, into a CommonJS program', { flags: REQUIRE, program: COMMONJS }],
    ['by NODE_OPTIONS', { env: { NODE_OPTIONS: `--import=${JSON.stringify(REGISTER)}` } }],
    ['into a worker thread, by --import', { args: ['worker'], flags: IMPORT }],
    ['into a worker thread, by --require', { args: ['worker'], flags: REQUIRE }],
    [
      'into a worker thread, by NODE_OPTIONS',
      { args: ['worker'], env: { NODE_OPTIONS: IMPORT.join(' ') } },
    ],
    [
      'into a worker thread that is made from code, by --require',
      { args: ['code'], flags: REQUIRE },
    ],
    ['into a forked process', { args: ['fork'], flags: IMPORT }],
    [
      'into a started process, by NODE_OPTIONS',
      { args: ['spawn'], env: { NODE_OPTIONS: IMPORT.join(' ') } },
    ],
    ['into a worker of a cluster', { args: ['cluster'], flags: IMPORT }],
    [
      'by NODE_OPTIONS, --require and --import at once',
      { flags: [...REQUIRE, ...IMPORT], env: { NODE_OPTIONS: IMPORT.join(' ') } },
    ],
  ])('%s, it tunes each end of a connection once', async (_, options) => {
    const env = { ...options.env, SOCKET_OPTIONS };
    const { ends, stderr, tunings } = await run({ ...options, env });
    expect(ends, stderr).toEqual(tuned);
    expect(tunings).toBe(2);
    expect(stderr).not.toMatch(/warning/i);
  });

  test('by --import, it does not reach a worker that is made from code: Node preloads nothing there', async () => {
    const { ends } = await run({ args: ['code'], flags: IMPORT, env: { SOCKET_OPTIONS } });
    expect(ends).toEqual(untuned);
  });

  test('by its name, where the package is found from the working directory', async () => {
    // The folder of this repository finds the package of its own name.
    const cwd = join(__dirname, '../..');
    const flags = ['--import', 'socket-options/register'];
    const { ends } = await run({ flags, cwd, env: { SOCKET_OPTIONS } });
    expect(ends).toEqual(tuned);
  });
});

describe('two copies of the package', () => {
  let folder: string;
  beforeAll(() => {
    folder = copyPackage();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('tune each end of a connection once', async () => {
    const { ends, tunings } = await run({
      flags: ['--require', join(folder, 'dist/register.js'), ...IMPORT],
      env: { SOCKET_OPTIONS: '20s' },
    });
    expect([ends, tunings]).toEqual([tuned, 2]);
  });
});

describe('SOCKET_OPTIONS', () => {
  test.each([
    ['20s', tuned],
    ['20000', tuned],
    [' 20000ms\n', tuned],
    ['1m', { client: TUNED_60, server: TUNED_60 }],
    ['{"client":{"deadPeerTimeout":"20s"}}', { client: TUNED, server: UNTUNED }],
    ['{"server":{"deadPeerTimeout":20000}}', { client: UNTUNED, server: TUNED }],
    [
      '{"client":{"keepAlive":true},"server":{"deadPeerTimeout":"1m","maxSilence":"5m"},"adopt":true}',
      { client: [1, ...UNTUNED.slice(1)], server: TUNED_60 },
    ],
    ['off', untuned],
  ])('%j is what both ends get', async (SOCKET_OPTIONS, expected) => {
    const { ends, stderr } = await run({ flags: IMPORT, env: { SOCKET_OPTIONS } });
    expect(ends).toEqual(expected);
    expect(stderr).not.toMatch(/warning/i);
  });

  test.each([undefined, '', ' '])(
    'of %j leaves the program as it is, with one warning for all its threads',
    async (SOCKET_OPTIONS) => {
      const { ends, stderr } = await run({
        flags: IMPORT,
        args: ['worker'],
        env: { SOCKET_OPTIONS },
      });
      expect(ends).toEqual(untuned);
      expect(stderr.match(/SocketOptionsWarning/g)).toHaveLength(1);
      expect(stderr).toMatch(
        /nothing is tuned, because the environment variable SOCKET_OPTIONS is not set or empty/,
      );
      expect(stderr).toContain('SOCKET_OPTIONS_NOT_REGISTERED');
    },
  );

  test.each([
    ['20 s', /^It is neither a duration nor a JSON object\.$/m],
    ['"20s"', /neither a duration/],
    ['[]', /neither a duration/],
    ['3s', /"client\.deadPeerTimeout" is out of range\. It must be >= 4000 ms .* Received 3000$/m],
    ['20', /It must be >= 4000 ms .*; 20 s are 20000 ms\)\. Received 20$/m],
    ['999d', /"client\.deadPeerTimeout" is out of range/],
    ['{client:{}}', /^It is not valid JSON: .* A shell removes double quotes/m],
    ['{}', /^Neither "client" nor "server" has an option\.$/m],
    ['{"client":{},"server":{},"adopt":true}', /^Neither "client" nor "server" has an option\.$/m],
    ['{"client":null}', /The "client" argument must be an object of options\. Received null/],
    [
      '{"deadPeerTimeout":"20s"}',
      /^unknown option "deadPeerTimeout" \(known: client, server, adopt; options of sockets belong in client or server\)$/m,
    ],
    ['{"client":{},"filter":true}', /^unknown option "filter" \(known: client, server, adopt;/m],
    ['{"client":{},"__proto__":{}}', /^unknown option "__proto__"/m],
    ['{"client":{"__proto__":{}}}', /unknown option "client\.__proto__"/],
    [
      '{"client":{"deadPeerTimout":"20s"}}',
      /unknown option "client\.deadPeerTimout" \(did you mean "deadPeerTimeout"\?\)/,
    ],
    [
      '{"client":{"deadPeerTimeout":"20 s"}}',
      /^"client\.deadPeerTimeout" is not a duration: "20 s"\.$/m,
    ],
    [
      '{"client":{"noDelay":1}}',
      /"client\.noDelay" argument must be a boolean\. Received type number \(1\)/,
    ],
    [
      '{"server":{"connectTimeout":"20s"}}',
      /"server\.connectTimeout" argument is for clients only/,
    ],
    ['{"client":{"noDelay":true},"adopt":"yes"}', /"adopt" argument must be/],
  ])('of %j ends the process before the program starts', (SOCKET_OPTIONS, reason) => {
    for (const flags of [IMPORT, REQUIRE]) {
      const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, PROGRAM], {
        encoding: 'utf8',
        env: environment({ SOCKET_OPTIONS }),
        input: '',
      });
      expect([status, stdout], stderr).toEqual([9, '']);
      const [first, ...lines] = stderr.split('\n');
      expect(first).toBe(
        'socket-options/register: the environment variable SOCKET_OPTIONS is wrong, so the program was not started.',
      );
      expect(lines.slice(0, -3).join('\n')).toMatch(reason);
      expect(lines.at(-3)).toMatch(/^Given: /);
      expect(lines.at(-2)).toMatch(/^Allowed: a duration such as 20s/);
      expect(lines.at(-1)).toBe('');
      // No lines of this package, as for an uncaught error.
      expect(lines).toHaveLength(4);
    }
  });

  test('that is wrong in a worker alone is the error of the worker', () => {
    const code = `
      const { Worker } = require('node:worker_threads');
      const env = { ...process.env, SOCKET_OPTIONS: '20 s' };
      new Worker('0', { eval: true, env }).on('error', ({ message }) => console.log(message.split('\\n', 2).join('\\n')));`;
    const { status, stdout, stderr } = spawnSync(process.execPath, [...REQUIRE, '-e', code], {
      encoding: 'utf8',
      env: environment({ SOCKET_OPTIONS: '20s' }),
    });
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(
      /so the thread was not started\.\nIt is neither a duration nor a JSON object\.\n$/,
    );
  });
});

describe('a program that calls tuneSockets() itself', () => {
  const both = (fd: number) => [...keepAlive(fd), getInt(fd, IPPROTO_IP, IP_TTL)];
  const options = (tuning: object): Options => ({
    flags: IMPORT,
    program: COMMONJS,
    env: {
      SOCKET_OPTIONS:
        '{"client":{"deadPeerTimeout":"20s","ttl":42},"server":{"deadPeerTimeout":"20s"}}',
      TUNING: JSON.stringify(tuning),
    },
  });

  test('adds what the variable does not set', async () => {
    const { ends } = await run(options({ server: { ttl: 43 } }), both);
    expect(ends).toEqual({ client: [...TUNED, 42], server: [...TUNED, 43] });
  });

  test('wins where both set an option', async () => {
    const { ends } = await run(options({ client: { deadPeerTimeout: 60_000, ttl: 44 } }), both);
    expect(ends.client).toEqual([...TUNED_60, 44]);
    expect(ends.server.slice(0, 4)).toEqual(TUNED);
  });
});

describe('without the addon', () => {
  /** A lane may have named another file for this process. */
  const OF_THE_COPY = { SOCKET_OPTIONS_PREBUILD: undefined, PREBUILDS_ONLY: undefined };

  test('off helps also where its file is broken', () => {
    const folder = copyPackage();
    const addons = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.endsWith('.node'),
    );
    expect(addons).not.toEqual([]);
    for (const path of addons) truncateSync(join(folder, path), 8_192);
    const start = (SOCKET_OPTIONS: string) =>
      spawnSync(
        process.execPath,
        ['--require', join(folder, 'dist/register.js'), '-e', 'console.log(1)'],
        { encoding: 'utf8', env: environment({ SOCKET_OPTIONS, ...OF_THE_COPY }) },
      );
    // The system ends the process, or there is a warning.
    expect(start('20s')).not.toMatchObject({ status: 0, stderr: '' });
    expect(start('off')).toMatchObject({ status: 0, stdout: '1\n', stderr: '' });
    rmSync(folder, { recursive: true });
  });

  test('the program runs as it did before, with one warning that says how to get the addon', async () => {
    const { ends, stderr } = await run({
      flags: [...IMPORT, '--no-addons'],
      args: ['worker'],
      env: { SOCKET_OPTIONS: '20s' },
    });
    expect(ends).toEqual(untuned);
    expect(stderr.match(/SocketOptionsWarning/g)).toHaveLength(1);
    expect(stderr).toMatch(
      /socket-options\/register: nothing is tuned\. .*ADDON|nothing is tuned\. socket-options cannot load/,
    );
    expect(stderr).toMatch(/--permission needs --allow-addons/);
  });
});

describe('a peer that vanishes', () => {
  beforeEach(needsNamespace);

  test('ends the connection of the program in time', async () => {
    const { code, time } = await inNamespace<{ code: string; time: number }>(
      'registered/silence.mjs',
      '4s',
      ...IMPORT,
    );
    expect(code).toBe('ETIMEDOUT');
    // The kernel alone takes two hours. All cases and their bounds are in test/lanes/promise/.
    expect(time).toBeLessThan(8_000);
  });
});
