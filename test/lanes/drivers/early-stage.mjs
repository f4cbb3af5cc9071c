// The experiment, in namespaces: the clients of docs/drivers.md ask real servers, and nftables counts the SYNs of this
// machine by their mark. Every name has an IPv6 address, which refuses connections, before its IPv4 address. Prints the
// results as JSON.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLIENT6, REFUSING, REFUSING6, SERVER, SERVER6 } from './address.mjs';
import { answerOf, start, startServers } from './machines.mjs';

const [data, programs, cases] = process.argv.slice(2);
const here = (file) => new URL(file, import.meta.url).pathname;

const NAMES = ['api', 'db', 'cache', 'broker'];
const hosts = [
  ['example.com', SERVER6, SERVER],
  ['example.net', REFUSING6, REFUSING],
].flatMap(([domain, ...addresses]) =>
  addresses.map((address) => [address, ...NAMES.map((name) => `${name}.${domain}`)].join(' ')),
);
const known = readFileSync('/etc/hosts', 'utf8');
writeFileSync(join(data, 'hosts'), `${hosts.join('\n')}\n${known}`);
execFileSync('mount', ['--bind', join(data, 'hosts'), '/etc/hosts']);

const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(data, name));
execFileSync(
  'openssl',
  [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=api.example.com'],
    ...['-addext', 'subjectAltName=DNS:api.example.com'],
  ],
  { stdio: 'ignore' },
);

const { servers } = await startServers(data, programs, 1);
execFileSync('ip', ['address', 'add', `${CLIENT6}/64`, 'dev', 'client', 'nodad']);
const web = start(
  ...['nsenter', `--net=/proc/${servers.pid}/ns/net`, process.execPath, here('web-servers.mjs')],
  ...[readFileSync(key, 'utf8'), readFileSync(cert, 'utf8')],
);
const { error } = await answerOf(web);
if (error !== undefined) throw new Error(`The web servers: ${error}`);

const COUNT = `table inet early {
  set syns4 { type ipv4_addr . mark; size 64; flags dynamic; counter; }
  set syns6 { type ipv6_addr . mark; size 64; flags dynamic; counter; }
  chain out {
    type filter hook output priority 0;
    tcp flags & (syn | ack) == syn add @syns4 { ip daddr . meta mark }
    tcp flags & (syn | ack) == syn add @syns6 { ip6 daddr . meta mark }
  }
}
`;

function countFromZero() {
  execFileSync('nft', ['-f', '-'], {
    input: `table inet early\ndelete table inet early\n${COUNT}`,
  });
}

/** The SYNs since then: `{ '198.18.0.2 mark 7': 1 }`. */
function countedSyns() {
  const { nftables } = JSON.parse(execFileSync('nft', ['-j', 'list', 'table', 'inet', 'early']));
  const elements = nftables.flatMap(({ set }) => set?.elem ?? []);
  return Object.fromEntries(
    elements.map(({ elem }) => {
      const [address, mark] = elem.val.concat;
      return [`${address} mark ${mark}`, elem.counter.packets];
    }),
  );
}

/** Longer than any client takes, in milliseconds. A client that hangs fails its own test only. */
const PATIENCE = 20_000;

const results = [];
for (const args of JSON.parse(cases)) {
  countFromZero();
  const child = start(
    ...['env', `NODE_EXTRA_CA_CERTS=${cert}`, 'PGUSER=postgres', 'PGDATABASE=postgres'],
    // On a busy machine, the refusal of the first address may be seen late.
    'NODE_OPTIONS=--network-family-autoselection-attempt-timeout=30000',
    ...[process.execPath, here('early-client.mjs'), ...args],
  );
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
  const answer = await answerOf(child);
  clearTimeout(timer);
  results.push({ case: args.join(' '), ...answer, syns: countedSyns() });
}
web.kill('SIGKILL');
servers.send('end');
await once(servers, 'exit');
console.log(JSON.stringify(results));
process.exit(0);
