// The system that this process runs on, and the errors of its calls and replies.

import { binding } from '../core/addon';
import { describeErrno, SocketOptionError } from '../core/errors';
import { darwin } from './darwin';
import { linux } from './linux/linux';
import type { ConnectionPlatform, FailedOperation } from './platform';
import { win32 } from './win32';

const PLATFORMS: Partial<Record<NodeJS.Platform, ConnectionPlatform>> = { linux, darwin, win32 };

/** Throws `ENOTSUP` on systems whose connections cannot be listed. */
export function currentPlatform(): ConnectionPlatform {
  const found = PLATFORMS[process.platform];
  if (found !== undefined) return found;
  throw new SocketOptionError(
    `ENOTSUP: this package cannot list connections on ${process.platform}`,
    { code: 'ENOTSUP' },
  );
}

/** The error for a negative number that the addon returned just now. */
export function systemCallError(errno: number, operation: FailedOperation): Error {
  return makeError(errno, operation, binding().failedCall());
}

/** The error for a negative number in a reply of the kernel. */
export function replyError(errno: number, operation: FailedOperation): Error {
  return makeError(errno, operation, null);
}

function makeError(errno: number, operation: FailedOperation, failedCall: string | null): Error {
  const { syscall: queryCall, explainError } = currentPlatform();
  const syscall = failedCall ?? queryCall;
  const [code, text] = describeErrno(errno);
  // If the cause is known, libuv's text for the code would mislead.
  const message = `${code}: ${explainError(code, operation, failedCall) ?? text}, ${syscall}`;
  return new SocketOptionError(message, { code, errno, syscall });
}
