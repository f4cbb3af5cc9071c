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
   * `'vanished'`: it does not answer any more, and may be without power, cable or route. `'silent'`: its
   * system lives, its program says nothing, or does not read (an error of a `Heartbeat`, or counters that
   * show a closed window). `'reset'`: its system lives and knows nothing of the connection: the program
   * died, or the machine rebooted. `'closed'`: it closed the connection in an orderly way.
   * `'unreachable'`: it was never reached, or the network reports that it cannot be. `'refused'`: its
   * machine answers, and nobody listens there; for a Unix socket or a pipe: nobody listens on that path; or
   * fetch() blocks the port, and `message` says so. `'ended here'`: this system or this program ended the connection, or did not let it begin. `'unknown'`: the error says nothing of it.
   */
  readonly peer: PeerFate;
  /**
   * The code that decides: the error's own, or that of an error in its `cause` or `errors`; `null` where
   * there is none.
   */
  readonly code: string | null;
  /** The same for people, with the last counters where they could be read. */
  readonly message: string;
  /** What the kernel last knew of the connection; `null` where its socket is closed already. */
  readonly tcpInfo: TcpInfo | null;
}

type Meaning = readonly [peer: PeerFate, text: string];

const isWindows = process.platform === 'win32';

const CLOSED: Meaning = [
  'closed',
  'The peer closed the connection in an orderly way (FIN), before what this side waited for had come.',
];
const CLOSED_IN_HANDSHAKE: Meaning = [
  'closed',
  'The peer closed the connection in an orderly way (FIN) during the TLS handshake: it does not speak TLS on this port, or refuses this side’s certificate, protocol version or server name.',
];
const CLOSED_BEFORE_ANSWER: Meaning = [
  'closed',
  'The connection ended in an orderly way (FIN) before the answer was complete: the peer’s program closed it, often because it had been idle for too long, or this program destroyed the request.',
];
const CUT_SHORT: Meaning = [
  'unknown',
  'The connection ended before the message was complete. The error does not say whether the peer closed or reset it, or this program.',
];
const CONNECTING: Meaning = [
  'unreachable',
  'Nobody has answered the attempt to connect: no such machine, no route to it, or a firewall that drops it.',
];
const NO_NAME: Meaning = [
  'unreachable',
  'The name was not resolved to an address, so that the peer was never asked.',
];
const NOT_ALLOWED: Meaning = [
  'ended here',
  'This system does not allow it: a rule of its firewall, a route that prohibits the address, a broadcast address, or a sandbox. The peer was not asked.',
];
const CLOSED_HERE: Meaning = [
  'ended here',
  'This program had closed the connection, or ended the request itself.',
];
const NO_MEMORY: Meaning = [
  'ended here',
  'This system has no memory or no buffers left for the connection.',
];
const LATE_ANSWER: Meaning = [
  'unknown',
  'The peer’s program has not answered within the time that this program waits. Whether its system still answers is not known.',
];
const WHOSE_CLOSE: Meaning = [
  'unknown',
  'The stream was closed before it was through. The error does not say whether the peer closed it, or this program.',
];

const VANISHED = 'it lost power, cable or route, or something in between drops its packets';
/** Of an error of `read` or `write`, without counters: the kernel has one code for both. */
const TIMED_OUT: Meaning = [
  'vanished',
  `The peer has acknowledged nothing new for as long as this socket waits: ${VANISHED}. Where a user timeout is set, it may also live and not have read for that long; the error does not say which.`,
];
const TIMED_OUT_VANISHED: Meaning = [
  'vanished',
  `The peer has not answered for as long as this socket waits: ${VANISHED}.`,
];
const TIMED_OUT_UNREAD: Meaning = [
  'silent',
  'The peer’s system still answers, but its program has not read for as long as this socket waits (its receive window is closed): it hangs, is stopped or is busy.',
];

const REFUSED: Meaning = [
  'refused',
  'The peer’s machine answers, but nobody listens on that port.',
];
const BLOCKED_PORT: Meaning = [
  'refused',
  'fetch() itself refuses to connect to this port: it is on the list of blocked ports (WHATWG fetch, "bad port"). The peer was not asked.',
];
const PORT_UNREACHABLE: Meaning = [
  'unreachable',
  'Something reports that the peer’s port cannot be reached any more (ICMP), although the connection was open: a firewall on the way, or the peer’s machine after it rebooted.',
];
const NO_PROTOCOL: Meaning = [
  'unreachable',
  'The peer’s machine, or a firewall before it, reports that it does not take TCP (ICMP protocol unreachable).',
];

const MEANINGS: Readonly<Record<string, Meaning>> = {
  ETIMEDOUT: TIMED_OUT,
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
    'The network says that there is no way to the peer’s machine, or that it does not answer to its address there.',
  ],
  EHOSTDOWN: [
    'unreachable',
    'The peer’s machine does not answer to its address on the local network: it is off, or its cable is out.',
  ],
  ENETUNREACH: [
    'unreachable',
    'There is no route to the peer’s network: an interface or a route of this machine, or of a router, is gone.',
  ],
  ENETDOWN: ['unreachable', 'The network interface of this machine that leads there is down.'],
  ENONET: ['unreachable', 'The network says that the peer’s machine is isolated from it.'],
  ENETRESET: isWindows
    ? ['vanished', `The peer has not answered the probes of keepalive: ${VANISHED}.`]
    : ['reset', 'The network has ended the connection: the peer’s machine has rebooted.'],
  ECONNREFUSED: REFUSED,
  ECONNABORTED: [
    'ended here',
    'This system ended the connection: an administrator, a program with that right, or (Windows) the system itself after unanswered retransmissions.',
  ],
  EADDRNOTAVAIL: [
    'ended here',
    'This machine has no such address of its own, or no port left to connect from. The peer was not asked.',
  ],
  EADDRINUSE: [
    'ended here',
    'The local address and port are in use by another connection. The peer was not asked.',
  ],
  EACCES: NOT_ALLOWED,
  EPERM: NOT_ALLOWED,
  EPROTO: [
    'ended here',
    'This side ended the connection because of what came: it was no valid TLS, or (Linux) the network reported a broken header.',
  ],
  ENOTCONN: [
    'unknown',
    'The connection was over already, or had not begun. An earlier error says why.',
  ],
  ESHUTDOWN: CLOSED_HERE,
  EBADF: [
    'ended here',
    'This program had closed the descriptor, or used one that is none of a connection.',
  ],
  ECANCELED: CLOSED_HERE,
  ENOBUFS: NO_MEMORY,
  ENOMEM: NO_MEMORY,

  // Node
  ENOTFOUND: NO_NAME,
  EAI_AGAIN: NO_NAME,
  EAI_FAIL: NO_NAME,
  EAI_NODATA: NO_NAME,
  EAI_NONAME: NO_NAME,
  ERR_SOCKET_CONNECTION_TIMEOUT: CONNECTING,
  ERR_SOCKET_CLOSED: CLOSED_HERE,
  ERR_SOCKET_CLOSED_BEFORE_CONNECTION: CLOSED_HERE,
  ERR_STREAM_DESTROYED: CLOSED_HERE,
  ERR_STREAM_WRITE_AFTER_END: CLOSED_HERE,
  ERR_STREAM_PREMATURE_CLOSE: WHOSE_CLOSE,
  ABORT_ERR: CLOSED_HERE,
  ERR_TLS_HANDSHAKE_TIMEOUT: LATE_ANSWER,
  ERR_HTTP_REQUEST_TIMEOUT: LATE_ANSWER,
  ERR_HTTP2_GOAWAY_SESSION: [
    'closed',
    'The peer’s program takes no more requests on this connection (GOAWAY).',
  ],
  ERR_HTTP2_SESSION_ERROR: [
    'unknown',
    'The HTTP/2 session was ended with the code in the error. The error does not say whether the peer’s program ended it, or this one.',
  ],
  ERR_HTTP2_STREAM_ERROR: [
    'unknown',
    'The HTTP/2 stream was ended with the code in the error, and the connection may still be open. The error does not say whether the peer’s program ended it, or this one.',
  ],
  ERR_HTTP2_INVALID_SESSION: CLOSED_HERE,
  ERR_HTTP2_STREAM_CANCEL: WHOSE_CLOSE,
  ERR_HTTP2_PING_CANCEL: WHOSE_CLOSE,

  // undici, and so fetch()
  UND_ERR_CONNECT_TIMEOUT: CONNECTING,
  UND_ERR_HEADERS_TIMEOUT: LATE_ANSWER,
  UND_ERR_BODY_TIMEOUT: LATE_ANSWER,
  UND_ERR_SOCKET: WHOSE_CLOSE,
  UND_ERR_ABORTED: CLOSED_HERE,
  UND_ERR_CLOSED: CLOSED_HERE,
  UND_ERR_DESTROYED: CLOSED_HERE,

  // This package
  ERR_PEER_SUPERSEDED: [
    'ended here',
    'This program ended the connection, because the same peer has a newer one.',
  ],
};

/** Of connecting to a Unix socket or a named pipe, which has a path and no machine. */
const MEANINGS_OF_PATHS: Readonly<Record<string, Meaning>> = {
  ECONNREFUSED: ['refused', 'The path is that of a socket, and nobody listens on it.'],
  ENOENT: ['refused', 'Nobody listens there: the path does not exist.'],
  EAGAIN: [
    'refused',
    'The program that listens there has no room left for connections (its backlog).',
  ],
  EACCES: ['ended here', 'This program has no permission to connect to that path.'],
  EPERM: ['ended here', 'This program has no permission to connect to that path.'],
};

/** What Node and undici say of an orderly close, under a code that stands for a reset or for nothing. */
const ORDERLY: readonly (readonly [code: string, message: string, meaning: Meaning])[] = [
  // node: lib/_http_client.js, lib/_http_server.js
  ['ECONNRESET', 'socket hang up', CLOSED_BEFORE_ANSWER],
  // For a FIN and for a reset alike.
  ['ECONNRESET', 'aborted', CUT_SHORT],
  // node: lib/_tls_wrap.js
  ['ECONNRESET', 'before secure TLS connection was established', CLOSED_IN_HANDSHAKE],
  // undici: lib/dispatcher/client-h1.js
  ['UND_ERR_SOCKET', 'other side closed', CLOSED],
];

/** System calls of a connection; `undefined`: Node tells none. Others (open, setsockopt) are of another matter. */
const CALLS: readonly unknown[] = [
  ...[undefined, 'connect', 'bind', 'accept', 'shutdown'],
  ...['read', 'write', 'recv', 'recvmsg', 'send', 'sendmsg'],
];
/** node:dns: getaddrinfo, and queryA, queryMx and the like of c-ares. */
const NAME_CALL = /^(getaddrinfo|getnameinfo|getHostBy|query[A-Z])/;

/** axios, got and raw-body use the kernel's codes for limits of their own. */
const OF_A_LIBRARY = /\btimeout|timed out|\baborted/i;
const LATE_OR_CUT: Meaning = [
  'unknown',
  'A library of this program gave up, because an answer was late or the message was cut short. The error does not say whether the peer’s system still answers.',
];

const SILENT: Meaning = [
  'silent',
  'The peer’s system still acknowledges what is sent, but its program has said nothing for as long as the heartbeat waits: it hangs or is stopped, or something in between answers for it.',
];

const UNHEARD: Meaning = [
  'unknown',
  'The peer’s program has said nothing for as long as the heartbeat waits. Whether its system still answers is not known.',
];

interface Verdict {
  readonly peer: PeerFate;
  readonly code: string | null;
  readonly text: string;
}

/** So deep are errors wrapped, and so many are in one, at the most; what is beyond is not looked at. */
const DEEPEST = 8;
const MOST = 64;

export function explainDisconnect(error: unknown, socket?: SocketLike): DisconnectExplanation {
  if (typeof error !== 'object' || error === null) throw typeError('error', 'an Error', error);
  const tcpInfo = socket === undefined ? null : lastInfo(socket);
  const verdict = verdictOn(error, tcpInfo, new Set());
  const { peer, code, text } = verdict ?? {
    peer: 'unknown',
    code: codeOf(error),
    text: 'This error says nothing of the peer.',
  };
  const message = tcpInfo === null ? text : `${text} ${counters(tcpInfo)}`.trimEnd();
  return { peer, code, message, tcpInfo };
}

/** A member of a foreign object, whose getters may throw: an explanation must not fail for that. */
function member(object: object, name: string): unknown {
  try {
    return (object as Record<string, unknown>)[name];
  } catch {
    return undefined;
  }
}

function codeOf(error: object): string | null {
  const code = member(error, 'code');
  return typeof code === 'string' ? code : null;
}

/** What an error, or one that it was made of, says of the peer; `undefined`: nothing. */
function verdictOn(
  error: unknown,
  tcpInfo: TcpInfo | null,
  seen: Set<object>,
  depth = 0,
): Verdict | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if (depth > DEEPEST || seen.size >= MOST || seen.has(error)) return undefined;
  seen.add(error);
  const code = codeOf(error);
  const byHeartbeat = meaningOfDeath(member(error, 'death'));
  if (byHeartbeat !== undefined) return { peer: byHeartbeat[0], code, text: byHeartbeat[1] };
  // Of what was wrapped, the innermost knows most: a wrapper has its code, and not its system call.
  const inner =
    verdictOnAll(member(error, 'errors'), tcpInfo, seen, depth + 1) ??
    verdictOn(member(error, 'cause'), tcpInfo, seen, depth + 1);
  if (inner !== undefined && inner.peer !== 'unknown') return inner;
  const own = code === null ? meaningWithoutCode(error) : meaningOf(error, code, tcpInfo);
  return own === undefined ? inner : { peer: own[0], code, text: own[1] };
}

/** undici: lib/web/fetch/index.js, whose error for a blocked port has no code. */
function meaningWithoutCode(error: object): Meaning | undefined {
  return member(error, 'message') === 'bad port' ? BLOCKED_PORT : undefined;
}

function meaningOfDeath(death: unknown): Meaning | undefined {
  if (typeof death !== 'object' || death === null) return undefined;
  const reason = member(death, 'reason') as PeerDeath['reason'] | undefined;
  if (reason === 'vanished') return TIMED_OUT_VANISHED;
  if (reason === 'silent') return SILENT;
  return reason === 'unknown' ? UNHEARD : undefined;
}

function meaningOf(error: object, code: string, tcpInfo: TcpInfo | null): Meaning | undefined {
  const syscall = member(error, 'syscall');
  const message = member(error, 'message');
  if (typeof syscall === 'string' && NAME_CALL.test(syscall)) return NO_NAME;
  if (!CALLS.includes(syscall)) return undefined;
  if (syscall === undefined && typeof message === 'string' && OF_A_LIBRARY.test(message)) {
    if (code === 'ETIMEDOUT' || code === 'ECONNABORTED') return LATE_OR_CUT;
  }
  const isConnecting = syscall === 'connect';
  if (isConnecting && hasPath(error) && Object.hasOwn(MEANINGS_OF_PATHS, code)) {
    return MEANINGS_OF_PATHS[code];
  }
  if (code === 'ETIMEDOUT') return isConnecting ? CONNECTING : timedOut(tcpInfo);
  if (code === 'ECONNREFUSED' && syscall !== undefined && !isConnecting) return PORT_UNREACHABLE;
  // Of any other call it says that a socket has no such option.
  if (code === 'ENOPROTOOPT' && syscall !== undefined) return NO_PROTOCOL;
  if (syscall === undefined && typeof message === 'string') {
    const orderly = ORDERLY.find(([its, text]) => its === code && message.includes(text));
    if (orderly !== undefined) return orderly[2];
  }
  return Object.hasOwn(MEANINGS, code) ? MEANINGS[code] : undefined;
}

/** Node puts the path of a Unix socket or a pipe into `address`, without a port. */
function hasPath(error: object): boolean {
  return typeof member(error, 'address') === 'string' && member(error, 'port') === undefined;
}

/** The kernel's code is the same for a peer that does not answer, and for one that does not read. */
function timedOut(tcpInfo: TcpInfo | null): Meaning {
  if (tcpInfo === null) return TIMED_OUT;
  const { sendWindow, unsentBytes, probes } = tcpInfo;
  if (sendWindow === null || unsentBytes === null || probes === null) return TIMED_OUT;
  // Nothing waits for a window to open: it is the peer's answer that was waited for.
  if (sendWindow > 0 || unsentBytes === 0) return TIMED_OUT_VANISHED;
  // Each probe of a closed window is answered by a system that lives; but Linux leaves out answers that would
  // come within half a second of the last (net.ipv4.tcp_invalid_ratelimit), so that one may be missing.
  if (probes === 0) return TIMED_OUT_UNREAD;
  return probes === 1 ? TIMED_OUT : TIMED_OUT_VANISHED;
}

/** Most telling first: a machine that answered tells more than one that did not. */
const TELLING: readonly PeerFate[] = [
  ...(['refused', 'reset', 'closed', 'silent', 'vanished'] as const),
  ...(['unreachable', 'ended here', 'unknown'] as const),
];

/** Of an AggregateError, as Node makes one where each address of a name was tried. */
function verdictOnAll(
  errors: unknown,
  tcpInfo: TcpInfo | null,
  seen: Set<object>,
  depth: number,
): Verdict | undefined {
  const verdicts = listOf(errors)
    .map((error) => verdictOn(error, tcpInfo, seen, depth))
    .filter((verdict) => verdict !== undefined);
  const best = TELLING.flatMap((fate) => verdicts.filter(({ peer }) => peer === fate))[0];
  if (best === undefined || verdicts.every(({ peer }) => peer === best.peer)) return best;
  const list = verdicts.map(({ peer, code }) => (code === null ? peer : `${peer} (${code})`));
  return { ...best, text: `${best.text} The attempts ended differently: ${list.join(', ')}.` };
}

function listOf(errors: unknown): unknown[] {
  try {
    return Array.isArray(errors) ? errors.slice(0, MOST) : [];
  } catch {
    return [];
  }
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
