// Chooses what an error of a connection says about the peer. The meanings themselves are in meanings.ts.

import { typeError } from '../given';
import type { PeerDeath } from '../heartbeat/peer-death';
import type { SocketLike } from '../socket';
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
  SILENT,
  TIMED_OUT,
  TIMED_OUT_UNREAD,
  TIMED_OUT_VANISHED,
  UNHEARD,
} from './meanings';
import { getTcpInfo } from './uses';

export interface DisconnectExplanation {
  /**
   * - `'vanished'`: it does not answer any more, and may be without power, cable or route.
   * - `'silent'`: its system lives, but its program says nothing or does not read (an error of a `Heartbeat`,
   *   or counters that show a closed window).
   * - `'reset'`: its system lives and does not know the connection: the program died, or the machine rebooted.
   * - `'closed'`: it closed the connection in an orderly way.
   * - `'unreachable'`: it was never reached, or the network reports that it cannot be reached.
   * - `'refused'`: its machine answers, but nobody listens on that port (Unix socket or pipe: on that path). Or
   *   fetch() blocks the port; `message` says so.
   * - `'ended here'`: this system or this program ended the connection, or did not let it begin.
   * - `'unknown'`: the error says nothing about it.
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

/**
 * System calls of a connection; `undefined`: the error names none. Errors of other calls (open, setsockopt) do not
 * concern the peer.
 */
const CALLS: readonly unknown[] = [
  ...[undefined, 'connect', 'bind', 'accept', 'shutdown'],
  ...['read', 'write', 'recv', 'recvmsg', 'send', 'sendmsg'],
];
/** node:dns: getaddrinfo, and queryA, queryMx and the like of c-ares. */
const NAME_CALL = /^(getaddrinfo|getnameinfo|getHostBy|query[A-Z])/;

/** axios, got and raw-body use the kernel's codes for limits of their own. */
const OF_A_LIBRARY = /\btimeout|timed out|\baborted/i;

interface Verdict {
  readonly peer: PeerFate;
  readonly code: string | null;
  readonly text: string;
}

/** Limits of the search in `cause` and `errors`: how deep, and how many errors. */
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
