// Asks sock_diag(7) for the flags of subflows of Multipath TCP, which no socket option reports.

import { runQuery } from '../batches';
import { parseFilter } from '../filter';
import { CHUNK_SIZE, type ConnectionQuery } from '../platform';
import { AF_INET, AF_INET6, DiagMessages, IPPROTO_TCP } from './messages';
import { dumpRequest } from './request';

/** The endpoints of a subflow. */
export interface SubflowEndpoints {
  readonly family: 'IPv4' | 'IPv6';
  readonly localPort: number;
  readonly remotePort: number;
}

/** Collects the flags of the subflows among the connections with these ports; returns no connections. */
class FlagsQuery implements ConnectionQuery {
  readonly request: Uint8Array;
  readonly optional = true;
  readonly interrupted = false;
  readonly complete = true;
  private readonly messages = new DiagMessages();
  private readonly flags: Map<string, number>;

  constructor(family: number, subflows: readonly SubflowEndpoints[], flags: Map<string, number>) {
    const filter = parseFilter(
      {
        localPort: subflows.map(({ localPort }) => localPort),
        remotePort: subflows.map(({ remotePort }) => remotePort),
      },
      'filter',
    );
    // The flags come only along with TCP_INFO: inet_sk_diag_fill() in net/ipv4/inet_diag.c.
    this.request = dumpRequest(family, IPPROTO_TCP, { ...filter, tcpInfo: true });
    this.flags = flags;
  }

  parseChunk(bytes: Uint8Array): [] {
    const { messages } = this;
    messages.load(bytes);
    while (messages.next()) {
      const { subflowFlags, endpointKey } = messages;
      if (subflowFlags !== undefined) this.flags.set(endpointKey, subflowFlags);
    }
    return [];
  }

  get errno(): number {
    return this.messages.errno;
  }
}

/**
 * Returns the flags (`MPTCP_SUBFLOW_FLAG_*`) of subflows by `endpointKey`. A subflow is missing if the kernel does not report
 * its flags to this process, or if it is in another network namespace.
 *
 * By a list and not by the address of one socket: a subflow may be bound to an interface, and the kernel then finds it only
 * with the number of that interface.
 */
export function readSubflowFlags(subflows: readonly SubflowEndpoints[]): Map<string, number> {
  const flags = new Map<string, number>();
  const buffer = new Uint8Array(CHUNK_SIZE);
  for (const [name, family] of [
    ['IPv4', AF_INET],
    ['IPv6', AF_INET6],
  ] as const) {
    const among = subflows.filter((one) => one.family === name);
    if (among.length === 0) continue;
    const steps = runQuery(new FlagsQuery(family, among, flags), buffer);
    while (!steps.next().done);
  }
  return flags;
}
