// Chooses the meaning of a connection's error for the peer. The meanings are in meanings.ts.

import { builtins } from '../core/builtins';
import type { SocketLike } from '../core/socket';
import { typeError } from '../core/validate';
import { getTcpInfo } from '../tcp-info/get-tcp-info';
import type { TcpInfo } from '../tcp-info/tcp-info';
import {
  BLOCKED_PORT,
  CONNECTING,
  LATE_OR_CUT,
  MEANINGS,
  MEANINGS_OF_PATHS,
  type Meaning,
  NO_NAME,
  NO_PROTOCOL,
  ORDERLY,
  type PeerFate,
  PORT_UNREACHABLE,
  RESET,
  SILENT,
  supervisedVanished,
  TIMED_OUT,
  TIMED_OUT_UNREAD,
  TIMED_OUT_VANISHED,
  UNHEARD,
} from './meanings';

/** What an error says about the peer: the result of {@link explainDisconnect}. */
export interface DisconnectExplanation {
  /**
   * What happened to the peer.
   *
   * - `'vanished'`: the peer no longer answers. It may be without power, cable or route.
   * - `'silent'`: its system answers, but its program sends nothing or does not read (the error of a `Heartbeat`, or
   *   counters that show a closed window).
   * - `'reset'`: its system answers and does not know the connection. The program died, or the machine rebooted.
   * - `'closed'`: the peer closed the connection in an orderly way.
   * - `'unreachable'`: the peer was never reached, or the network reports that it cannot be reached.
   * - `'refused'`: its machine answers, but no program listens on this port (for a Unix socket or a pipe: on this
   *   path). Or fetch() blocks the port, and `message` says so.
   * - `'ended here'`: this system or this program ended the connection, or did not let it begin.
   * - `'unknown'`: the error says nothing about the peer.
   */
  readonly peer: PeerFate;
  /** The code that decided: of the error, or of an error in its `cause` or `errors`; `null` if there is none. */
  readonly code: string | null;
  /** The explanation in English, with the last counters if they could be read. */
  readonly message: string;
  /**
   * The last counters of the connection: of `socket`, or from the error of a dead-peer timeout; `null` if there are
   * none.
   */
  readonly tcpInfo: TcpInfo | null;
}

/**
 * The system calls of a connection; `undefined` for an error without one. Errors of other calls (open, setsockopt) do not
 * concern the peer.
 */
const CALLS: readonly unknown[] = [
  ...[undefined, 'connect', 'bind', 'accept', 'shutdown'],
  ...['read', 'write', 'recv', 'recvmsg', 'send', 'sendmsg'],
];
/** The calls of node:dns: getaddrinfo, and queryA, queryMx and similar ones of c-ares. */
const NAME_CALL = /^(getaddrinfo|getnameinfo|getHostBy|query[A-Z])/;

/** axios, got and raw-body use the kernel's codes for their own limits. */
const LIBRARY_LIMIT = /\btimeout|timed out|\baborted/i;

interface Explanation {
  readonly peer: PeerFate;
  readonly code: string | null;
  readonly text: string;
  /** The counters that the error has. */
  readonly tcpInfo?: TcpInfo | null;
}

/** The limits of the search in `cause` and `errors`. */
const MAX_DEPTH = 8;
const MAX_ERRORS = 64;

/**
 * Explains what an error of a connection says about the peer.
 *
 * It also searches `cause` and `errors`: fetch() and database drivers wrap the error of the socket, and Node throws an
 * AggregateError after it has tried several addresses. The error that says most about the peer decides.
 *
 * The errors of setDeadPeerTimeout() have the last counters, and so has the result. Without counters, `ETIMEDOUT` of a
 * socket with a user timeout is `'vanished'`, although the peer may be alive and not have read for that long.
 * @example
 * ```ts
 * socket.on('error', (error) => {
 *   const { peer, message } = explainDisconnect(error); // 'vanished', 'reset', 'closed', ...
 *   console.error(peer, message);
 * });
 * ```
 * @param error The error that a socket emitted, or that a library threw.
 * @param socket The socket, to read its counters if it can still be read. Node closes a socket before it emits the
 *   error, so this is for descriptors of other owners.
 * @returns What happened to the peer as a word (`peer`), the explanation in English, the code that decided, and the
 *   counters or `null`.
 * @throws TypeError `ERR_INVALID_ARG_TYPE` for an error that is no object.
 * @systems Every system. The codes of Linux, macOS, FreeBSD, Windows, Node and undici are known: `ETIMEDOUT`,
 *   `ECONNRESET`, `EPIPE` and others.
 * @see errno(3), tcp(7)
 */
export function explainDisconnect(error: unknown, socket?: SocketLike): DisconnectExplanation {
  if (typeof error !== 'object' || error === null || error instanceof builtins.net.Socket) {
    throw typeError('error', 'an Error', error);
  }
  const present = socket === undefined ? null : lastInfo(socket);
  const explanation = explainError(error, present, new Set()) ?? {
    peer: 'unknown',
    code: codeOf(error),
    text: 'This error says nothing about the peer.',
  };
  const { peer, code, text } = explanation;
  const tcpInfo = present ?? explanation.tcpInfo ?? null;
  const message = tcpInfo === null ? text : `${text} ${counters(tcpInfo)}`.trimEnd();
  return { peer, code, message, tcpInfo };
}

/** Reads a member of a foreign object. Its getter may throw, and an explanation must not fail. */
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

/** Returns what an error, or one inside it, says about the peer; `undefined` if nothing. */
function explainError(
  error: unknown,
  present: TcpInfo | null,
  seen: Set<object>,
  depth = 0,
): Explanation | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if (depth > MAX_DEPTH || seen.size >= MAX_ERRORS || seen.has(error)) return undefined;
  seen.add(error);
  const code = codeOf(error);
  const tcpInfo = present ?? infoOf(member(error, 'tcpInfo'));
  const verdict = meaningOfDeath(member(error, 'death')) ?? meaningOfVerdict(error);
  if (verdict !== undefined) return { peer: verdict[0], code, text: verdict[1], tcpInfo };
  // The innermost error says most: a wrapper copies its code, and not its system call.
  const inner =
    explainErrors(member(error, 'errors'), present, seen, depth + 1) ??
    explainError(member(error, 'cause'), present, seen, depth + 1);
  if (inner !== undefined && inner.peer !== 'unknown') return inner;
  const own = code === null ? meaningWithoutCode(error) : meaningOf(error, code, tcpInfo);
  return own === undefined ? inner : { peer: own[0], code, text: own[1], tcpInfo };
}

/** undici: lib/web/fetch/index.js, whose error for a blocked port has no code. */
function meaningWithoutCode(error: object): Meaning | undefined {
  return member(error, 'message') === 'bad port' ? BLOCKED_PORT : undefined;
}

/** The error of a Heartbeat has a member `death`. */
function meaningOfDeath(death: unknown): Meaning | undefined {
  if (typeof death !== 'object' || death === null) return undefined;
  const reason = member(death, 'reason');
  const code = codeOf(death);
  // The kernel has closed the connection, and its code says more: see takeKernelError() in lib/heartbeat/kernel.ts.
  if (member(death, 'state') === 'CLOSED' && code !== null && code !== 'ETIMEDOUT') {
    if (reason === 'reset') return RESET;
    if (Object.hasOwn(MEANINGS, code)) return MEANINGS[code];
  }
  if (reason === 'vanished') return TIMED_OUT_VANISHED;
  if (reason === 'silent') return SILENT;
  return reason === 'unknown' ? UNHEARD : undefined;
}

/** The error of supervision has a member `deadPeer`: see {@link DeadPeerDetails}. */
function meaningOfVerdict(error: object): Meaning | undefined {
  const details = member(error, 'deadPeer');
  if (typeof details !== 'object' || details === null) return undefined;
  const silence = member(details, 'silence');
  const unanswered = member(details, 'unanswered');
  if (typeof silence !== 'number' || typeof unanswered !== 'number') return undefined;
  return supervisedVanished(silence, unanswered);
}

function meaningOf(error: object, code: string, tcpInfo: TcpInfo | null): Meaning | undefined {
  const syscall = member(error, 'syscall');
  const message = member(error, 'message');
  if (typeof syscall === 'string' && NAME_CALL.test(syscall)) return NO_NAME;
  if (!CALLS.includes(syscall)) return undefined;
  if (syscall === undefined && typeof message === 'string' && LIBRARY_LIMIT.test(message)) {
    if (code === 'ETIMEDOUT' || code === 'ECONNABORTED') return LATE_OR_CUT;
  }
  const isConnecting = syscall === 'connect';
  if (isConnecting && hasPath(error) && Object.hasOwn(MEANINGS_OF_PATHS, code)) {
    return MEANINGS_OF_PATHS[code];
  }
  if (code === 'ETIMEDOUT') return isConnecting ? CONNECTING : timedOut(tcpInfo);
  // Node has EPIPE only for writes. Supervision has it for a reset after the peer's FIN.
  if (code === 'EPIPE' && syscall === 'read') return RESET;
  if (code === 'ECONNREFUSED' && syscall !== undefined && !isConnecting) return PORT_UNREACHABLE;
  // Without a call it says that a socket has no such option.
  if (code === 'ENOPROTOOPT' && syscall !== undefined) return NO_PROTOCOL;
  if (syscall === undefined && typeof message === 'string') {
    const orderly = ORDERLY.find(([its, text]) => its === code && message.includes(text));
    if (orderly !== undefined) return orderly[2];
  }
  return Object.hasOwn(MEANINGS, code) ? MEANINGS[code] : undefined;
}

/** Whether the error has a path: Node puts the path of a Unix socket or a pipe into `address`, without a port. */
function hasPath(error: object): boolean {
  return typeof member(error, 'address') === 'string' && member(error, 'port') === undefined;
}

/** The kernel has one code for a peer that does not answer and for a peer that does not read. */
function timedOut(tcpInfo: TcpInfo | null): Meaning {
  if (tcpInfo === null) return TIMED_OUT;
  const { sendWindow, unsentBytes, probes } = tcpInfo;
  if (sendWindow === null || unsentBytes === null || probes === null) return TIMED_OUT;
  // No data waits for a window to open, so the socket waited for an answer of the peer.
  if (sendWindow > 0 || unsentBytes === 0) return TIMED_OUT_VANISHED;
  // A living system answers each probe of a closed window. But Linux skips an answer within half a second of the last
  // one (net.ipv4.tcp_invalid_ratelimit), so that one answer may be missing.
  if (probes === 0) return TIMED_OUT_UNREAD;
  return probes === 1 ? TIMED_OUT : TIMED_OUT_VANISHED;
}

/** The first says most about the peer: a machine that answered says more than one that did not. */
const BY_CERTAINTY: readonly PeerFate[] = [
  ...(['refused', 'reset', 'closed', 'silent', 'vanished'] as const),
  ...(['unreachable', 'ended here', 'unknown'] as const),
];

/** Explains an AggregateError: Node throws one after it has tried each address of a name. */
function explainErrors(
  errors: unknown,
  present: TcpInfo | null,
  seen: Set<object>,
  depth: number,
): Explanation | undefined {
  const explanations = listOf(errors)
    .map((error) => explainError(error, present, seen, depth))
    .filter((explanation) => explanation !== undefined);
  const best = BY_CERTAINTY.flatMap((fate) => explanations.filter(({ peer }) => peer === fate))[0];
  if (best === undefined || explanations.every(({ peer }) => peer === best.peer)) return best;
  const list = explanations.map(({ peer, code }) => (code === null ? peer : `${peer} (${code})`));
  return { ...best, text: `${best.text} The attempts ended differently: ${list.join(', ')}.` };
}

function listOf(errors: unknown): unknown[] {
  try {
    return Array.isArray(errors) ? errors.slice(0, MAX_ERRORS) : [];
  } catch {
    return [];
  }
}

/** Reads the counters. Usually the socket is closed already, and there are none. */
function lastInfo(socket: SocketLike): TcpInfo | null {
  try {
    return getTcpInfo(socket);
  } catch {
    return null;
  }
}

/** Whether it is the `tcpInfo` of an error of this package. Other errors may have a member of this name. */
function infoOf(value: unknown): TcpInfo | null {
  if (typeof value !== 'object' || value === null) return null;
  const isInfo = COUNTERS.every((name) => {
    const count = member(value, name);
    return count === null || typeof count === 'number';
  });
  return isInfo ? (value as TcpInfo) : null;
}

/** The counters that an explanation uses. */
const COUNTERS = [
  ...(['unackedSegments', 'bytesInFlight', 'unsentBytes', 'timeSinceLastAckReceived'] as const),
  ...(['probes', 'sendWindow'] as const),
];

function counters(info: TcpInfo): string {
  const { unackedSegments, bytesInFlight, unsentBytes, timeSinceLastAckReceived, probes } = info;
  const said: string[] = [];
  if (timeSinceLastAckReceived !== null) {
    said.push(`its last sign of life came ${(timeSinceLastAckReceived / 1_000).toFixed(1)} s ago`);
  }
  if (probes) said.push(`unanswered probes: ${probes}`);
  if (unackedSegments) {
    const unit = bytesInFlight === null ? 'segments' : 'bytes';
    said.push(`unacknowledged ${unit}: ${bytesInFlight ?? unackedSegments}`);
  }
  if (unsentBytes) said.push(`bytes never sent: ${unsentBytes}`);
  const text = said.join(', ');
  return text === '' ? '' : `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
