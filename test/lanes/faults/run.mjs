// npm run test:faults: for every public function, makes each of its system calls fail with each possible error. Prints
// the outcomes, and how to replay a failed row.
//
// FAULT_ONLY="getOption" runs the rows of one function. FAULT_ONLY="getOption getsockopt#2 EPERM" runs one row, in which
// the second getsockopt of the function fails; with "... twice" or "... for ever" the following calls fail too.
// FAULT_VERBOSE=1 prints each row.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { scenarios, WITHOUT_CALLS } from './scenarios.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const require = createRequire(import.meta.url);
const { FAULT_ONLY = '', FAULT_VERBOSE } = process.env;
/** How long a row may print nothing. */
const LONGEST = 8_000;

/** New network and process namespaces: no other connections, and few processes to search. */
const UNSHARE = ['--net', '--mount', '--pid', '--fork', '--mount-proc'];
const AS_USER = ['--user', '--map-root-user'];

/** Values that are not built in, so that a guess of the package is detected. */
const SETTINGS = [
  ['tcp_retries2', '11'],
  ['tcp_keepalive_time', '7100'],
  ['tcp_keepalive_intvl', '73'],
  ['tcp_keepalive_probes', '8'],
];

function enterNamespaces() {
  const flags = process.getuid() === 0 ? UNSHARE : [...AS_USER, ...UNSHARE];
  const test = spawnSync('unshare', [...flags, 'ip', 'link', 'set', 'lo', 'up'], {
    encoding: 'utf8',
  });
  if (test.status !== 0) {
    console.error(`test:faults needs a network namespace: ${test.stderr || test.error}`);
    process.exit(1);
  }
  const { status, signal } = spawnSync(
    'unshare',
    [...flags, '--kill-child', process.execPath, fileURLToPath(import.meta.url), 'inside'],
    { stdio: 'inherit' },
  );
  if (signal !== null) console.error(`test:faults was ended by ${signal}`);
  process.exit(status ?? 1);
}

function build() {
  mkdirSync(here('build'), { recursive: true });
  const { include_dir: headers } = require('node-api-headers');
  execFileSync(
    'cc',
    [
      ...['-shared', '-fPIC', '-O1', '-Wall', '-Wextra', '-Werror', '-I', headers],
      ...['-o', here('build/inject.node'), here('inject.c'), '-ldl', '-lpthread'],
    ],
    { stdio: 'inherit' },
  );
}

const failures = [];
let passed = 0;
let failed = 0;

function check(what, holds, why = '') {
  if (holds) passed++;
  else {
    failed++;
    failures.push(`${what}${why && `: ${why}`}`);
  }
  return holds;
}

/**
 * Runs the rows of one function in a process, and continues in a new process if it ends. Returns the rows, and the
 * output of a process that could not start.
 */
async function situation(
  name,
  { preload = true, only = FAULT_ONLY, plant, longest = LONGEST } = {},
) {
  const env = { ...process.env, FAULT_ONLY: only };
  if (preload) env.LD_PRELOAD = here('build/inject.node');
  if (plant !== undefined) env.FAULT_PLANT = plant;
  const rows = [];
  let calls;
  for (let from = 0; ; ) {
    const child = spawn(process.execPath, [here('situation.mjs'), name, `${from}`], {
      env,
      stdio: ['ignore', 'inherit', 'pipe', 'pipe'],
    });
    const exit = new Promise((resolve) =>
      child.on('close', (code, signal) => resolve({ code, signal })),
    );
    let said = '';
    child.stderr.on('data', (text) => {
      said = `${said}${text}`.slice(-4_000);
    });
    let row;
    let isDone = false;
    let isHanging = false;
    const kill = () => {
      isHanging = true;
      child.kill('SIGKILL');
    };
    let timer = setTimeout(kill, longest);
    for await (const line of createInterface({ input: child.stdio[3] })) {
      clearTimeout(timer);
      timer = setTimeout(kill, longest);
      const message = JSON.parse(line);
      if (message.kind === 'calls') calls ??= message.calls;
      if (message.kind === 'done') isDone = true;
      if (message.kind === 'row') row = message;
      if (message.kind === 'outcome') {
        rows.push({ ...row, text: message.text, faults: message.faults });
        row = undefined;
      }
    }
    const { code, signal } = await exit;
    clearTimeout(timer);
    if (isDone) return { calls, rows };
    const why = isHanging
      ? `it hangs for ${longest} ms`
      : `it ended (${signal ?? code}): ${said.trim()}`;
    if (row === undefined) return { calls, rows, broken: why };
    rows.push({ ...row, text: isHanging ? 'hangs' : 'crashes', faults: [why] });
    from = row.index + 1;
  }
}

/** Functions of the C library without a system call that can fail. */
const HARMLESS = new Set(
  `abort dlsym free memchr memcmp memcpy memmove memset strchr strcmp strlen strncmp snprintf
  pthread_mutex_lock pthread_mutex_unlock pthread_join pthread_sigmask sigfillset getpid __errno_location __stack_chk_fail __cxa_finalize
  calloc realloc`.split(/\s+/),
);
/** Calls that no row makes fail, with the reason. */
const LEFT_OUT = {
  prctl: 'names the thread of a watch; what it answers is not looked at',
  'malloc of small blocks':
    'operator new, which has no way to say that there is no memory, and aborts as Node itself does (native/runtime.cc)',
  'fstat of a file that fs.readFileSync has just opened':
    'does not fail of an open file; Node 20 leaves the file open where it does',
  'a call that is made more than six times':
    'but for the first two, one in the middle and the last',
  'an option that is written short':
    'only for the options in errors.mjs: kernels write the whole value of all others',
};

function checkImports() {
  const addon = require('node-gyp-build').path(here('../../..'));
  const taken = execFileSync('nm', ['-D', '--undefined-only', addon], { encoding: 'utf8' })
    .split('\n')
    .map((line) => /^\s*U (\w+)/.exec(line)?.[1])
    .filter((symbol) => symbol !== undefined && !/^(napi|node_api)_/.test(symbol));
  const { names } = require('./build/inject.node');
  const known = new Set([...names, ...HARMLESS, ...Object.keys(LEFT_OUT), 'open64', 'fcntl64']);
  for (const symbol of taken) {
    check(`the addon calls ${symbol}`, known.has(symbol), 'inject.c does not know it');
  }
  return taken;
}

function checkExports() {
  const exported = [
    ...Object.keys(require('../../../dist/index.js')),
    ...Object.keys(require('../../../dist/heartbeat.js')),
  ];
  const covered = new Set(scenarios.map(({ name, covers = name }) => covers));
  for (const name of exported) {
    if (name in WITHOUT_CALLS) continue;
    check(`${name} is exported`, covered.has(name), 'no scenario calls it');
  }
}

/** Checks that the lane itself fails without the injector and on faulty packages. */
async function checkItself() {
  const { rows, broken } = await situation('getOption', { preload: false, only: '' });
  const isBlind = broken !== undefined || rows.length === 0;
  check('a run without the injector fails', isBlind, `${rows.length} rows passed`);
  const read = 'getOption getsockopt#2 EPERM';
  const written = 'setOptions(4) setsockopt#3 EPERM';
  for (const [plant, row] of [
    ['makes a value up', read],
    ['names another call', read],
    ['names another error', read],
    ['leaves a descriptor open', read],
    ['crashes', read],
    ['hangs', read],
    ['throws in the background', read],
    ['fails from then on', read],
    ['sets half in silence', written],
    ['says that all was set', written],
  ]) {
    const { rows: planted, broken: why } = await situation(row.split(' ')[0], {
      ...{ only: row, plant, longest: 2_000 },
    });
    const isFound = planted.length > 0 && planted.every(({ faults }) => faults?.length > 0);
    check(
      `a package that ${plant} is found out`,
      isFound,
      why ?? `${planted.length} rows, no fault`,
    );
  }
}

/** Injects the same faults with strace(1), to confirm the results of inject.c. */
function checkByStrace() {
  const script = (body) => `
    const api = require(${JSON.stringify(here('../../../dist/index.js'))});
    const referenceAddon = require(${JSON.stringify(here('../../support/reference-addon/build/Release/reference_addon.node'))});
    const fd = referenceAddon.socket(2, 1, 0);
    // Not console.log: Node calls getsockopt to find out the type of its output.
    const say = (text) => require('node:fs').writeSync(1, text);
    try { ${body}; say('returned'); }
    catch ({ code, syscall, applied }) { say(JSON.stringify({ code, syscall, applied })); }`;
  for (const [what, inject, body, expected] of [
    [
      'setOptions, the second setsockopt refused with EPERM',
      'setsockopt:error=EPERM:when=2',
      'api.setOptions({ fd }, { userTimeout: 30000, noDelay: true, keepAlive: true, keepAliveInitialDelay: 33000 })',
      { code: 'EPERM', syscall: 'setsockopt', applied: ['keepAliveInitialDelay'] },
    ],
    [
      'getTcpInfo, refused with ENOBUFS',
      'getsockopt:error=ENOBUFS',
      'api.getTcpInfo({ fd })',
      { code: 'ENOBUFS', syscall: 'getsockopt', applied: [] },
    ],
  ]) {
    const call = inject.split(':')[0];
    const { stdout, stderr, error } = spawnSync(
      'strace',
      [
        '-f',
        '-qq',
        '-o',
        '/dev/null',
        '-e',
        `trace=${call}`,
        '-e',
        `inject=${inject}`,
        process.execPath,
        '-e',
        script(body),
      ],
      { encoding: 'utf8', timeout: 30_000 },
    );
    const answer = stdout?.trim() ?? '';
    check(
      `strace: ${what}`,
      answer === JSON.stringify(expected),
      `${answer}${error ?? ''}${stderr ?? ''}`,
    );
  }
}

/** Prints rows with the same outcome in one line. */
function printTable({ name, calls, rows, seconds }) {
  {
    const counts = new Map();
    for (const call of calls ?? []) {
      const [what] = call.split(' ');
      counts.set(what, (counts.get(what) ?? 0) + 1);
    }
    const made = [...counts].map(([call, count]) => (count === 1 ? call : `${count} ${call}`));
    console.log(
      `\n${name}: ${made.join(', ') || 'makes no system call'} (${seconds.toFixed(1)} s)`,
    );
    const lines = new Map();
    for (const { call, error, text, faults, detail, key } of rows) {
      if (FAULT_VERBOSE) console.log(`  ${key} (${detail}): ${text}`);
      const wrong = faults?.length > 0 ? 'WRONG: ' : '';
      const line = `${call}\t${wrong}${text}`;
      const known = lines.get(line) ?? { rows: 0, errors: new Set() };
      known.rows++;
      known.errors.add(error);
      lines.set(line, known);
    }
    for (const [line, { rows: count, errors }] of lines) {
      const [call, text] = line.split('\t');
      console.log(
        `  ${call.padEnd(14)} ${text.padEnd(44)} ${`${count}`.padStart(3)} rows: ${[...errors].join(' ')}`,
      );
    }
  }
}

async function main() {
  build();
  execFileSync('ip', ['link', 'set', 'lo', 'up']);
  for (const [setting, value] of SETTINGS) writeFileSync(`/proc/sys/net/ipv4/${setting}`, value);
  if (FAULT_ONLY === '') {
    checkExports();
    checkImports();
    await checkItself();
    checkByStrace();
  }
  const skipped = [];
  const reached = new Set();
  for (const { name, calls: expectedCalls } of scenarios) {
    if (FAULT_ONLY !== '' && FAULT_ONLY !== name && !FAULT_ONLY.startsWith(`${name} `)) continue;
    const start = performance.now();
    const { calls, rows, broken } = await situation(name);
    printTable({ name, calls, rows, seconds: (performance.now() - start) / 1_000 });
    for (const call of calls ?? []) reached.add(call.split(' ')[0]);
    check(`${name} runs`, broken === undefined, broken);
    if (calls !== undefined) {
      const isSilent = calls.length === 0;
      check(
        `${name} makes system calls`,
        isSilent === (expectedCalls === 'none'),
        `it made ${calls.length}`,
      );
    }
    for (const { key, detail, text, faults } of rows) {
      if (faults === undefined) {
        skipped.push(`${key}: the call was not made this time`);
        continue;
      }
      check(`FAULT_ONLY='${key}' (${detail}) ${text}`, faults.length === 0, faults.join('; '));
    }
  }
  if (FAULT_ONLY === '') {
    console.log('\nnot made to fail:');
    for (const [call, why] of Object.entries(LEFT_OUT)) console.log(`  ${call}: ${why}`);
    const { names } = require('./build/inject.node');
    const unreached = names.filter((call) => !reached.has(call) && !(call in LEFT_OUT));
    console.log(`  no function makes these calls today: ${unreached.join(', ')}`);
  }
  if (skipped.length > 0) console.log(`\nskipped:\n  ${skipped.join('\n  ')}`);
  if (failures.length > 0) console.log(`\nwrong:\n  ${failures.join('\n  ')}`);
  if (passed + failed === 0) failed++;
  const rest = skipped.length > 0 ? `, ${skipped.length} skipped` : '';
  console.log(`\n${passed} passed, ${failed} failed${rest}`);
  process.exit(failed === 0 ? 0 : 1);
}

if (process.argv[2] === 'inside') await main();
else enterNamespaces();
