// The state of one connection: as a new object each time, or again and again in a reader.

import { descriptorOf, isOptions, readTcpInfo, tcpInfo, typeError, unknownOption } from '../given';
import type { SocketLike } from '../socket';
import { type KernelTcpInfoDetails, readDetails } from './details';
import { refused } from './refused';
import { type KernelTcpInfo, system } from './system';
import type { TcpInfo } from './tcp-info';

/** Reads the structure to where the addon leaves it; returns its length in bytes. */
function read(fd: number): number {
  const length = readTcpInfo(fd);
  if (length < 0) throw refused(length);
  return length;
}

export function getTcpInfo(socket: SocketLike): TcpInfo {
  return system.tcpInfo(tcpInfo, 0, read(descriptorOf(socket)));
}

export function getKernelTcpInfo(
  socket: SocketLike,
  options?: { readonly details?: boolean | undefined },
): KernelTcpInfo & { readonly details?: KernelTcpInfoDetails } {
  const details = options === undefined ? false : wantsDetails(options);
  const fd = descriptorOf(socket);
  const fields = system.fields(tcpInfo, read(fd));
  return details ? { ...fields, details: readDetails(fd) } : fields;
}

function wantsDetails(options: unknown): boolean {
  if (!isOptions(options)) {
    throw typeError('options', 'an object', options);
  }
  const unknown = Object.keys(options).find((name) => name !== 'details');
  if (unknown !== undefined) throw unknownOption('options', unknown, ['details']);
  const { details = false } = options as { details?: unknown };
  if (typeof details !== 'boolean') throw typeError('options.details', 'a boolean', details);
  return details;
}
