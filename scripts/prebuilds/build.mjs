// Compiles the addon on Linux x64 for every system in targets.mjs. Run `npm run prebuilds` after a change of
// native/, binding.gyp or a script here, and commit the result.
//
//   node scripts/prebuilds/build.mjs             writes prebuilds/
//   node scripts/prebuilds/build.mjs --verify    compares prebuilds/ with what comes out, byte for byte
//   node scripts/prebuilds/build.mjs --other-windows <source> <folder>
//                                                for tests: win32-x64 alone, with that source instead of
//                                                native/platform/win32_calls.cc
//
// The compiler is Debian's clang, with Debian's headers of Linux and Windows, and with darwin.h and freebsd.h. The same
// sources and tools give the same bytes, wherever the checkout is.

import { execFile, execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { binding } from './binding.mjs';
import { checkAll, EXPORTED } from './check.mjs';
import { writeHeaders } from './declarations.mjs';
import { importLibraries, macSystemLibrary } from './imports.mjs';
import { createManifest, hash, lockedTools, readManifest, staleness } from './manifest.mjs';
import { clearTimeStamps } from './pe.mjs';
import { CLANG, CPP_HEADERS, LINKER, linuxHeaders, MINGW_HEADERS, TARGETS } from './targets.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const nodeApiHeaders = join(root, 'node_modules/node-api-headers/include');

const BUILDERS = { linux, freebsd, darwin: macos, win32: windows };

const scratch = mkdtempSync(join(tmpdir(), 'socket-options-prebuilds-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

// Only the flags of binding.gyp count, not those of this machine's own builds.
const environment = { ...process.env };
const FLAGS = ['CFLAGS', 'CXXFLAGS', 'CPPFLAGS', 'LDFLAGS'];
const PATHS = ['CPATH', 'CPLUS_INCLUDE_PATH', 'LIBRARY_PATH', 'CCC_OVERRIDE_OPTIONS'];
for (const name of [...FLAGS, ...PATHS]) delete environment[name];

const options = { cwd: root, encoding: 'utf8', env: environment };

function failure(command, args, { stdout, stderr, code, status }) {
  process.stderr.write(`${stdout ?? ''}${stderr ?? ''}`);
  return new Error(`${[command, ...args].join(' ')}: ${code ?? status}`);
}

function run(command, args) {
  try {
    return execFileSync(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    throw failure(command, args, error);
  }
}

/** The same in another folder and environment. It waits without blocking. */
async function runThere(program, args, there) {
  await promisify(execFile)(program, args, { ...options, ...there }).catch((error) => {
    throw failure(program, args, error);
  });
}

async function compileOne(name, source, [program, ...first], flags) {
  const object = join(scratch, name, `${basename(source, '.cc')}.o`);
  mkdirSync(join(scratch, name), { recursive: true });
  const args = [...first, ...flags, '-c', source, '-o', object];
  await runThere(program, args, {});
  return object;
}

/** Compiles the addon's sources for a system with node-gyp's options; returns the object files. */
function compile(name, compiler, flags, instead = {}) {
  const { target, sources, defines, cflags } = binding(root, name.split('-')[0]);
  return Promise.all(
    sources.map((source) =>
      compileOne(name, instead[source] ?? source, compiler, [
        ...cflags.filter((flag) => flag !== '-flto'),
        ...['-ffunction-sections', '-fdata-sections'],
        ...defines.map((define) => `-D${define}`),
        `-DNODE_GYP_MODULE_NAME=${target}`,
        ...['-DBUILDING_NODE_EXTENSION', '-DNODE_ADDON_API_DISABLE_CPP_EXCEPTIONS'],
        ...flags,
        ...['-isystem', nodeApiHeaders, '-isystem', join(root, 'node_modules/node-addon-api')],
      ]),
    ),
  );
}

/** The headers of the system and of libc++, and none of the machine's own that clang would find. */
function headers(...folders) {
  return [
    '-nostdlibinc',
    // Less for the C library to have and for clang to read.
    ...['THREADS', 'LOCALIZATION'].map((part) => `-D_LIBCPP_HAS_NO_${part}`),
    ...['-D_LIBCPP_REMOVE_TRANSITIVE_INCLUDES', '-DNAPI_HAS_THREADS=0'],
    ...[CPP_HEADERS, ...folders].flatMap((folder) => ['-isystem', folder]),
  ];
}

/** How the addon of Linux and FreeBSD is linked. */
const ELF_FLAGS = [
  // No library: the C++ library is not needed (native/runtime.cc), and the C library is loaded already, under
  // a name and with versions that differ between glibc and musl.
  ...['-Os', '-s', '-nostdlib', `-fuse-ld=${LINKER}`],
  ...['-Wl,--gc-sections', '-Wl,-z,noexecstack', '-Wl,--build-id=none'],
  '-Wl,-soname,socket-options.node',
];

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

/** Builds with prebuildify and node-gyp, as a machine of that kind does, but with clang. */
async function linux(name, out, target) {
  const folder = join(scratch, name);
  mkdirSync(folder);
  for (const part of ['binding.gyp', 'native', 'package.json']) {
    cpSync(join(root, part), join(folder, part), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  // lld 19 refuses its own result on ppc64 (R_PPC64_REL16_HA against .TOC.).
  const lto = name === 'linux-ppc64' ? '-fno-lto' : '-flto';
  /** A program of its own, because node-gyp splits commands at spaces. The words come last, so that they count. */
  const tool = (title, words, lines = '') => {
    const file = join(folder, title);
    const quoted = words.map((word) => `'${word}'`).join(' ');
    writeFileSync(file, `#!/bin/sh\n${lines}exec ${CLANG} "$@" ${quoted}\n`, { mode: 0o755 });
    return file;
  };
  const compiler = tool('compiler', [
    ...[...target, lto, '-fPIC', '-ffunction-sections', '-fdata-sections'],
    ...headers(...linuxHeaders(name)),
  ]);
  const args = ['--napi', `--arch=${name.split('-')[1]}`, '--platform=linux'];
  await runThere(
    join(root, 'node_modules/.bin/prebuildify'),
    [...args, `--out=${join(out, '../..')}`],
    {
      cwd: folder,
      env: {
        ...environment,
        CC: compiler,
        CXX: compiler,
        LINK: tool('linker', [...target, lto, ...ELF_FLAGS], WITHOUT_LIBRARIES),
        npm_config_nodedir: nodeDirectory(),
      },
    },
  );
}

async function freebsd(name, out, target) {
  const folder = writeHeaders('freebsd', join(scratch, name, 'include'));
  const objects = await compile(name, [CLANG, ...target], ['-flto', '-fPIC', ...headers(folder)]);
  run(CLANG, [
    ...[...target, '-flto', '-shared', ...ELF_FLAGS, '-Wl,-m,elf_x86_64_fbsd'],
    '-Wl,--version-script=native/exports.map',
    ...[...objects, '-o', join(out, 'socket-options.node')],
  ]);
}

async function macos(name, out, target) {
  const arch = target[0].match(/=(\w+)-/)[1];
  const objects = await compile(
    name,
    [CLANG, ...target],
    [
      '-fno-stack-protector',
      // Only exceptions need them, and on arm64 they would cost a page of 16 kB.
      ...['-fno-unwind-tables', '-fno-asynchronous-unwind-tables'],
      ...headers(writeHeaders('darwin', join(scratch, name, 'include'))),
    ],
  );
  run('ld64.lld-19', [
    ...['-arch', arch, '-platform_version', 'macos', '11.0.0', '11.0.0'],
    ...['-dylib', '-undefined', 'dynamic_lookup', '-dead_strip', '-x', '-S'],
    ...EXPORTED.flatMap((symbol) => ['-exported_symbol', `_${symbol}`]),
    // By default it is the path of the output.
    ...['-install_name', 'socket-options.node', '-o', join(out, 'socket-options.node')],
    ...[...objects, macSystemLibrary(join(scratch, name))],
  ]);
}

/** Without a C runtime of mingw, which Debian has for x64 only: node_api.cc is the entry point. */
async function windows(name, out, target, instead) {
  const compiler = [CLANG, ...target];
  const flags = headers(MINGW_HEADERS);
  const objects = await compile(name, compiler, flags, instead);
  const taken = objects.flatMap(
    (object) => readFileSync(object, 'latin1').match(/(?<=__imp_)(napi|node_api)_\w+/g) ?? [],
  );
  const functions = [...new Set(taken)].sort().map((one) => `DO(${one})`);
  writeFileSync(
    join(scratch, name, 'functions.h'),
    `#define EACH_FUNCTION(DO) ${functions.join(' ')}\n`,
  );
  objects.push(
    await compileOne(name, 'scripts/prebuilds/node_api.cc', compiler, [
      ...['-std=c++17', '-Os', '-Wall', '-Wextra', '-Werror', `-I${join(scratch, name)}`],
      ...flags,
    ]),
  );
  const file = join(scratch, name, 'socket-options.node');
  run(CLANG, [
    ...[...target, '-shared', '-s', '-nostdlib', `-fuse-ld=${LINKER}`],
    ...['-Wl,--gc-sections', '-Wl,--entry=DllMain', '-Wl,--no-insert-timestamp'],
    ...[...objects, ...importLibraries(join(scratch, name), name.split('-')[1], run)],
    ...['-o', file],
  ]);
  writeFileSync(join(out, 'socket-options.node'), clearTimeStamps(readFileSync(file)));
}

/** The versions that the bytes depend on. libc++ is of clang's version. */
function tools() {
  const packages = ['libc6-dev', 'libc6-dev-arm64-cross', 'mingw-w64-common'];
  return {
    clang: run(CLANG, ['--version']).split('\n')[0],
    lld: run(`ld.${LINKER}`, ['--version']).trim(),
    ...Object.fromEntries(
      run('dpkg-query', ['--show', ...packages])
        .trim()
        .split('\n')
        .map((line) => line.split('\t')),
    ),
    ...lockedTools(root),
  };
}

function need(found, what, remedy) {
  if (found) return;
  console.error(`scripts/prebuilds/build.mjs: ${what} is missing: ${remedy}`);
  process.exit(1);
}

/** A file of each Debian package, and its name. */
const DEBIAN = {
  [`/usr/bin/${CLANG}`]: 'clang-19',
  [`/usr/bin/ld.${LINKER}`]: 'lld-19',
  [CPP_HEADERS]: 'libc++-19-dev',
  [MINGW_HEADERS]: 'mingw-w64-common',
  '/usr/include/x86_64-linux-gnu/bits/libc-header-start.h': 'libc6-dev',
  ...Object.fromEntries(
    Object.entries({
      aarch64: 'arm64',
      arm: 'armhf',
      powerpc64le: 'ppc64el',
      riscv64: 'riscv64',
      s390x: 's390x',
    }).map(([cpu, architecture]) => [
      `/usr/${cpu}-linux-gnu${cpu === 'arm' ? 'eabihf' : ''}/include/stdio.h`,
      `libc6-dev-${architecture}-cross`,
    ]),
  ),
};

function prepare() {
  const here = `${process.platform}-${process.arch}`;
  need(here === 'linux-x64', 'Linux x64, for which these compilers are,', `this is ${here}`);
  need(existsSync(nodeApiHeaders), 'node-api-headers', 'npm ci');
  for (const [file, name] of Object.entries(DEBIAN))
    need(existsSync(file), name, `apt-get install ${name}`);
}

async function buildAll() {
  const folder = join(scratch, 'out/prebuilds');
  for (const [name, target] of Object.entries(TARGETS)) {
    const out = join(folder, name);
    mkdirSync(out, { recursive: true });
    await BUILDERS[name.split('-')[0]](name, out, target);
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
  await windows('win32-x64', output, TARGETS['win32-x64'], {
    'native/platform/win32_calls.cc': source,
  });
  process.exit();
}
const folder = await buildAll();
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
