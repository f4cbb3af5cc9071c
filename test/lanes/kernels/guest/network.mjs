// Two machines, and a router between them that can lose the packets of an address. They are network namespaces of the
// guest. One process has the sockets of both, so that one clock counts.

import { execFileSync } from 'node:child_process';
import { openSync } from 'node:fs';
import { createRequire } from 'node:module';

const referenceAddon = createRequire(import.meta.url)('../reference_addon.node');

const run = (program, args, input) => execFileSync(program, args, { input, encoding: 'utf8' });
const ip = (lines, namespace) =>
  run('ip', [...(namespace ? ['-n', namespace] : []), '-batch', '-'], lines);
const nft = (lines) => run('ip', ['netns', 'exec', 'router', 'nft', '-f', '-'], lines);

/** The peer has every address of this network. */
const PEER = '10.2';

const inNamespace = (name, ...words) => run('ip', ['netns', 'exec', name, ...words]);

ip(`
netns add router
netns add peer
link add here type veth peer name left netns router
link add there netns peer type veth peer name right netns router
address add 10.1.0.1/24 dev here
link set here up
`);
ip(
  `
address add 10.1.0.254/24 dev left
address add 10.3.0.254/24 dev right
link set left up
link set right up
route add ${PEER}.0.0/16 via 10.3.0.1
`,
  'router',
);
ip(
  `
address add 10.3.0.1/24 dev there
link set lo up
link set there up
route add default via 10.3.0.254
route add local ${PEER}.0.0/16 dev lo
`,
  'peer',
);
ip('route add default via 10.1.0.254\n');
inNamespace('router', 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward');
nft('table ip faults { chain forward { type filter hook forward priority 0; }; }\n');

const namespaces = {
  here: openSync('/proc/self/ns/net'),
  peer: openSync('/run/netns/peer'),
};

function enter(name) {
  const status = referenceAddon.enter(namespaces[name]);
  if (status !== 0) throw new Error(`setns: errno ${-status}`);
}

/** What `use` opens, it opens on the peer's machine. */
export function onPeer(use) {
  enter('peer');
  try {
    return use();
  } finally {
    enter('here');
  }
}

let last = 0;

/** An address of the peer that nothing else uses. */
export function newAddress() {
  last++;
  return `${PEER}.${last >> 8}.${last & 255}`;
}

/** Gives the path to an address a property of ip-route(8). */
export const setPath = (address, property) =>
  ip(`route add ${address} via 10.1.0.254 ${property}\n`);

/** From now on the router loses every packet from and to these addresses, and counts those to them. */
export function lose(addresses) {
  const rules = addresses.flatMap((address) => [
    `add rule ip faults forward ip daddr ${address} counter drop`,
    `add rule ip faults forward ip saddr ${address} drop`,
  ]);
  nft(`${rules.join('\n')}\n`);
}

/** How many packets to each lost address the router has lost. */
export function countLost() {
  const rules = inNamespace('router', 'nft', 'list', 'chain', 'ip', 'faults', 'forward');
  const lines = rules.matchAll(/ip daddr (\S+) counter packets (\d+) /g);
  return new Map([...lines].map(([, address, packets]) => [address, Number(packets)]));
}
