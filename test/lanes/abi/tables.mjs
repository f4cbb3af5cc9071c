// The tables of this package, in memory: entries, each with a value, and structures, whose members have a place. The
// comparison works on these copies, so that a fault can be planted in one of them.

import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { source } from '../../../scripts/source.mjs';
import { codecStructures } from './codecs.mjs';
import { handWritten } from './hand-written.mjs';
import { nativeConstants } from './native.mjs';

const lib = await source([
  'tcp-info/structures/linux',
  'tcp-info/structures/darwin',
  'tcp-info/structures/win32',
  'tcp-info/structures/freebsd',
  'tcp-info/states',
  'catalogue/catalogue',
]);
const require = createRequire(import.meta.url);
const root = new URL('../../../', import.meta.url);

export const SYSTEMS = ['linux', 'darwin', 'freebsd', 'win32'];

/** The structures of lib/tcp-info/structures/, and their names in headers: older versions of one come later. */
const STRUCTURES = {
  linux: [lib.linuxStructure, ['tcp_info']],
  darwin: [lib.darwinStructure, ['tcp_connection_info']],
  freebsd: [lib.freeBsdStructure, ['tcp_info']],
  win32: [lib.windowsStructure, ['TCP_INFO_v2', 'TCP_INFO_v1', 'TCP_INFO_v0']],
};

/**
 * Where the length of a member is not the end of itself, because it took the place of padding: the member that came with
 * it, in the same version of the kernel, at the end of the structure. native/platform/freebsd.cc cuts off padding.
 */
export const CAME_WITH = {
  linux: {
    tcpi_delivery_rate_app_limited: 'tcpi_delivery_rate',
    tcpi_fastopen_client_fail: 'tcpi_snd_wnd',
    tcpi_ecn_mode: 'tcpi_options2',
    tcpi_accecn_opt_seen: 'tcpi_options2',
    tcpi_accecn_fail_mode: 'tcpi_options2',
  },
};

/** Names of <math.h> and <wchar.h>, which only the headers of the C++ library need. */
const OF_LIBC = /^(?:FP_|WEOF$)/;

const LINUX_STATES = {
  ...{ 'FIN-WAIT-1': 'FIN_WAIT1', 'FIN-WAIT-2': 'FIN_WAIT2' },
  ...{ CLOSED: 'CLOSE', 'SYN-RECEIVED': 'SYN_RECV' },
};

/** How the headers of a system name the states of RFC 9293: the beginning, and those that have another name. */
const STATES = {
  linux: [lib.linuxStateIndex, 'BPF_TCP_', LINUX_STATES],
  win32: [lib.windowsStateIndex, 'TCPSTATE_', { 'SYN-RECEIVED': 'SYN_RCVD' }],
  darwin: [lib.bsdStateIndex, 'TCPS_', {}],
  freebsd: [lib.bsdStateIndex, 'TCPS_', {}],
};

const KERNEL_STATES = Array.from({ length: 32 }, (_, number) => number);

function states(system) {
  const [indexOf, prefix, other] = STATES[system];
  return lib.tcpStates.map((state, index) => {
    const number = KERNEL_STATES.findIndex((each) => indexOf(each) === index);
    const name = prefix + (other[state] ?? state.replaceAll('-', '_'));
    return { label: `state ${state}`, expression: name, value: BigInt(number) };
  });
}

/** The names that the catalogue has of a system's options. */
function catalogueNames(system) {
  const options = Object.values(lib.rows()).map((row) => row[system]);
  return options.flatMap((option) =>
    option
      ? [option, option.older ?? option].flatMap(({ name, ipv6 }) => [name, ipv6 ?? name])
      : [],
  );
}

const BUILD = 'npm run build:native';

/** The values that the addon of this machine has. */
function addonValues() {
  const file = fileURLToPath(new URL('build/Release/socket_options.node', root));
  if (!existsSync(file)) throw new Error(`no addon in build/: ${BUILD}`);
  return require(file).constants().values;
}

/**
 * The tables of a system. `built` are the headers that the addon of this system is compiled with: the values of constants
 * without a number of our own come from them.
 */
export function tablesOf(system, built) {
  const { names, numbers, declared } = nativeConstants(system);
  const unnumbered = [...names].filter((name) => !numbers.has(name));
  const values = system === 'linux' ? addonValues() : undefined;
  const fromHeaders = built?.values(unnumbered);
  const entries = [];
  for (const name of names) {
    const value = numbers.get(name) ?? fromHeaders?.get(name);
    if (value !== undefined || values === undefined) {
      entries.push({ label: name, expression: name, value });
    }
    if (values !== undefined) {
      if (values[name] === undefined) throw new Error(`the addon has no ${name}: ${BUILD}`);
      entries.push({
        label: `${name} in the addon`,
        expression: name,
        value: BigInt(values[name]),
      });
    }
  }
  // Numbers that are no constants of the addon, but whose names are a header's.
  for (const [name, value] of numbers) {
    const isOfHeader = /^UV_/.test(name) || (declared.has(name) && !OF_LIBC.test(name));
    if (!names.has(name) && isOfHeader) entries.push({ label: name, expression: name, value });
  }
  for (const name of new Set(catalogueNames(system))) {
    // A name of the catalogue that the addon does not have: only where there is no addon yet.
    if (!names.has(name)) entries.push({ label: `${name} of the catalogue`, expression: name });
  }
  entries.push(...states(system), ...handWritten(system, read, numbers));
  if (system === 'darwin') {
    // lib/connections/darwin.ts has these offsets in its code, and no source has the structures.
    for (const name of ['xsocket_n', 'xsockbuf_n', 'xinpcb_n', 'xtcpcb_n']) {
      entries.push({
        label: `offsets of ${name} of lib/connections/darwin.ts`,
        expression: `sizeof(struct ${name})`,
      });
    }
  }
  const [structure, versions] = STRUCTURES[system];
  const members = Object.entries(structure).map(([member, { offset, shift, bits, length }]) => [
    member,
    { bit: offset * 8 + shift, bits, length },
  ]);
  const tcpInfo = { names: versions, members: new Map(members) };
  return { system, names, entries, structures: [tcpInfo, ...codecStructures(system)] };
}

function read(path) {
  return readFileSync(new URL(path, root), 'utf8');
}
