// The committed prebuilds as files, and the checks on them: each has to fail on a file that it is for.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

const root = join(__dirname, '../..');
const prebuilds = join(root, 'prebuilds');
const targets = [
  'linux-x64',
  'linux-arm64',
  'linux-arm',
  'linux-ppc64',
  'linux-riscv64',
  'linux-s390x',
  'freebsd-x64',
  'darwin-x64',
  'darwin-arm64',
  'win32-x64',
  'win32-arm64',
];
let folder: string;
let checkAll: (folder: string) => string[];

beforeAll(async () => {
  ({ checkAll } = await import(join(root, 'scripts/prebuilds/check.mjs')));
  expect(existsSync(prebuilds), 'no prebuilds/: npm run prebuilds').toBe(true);
  folder = mkdtempSync(join(tmpdir(), 'socket-options-prebuilds-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function node(...args: string[]) {
  return spawnSync(process.execPath, args, { encoding: 'utf8' });
}

test('the files are what they must be', () => {
  const { status, stdout, stderr } = node(join(root, 'scripts/prebuilds/check.mjs'), prebuilds);
  expect(stderr).toBe('');
  expect(stdout.match(/^[\w-]+(?=: )/gm)).toEqual(targets);
  expect(status).toBe(0);
});

type Change = (file: Buffer) => Buffer | undefined;
type Case = [target: string, fault: string, change: Change];

/** Every occurrence of a text. */
const renamed =
  (from: string, to: string): Change =>
  (file) => {
    if (to.length !== from.length) throw new Error(`${from} has another length than ${to}`);
    let at = file.indexOf(from);
    if (at < 0) throw new Error(`no ${from}`);
    for (; at >= 0; at = file.indexOf(from, at + 1)) file.write(to, at, 'latin1');
  };

// What is checked of each file.

const otherProcessor: Record<string, [at: (file: Buffer) => number, cpu: number, name: string]> = {
  'linux-x64': [() => 18, 183, 'arm64'],
  'linux-arm64': [() => 18, 62, 'x64'],
  'linux-arm': [() => 18, 62, 'x64'],
  'linux-ppc64': [() => 18, 243, 'riscv64'],
  'linux-riscv64': [() => 18, 21, 'ppc64'],
  // With the big end first.
  'linux-s390x': [() => 18, 62 << 8, 'x64'],
  'freebsd-x64': [() => 18, 183, 'arm64'],
  'darwin-x64': [() => 4, 0x0c, 'arm64'],
  'darwin-arm64': [() => 4, 0x07, 'x64'],
  'win32-x64': [(file) => file.readUInt32LE(0x3c) + 4, 0xaa64, 'arm64'],
  'win32-arm64': [(file) => file.readUInt32LE(0x3c) + 4, 0x8664, 'x64'],
};
const FORMATS = { linux: 'an ELF', freebsd: 'an ELF', darwin: 'a 64-bit Mach-O', win32: 'a PE' };

const common = targets.flatMap((target): Case[] => {
  const [cpuAt, cpu, other] = otherProcessor[target] as (typeof otherProcessor)[string];
  const format = FORMATS[target.split('-')[0] as keyof typeof FORMATS];
  const version = 'node_api_module_get_api_version_v';
  return [
    [target, `is for ${other}`, (file) => void file.writeUInt16LE(cpu, cpuAt(file))],
    [target, `is not ${format} file`, (file) => void file.fill(0, 0, 4)],
    [target, ' bytes, over 65536', (file) => Buffer.concat([file, Buffer.alloc(65_536)])],
    [target, `lacks ${version}1`, renamed(`${version}1`, `${version}9`)],
    [target, `exports ${version}9`, renamed(`${version}1`, `${version}9`)],
    [
      target,
      'takes napi_create_functiom from Node, which is not of Node-API 8, takes nothing from Node',
      renamed('napi_create_function', 'napi_create_functiom'),
    ],
    [
      target,
      'has a path of this machine in it',
      (file) => Buffer.concat([file, Buffer.from(`${root}/native/addon.cc\0`)]),
    ],
  ];
});

// <elf.h>, 64 bits

const DT = { NEEDED: 1, SONAME: 14, RUNPATH: 29 };
const PT = { NULL: 0, GNU_STACK: 0x6474e551 };
const SHT = { SYMTAB: 2, GNU_HASH: 0x6ffffff6, DYNAMIC: 6, VERNEED: 0x6ffffffe };

function found(table: number, size: number, matches: (at: number) => boolean): number {
  for (let at = table, left = 100; left > 0; at += size, left--) if (matches(at)) return at;
  throw new Error('not found');
}

function section(file: Buffer, type: number): number {
  const table = Number(file.readBigUInt64LE(40));
  return found(table, 64, (at) => file.readUInt32LE(at + 4) === type);
}

function segment(file: Buffer, type: number): number {
  const table = Number(file.readBigUInt64LE(32));
  return found(table, 56, (at) => file.readUInt32LE(at) === type);
}

/** Gives the dynamic entry of the file's own name another tag. */
const ownNameAs =
  (tag: number): Change =>
  (file) => {
    const table = Number(file.readBigUInt64LE(section(file, SHT.DYNAMIC) + 24));
    const at = found(table, 16, (one) => Number(file.readBigUInt64LE(one)) === DT.SONAME);
    file.writeBigUInt64LE(BigInt(tag), at);
  };

const elf: Case[] = [
  ['linux-x64', 'is not a shared object', (file) => void file.writeUInt16LE(2, 16)],
  ['linux-x64', 'needs socket-options.node', ownNameAs(DT.NEEDED)],
  [
    'linux-x64',
    'asks for versions of a library',
    (file) => void file.writeUInt32LE(SHT.VERNEED, section(file, SHT.GNU_HASH) + 4),
  ],
  [
    'linux-x64',
    'takes gnu_get_libc_v, which is not of both C libraries',
    renamed('pthread_create', 'gnu_get_libc_v'),
  ],
  [
    'linux-x64',
    'wants an executable stack',
    (file) => void file.writeUInt32LE(7, segment(file, PT.GNU_STACK) + 4),
  ],
  [
    'linux-x64',
    'wants an executable stack',
    (file) => void file.writeUInt32LE(PT.NULL, segment(file, PT.GNU_STACK)),
  ],
  [
    'linux-x64',
    'is not stripped',
    (file) => void file.writeUInt32LE(SHT.SYMTAB, section(file, SHT.GNU_HASH) + 4),
  ],
  [
    'linux-arm',
    'is not for hardware that has floating point',
    (file) => void file.writeUInt32LE(file.readUInt32LE(36) & ~0x400, 36),
  ],
  ['linux-s390x', 'has the other byte order', (file) => void file.writeUInt16BE(21, 18)],
  ['linux-ppc64', 'has the other byte order', (file) => void file.writeUInt16LE(22, 18)],
  ['linux-x64', 'is for the system of number 9', (file) => void file.writeUInt8(9, 7)],
  ['freebsd-x64', 'is for the system of number 0', (file) => void file.writeUInt8(0, 7)],
  [
    'freebsd-x64',
    "takes gnu_get_libc_vn, which is not of FreeBSD's C library",
    renamed('sysctlnametomib', 'gnu_get_libc_vn'),
  ],
];

// <mach-o/loader.h>

const LC = { SYMTAB: 0x2, CODE_SIGNATURE: 0x1d, BUILD_VERSION: 0x32 };

function command(file: Buffer, type: number): number {
  let at = 32;
  while (file.readUInt32LE(at) !== type) at += file.readUInt32LE(at + 4);
  return at;
}

/** The signature's CodeDirectory. */
function codeDirectory(file: Buffer): number {
  return file.indexOf('fade0c02', file.readUInt32LE(command(file, LC.CODE_SIGNATURE) + 8), 'hex');
}

const inDirectory =
  (offset: number, change: (word: number) => number): Change =>
  (file) => {
    const at = codeDirectory(file) + offset;
    file.writeUInt32BE(change(file.readUInt32BE(at)), at);
  };

const machO: Case[] = [
  [
    'darwin-x64',
    'is for macOS 12.0 and later, not 11.0',
    (file) => void file.writeUInt32LE(12 << 16, command(file, LC.BUILD_VERSION) + 12),
  ],
  ['darwin-x64', 'calls itself socket-optionz', renamed('socket-options', 'socket-optionz')],
  [
    'darwin-x64',
    'needs /usr/lib/libSystem.C.dylib',
    renamed('/usr/lib/libSystem.B.dylib', '/usr/lib/libSystem.C.dylib'),
  ],
  ['darwin-x64', 'takes _Zsockopt_ from a C++ library', renamed('_setsockopt\0', '__Zsockopt_\0')],
  [
    'darwin-x64',
    'is not stripped of ',
    (file) => void file.writeUInt8(0x24, file.readUInt32LE(command(file, LC.SYMTAB) + 8) + 4),
  ],
  [
    'darwin-arm64',
    'is not signed',
    (file) => void file.writeUInt32LE(0x1e, command(file, LC.CODE_SIGNATURE)),
  ],
  [
    'darwin-arm64',
    'has another hash than its signature says in page 2',
    (file) => void file.writeUInt8((file[2 * 4_096 + 7] as number) ^ 1, 2 * 4_096 + 7),
  ],
  ['darwin-arm64', 'has a signature that is not ad hoc', inDirectory(12, (flags) => flags & ~2)],
  ['darwin-arm64', 'has a signature over ', inDirectory(32, (limit) => limit - 4096)],
  ['darwin-arm64', 'has a signature without hashes', inDirectory(0, () => 0xfade0c01)],
  [
    'darwin-arm64',
    'is signed with another hash',
    (file) => void file.writeUInt8(1, codeDirectory(file) + 37),
  ],
];

// PE

const header = (file: Buffer) => file.readUInt32LE(0x3c);
const characteristics = (file: Buffer) => header(file) + 24 + 70;
const directory = (file: Buffer, number: number) => header(file) + 24 + 112 + 8 * number;

const without =
  (bit: number): Change =>
  (file) =>
    void file.writeUInt16LE(file.readUInt16LE(characteristics(file)) & ~bit, characteristics(file));

const pe = ['win32-x64', 'win32-arm64'].flatMap((target): Case[] => [
  [target, 'has a time stamp', (file) => void file.writeUInt32LE(1, header(file) + 8)],
  [target, 'is not DYNAMIC_BASE', without(0x40)],
  [target, 'is not NX_COMPAT', without(0x100)],
  [target, 'is not stripped', (file) => void file.writeUInt32LE(1, header(file) + 12)],
  [target, 'needs node.exe', renamed('WS2_32.dll', 'node.exe\0\0')],
  [
    target,
    'has delayed imports',
    (file) => void file.copy(file, directory(file, 13), directory(file, 1), directory(file, 2)),
  ],
]);

describe('a file is refused', () => {
  test.each([...common, ...elf, ...machO, ...pe])('%s that %s', (target, fault, change) => {
    const good = readFileSync(join(prebuilds, target, 'socket-options.node'));
    const bad = change(good) ?? good;
    const place = join(mkdtempSync(join(folder, 'broken-')), target);
    mkdirSync(place);
    writeFileSync(join(place, 'socket-options.node'), bad);
    const quiet = vi.spyOn(console, 'log').mockReturnValue();
    const said = checkAll(join(place, '..')).find((line) => line.startsWith(`${target}/`));
    quiet.mockRestore();
    expect(said).toContain(fault);
  });

  test('that is not there', () => {
    const { status, stderr } = node(join(root, 'scripts/prebuilds/check.mjs'), folder);
    expect(stderr.match(/is missing; npm run prebuilds/g)).toHaveLength(targets.length);
    expect(status).toBe(1);
  });
});

/** A copy of what the scripts look at, to be changed. */
function copy(...parts: string[]): string {
  const place = mkdtempSync(join(folder, 'copy-'));
  for (const part of ['binding.gyp', 'native', 'package.json', 'package-lock.json', ...parts]) {
    cpSync(join(root, part), join(place, part), {
      recursive: true,
      filter: (path) => !path.includes('node_modules'),
    });
  }
  // A copy of what make takes files from, and not a link: make knows no paths with spaces, as the
  // repository's may be.
  mkdirSync(join(place, 'node_modules'));
  for (const name of readdirSync(join(root, 'node_modules'))) {
    const [from, to] = [join(root, 'node_modules', name), join(place, 'node_modules', name)];
    if (name === 'node-addon-api') cpSync(from, to, { recursive: true });
    else symlinkSync(from, to);
  }
  return place;
}

describe('the manifest', () => {
  const check = (place: string) => node(join(place, 'scripts/prebuilds/manifest.mjs'), '--check');

  /** A copy whose manifest is of the sources as they are, which while somebody works it is not. */
  function current(): string {
    const place = copy('scripts', 'prebuilds');
    const file = join(place, 'prebuilds/manifest.json');
    const manifest = JSON.parse(readFileSync(file, 'utf8'));
    for (const source of Object.keys(manifest.sources)) {
      const text = readFileSync(join(place, source));
      manifest.sources[source] = createHash('sha256').update(text).digest('hex');
    }
    writeFileSync(file, JSON.stringify(manifest));
    return place;
  }

  test('is content with its own sources', () => {
    const { status, stdout, stderr } = check(current());
    expect(stderr).toBe('');
    expect(stdout).toBe('prebuilds/ is what its sources give\n');
    expect(status).toBe(0);
  });

  const linux = `${targets.filter((target) => target.startsWith('linux-')).join(', ')}: `;
  test.each([
    ['native/platform/linux.cc', `is stale: ${linux}native/platform/linux.cc changed since`],
    ['native/platform/platform.h', 'is stale: native/platform/platform.h changed since'],
    ['native/runtime.cc', 'is stale: native/runtime.cc changed since'],
    ['native/new.cc', 'is stale: native/new.cc changed since'],
    ['scripts/prebuilds/build.mjs', 'is stale: scripts/prebuilds/build.mjs changed since'],
    ['scripts/prebuilds/darwin.h', 'scripts/prebuilds/darwin.h changed since'],
    ['prebuilds/linux-arm/socket-options.node', 'socket-options.node is not the file that was'],
  ])('says that %s was changed', (file, reason) => {
    const place = current();
    appendFileSync(join(place, file), '\n');
    const { status, stderr } = check(place);
    expect(stderr).toContain(reason);
    expect(stderr).toMatch(/^prebuilds\/.*; npm run prebuilds\n$/);
    expect(status).toBe(1);
  });

  test.each([
    ['native/platform/posix.cc', 'native/platform/posix.cc went away since'],
    ['prebuilds/win32-arm64/socket-options.node', 'win32-arm64/socket-options.node is missing'],
    ['prebuilds/manifest.json', 'prebuilds/manifest.json is missing'],
  ])('says that %s is gone', (file, reason) => {
    const place = current();
    rmSync(join(place, file));
    const { status, stderr } = check(place);
    expect(stderr).toContain(reason);
    expect(status).toBe(1);
  });

  test('says which package that takes part is of another version', () => {
    const place = current();
    const lock = join(place, 'package-lock.json');
    const parsed = JSON.parse(readFileSync(lock, 'utf8'));
    parsed.packages['node_modules/node-addon-api'].version = '9.0.0';
    writeFileSync(lock, JSON.stringify(parsed));
    const { status, stderr } = check(place);
    expect(stderr).toMatch(
      /made with node-addon-api 8\.\S+, which is now 9\.0\.0; npm run prebuilds/,
    );
    expect(status).toBe(1);
  });
});

describe('scripts/build-native.mjs', () => {
  const prebuild = `prebuilds/${process.platform}-${process.arch}/socket-options.node`;

  function build(place: string, environment: NodeJS.ProcessEnv) {
    return spawnSync(process.execPath, [join(place, 'scripts/build-native.mjs')], {
      encoding: 'utf8',
      env: { ...process.env, ...environment },
    });
  }
  const nothing = { PATH: '/nonexistent', PYTHON: undefined, npm_config_python: undefined };

  test('without a toolchain: the prebuild, in one line, and not what was compiled before', () => {
    const place = copy('scripts', 'prebuilds');
    mkdirSync(join(place, 'build/Release'), { recursive: true });
    writeFileSync(join(place, 'build/Release/socket_options.node'), 'old');
    const { status, stdout, stderr } = build(place, nothing);
    expect(stderr).toBe('');
    expect(stdout).toMatch(
      new RegExp(`^no C\\+\\+ compiler, no make, no Python here: using ${prebuild}.*\n$`),
    );
    expect(status).toBe(0);
    expect(existsSync(join(place, 'build'))).toBe(false);
  });

  test('with neither a compiler nor a prebuild: an error', () => {
    const { status, stderr } = build(copy('scripts'), { CXX: 'no-such-compiler' });
    expect(stderr).toBe(`no C++ compiler here, and no ${prebuild}: the addon cannot be had\n`);
    expect(status).toBe(1);
  });

  test('with a compiler that fails: its error, and no prebuild in its place', () => {
    const place = copy('scripts', 'prebuilds');
    appendFileSync(join(place, 'native/addon.cc'), '#error "a mistake of somebody"\n');
    const { status, stdout, stderr } = build(place, {});
    expect(stderr).toContain('a mistake of somebody');
    expect(stdout).not.toContain('using');
    expect(status).not.toBe(0);
  });
});
