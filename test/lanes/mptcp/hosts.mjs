// Two hosts with two paths between them. Each connection of Multipath TCP gets a second subflow on the second path.

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { getMptcpInfo } from '../../../dist/index.js';
import { ip, joinPeer, ownAddressOf } from '../../fixtures/dead-peers/two-hosts.mjs';

const PEER = fileURLToPath(new URL('peer.mjs', import.meta.url));

/** The addresses of IPv6 on each link. */
export const ipv6Of = (link) => `fd99:${link}::2`;
const ownIpv6Of = (link) => `fd99:${link}::1`;

/** Throws if this kernel makes no connections of Multipath TCP: the lane would prove nothing. */
export function needMptcp() {
  let enabled;
  try {
    enabled = readFileSync('/proc/sys/net/mptcp/enabled', 'latin1').trim();
  } catch {
    throw new Error('This kernel has no Multipath TCP (no sysctl net.mptcp.enabled): Linux 5.6');
  }
  if (enabled !== '1')
    throw new Error(`net.mptcp.enabled is ${enabled}: sysctl net.mptcp.enabled=1`);
}

/** Makes the hosts. `flags`: how this host uses its second address (`ip mptcp endpoint`). */
export async function makeHosts(flags = ['subflow']) {
  needMptcp();
  const peer = await joinPeer(2, PEER);
  for (const link of [1, 2]) {
    ip('address', 'add', `${ownIpv6Of(link)}/64`, 'dev', `v${link}`, 'nodad');
    peer.ip('address', 'add', `${ipv6Of(link)}/64`, 'dev', `p${link}`, 'nodad');
  }
  const limits = ['mptcp', 'limits', 'set', 'subflow', '8', 'add_addr_accepted', '8'];
  ip(...limits);
  peer.ip(...limits);
  // For a subflow of the second link to the peer's first address. With IPv4 the peer answers to ARP on each link.
  ip('-6', 'route', 'add', 'fd99:1::/64', 'via', ipv6Of(2), 'dev', 'v2', 'metric', '4096');
  for (const own of [ownAddressOf(2), ownIpv6Of(2)]) {
    ip('mptcp', 'endpoint', 'add', own, 'dev', 'v2', ...flags);
  }
  return peer;
}

/** Waits until a connection has this many open subflows. */
export async function untilSubflows(socket, count) {
  for (const end = performance.now() + 5_000; ; ) {
    const { subflows } = getMptcpInfo(socket);
    const open = subflows.filter(({ tcpInfo }) => tcpInfo.state === 'ESTABLISHED');
    if (open.length === count) return open;
    if (performance.now() > end) throw new Error(`${open.length} subflows, not ${count}`);
    await sleep(10);
  }
}
