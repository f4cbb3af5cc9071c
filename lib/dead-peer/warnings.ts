// The sentences about limits that both kinds of plans have in common.

/** The shortest of the well-known limits is that of Azure. */
const SHORTEST_MEMORY = 240_000;

/**
 * Warns of devices on the path that forget silent connections. Sources: AWS "Network Load Balancers" (350 s), Docker
 * moby#31208 (IPVS, 900 s), RFC 5382 REQ-5 and AWS VPC security groups, Azure Load Balancer (240 s).
 */
export function silenceWarnings(maxSilence: number | undefined, silence: number): string[] {
  if (maxSilence !== undefined || silence < SHORTEST_MEMORY) return [];
  return [
    `An idle connection is silent for up to ${seconds(silence)}. Devices on the path may forget it sooner, and then a living peer is lost: Azure Load Balancer after 240 s, AWS Network Load Balancer after 350 s, Docker Swarm (IPVS) after 900 s, many firewalls after 1 h. Set maxSilence to less than the limit of the path.`,
  ];
}

export function seconds(milliseconds: number): string {
  return `${Number((milliseconds / 1_000).toFixed(2))} s`;
}
