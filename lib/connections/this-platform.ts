// The system that this process runs on, and how its refusals are told.

import { binding } from '../core/addon';
import { describeErrno, SocketOptionError } from '../core/errors';
import { darwin } from './darwin';
import { linux } from './linux/linux';
import type { ConnectionSystem } from './platform';
import { win32 } from './win32';

const SYSTEMS: Partial<Record<NodeJS.Platform, ConnectionSystem>> = { linux, darwin, win32 };

/** This system; throws where its connections cannot be listed. */
export function system(): ConnectionSystem {
  const found = SYSTEMS[process.platform];
  if (found !== undefined) return found;
  throw new SocketOptionError(
    `ENOTSUP: the connections of ${process.platform} cannot be listed yet`,
    { code: 'ENOTSUP' },
  );
}

/** The error for a negative code that the addon returned just now. */
export function failed(errno: number, call: 'list' | 'destroy' | 'watch'): Error {
  return refused(errno, call, binding().failedCall());
}

/** The error for a negative code; `failedCall` names the system call that failed, if one did. */
export function refused(
  errno: number,
  call: 'list' | 'destroy' | 'watch',
  failedCall: string | null = null,
): Error {
  const { syscall: query, meaning } = system();
  const syscall = failedCall ?? query;
  const [code, text] = describeErrno(errno);
  // Where it is known what a code means here, libuv's words would only lead astray.
  const message = `${code}: ${meaning(code, call, failedCall) ?? text}, ${syscall}`;
  return new SocketOptionError(message, { code, errno, syscall });
}
