// Gives a handle of Node a descriptor of this package, whose options are set already, before Node binds or connects it.

import type { SocketOptions } from '../catalogue/catalogue';
import { binding } from '../core/addon';
import { describeErrno, SocketOptionError } from '../core/errors';
import { setEach } from '../options/options';
import { openSocket, type SocketType } from './open-socket';

/** A handle of Node that has no descriptor yet. Node has no public name for it. */
export interface EarlyHandle {
  readonly fd?: unknown;
  /** Takes the descriptor over: TCPWrap::Open() in src/tcp_wrap.cc. Returns 0 or a negative code. */
  open?(fd: number): number;
}

/**
 * Opens a socket of the type, sets the options that its family has, and has the handle take it over.
 * @throws SocketOptionError for an option that the kernel refused. The handle has no descriptor then.
 */
export function openHandle(handle: EarlyHandle, type: SocketType, options: SocketOptions): void {
  const fd = openSocket({ type });
  let isTaken = false;
  try {
    const [error] = setEach(fd, options);
    if (error !== undefined) throw error;
    const status = handle.open?.(fd) ?? 0;
    if (status < 0) throw refusedOpen(status);
    isTaken = true;
  } finally {
    if (!isTaken) binding().closeSocket(fd);
  }
}

function refusedOpen(errno: number): SocketOptionError {
  const [code, text] = describeErrno(errno);
  return new SocketOptionError(`${code}: ${text}, open`, { code, errno, syscall: 'open' });
}
