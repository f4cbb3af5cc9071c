// Which known name somebody meant by one that is not known: another spelling, a typing error, or a word that
// is used elsewhere for the same thing.

/** Words for the same thing, as this package, Node, kernels and other libraries have them. */
const SYNONYMS: readonly (readonly string[])[] = [
  ['keepAlive', 'enable', 'enabled', 'SO_KEEPALIVE'],
  [
    ...['keepAliveInitialDelay', 'initialDelay', 'idle', 'delay', 'keepIdle', 'keepAliveIdle'],
    ...['keepAliveDelay', 'keepAliveTime', 'idleTime', 'TCP_KEEPIDLE', 'TCP_KEEPALIVE'],
  ],
  ['keepAliveInterval', 'interval', 'intvl', 'keepIntvl', 'TCP_KEEPINTVL', 'probeInterval'],
  [
    ...['keepAliveCount', 'count', 'minProbes', 'probes', 'probeCount', 'keepAliveProbes', 'cnt'],
    ...['keepCnt', 'TCP_KEEPCNT', 'maxProbes'],
  ],
  ['userTimeout', 'TCP_USER_TIMEOUT', 'writeTimeout'],
  ['noDelay', 'TCP_NODELAY', 'nagle', 'disableNagle'],
  ['sendBufferSize', 'sendBuffer', 'sndbuf', 'SO_SNDBUF'],
  ['recvBufferSize', 'receiveBufferSize', 'receiveBuffer', 'recvBuffer', 'rcvbuf', 'SO_RCVBUF'],
  ['maxSegmentSize', 'mss'],
  ['dscp', 'typeOfService', 'tos'],
  ['retransmissionTimeout', 'rto', 'initialRto'],
  ['lossRate', 'loss', 'packetLoss'],
  ['platform', 'system', 'os'],
  ['remoteAddress', 'address', 'host', 'ip', 'peer', 'remoteIp'],
  ['localAddress', 'localIp', 'bindAddress'],
  ['timeout', 'maxSilence', 'deadline'],
  ['send', 'ping', 'payload', 'message'],
  ['onDead', 'onTimeout', 'onDeath', 'callback'],
];

/** Letters and digits alone: `keep_alive` and `KeepAlive` are the same. */
function bare(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}

/** The one of `known` that `name` probably means, or `undefined`. */
export function suggest(name: string, known: readonly string[]): string | undefined {
  const given = bare(name);
  const spelled = known.find((candidate) => bare(candidate) === given);
  if (spelled !== undefined) return spelled;
  const words = SYNONYMS.find((group) => group.some((word) => bare(word) === given));
  const synonym = words?.find((word) => known.includes(word));
  if (synonym !== undefined) return synonym;

  // A typing error for each four letters, at the most three.
  let fewest = Math.min(Math.max(1, given.length >> 2), 3) + 1;
  let closest: string | undefined;
  for (const candidate of known) {
    const other = bare(candidate);
    if (Math.abs(other.length - given.length) >= fewest) continue;
    const typos = distance(given, other);
    if (typos >= fewest) continue;
    fewest = typos;
    closest = candidate;
  }
  return closest;
}

/** Letters to leave out, put in or replace, and neighbours to swap, until one word is the other. */
function distance(from: string, to: string): number {
  let before: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const next = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let least = Math.min(
        (last[column] as number) + 1,
        (next[column - 1] as number) + 1,
        (last[column - 1] as number) + (same ? 0 : 1),
      );
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (swapped) least = Math.min(least, (before[column - 2] as number) + 1);
      next.push(least);
    }
    before = last;
    last = next;
  }
  return last[to.length] as number;
}
