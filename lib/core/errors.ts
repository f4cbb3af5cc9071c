// The errors of system calls, of options that this system does not have, and of sockets without a descriptor.
// The errors of wrong arguments are in validate.ts.

import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';

/** The members of a {@link SocketOptionError} beside its message. `undefined`: the error has no such member. */
export interface SocketOptionErrorDetails {
  /** Name of the error: `'EPERM'`, `'ENOPROTOOPT'`, `'ERR_SOCKET_CLOSED'`. */
  code: string;
  /** The error number as a negative libuv code, as in Node's own errors. */
  errno?: number | undefined;
  /** The system call that failed: `'setsockopt'`, `'getsockopt'`. */
  syscall?: string | undefined;
  /** The kernel's name of the option: `'TCP_KEEPIDLE'`. */
  option?: string | undefined;
  /** The names of the options of the same call that were set before this one failed. Default: none. */
  applied?: readonly string[] | undefined;
}

/**
 * The error of a system call that the kernel refused, and of a call that cannot be made.
 *
 * The `code` is the one of the system call (`'EPERM'`, `'EINVAL'`), or
 *
 * - `'ENOPROTOOPT'`: this system, this kernel or this kind of socket does not have the option;
 * - `'ERR_SOCKET_NOT_OPEN'`, `'ERR_SOCKET_CLOSED'`: the socket has no descriptor yet, or no longer;
 * - `'ERR_SOCKET_TOO_LATE'`: the option acts only before bind, listen or connect, and the socket is past that. Nothing
 *   was set;
 * - `'ERR_SOCKET_NO_DESCRIPTOR'`: the runtime does not report the descriptor of this socket;
 * - `'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM'`: the runtime lacks what the call needs: Bun, Deno, an older Node, a worker
 *   of a cluster, a pipe of Windows.
 *
 * Wrong arguments are errors of the classes TypeError and RangeError. If the addon could not be loaded, each call that
 * needs it throws an Error with the code `'ERR_ADDON_NOT_FOUND'`, or the code of the failed attempt to load it.
 * @example
 * ```ts
 * try {
 *   setOptions(socket, { mark: 7 });
 * } catch (error) {
 *   if (!(error instanceof SocketOptionError)) throw error;
 *   console.error(error.option, error.code); // SO_MARK EPERM
 * }
 * ```
 * @systems Every system, with the error numbers of its own kernel.
 * @see errno(3)
 */
export class SocketOptionError extends Error {
  /** Name of the error: `'EPERM'`, `'ENOPROTOOPT'`, `'ERR_SOCKET_CLOSED'`. */
  readonly code: string;
  /** The error number as a negative libuv code, as in Node's own errors; `undefined` for `'ERR_*'`. */
  readonly errno: number | undefined;
  /** The system call that failed: `'setsockopt'`, `'getsockopt'`; `undefined` if there was none. */
  readonly syscall: string | undefined;
  /**
   * The kernel's name of the option, `'TCP_KEEPIDLE'`; the name in this package if this system has no such option;
   * `undefined` if the error is not about an option.
   */
  readonly option: string | undefined;
  /** The names of the options of the same call that were set before this one failed. */
  readonly applied: readonly string[];

  /**
   * Makes an error, for tests and test doubles of programs: this package throws its own.
   * @param message The text of the error.
   * @param details The other members of the error.
   */
  constructor(message: string, details: SocketOptionErrorDetails) {
    super(message);
    this.code = details.code;
    this.errno = details.errno;
    this.syscall = details.syscall;
    this.option = details.option;
    this.applied = details.applied ?? [];
  }
}
Object.defineProperty(SocketOptionError.prototype, 'name', {
  value: 'SocketOptionError',
  configurable: true,
  writable: true,
});

/** libuv's errors by code. Kept, because Node makes a new map for each call. */
let systemErrors: Map<number, [string, string]> | undefined;

/** Returns the name and the text of a negative libuv code. */
export function describeErrno(errno: number): [code: string, text: string] {
  systemErrors ??= getSystemErrorMap();
  const known = systemErrors.get(errno);
  if (known !== undefined) return known;
  // libuv's map lacks the codes that libuv itself never gets.
  for (const [code, number] of Object.entries(constants.errno)) {
    if (number === -errno) return [code, 'the system refused the call'];
  }
  return [`E${-errno}`, `system error ${-errno}`];
}

/** Returns the negative libuv code of an error by its name. The number depends on the system. */
export function errnoOf(code: string): number | undefined {
  systemErrors ??= getSystemErrorMap();
  for (const [errno, [name]] of systemErrors) if (name === code) return errno;
  return undefined;
}

/** The error of a system call that failed with `errno`. */
export function systemError(
  errno: number,
  syscall: string,
  option: string,
  more: { hint?: string | undefined; applied?: readonly string[] } = {},
): SocketOptionError {
  const [code, text] = describeErrno(errno);
  let message = `${code}: ${text}, ${syscall} ${option}`;
  if (more.hint !== undefined) message += ` (${more.hint})`;
  if (more.applied?.length) message += `; already applied: ${more.applied.join(', ')}`;
  return new SocketOptionError(message, { code, errno, syscall, option, applied: more.applied });
}

/** The error of an option that this system does not have. It is thrown before any system call. */
export function unsupportedError(
  option: string,
  syscall: string,
  reason: string,
): SocketOptionError {
  const code = 'ENOPROTOOPT';
  return new SocketOptionError(`${code}: ${reason}, ${syscall} ${option}`, {
    code,
    errno: errnoOf(code),
    syscall,
    option,
  });
}

/** The error of a socket without a descriptor. The message says why, and what to do. */
export function socketError(
  code: 'ERR_SOCKET_NOT_OPEN' | 'ERR_SOCKET_CLOSED' | 'ERR_SOCKET_NO_DESCRIPTOR',
  message: string,
): SocketOptionError {
  return new SocketOptionError(message, { code });
}
