// isReusable(): whether a connection of a pool can carry another request.

import { describeErrno, SocketOptionError } from '../core/errors';
import { readReusable } from '../core/record-buffer';
import { descriptorOf, type SocketLike } from '../core/socket';

/**
 * Returns whether a connection can carry another request: it is open in both directions, and nothing waits to be read
 * or sent.
 *
 * It is for connection pools, right before a pooled connection is used again. Node learns of a FIN or a reset when its
 * event loop polls. The kernel has known since the segment arrived, and this function asks the kernel. It reads no data
 * and clears no error: after a reset the socket still emits `ECONNRESET`. A FIN that is still on its way cannot be
 * known, so a request can still meet a connection that the server just closed: docs/pools.md has measured shares.
 *
 * It returns `false` for a socket
 *
 * - that is not open yet, connecting, in its TLS handshake, destroyed, closed, or listening;
 * - that either side has ended, or that was reset;
 * - with unread data, in the kernel or in the stream (`readableLength`): the next request would take it for its
 *   response. On TLS 1.3 it may be a session ticket, which the event loop reads in its next turn, or the `close_notify`
 *   alert. An http2 session with open streams may have unread frames: ask while it has none;
 * - with unsent data in the stream (`writableLength`), or with a full send buffer: the last request was not sent
 *   completely.
 *
 * A paused socket can be reusable. For `{ fd }` and a descriptor the kernel alone decides: poll(2) does not report that
 * this side has called shutdown(2), that fewer bytes than `recvLowWatermark` are unread, or whether a datagram socket
 * is connected.
 * @example
 * ```ts
 * if (socket.connecting || isReusable(socket)) socket.write('GET / HTTP/1.1\r\nHost: example\r\n\r\n');
 * else socket.destroy(); // and take another one
 * ```
 * @param socket The socket of the connection, or its descriptor.
 * @returns `true` if the connection can carry another request; `false` in each of the cases above: it does not throw
 *   for them.
 * @throws TypeError, RangeError for a value that is no socket and no descriptor, before any system call.
 * @throws SocketOptionError `ERR_SOCKET_NO_DESCRIPTOR` if the runtime does not report the descriptor of this socket, or
 *   the code of the system call if the kernel refused it.
 * @systems Linux, macOS, FreeBSD: poll(2). Windows: `WSAPoll`. Not `SO_ERROR`, and not recv(2) with `MSG_PEEK`: both
 *   clear the pending error of a reset, and the stream then ends as if the server had closed it (Linux sock_error(),
 *   include/net/sock.h).
 * @see poll(2), tcp(7), RFC 9112 sections 9.3 (persistence) and 9.5 (failures and timeouts)
 */
export function isReusable(socket: SocketLike): boolean {
  const fd = descriptorIfOpen(socket);
  if (fd === undefined || !isIdle(socket)) return false;
  const answer = readReusable(fd);
  if (answer < 0) throw refusedCall(answer);
  return answer === 1;
}

function refusedCall(errno: number): SocketOptionError {
  const [code, text] = describeErrno(errno);
  const syscall = process.platform === 'win32' ? 'WSAPoll' : 'poll';
  return new SocketOptionError(`${code}: ${text}, ${syscall}`, { code, errno, syscall });
}

/** Returns the descriptor, or `undefined` for a socket that is not open yet or is closed. */
function descriptorIfOpen(socket: SocketLike): number | undefined {
  try {
    return descriptorOf(socket);
  } catch (error) {
    // Without a descriptor there is no answer, and `false` would be a guess: a pool would reuse no connection.
    if (!(error instanceof SocketOptionError) || error.code === 'ERR_SOCKET_NO_DESCRIPTOR') {
      throw error;
    }
    return undefined;
  }
}

/** What a stream or an http2 session reports of itself. A server or `{ fd }` has none of these members. */
interface StreamState {
  /** An http2 session was closed or destroyed. A destroyed stream is not writable. */
  readonly closed?: unknown;
  readonly connecting?: unknown;
  /** A TLS handshake is not complete. */
  readonly secureConnecting?: unknown;
  readonly readable?: unknown;
  readonly writable?: unknown;
  readonly readableLength?: number;
  readonly writableLength?: number;
}

/** Whether the stream is open in both directions and has nothing in its buffers. */
function isIdle(socket: SocketLike): boolean {
  const stream = socket as StreamState;
  return (
    stream.closed !== true &&
    stream.connecting !== true &&
    stream.secureConnecting !== true &&
    stream.readable !== false &&
    stream.writable !== false &&
    !(Number(stream.readableLength) > 0) &&
    !(Number(stream.writableLength) > 0)
  );
}
