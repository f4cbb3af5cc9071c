// openSocket: a descriptor whose options are set before Node binds or connects it.

import type { OpeningOptions, SocketOptions } from '../catalogue/catalogue';
import { binding } from '../core/addon';
import { constants } from '../core/constants';
import { describeErrno, SocketOptionError } from '../core/errors';
import { validateOneOf, validateOptions, valueError } from '../core/validate';
import { setOptions, validateSocketOptions } from '../options/options';

/** The kind of a socket: its protocol and its version of IP. */
export type SocketType = 'tcp4' | 'tcp6' | 'mptcp4' | 'mptcp6' | 'udp4' | 'udp6';

/** Options of {@link openSocket}. */
export interface OpenSocketOptions {
  /** The kind of the socket: its protocol and its version of IP. */
  readonly type: SocketType;
  /** Options that are set before the descriptor is returned. Default: none. */
  readonly socketOptions?: SocketOptions | undefined;
}

/** The arguments of socket(2), by the names of their constants. */
const ARGUMENTS: Readonly<
  Record<SocketType, readonly [family: string, type: string, protocol: string]>
> = {
  tcp4: ['AF_INET', 'SOCK_STREAM', 'IPPROTO_TCP'],
  tcp6: ['AF_INET6', 'SOCK_STREAM', 'IPPROTO_TCP'],
  mptcp4: ['AF_INET', 'SOCK_STREAM', 'IPPROTO_MPTCP'],
  mptcp6: ['AF_INET6', 'SOCK_STREAM', 'IPPROTO_MPTCP'],
  udp4: ['AF_INET', 'SOCK_DGRAM', 'IPPROTO_UDP'],
  udp6: ['AF_INET6', 'SOCK_DGRAM', 'IPPROTO_UDP'],
};
const TYPES = Object.keys(ARGUMENTS) as SocketType[];

/**
 * Opens a socket and sets its options, for options that act only before bind, listen or connect.
 *
 * The descriptor is nonblocking and not inherited by child processes. It belongs to the caller: give it to `new
 * net.Socket({ fd })`, `server.listen({ fd })` or `dgramSocket.bind({ fd })`, which then close it. Bun's `net.Socket`
 * does not connect it, and in Deno only a server takes it. An IPv6 socket accepts IPv4 too, unless `ipv6Only` is set.
 * @example
 * ```ts
 * const fd = openSocket({ type: 'tcp4', socketOptions: { mark: 7 } });
 * server.listen({ fd });
 * ```
 * @param options The kind of the socket, and its options.
 * @returns The descriptor: an integer of at least 0.
 * @throws TypeError, RangeError for a wrong argument. No socket was opened.
 * @throws SocketOptionError `EPROTONOSUPPORT` for Multipath TCP on a system without it; `EMFILE` and other codes of
 *   socket(2).
 * @throws SocketOptionError for an option that the kernel refused. The socket is closed again.
 * @systems Linux, macOS, FreeBSD: socket(2). Windows: `WSASocketW`, overlapped. Node takes no SOCKET over there: use
 *   `connect()`, `listen()` or `bind()`, and this function only for a native addon, which closes it. `'mptcp4'` and
 *   `'mptcp6'`: Linux 5.6.
 * @see socket(2), RFC 8684 (Multipath TCP)
 */
export function openSocket(options: OpenSocketOptions): number {
  const { type, socketOptions } = validateOptions(options, 'options', ['type', 'socketOptions']);
  const names = ARGUMENTS[validateOneOf(type, 'options.type', TYPES)];
  if (socketOptions !== undefined) {
    // It may be anything.
    const { mptcp } = Object(socketOptions) as OpeningOptions;
    if (mptcp !== undefined) {
      const reason = "is chosen by the type: 'mptcp4' or 'mptcp6'";
      throw valueError('options.socketOptions.mptcp', reason, mptcp);
    }
    validateSocketOptions(socketOptions, 'options.socketOptions');
  }
  const fd = open(names);
  try {
    // As libuv does: it is on by default on Windows and FreeBSD, and on Linux with net.ipv6.bindv6only.
    if (type.endsWith('6')) setOptions(fd, { ipv6Only: false });
    if (socketOptions !== undefined) setOptions(fd, socketOptions);
    return fd;
  } catch (error) {
    binding().closeSocket(fd);
    throw error;
  }
}

/** The codes with which Linux refuses Multipath TCP. */
const NO_MPTCP = ['EPROTONOSUPPORT', 'ENOPROTOOPT'];
const NEEDS_MPTCP =
  'Multipath TCP needs a kernel that has it, Linux 5.6 or later, and the sysctl net.mptcp.enabled = 1';

function open(names: readonly string[]): number {
  const { openSocket } = binding();
  const [family, type, protocol] = names.map((name) => constants[name]);
  if (protocol === undefined) {
    throw new SocketOptionError('This system has no Multipath TCP', {
      code: 'EPROTONOSUPPORT',
      syscall: 'socket',
    });
  }
  const fd = openSocket(family as number, type as number, protocol);
  if (fd >= 0) return fd;
  const [code, text] = describeErrno(fd);
  const isRefusedProtocol = names[2] === 'IPPROTO_MPTCP' && NO_MPTCP.includes(code);
  const hint = isRefusedProtocol ? ` (${NEEDS_MPTCP})` : '';
  const details = { code, errno: fd, syscall: 'socket' };
  throw new SocketOptionError(`${code}: ${text}, socket${hint}`, details);
}
