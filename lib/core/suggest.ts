// Suggests a known name for an unknown one: for another way of writing, a typing error, or a word that other software
// uses for the same thing.

/** Words for the same thing, in this package, in Node, in kernels and in other libraries. */
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
  ['win32', 'windows'],
  ['darwin', 'macos', 'osx'],
  ['remoteAddress', 'address', 'host', 'ip', 'peer', 'remoteIp'],
  ['localAddress', 'localIp', 'bindAddress'],
  ['timeout', 'deadPeerTimeout', 'deadline'],
  ['send', 'ping', 'payload', 'message'],
  ['onDead', 'onTimeout', 'onDeath', 'callback'],
];

/** Returns the letters and digits in lower case: `keep_alive` and `KeepAlive` are the same. */
function bare(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}

/** Returns the name among `known` that `name` probably stands for, or `undefined`. */
export function suggest(name: string, known: readonly string[]): string | undefined {
  const wanted = bare(name);
  const sameLetters = known.find((candidate) => bare(candidate) === wanted);
  if (sameLetters !== undefined) return sameLetters;
  const words = SYNONYMS.find((group) => group.some((word) => bare(word) === wanted));
  const synonym = words?.find((word) => known.includes(word));
  if (synonym !== undefined) return synonym;

  // One typing error for every four letters, at most three.
  let fewest = Math.min(Math.max(1, wanted.length >> 2), 3) + 1;
  let closest: string | undefined;
  for (const candidate of known) {
    const other = bare(candidate);
    if (Math.abs(other.length - wanted.length) >= fewest) continue;
    const typos = distance(wanted, other);
    if (typos >= fewest) continue;
    fewest = typos;
    closest = candidate;
  }
  return closest;
}

/** The number of edits from one word to the other: a letter removed, added or replaced, or two neighbours swapped. */
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
