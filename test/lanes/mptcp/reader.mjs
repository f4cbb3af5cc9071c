// What ss(8) reports of the subflows of a connection: the independent reader of this lane.

/** Options of ss(8): one line for each TCP socket, with the timer, the mark, the ToS and TCP_INFO. */
export const SS_SUBFLOWS = ['-HOtnoie', '--tos'];
/** The same for the sockets of Multipath TCP. */
export const SS_CONNECTIONS = ['-HOMni'];

const wordOf = (line, name) => new RegExp(`(?:^|\\s)${name}:(\\S+)`).exec(line)?.[1];

/** `[::ffff:10.0.0.1]:80` or `10.0.0.1%v1:80` as an address and a port. */
function endpointOf(text) {
  const [, address, port] = /^\[?(.*?)\]?(?:%\w+)?:(\d+|\*)$/.exec(text);
  return { address, port: Number(port) };
}

/** The subflows with this token of the own side, in the order of their numbers. */
export function subflowsIn(text, token) {
  return text
    .split('\n')
    .filter((line) => line.includes('tcp-ulp-mptcp'))
    .map((line) => {
      const [, , , local, remote] = line.split(/\s+/);
      const [, own, id] = /\/([0-9a-f]+)\(id:(\d+)\)/.exec(wordOf(line, 'token'));
      const flags = wordOf(line, 'flags');
      return {
        token: Number.parseInt(own, 16),
        id: Number(id),
        local: endpointOf(local),
        remote: endpointOf(remote),
        // ss.c of iproute2: B is MPTCP_SUBFLOW_FLAG_BKUP_REM, b is MPTCP_SUBFLOW_FLAG_BKUP_LOC.
        isLocalBackup: flags.includes('b'),
        isRemoteBackup: flags.includes('B'),
        bytesAcked: Number(wordOf(line, 'bytes_acked') ?? 0),
        segmentsReceived: Number(wordOf(line, 'segs_in') ?? 0),
        timer: /timer:\((\w+),([^,]+)/.exec(line)?.[1] ?? null,
        mark: Number(wordOf(line, 'fwmark') ?? 0),
        tos: Number(wordOf(line, 'tos') ?? 0),
        congestionControl: /\b(reno|cubic|bbr)\b/.exec(line)?.[1] ?? null,
      };
    })
    .filter((one) => one.token === token)
    .sort((a, b) => a.id - b.id);
}

/** What ss(8) reports of the whole connection. */
export function connectionIn(text, token) {
  const line = text.split('\n').find((one) => Number.parseInt(wordOf(one, 'token'), 16) === token);
  if (line === undefined) return null;
  const sequence = (name) => String(BigInt(`0x${wordOf(line, name)}`));
  const count = (name) => Number(wordOf(line, name) ?? 0);
  return {
    extraSubflows: count('subflows'),
    addAddrSignal: count('add_addr_signal'),
    addAddrAccepted: count('add_addr_accepted'),
    isRemoteKeyReceived: /\bremote_key\b/.test(line),
    writeSeq: sequence('write_seq'),
    sndUna: sequence('snd_una'),
    rcvNxt: sequence('rcv_nxt'),
  };
}
