// What a kernel refuses, and what a socket cannot answer: a SocketOptionError. Of its class there has to be
// one; wrong arguments (argument-error.ts) are told in the classes of the language.

import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';

/** What is known of a failure besides its message. */
export interface SocketOptionErrorDetails {
  code: string;
  errno?: number | undefined;
  syscall?: string | undefined;
  option?: string | undefined;
  applied?: readonly string[] | undefined;
}

/**
 * A system call that was refused, an option that this system does not have (`code`
 * `'ENOPROTOOPT'`), or a socket that has no descriptor to ask (`'ERR_SOCKET_NOT_OPEN'`,
 * `'ERR_SOCKET_CLOSED'`, `'ERR_SOCKET_NO_DESCRIPTOR'`), or what a runtime other than Node does not
 * have (`'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM'`).
 */
export class SocketOptionError extends Error {
  /** `'EINVAL'`, `'EPERM'`, `'ENOPROTOOPT'`, ... or one of the `'ERR_*'` above. */
  readonly code: string;
  /** The system's error number as a negative libuv code, as in Node's own errors. */
  readonly errno: number | undefined;
  /** The system call that was refused: `'setsockopt'`, `'getsockopt'`, `'sysctl'`, ... */
  readonly syscall: string | undefined;
  /** The kernel's name of the option, `'TCP_KEEPIDLE'`; our own where this system has none. */
  readonly option: string | undefined;
  /** Where several options were to be set: the names of those that were, before this one failed. */
  readonly applied: readonly string[];

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

/** libuv's errors by code. Kept: Node makes the map anew for each call. */
let systemErrors: Map<number, [string, string]> | undefined;

/** Name and text of a negative libuv code. */
export function describeErrno(errno: number): [code: string, text: string] {
  systemErrors ??= getSystemErrorMap();
  const known = systemErrors.get(errno);
  if (known !== undefined) return known;
  // libuv's map has only the codes that libuv itself meets.
  for (const [code, number] of Object.entries(constants.errno)) {
    if (number === -errno) return [code, 'refused by the system'];
  }
  return [`E${-errno}`, `system error ${-errno}`];
}

/** The negative libuv code of an error by its name, which is not the same number everywhere. */
export function errnoOf(code: string): number | undefined {
  systemErrors ??= getSystemErrorMap();
  for (const [errno, [name]] of systemErrors) if (name === code) return errno;
  return undefined;
}

/** A system call that was refused with `errno`. */
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

/** An option that this system does not have, known before any system call. */
export function unsupportedError(option: string, syscall: string, why: string): SocketOptionError {
  const code = 'ENOPROTOOPT';
  return new SocketOptionError(`${code}: ${why}, ${syscall} ${option}`, {
    code,
    errno: errnoOf(code),
    syscall,
    option,
  });
}

/** A socket without a descriptor, for a reason that has a remedy. */
export function socketError(
  code: 'ERR_SOCKET_NOT_OPEN' | 'ERR_SOCKET_CLOSED' | 'ERR_SOCKET_NO_DESCRIPTOR',
  message: string,
): SocketOptionError {
  return new SocketOptionError(message, { code });
}
