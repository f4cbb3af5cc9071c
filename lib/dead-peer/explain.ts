// What an error of a connection says of the peer.

import { typeError } from '../given';
import type { PeerDeath } from '../heartbeat/verdict';
import type { SocketLike } from '../socket';
import type { TcpInfo } from '../tcp-info/tcp-info';
import { getTcpInfo } from './uses';

/** What became of the peer, as far as an error tells. */
export type PeerFate =
  | 'vanished'
  | 'silent'
  | 'reset'
  | 'closed'
  | 'unreachable'
  | 'refused'
  | 'ended here'
  | 'unknown';

export interface DisconnectExplanation {
  /**
   * `'vanished'`: it answers no more, and may be without power, cable or route. `'silent'`: its system
   * lives, its program says nothing (an error of a `Heartbeat`). `'reset'`: its system
   * lives and knows nothing of the connection: the program died, or the machine rebooted.
   * `'closed'`: it had closed the connection. `'unreachable'`: the network says so. `'refused'`: nobody
   * listens there. `'ended here'`: this system ended it. `'unknown'`: the error says nothing of it.
   */
  readonly peer: PeerFate;
  /** The error's code; `null` where it has none. */
  readonly code: string | null;
  /** The same for people, with the last counters where they could be read. */
  readonly message: string;
  /** What the kernel last knew of the connection; `null` where its socket is closed already. */
  readonly tcpInfo: TcpInfo | null;
}

const FATES: Readonly<Record<string, readonly [PeerFate, string]>> = {
  ETIMEDOUT: [
    'vanished',
    'The peer has not answered for as long as this socket waits: it lost power, cable or route, or something in between drops its packets.',
  ],
  ECONNRESET: [
    'reset',
    'The peer’s system knows nothing of this connection any more: its program died or was ended, the machine has rebooted, or something in between (NAT, firewall, load balancer) has forgotten it.',
  ],
  EPIPE: [
    'closed',
    'The connection was closed already, by the peer or by this program, when data was written to it.',
  ],
  EHOSTUNREACH: [
    'unreachable',
    'The network says that there is no way to the peer’s machine, or that it does not answer to its address there; sent data was not acknowledged.',
  ],
  ENETUNREACH: [
    'unreachable',
    'There is no route to the peer’s network: an interface or a route of this machine, or of a router, is gone.',
  ],
  ECONNREFUSED: ['refused', 'The peer’s machine answers, but nobody listens on that port.'],
  ECONNABORTED: [
    'ended here',
    'This system ended the connection: an administrator, a program with that right, or (Windows) the system itself after unanswered retransmissions.',
  ],
};

const SILENT =
  'The peer’s system still acknowledges what is sent, but its program has said nothing for as long as the heartbeat waits: it hangs or is stopped, or something in between answers for it.';

const UNHEARD =
  'The peer’s program has said nothing for as long as the heartbeat waits. Whether its system still answers is not known.';

const CONNECTING =
  'Nobody has answered the attempt to connect: no such machine, no route to it, or a firewall that drops it.';

export function explainDisconnect(error: unknown, socket?: SocketLike): DisconnectExplanation {
  if (typeof error !== 'object' || error === null) throw typeError('error', 'an Error', error);
  const { code, syscall, death } = error as Record<'code' | 'syscall' | 'death', unknown>;
  const name = typeof code === 'string' ? code : null;
  const known = name !== null && Object.hasOwn(FATES, name) ? FATES[name] : undefined;
  const tcpInfo = socket === undefined ? null : lastInfo(socket);
  const [peer, text] = known ?? ['unknown' as const, 'This error says nothing of the peer.'];
  if (name === 'ETIMEDOUT' && syscall === 'connect') {
    return { peer: 'unreachable', code: name, message: CONNECTING, tcpInfo };
  }
  const reason = (death as Partial<PeerDeath> | undefined)?.reason;
  if (reason === 'silent') return { peer: 'silent', code: name, message: SILENT, tcpInfo };
  if (reason === 'unknown') return { peer: 'unknown', code: name, message: UNHEARD, tcpInfo };
  const message = tcpInfo === null ? text : `${text} ${counters(tcpInfo)}`;
  return { peer, code: name, message, tcpInfo };
}

/** An error is told when the socket is closed already, more often than not. */
function lastInfo(socket: SocketLike): TcpInfo | null {
  try {
    return getTcpInfo(socket);
  } catch {
    return null;
  }
}

function counters(info: TcpInfo): string {
  const { unackedSegments, bytesInFlight, unsentBytes, timeSinceLastAckReceived, probes } = info;
  const said: string[] = [];
  if (timeSinceLastAckReceived !== null) {
    said.push(`its last sign of life came ${(timeSinceLastAckReceived / 1_000).toFixed(1)} s ago`);
  }
  if (probes) said.push(`${probes} probes are unanswered`);
  if (unackedSegments) {
    said.push(
      `${bytesInFlight ?? unackedSegments} ${bytesInFlight === null ? 'segments' : 'bytes'} are unacknowledged`,
    );
  }
  if (unsentBytes) said.push(`${unsentBytes} bytes were never sent`);
  const text = said.join(', ');
  return text === '' ? '' : `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
