// npm run test:fuzz: fuzzers under AddressSanitizer and UndefinedBehaviorSanitizer. Each has to find bugs
// that are planted in a copy of the sources first. A fuzzer that finds none of them proves nothing.
//
//   npm run test:fuzz                          all targets, about a minute of fuzzing
//   npm run test:fuzz -- hostile               one target, without planted bugs
//   FUZZ_SECONDS=3600 npm run test:fuzz        as long as wanted
//   FUZZ_SEED=7 npm run test:fuzz              the same choices again
//   FUZZ_SEED=7 FUZZ_CASE=12 npm run test:fuzz -- hostile     one case
//   npm run test:fuzz -- netlink --input=FILE                 one input of the native reader

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const here = (name) => join(root, 'test/lanes/fuzz', name);
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { input: { type: 'string' } },
});
const seed = Number(process.env.FUZZ_SEED ?? randomInt(1, 2 ** 31));
const seconds = Number(process.env.FUZZ_SECONDS ?? 60);
const only = process.env.FUZZ_CASE;
if (!(Number.isInteger(seed) && seconds > 0)) throw new Error('FUZZ_SEED or FUZZ_SECONDS is wrong');

/** How long a target may go on after its time: a case that takes longer does not end. */
const GRACE = 60;
/** How long it may take to find a planted bug. */
const TO_FIND = 20;

const folder = mkdtempSync(join(tmpdir(), 'socket-options-fuzz-'));
const sanitizers = [
  ...['-fsanitize=address,undefined', '-fno-sanitize-recover=all', '-fno-omit-frame-pointer'],
];

// ------------------------------------------------------------------ programs that are run
/** What native/platform/linux_*.cc call, and the fuzzer answers. */
const WRAPPED = [
  ...['socket', 'bind', 'sendto', 'recvfrom', 'recvmsg', 'recv', 'poll', 'setsockopt'],
  ...['getsockopt', 'socketpair', 'shutdown', 'pthread_create', 'prctl'],
];

/** Compiles the netlink fuzzer with the sources in a folder; returns its path. */
function buildReader(native) {
  const compile = (source, ...flags) => {
    const object = join(native, `${source.split('/').at(-1)}.o`);
    const all = ['-std=c++17', '-g', '-O1', ...sanitizers, ...flags, '-I', native];
    execFileSync('g++', [...all, '-c', source, '-o', object], { stdio: 'inherit' });
    return object;
  };
  const objects = [
    compile(here('netlink_fuzz.cc'), '-Wall', '-Wextra', '-Werror'),
    ...['linux_netlink.cc', 'linux_connections.cc', 'linux_watch.cc'].map((file) =>
      compile(join(native, 'platform', file), '-fsanitize-coverage=trace-pc'),
    ),
    compile(join(native, 'platform/posix.cc')),
  ];
  const program = join(native, 'netlink_fuzz');
  const wraps = WRAPPED.map((name) => `-Wl,--wrap=${name}`);
  const libraries = ['-ldl', '-pthread'];
  execFileSync('g++', [...sanitizers, ...wraps, ...objects, ...libraries, '-o', program], {
    stdio: 'inherit',
  });
  return program;
}

function buildAddon(into) {
  mkdirSync(into, { recursive: true });
  const build = join(root, 'scripts/build-sanitized.sh');
  execFileSync(build, [into, 'address,undefined'], { stdio: 'inherit' });
}

function unshare() {
  const flags = ['--net', '--mount'];
  if (process.getuid() !== 0) flags.unshift('--user', '--map-root-user');
  const { status, stderr } = spawnSync('unshare', [...flags, 'true'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`test:fuzz needs a network namespace: ${stderr}`);
  return flags;
}

/** A program of Node in a network namespace of its own, on the addon in a folder. */
function onAddon(script, addon) {
  const library = execFileSync('g++', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).trim();
  const start = 'ip link set lo up && LD_PRELOAD="$FUZZ_PRELOAD" exec "$@"';
  return {
    command: 'unshare',
    args: [
      ...[...unshare(), 'sh', '-c', start, 'sh'],
      ...[process.execPath, '--expose-gc', here(script)],
    ],
    env: {
      FUZZ_PRELOAD: execFileSync('realpath', [library], { encoding: 'utf8' }).trim(),
      SOCKET_OPTIONS_PREBUILD: addon,
    },
  };
}

const clean = { native: join(folder, 'native'), addon: join(folder, 'addon') };
const emitted = join(folder, 'emitted');
const current = join(folder, 'current');

const netlink = (program, time) => ({
  command: program,
  args: [
    ...[`--seed=${seed}`, `--seconds=${time}`, `--corpus=${here('corpus')}`],
    ...[`--current=${current}`, `--emit=${emitted}`],
  ],
  env: {},
});

/** The targets, with their parts of the time. */
const targets = {
  netlink: {
    what: 'netlink messages through the native reader',
    part: 0.2,
    program: (time) => netlink(join(clean.native, 'netlink_fuzz'), time),
  },
  messages: {
    what: 'tables of connections through the decoders',
    part: 0.1,
    program: () => ({
      ...{ command: process.execPath, args: [here('messages.mjs')] },
      env: { FUZZ_EMITTED: emitted },
    }),
  },
  decoders: {
    what: 'structures and options of every length',
    part: 0.15,
    program: () => ({ command: process.execPath, args: [here('decoders.mjs')], env: {} }),
  },
  hostile: {
    what: 'public functions with hostile arguments',
    part: 0.35,
    program: () => onAddon('hostile.mjs', clean.addon),
  },
  'record-buffer': {
    what: 'functions of the addon with random records',
    part: 0.2,
    program: () => onAddon('record-buffer.mjs', clean.addon),
  },
};

/** Runs a program for a time; what it printed, and whether it failed. */
async function run({ command, args, env }, time) {
  const output = join(folder, 'output');
  const file = openSync(output, 'w');
  const child = spawn(command, args, {
    stdio: ['ignore', file, file],
    env: {
      ...process.env,
      ASAN_OPTIONS: 'detect_leaks=0',
      UBSAN_OPTIONS: 'print_stacktrace=1',
      FUZZ_SEED: String(seed),
      FUZZ_TARGET_SECONDS: String(time),
      FUZZ_STATE: join(folder, 'state'),
      ...env,
    },
  });
  let hung = false;
  const timer = setTimeout(
    () => {
      hung = true;
      child.kill('SIGKILL');
    },
    (time + GRACE) * 1_000,
  );
  const [status, signal] = await once(child, 'close');
  clearTimeout(timer);
  const text = readFileSync(output, 'utf8');
  return {
    failed: status !== 0,
    text: hung ? `${text}\nIt did not end.` : `${text}${signal ?? ''}`,
  };
}

// ------------------------------------------------------------------ planted bugs
/** The text in a source, its replacement, and what the report must say. */
const plants = {
  netlink: [
    {
      what: 'a message longer than the room is written',
      ...{
        file: 'platform/linux_message_queue.h',
        take: 'if (length + size > room) break;',
        put: '',
      },
      expect: /AddressSanitizer: heap-buffer-overflow/,
    },
    {
      what: 'a length is not checked',
      ...{ file: 'platform/linux_watch.cc', take: ' || header.nlmsg_len > left', put: '' },
      expect: /AddressSanitizer|netlink_fuzz: a message /,
    },
    {
      what: 'an integer overflows',
      file: 'platform/linux_watch.cc',
      take: 'bool lost =',
      put: 'volatile int planted = 2147483647; planted = planted + 1; bool lost =',
      expect: /signed integer overflow/,
    },
  ],
  'record-buffer': [
    {
      what: 'the length of a record is not checked',
      file: 'options.cc',
      take: 'if (record->length < 0 || static_cast<std::size_t>(record->length) > room) return i;',
      put: 'static_cast<void>(room);',
      expect: /AddressSanitizer: (heap-buffer-overflow|SEGV|unknown-crash|negative-size-param)/,
    },
    {
      what: 'a batch is longer than its memory',
      file: 'tcp_info.cc',
      take: 'size / sizeof(Entry)',
      put: 'size / sizeof(Entry) + (data != nullptr)',
      expect: /AddressSanitizer: heap-buffer-overflow/,
    },
    {
      what: 'an integer overflows',
      file: 'options.cc',
      take: 'const int level = call.Int32(0);',
      put: 'const int level = call.Int32(0); volatile int planted = 2147483647; planted = planted + 1;',
      expect: /signed integer overflow/,
    },
  ],
};

/** Puts a bug into a copy of the sources, and returns what takes it out again. */
function plant(native, { file, take, put, what }) {
  const path = join(native, file);
  const source = readFileSync(path, 'utf8');
  if (source.split(take).length !== 2) {
    throw new Error(`${file} has not once "${take}", where a bug was to be planted (${what})`);
  }
  writeFileSync(
    path,
    source.replace(take, () => put),
  );
  return () => writeFileSync(path, source);
}

let passed = 0;
let failed = 0;

async function findPlanted(target, bug) {
  const copy = target === 'netlink' ? clean.native : join(clean.addon, 'native');
  const remove = plant(copy, bug);
  let program;
  if (target === 'netlink') program = netlink(buildReader(copy), TO_FIND);
  else {
    buildAddon(clean.addon);
    program = onAddon('record-buffer.mjs', clean.addon);
  }
  const { failed: found, text } = await run(program, TO_FIND);
  remove();
  if (found && bug.expect.test(text)) {
    passed++;
    console.log(`  found: ${target}, ${bug.what}`);
    return;
  }
  failed++;
  console.log(`  NOT FOUND: ${target}, ${bug.what}\n${text}`);
}

// ------------------------------------------------------------------ the lane
/** Keeps what is needed to see a failure again, and says how. */
function keepFailure(name, text) {
  const kept = mkdtempSync(join(tmpdir(), `socket-options-fuzz-failure-${name}-`));
  writeFileSync(join(kept, 'output'), text);
  if (name === 'netlink') {
    const bytes = readFileSync(current);
    const input = join(kept, 'input');
    writeFileSync(input, bytes.subarray(4, 4 + bytes.readUInt32LE(0)));
    return `npm run test:fuzz -- netlink --input=${input}`;
  }
  const state = readFileSync(join(folder, 'state'), 'utf8').trim();
  writeFileSync(join(kept, 'case'), state);
  console.log(`  the case, and what it printed, are in ${kept}`);
  return `FUZZ_SEED=${seed} FUZZ_CASE=${JSON.parse(state).case} npm run test:fuzz -- ${name}`;
}

const report = [];

async function fuzz(name) {
  const { part, program } = targets[name];
  const chosen = positionals.length > 0 ? 1 / positionals.length : part;
  const time = Math.max(1, Math.round(seconds * chosen));
  const { failed: wrong, text } = await run(program(time), time);
  const { executions = 0, edges } = wrong ? {} : JSON.parse(text.trim().split('\n').at(-1));
  // A target that does nothing passes nothing.
  const isRight = !wrong && executions > 0;
  report.push([name, executions, edges, time, isRight ? 'passed' : 'FAILED']);
  if (isRight) {
    passed++;
    return;
  }
  failed++;
  console.log(`\n${name} failed (seed ${seed}):\n${text.slice(0, 8_000)}`);
  console.log(`  again: ${keepFailure(name, text)}`);
}

function print() {
  console.log('');
  for (const [name, executions, edges, time, result] of report) {
    const coverage = edges === undefined ? '' : `, ${edges} edges covered`;
    const count = executions.toLocaleString('en');
    console.log(
      `${result}  ${name.padEnd(14)} ${count.padStart(10)} executions in ${time} s: ${targets[name].what}${coverage}`,
    );
  }
  console.log(`seed ${seed}: ${passed} passed, ${failed} failed`);
}

async function lane() {
  const unknown = positionals.filter((name) => !(name in targets));
  if (unknown.length > 0) {
    throw new Error(`there is no target ${unknown}, but ${Object.keys(targets).join(', ')}`);
  }
  const chosen = positionals.length > 0 ? positionals : Object.keys(targets);
  console.log(`FUZZ_SEED=${seed} FUZZ_SECONDS=${seconds}${only ? ` FUZZ_CASE=${only}` : ''}`);
  const all = positionals.length === 0;
  if (all) console.log('Planted bugs, which have to be found:');
  cpSync(join(root, 'native'), clean.native, { recursive: true });
  if (chosen.includes('netlink')) {
    for (const bug of all ? plants.netlink : []) await findPlanted('netlink', bug);
    const program = buildReader(clean.native);
    if (values.input !== undefined) {
      execFileSync(program, [`--replay=${values.input}`], { stdio: 'inherit' });
      return;
    }
  }
  if (chosen.includes('hostile') || chosen.includes('record-buffer')) {
    buildAddon(clean.addon);
    for (const bug of all ? plants['record-buffer'] : []) await findPlanted('record-buffer', bug);
    if (all) buildAddon(clean.addon);
  }
  for (const name of chosen) await fuzz(name);
  print();
}

try {
  await lane();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failed > 0 ? 1 : 0;
