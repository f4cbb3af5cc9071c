// What is known of a peer after an error: a table by code, and the meanings that explain.ts chooses between.

/** What became of the peer, as far as an error shows. */
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
export const CONNECTING: Meaning = [
  'unreachable',
  'Nobody has answered the attempt to connect: no such machine, no route to it, or a firewall that drops it.',
];
export const NO_NAME: Meaning = [
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
export const TIMED_OUT: Meaning = [
  'vanished',
  `The peer has acknowledged nothing new for as long as this socket waits: ${VANISHED}. Where a user timeout is set, it may also live and not have read for that long; the error does not say which.`,
];
export const TIMED_OUT_VANISHED: Meaning = [
  'vanished',
  `The peer has not answered for as long as this socket waits: ${VANISHED}.`,
];
export const TIMED_OUT_UNREAD: Meaning = [
  'silent',
  'The peer’s system still answers, but its program has not read for as long as this socket waits (its receive window is closed): it hangs, is stopped or is busy.',
];

const REFUSED: Meaning = [
  'refused',
  'The peer’s machine answers, but nobody listens on that port.',
];
export const BLOCKED_PORT: Meaning = [
  'refused',
  'fetch() itself refuses to connect to this port: it is on the list of blocked ports (WHATWG fetch, "bad port"). The peer was not asked.',
];
export const PORT_UNREACHABLE: Meaning = [
  'unreachable',
  'Something reports that the peer’s port cannot be reached any more (ICMP), although the connection was open: a firewall on the way, or the peer’s machine after it rebooted.',
];
export const NO_PROTOCOL: Meaning = [
  'unreachable',
  'The peer’s machine, or a firewall before it, reports that it does not take TCP (ICMP protocol unreachable).',
];

export const MEANINGS: Readonly<Record<string, Meaning>> = {
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
export const MEANINGS_OF_PATHS: Readonly<Record<string, Meaning>> = {
  ECONNREFUSED: ['refused', 'The path is that of a socket, and nobody listens on it.'],
  ENOENT: ['refused', 'Nobody listens there: the path does not exist.'],
  EAGAIN: [
    'refused',
    'The program that listens there has no room left for connections (its backlog).',
  ],
  EACCES: ['ended here', 'This program has no permission to connect to that path.'],
  EPERM: ['ended here', 'This program has no permission to connect to that path.'],
};

/** Messages of Node and undici for an orderly close. Their codes mean a reset, or nothing. */
export const ORDERLY: readonly (readonly [code: string, message: string, meaning: Meaning])[] = [
  // node: lib/_http_client.js, lib/_http_server.js
  ['ECONNRESET', 'socket hang up', CLOSED_BEFORE_ANSWER],
  // For a FIN and for a reset alike.
  ['ECONNRESET', 'aborted', CUT_SHORT],
  // node: lib/_tls_wrap.js
  ['ECONNRESET', 'before secure TLS connection was established', CLOSED_IN_HANDSHAKE],
  // undici: lib/dispatcher/client-h1.js
  ['UND_ERR_SOCKET', 'other side closed', CLOSED],
];

export const LATE_OR_CUT: Meaning = [
  'unknown',
  'A library of this program gave up, because an answer was late or the message was cut short. The error does not say whether the peer’s system still answers.',
];

export const SILENT: Meaning = [
  'silent',
  'The peer’s system still acknowledges what is sent, but its program has said nothing for as long as the heartbeat waits: it hangs or is stopped, or something in between answers for it.',
];

export const UNHEARD: Meaning = [
  'unknown',
  'The peer’s program has said nothing for as long as the heartbeat waits. Whether its system still answers is not known.',
];
