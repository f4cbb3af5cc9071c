// Opens a socket, sets its options, and binds it. The errors are those of Node.

import { isIPv6 } from 'node:net';
import type { SocketOptions } from '../catalogue/catalogue';
import { binding } from '../core/addon';
import { describeErrno } from '../core/errors';
import { bytes } from '../core/record-buffer';
import { openSocket, type SocketType } from './open-socket';

/**
 * Opens a socket of the type for this IP address, sets the options, and binds it.
 * @returns its descriptor.
 * @throws Error as Node's own, with the address and the port, if the system refuses the address.
 * @throws SocketOptionError for an option that the kernel refused. No socket is left in either case.
 */
export function openBound(
  protocol: 'tcp' | 'mptcp' | 'udp',
  { address, port }: { readonly address: string; readonly port: number },
  socketOptions: SocketOptions,
  syscall: 'listen' | 'bind',
): number {
  const type: SocketType = `${protocol}${isIPv6(address) ? 6 : 4}`;
  const fd = openSocket({ type, socketOptions });
  const status = bind(fd, address, port);
  if (status === 0) return fd;
  binding().closeSocket(fd);
  throw refusedAddress(status, syscall, address, port);
}

function bind(fd: number, address: string, port: number): number {
  const { written } = new TextEncoder().encodeInto(address, bytes);
  return binding().bindSocket(fd, written, port);
}

/** As uvExceptionWithHostPort() of Node makes it: lib/internal/errors.js. */
function refusedAddress(errno: number, syscall: string, address: string, port: number): Error {
  const [code, text] = describeErrno(errno);
  const place = port > 0 ? `${address}:${port}` : address;
  const error = new Error(`${syscall} ${code}: ${text} ${place}`);
  return Object.assign(error, { code, errno, syscall, address, ...(port > 0 ? { port } : {}) });
}
