// How a path or a peer fails: one function each. Each resolves with the time when the fault was complete.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { addressOf } from './hosts.mjs';

const run = promisify(execFile);

/** `enum fate` of the relay. */
const [, DROP, RESET, UNREACHABLE] = [0, 1, 2, 3];

const onPath = (values) => ({
  async begin({ flows }, { path }) {
    return Math.max(...(await Promise.all(flows.map((flow) => path.set(flow, values)))));
  },
});

const here = (command) => ({
  async begin({ flows }) {
    for (const flow of flows) {
      const [program, ...args] = command(addressOf(flow)).split(' ');
      await run(program, args);
    }
    return performance.now();
  },
});

const unreachable = (type, code) =>
  onPath({ up: UNREACHABLE, down: DROP, icmp_type: type, icmp_code: code });

/** Codes of ICMP's "destination unreachable" (type 3): RFC 792, RFC 1122, RFC 1812. */
const UNREACHABLE_CODES = [
  ...['net', 'host', 'protocol', 'port', 'fragmentation needed', 'source route failed'],
  ...['net unknown', 'host unknown', 'host isolated', 'net prohibited', 'host prohibited'],
  ...['net, type of service', 'host, type of service', 'filtered', 'precedence', 'cutoff'],
];

/** `resets`: the fault answers our segments with a reset. */
export const FAULTS = {
  'black hole': onPath({ up: DROP, down: DROP }),
  'theirs lost': onPath({ down: DROP }),
  'ours lost': onPath({ up: DROP }),
  /** The peer has rebooted. */
  RST: { resets: true, ...onPath({ up: RESET, down: DROP }) },
  'NAT entry lost, drops': onPath({ nat: DROP }),
  'NAT entry lost, resets': { resets: true, ...onPath({ nat: RESET }) },
  /** All connections over this link fail at the same moment. */
  'link down': {
    link: 1,
    async begin(_cell, { linkDown }) {
      return linkDown.arrive();
    },
  },
  // The search for a route goes on as if this table had none.
  'route gone': here((address) => `ip route add throw ${address}/32`),
  /** The next hop does not answer ARP. */
  'neighbour dead': here((address) => `ip route add ${address}/32 via 10.99.0.2 dev dead0`),
  'egress drop': here((address) => `nft add element netdev promise gone { ${address} }`),
  'output drop': here((address) => `nft add element inet promise gone { ${address} }`),
  ...Object.fromEntries(
    UNREACHABLE_CODES.map((name, code) => [`ICMP ${name} (3/${code})`, unreachable(3, code)]),
  ),
  'ICMP time exceeded (11/0)': unreachable(11, 0),
  'ICMP parameter problem (12/0)': unreachable(12, 0),
};

/** Makes what the local faults need on our host. Returns the names of faults that this kernel cannot make. */
export async function prepareFaults() {
  const ip = (line) => run('ip', line.split(' '));
  await ip('link add dead0 type veth peer name dead1');
  await ip('address add 10.99.0.1/24 dev dead0');
  await ip('link set dead0 up');
  await ip('link set dead1 up');
  const drops = (family, chain) => `table ${family} promise {
  set gone { type ipv4_addr; }
  chain drops { ${chain} ip daddr @gone drop; }
}`;
  await nft(drops('inet', 'type filter hook output priority 0;'));
  try {
    await nft(drops('netdev', 'type filter hook egress device tun0 priority 0;'));
    return [];
  } catch {
    // Linux 5.16 has this hook.
    return ['egress drop'];
  }
}

function nft(rules) {
  const child = run('nft', ['-f', '-']);
  child.child.stdin.end(rules);
  return child;
}

export const takeLinkDown = () => run('ip', ['link', 'set', 'tun1', 'down']);
