// Ends the sockets of dead peers, with errors like those of the kernel.

import type { Http2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { channels, publish } from '../../core/channels';
import { constants } from '../../core/constants';
import { describeErrno, errnoOf } from '../../core/errors';
import type { SocketLike } from '../../core/socket';
import { descriptorOf } from '../../core/socket';
import { throwUncaught } from '../../core/throw-uncaught';
import { setOptions } from '../../options/options';
import { getRawOption } from '../../options/raw';
import { getTcpInfo } from '../../tcp-info/get-tcp-info';
import type { TcpInfo } from '../../tcp-info/tcp-info';

/** The member `deadPeer` of a {@link DeadPeerError}: why the peer counts as dead. */
export interface DeadPeerDetails {
  /** The dead-peer timeout, in milliseconds. */
  readonly timeout: number;
  /** For how long nothing came from the peer, in milliseconds. */
  readonly silence: number;
  /** Number of segments in a row that were unanswered. */
  readonly unanswered: number;
}

/** The error of a socket that supervision has ended. */
export interface DeadPeerError extends NodeJS.ErrnoException {
  /** Why the peer counts as dead. `undefined` if the kernel had closed the connection before. */
  readonly deadPeer?: DeadPeerDetails;
  /**
   * The last counters of the connection; `null` if they could not be read. `undefined`: the error is not from
   * supervision.
   */
  readonly tcpInfo?: TcpInfo | null;
}

/** The message of the channel `socket-options:dead-peer`: supervision has ended a socket. */
export interface DeadPeerMessage {
  /** The socket that was destroyed. */
  readonly socket: SupervisedSocket;
  /** The error that the socket was destroyed with. */
  readonly error: DeadPeerError;
  /** The dead-peer timeout, in milliseconds. */
  readonly timeout: number;
  /** For how long nothing came from the peer, in milliseconds. */
  readonly silence: number;
}

/** What can be supervised: it has a descriptor, and can be ended with an error. */
export type SupervisedSocket = Socket | Http2Session;

/** Ends the connection to a dead peer, with the error of the kernel for it, and the last counters. */
export function endDead(socket: SupervisedSocket, details: DeadPeerDetails): void {
  const { timeout, silence, unanswered } = details;
  const what = `nothing came from the peer for ${(silence / 1_000).toFixed(1)} s, and it did not answer ${unanswered} segments in a row`;
  const error = Object.assign(systemError('ETIMEDOUT', 'read', what), {
    deadPeer: details,
    tcpInfo: lastInfo(socket),
  });
  tell(socket, error, timeout, silence);
  end(socket, error);
}

/**
 * Ends a socket whose connection the kernel has closed. Returns `false` if the connection ended in an orderly way: data may
 * still be unread.
 *
 * Reading SO_ERROR clears it, so the stream is destroyed in the same turn of the event loop: without the error it would end
 * as if it were complete.
 */
export function endClosed(
  socket: SupervisedSocket,
  { timeout, silence }: Pick<DeadPeerDetails, 'timeout' | 'silence'>,
): boolean {
  const tcpInfo = lastInfo(socket);
  const errno = getRawOption(socket, constants.SOL_SOCKET, constants.SO_ERROR as number);
  if (errno === 0 && (socket as Socket).writableEnded) return false;
  const code = errno === 0 ? 'ETIMEDOUT' : describeErrno(-errno)[0];
  const what = 'the kernel has closed the connection';
  const error = Object.assign(systemError(code, 'read', what), { tcpInfo });
  // Any other code comes from the peer, or from a router.
  if (code === 'ETIMEDOUT') tell(socket, error, timeout, silence);
  end(socket, error);
  return true;
}

function tell(
  socket: SupervisedSocket,
  error: DeadPeerError,
  timeout: number,
  silence: number,
): void {
  publish(channels.deadPeer, (): DeadPeerMessage => ({ socket, error, timeout, silence }));
}

/** An error in the form of Node's own. */
function systemError(code: string, syscall: string, what: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${syscall} ${code} (${what})`), {
    errno: errnoOf(code),
    code,
    syscall,
  });
}

/** Resets and destroys the socket: after a FIN, the connection of a vanished peer would stay in the kernel. */
function end(socket: SupervisedSocket, error: Error): void {
  try {
    setOptions(socket, { linger: { enable: true, timeout: 0 } });
  } catch {
    // The kernel has closed the connection already.
  }
  try {
    socket.destroy(error);
  } catch (thrown) {
    throwUncaught(thrown);
  }
}

function lastInfo(socket: SocketLike): TcpInfo | null {
  try {
    return getTcpInfo(descriptorOf(socket));
  } catch {
    return null;
  }
}
