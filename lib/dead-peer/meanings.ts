// What each error code says about the peer: a table by code, and the meanings among which explain.ts chooses.

/** What happened to the peer, as far as an error shows: see {@link DisconnectExplanation.peer}. */
export type PeerFate =
  | 'vanished'
  | 'silent'
  | 'reset'
  | 'closed'
  | 'unreachable'
  | 'refused'
  | 'ended here'
  | 'unknown';

export type Meaning = readonly [peer: PeerFate, text: string];

const isWindows = process.platform === 'win32';

const CLOSED: Meaning = [
  'closed',
  'The peer closed the connection in an orderly way (FIN) before this side had received all that it waited for.',
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
  'The connection ended before the message was complete. The error does not say whether the peer closed it, the peer reset it, or this program ended it.',
];
export const CONNECTING: Meaning = [
  'unreachable',
  'Nothing answered the attempt to connect: there is no such machine, no route to it, or a firewall drops the packets.',
];
export const NO_NAME: Meaning = [
  'unreachable',
  'The name was not resolved to an address, so this program did not contact the peer.',
];
const NOT_ALLOWED: Meaning = [
  'ended here',
  'This system does not allow it: because of a firewall rule, a route that prohibits the address, a broadcast address, or a sandbox. The peer was not contacted.',
];
const CLOSED_HERE: Meaning = [
  'ended here',
  'This program had closed the connection or ended the request itself.',
];
const NO_MEMORY: Meaning = [
  'ended here',
  'This system has no memory or no buffers left for the connection.',
];
const LATE_ANSWER: Meaning = [
  'unknown',
  'The peer’s program did not answer within the time that this program waits. It is unknown whether its system still answers.',
];
const WHOSE_CLOSE: Meaning = [
  'unknown',
  'The stream was closed before its end. The error does not say whether the peer or this program closed it.',
];

const VANISHED = 'it lost power, cable or route, or a device on the path drops its packets';
/** For an error of `read` or `write` without counters: the kernel has one code for both causes. */
export const TIMED_OUT: Meaning = [
  'vanished',
  `The peer acknowledged nothing new for as long as this socket waits: ${VANISHED}. If a user timeout is set, the peer may also be alive and not have read for that long. The error does not say which.`,
];
export const TIMED_OUT_VANISHED: Meaning = [
  'vanished',
  `The peer did not answer for as long as this socket waits: ${VANISHED}.`,
];
/** For the error of supervision: it counted the segments that the peer did not answer. */
export const supervisedVanished = (silence: number, unanswered: number): Meaning => [
  'vanished',
  `Nothing came from the peer for ${(silence / 1_000).toFixed(1)} s, and it did not answer ${unanswered} segments in a row: ${VANISHED}.`,
];
export const TIMED_OUT_UNREAD: Meaning = [
  'silent',
  'The peer’s system still answers, but its program did not read for as long as this socket waits (its receive window is closed): the program hangs, is stopped or is busy.',
];

export const RESET: Meaning = [
  'reset',
  'The peer’s system no longer knows this connection: its program died or was ended, its machine rebooted, or a device on the path (NAT, firewall, load balancer) has forgotten the connection.',
];
const REFUSED: Meaning = [
  'refused',
  'The peer’s machine answers, but no program listens on this port.',
];
export const BLOCKED_PORT: Meaning = [
  'refused',
  'fetch() itself refuses to connect to this port: it is on the list of blocked ports (WHATWG fetch, "bad port"). The peer was not contacted.',
];
export const PORT_UNREACHABLE: Meaning = [
  'unreachable',
  'An ICMP message reports that the peer’s port can no longer be reached, although the connection was open. It comes from a firewall on the path, or from the peer’s machine after a reboot.',
];
export const NO_PROTOCOL: Meaning = [
  'unreachable',
  'The peer’s machine, or a firewall before it, reports that it does not accept TCP (ICMP protocol unreachable).',
];

export const MEANINGS: Readonly<Record<string, Meaning>> = {
  ETIMEDOUT: TIMED_OUT,
  ECONNRESET: RESET,
  EPIPE: [
    'closed',
    'The peer or this program had already closed the connection when data was written to it.',
  ],
  EHOSTUNREACH: [
    'unreachable',
    'The network reports that there is no route to the peer’s machine, or that the machine does not answer to its address.',
  ],
  EHOSTDOWN: [
    'unreachable',
    'The peer’s machine does not answer to its address on the local network: it is off, or its cable is unplugged.',
  ],
  ENETUNREACH: [
    'unreachable',
    'There is no route to the peer’s network: an interface or a route of this machine or of a router is gone.',
  ],
  ENETDOWN: [
    'unreachable',
    'The network interface of this machine that leads to the peer is down.',
  ],
  ENONET: ['unreachable', 'The network reports that the peer’s machine is isolated from it.'],
  ENETRESET: isWindows
    ? ['vanished', `The peer did not answer the keepalive probes: ${VANISHED}.`]
    : ['reset', 'The network ended the connection: the peer’s machine rebooted.'],
  ECONNREFUSED: REFUSED,
  ECONNABORTED: [
    'ended here',
    'This system ended the connection: an administrator did, a program with this privilege, or (Windows) the system itself after unanswered retransmissions.',
  ],
  EADDRNOTAVAIL: [
    'ended here',
    'This machine has no such address of its own, or no free port to connect from. The peer was not contacted.',
  ],
  EADDRINUSE: [
    'ended here',
    'The local address and port are in use by another connection. The peer was not contacted.',
  ],
  EACCES: NOT_ALLOWED,
  EPERM: NOT_ALLOWED,
  EPROTO: [
    'ended here',
    'This side ended the connection because it received invalid TLS, or (Linux) because the network reported a broken header.',
  ],
  ENOTCONN: [
    'unknown',
    'The connection had already ended, or had not begun. An earlier error says why.',
  ],
  ESHUTDOWN: CLOSED_HERE,
  EBADF: [
    'ended here',
    'This program had closed the descriptor, or used a descriptor that is not a connection.',
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
    'The peer’s program accepts no more requests on this connection (GOAWAY).',
  ],
  ERR_HTTP2_SESSION_ERROR: [
    'unknown',
    'The HTTP/2 session ended with the code in the error. The error does not say whether the peer’s program or this program ended it.',
  ],
  ERR_HTTP2_STREAM_ERROR: [
    'unknown',
    'The HTTP/2 stream ended with the code in the error, and the connection may still be open. The error does not say whether the peer’s program or this program ended it.',
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
    'This program ended the connection because the same peer has a newer one.',
  ],
};

/** For connecting to a Unix socket or a named pipe, which has a path and no machine. */
export const MEANINGS_OF_PATHS: Readonly<Record<string, Meaning>> = {
  ECONNREFUSED: ['refused', 'The path is a socket, and no program listens on it.'],
  ENOENT: ['refused', 'No program listens there: the path does not exist.'],
  EAGAIN: [
    'refused',
    'The program that listens there has no more room for connections (its backlog is full).',
  ],
  EACCES: ['ended here', 'This program has no permission to connect to that path.'],
  EPERM: ['ended here', 'This program has no permission to connect to that path.'],
};

/** Messages of Node and undici for an orderly close. Their codes would mean a reset, or nothing. */
export const ORDERLY: readonly (readonly [code: string, message: string, meaning: Meaning])[] = [
  // node: lib/_http_client.js, lib/_http_server.js
  ['ECONNRESET', 'socket hang up', CLOSED_BEFORE_ANSWER],
  // The same for a FIN and for a reset.
  ['ECONNRESET', 'aborted', CUT_SHORT],
  // node: lib/_tls_wrap.js
  ['ECONNRESET', 'before secure TLS connection was established', CLOSED_IN_HANDSHAKE],
  // undici: lib/dispatcher/client-h1.js
  ['UND_ERR_SOCKET', 'other side closed', CLOSED],
];

export const LATE_OR_CUT: Meaning = [
  'unknown',
  'A library of this program gave up because an answer was late or incomplete. The error does not say whether the peer’s system still answers.',
];

export const SILENT: Meaning = [
  'silent',
  'The peer’s system still acknowledges data, but its program sent nothing for as long as the heartbeat waits: the program hangs or is stopped, or a device on the path answers for it.',
];

export const UNHEARD: Meaning = [
  'unknown',
  'The peer’s program sent nothing for as long as the heartbeat waits. It is unknown whether its system still answers.',
];
