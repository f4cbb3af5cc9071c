// Skips tests by name that cannot run on Windows, or on Wine in its place, with the reason. A line that matches no test
// of its file is an error.

import { afterAll, beforeEach, type TestContext } from 'vitest';

type Task = TestContext['task'];
/** The beginning of the name of a test or of one of its groups; `''`: the whole file. */
type Lines = Readonly<Record<string, string>>;

const NETLINK = 'only Linux has netlink';
const KERNEL_INFO = 'Wine has no SIO_TCP_INFO';
const LISTED = 'what lists of Linux show';
const SAME_TEXTS = 'compares texts, which are the same on every system';
const MAXRT = 'Wine has no TCP_MAXRTMS';
const RANGES = 'Wine has the ranges of Linux instead of those of Windows';
const LINUX_OPTIONS = 'options and error numbers of Linux';
const LINUX_NUMBERS = 'the numbers and structures of Linux';

const SKIPPED: Readonly<Record<string, Lines>> = {
  'unit/catalogue.test.ts': {
    'ipv6Only: differs at first': 'on Windows the example is the default',
    'keepAliveInitialDelay: takes both ends': RANGES,
    'keepAliveInterval: takes both ends': RANGES,
    'keepAliveCount: takes both ends': RANGES,
    'maxSegmentSize: is read': 'Wine has no TCP_MAXSEG',
    'mtu: is read': 'Wine has no IP_MTU',
    'every option of this system answers': 'Wine has IPV6_TCLASS on no socket',
  },
  'long/cli.test.ts': {
    'prints a table within 80 columns': 'settings of Linux',
    'exits with 0 if the reader closes': 'a shell and its pipe',
    'prints a table, a sentence': 'the keepalive timers of Linux',
    'works in a pipe': 'a shell and its pipe',
    '["--problems"] among healthy': LISTED,
    '["--problems","--group-by","peer"] among healthy': LISTED,
    '["--problems","unread,Lossy-Path"] among healthy': LISTED,
    '--fail-on-problems exits with 3': LISTED,
    'prints a long list': LISTED,
    'npm start': 'it sets a user timeout, but Wine has no TCP_MAXRTMS',
  },
  'long/cli-hostile-text.test.ts': { 'watch --json prints': KERNEL_INFO },
  'long/cli-streams.test.ts': { 'accepts the longest plan': KERNEL_INFO },
  'long/cli-dead-peers.test.ts': {
    'prints ASCII for every system': 'the locale of a POSIX terminal',
  },
  'kernel/connections.test.ts': {
    'in this process': NETLINK,
    'destroyConnection rejects argument': NETLINK,
    'destroyConnection throws for': NETLINK,
    'destroyConnection reads each member once': 'Wine has no SetTcpEntry that refuses',
    'reads real replies': NETLINK,
    'accepts states, timers and families': NETLINK,
    'listConnections with made-up replies': NETLINK,
  },
  'kernel/dead-peer-timeout.test.ts': { 'with a socket that can be read': KERNEL_INFO },
  'unit/mptcp-decode.test.ts': { 'a socket whose kernel refuses MPTCP_INFO': LINUX_NUMBERS },
  'unit/validate.test.ts': {
    'tuneSockets names the path of mtu': 'Wine has no IP_MTU',
    'a string for options.userTimeout': MAXRT,
  },
  'long/docs.test.ts': {
    'every field has a row': KERNEL_INFO,
    'every example of ../README.md': MAXRT,
    'every example of tcp-state.md': KERNEL_INFO,
    'every example of dead-peers.md': MAXRT,
    'every example of heartbeats.md': MAXRT,
    'every example of drivers.md': LINUX_OPTIONS,
    'every example of functions.md': LINUX_OPTIONS,
    'every example of options.md': MAXRT,
    'every example of incidents.md': MAXRT,
    'every example of migration.md': MAXRT,
    'every example of faq.md': MAXRT,
  },
  'kernel/as-node-opens.test.ts': {
    'shares a port by socketOptions.reuseAddress': LINUX_OPTIONS,
    'calls the method with which': LINUX_OPTIONS,
  },
  'kernel/errors.test.ts': {
    'has the members of Node’s system errors': LINUX_OPTIONS,
    'has its own code for an option that is set too late': LINUX_OPTIONS,
    'reports which of several options failed': LINUX_OPTIONS,
    'reports the failed option after': LINUX_OPTIONS,
    'rejects an option that this system lacks': LINUX_OPTIONS,
    'names the capability': LINUX_OPTIONS,
    'getOptions, getDeadPeerBounds and setDeadPeerTimeout use': MAXRT,
    'isSupported agrees with supportedOptions': MAXRT,
    'rejects a congestion control name': 'only Linux has TCP_CONGESTION',
    'a getter that sets options': MAXRT,
    'each value is read once': MAXRT,
  },
  'kernel/heartbeat.test.ts': { 'is not dead while the program still reads': KERNEL_INFO },
  'kernel/heartbeat-adapters.test.ts': { 'the server of many devices': MAXRT },
  'kernel/keepalive.test.ts': {
    '{"interval":1001}': 'Wine rounds the milliseconds of Windows',
    '{"enable":true,"interval":32767001}': RANGES,
    '{"enable":true,"count":128}': RANGES,
    'a UDP socket': 'Wine answers EINVAL, and Windows WSAENOPROTOOPT',
    'a unix socket': 'Wine has no AF_UNIX',
  },
  'kernel/metrics.test.ts': {
    'counts short http connections': KERNEL_INFO,
    'counts TLS connections once': KERNEL_INFO,
    'counts HTTP/2 sessions': KERNEL_INFO,
    'counts a socket that ends by': KERNEL_INFO,
    'counts a connection that is passed': KERNEL_INFO,
    'reports the bytes that the kernel': KERNEL_INFO,
    'open connections': KERNEL_INFO,
    'a meter may close sockets': KERNEL_INFO,
  },
  'kernel/node-interplay.test.ts': {
    'with a new delay, after setKeepAlive()': 'libuv sets the delay alone on Windows',
    'http.Agent keeps the values of this package': 'libuv sets the delay alone on Windows',
  },
  'kernel/open-against-settings.test.ts': { 'keeps deadPeerTimeout': MAXRT },
  'kernel/open-beside-node.test.ts': {
    'has accepted sockets inherit': 'in Wine they inherit no option',
  },
  'kernel/raw-options.test.ts': {
    'getRawOption and setRawOption': LINUX_NUMBERS,
    'memory of an earlier call': LINUX_NUMBERS,
    'have the numbers of the kernel': LINUX_NUMBERS,
  },
  'kernel/windows-handle-search.test.ts': {
    '': 'on Windows, sockets.test.ts tests the same',
  },
  'kernel/sockets.test.ts': {
    'net.Server, whose accepted sockets inherit': LINUX_OPTIONS,
    'dgram sockets': LINUX_OPTIONS,
    'an IPv6 socket': LINUX_OPTIONS,
    'the server of a cluster worker': 'on Windows, cluster workers listen themselves',
  },
  'kernel/supervision.test.ts': { 'supervision does not keep': MAXRT },
  'kernel/system-defaults.test.ts': {
    'returns the values of /proc/sys': 'settings of Linux',
    'equals the values of a new socket': 'settings of Linux',
    'a setting that this system lacks': 'settings that Linux does not have',
    'returns the text of the kernel': 'settings of Linux',
    'a missing or unreadable setting': 'settings of Linux',
  },
  'kernel/tcp-info.test.ts': { '': KERNEL_INFO },
  'kernel/tcp-info-races.test.ts': {
    'a closed http2 session': KERNEL_INFO,
    'a reader has no old values': KERNEL_INFO,
    'a result is filled by one call': KERNEL_INFO,
    'later changes of the array': KERNEL_INFO,
    'numbers among Node objects': KERNEL_INFO,
  },
  'unit/benchmarks-docs.test.ts': { '': 'the benchmark runs on Linux' },
  'unit/contracts.test.ts': { '': SAME_TEXTS },
  'unit/contracts-numbers.test.ts': { '': SAME_TEXTS },
  'unit/load-cost.test.ts': { 'modules of Node': 'node.exe in Wine loads node:vm, too' },
};

let lines: Lines = {};
const used = new Set<string>();

function reasonFor({ file, name, suite }: Task): string | undefined {
  lines = SKIPPED[file.name.replace(/^test\//, '')] ?? {};
  const names = [name];
  for (let group = suite; group; group = group.suite) names.push(group.name);
  const line = Object.keys(lines).find((start) => names.some((one) => one.startsWith(start)));
  if (line === undefined) return undefined;
  used.add(line);
  return lines[line];
}

beforeEach(({ task, skip }) => {
  const reason = reasonFor(task);
  skip(reason !== undefined, reason);
});

afterAll(() => {
  const unused = Object.keys(lines).filter((line) => !used.has(line));
  if (unused.length > 0) throw new Error(`no test begins with: ${unused.join(', ')}`);
});
