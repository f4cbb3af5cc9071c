// Refuses options that are set too late: those that act only before bind, listen or connect.

import type { Row, SocketState } from '../catalogue/catalogue';
import { binding } from '../core/addon';
import { constantTables } from '../core/constants';
import { SocketOptionError } from '../core/errors';
import {
  bytes,
  getRecords,
  isSynSent,
  RECORD_HEADER_WORDS,
  reserveRecord,
  words,
} from '../core/record-buffer';
import type { Option } from './codec';
import { familyOf } from './family';

/**
 * @throws SocketOptionError `ERR_SOCKET_TOO_LATE` if one of the first `count` options has no effect any more. It must be
 *   called before the first option is set.
 */
export function rejectTooLate(fd: number, options: readonly Option[], count: number): void {
  const state = stateOf(fd);
  for (let i = 0; i < count; i++) {
    const error = tooLateError(fd, options[i] as Option, state);
    if (error !== undefined) throw error;
  }
}

/**
 * Returns the state of a socket of IPv4 or IPv6. `undefined` for a new socket, and for one that cannot be asked: the kernel
 * then decides. It uses the record buffer.
 */
export function stateOf(fd: number): SocketState | undefined {
  if (!hasPort(fd)) return undefined;
  const { SO_ACCEPTCONN, SOCK_STREAM } = constantTables().values;
  // A UDP socket with a peer can do what a bound one can.
  if (typeOf(fd) !== SOCK_STREAM) return 'bound';
  if (readInt(fd, SO_ACCEPTCONN as number) !== 0) return 'listening';
  if (binding().readAddress(fd, true) >= 0) return 'connected';
  return isSynSent(fd) ? 'connecting' : 'bound';
}

function hasOption(fd: number, { level, option, codec }: Option): boolean {
  reserveRecord(0, level, option, codec.room);
  return getRecords(fd, 1) === 1;
}

function typeOf(fd: number): number {
  return readInt(fd, constantTables().values.SO_TYPE as number);
}

/** Reads an option of SOL_SOCKET; 0 if the system refuses. */
function readInt(fd: number, option: number): number {
  reserveRecord(0, constantTables().values.SOL_SOCKET, option, 4);
  return getRecords(fd, 1) === 1 ? (words[RECORD_HEADER_WORDS] as number) : 0;
}

/** Whether this is a socket of IPv4 or IPv6 with a local port. Windows refuses the question for a new socket. */
function hasPort(fd: number): boolean {
  // struct sockaddr_in and struct sockaddr_in6 have the port in the same place.
  return familyOf(fd) !== undefined && (bytes[2] !== 0 || bytes[3] !== 0);
}

/** The functions of this package that set an option in time, by the call before which it must be set. */
const FUNCTIONS = {
  bind: 'connect(), listen(), bind(), tuneSockets()',
  listen: 'listen(), tuneSockets()',
  connect: 'connect(), tuneSockets()',
} as const;

/** Says before which call an option must be set, and which functions do that. */
export function mustBeSetBefore(
  { before = 'bind' }: Row,
  functions: string = FUNCTIONS[before],
): string {
  return `must be set before ${before}: use ${functions} or openSocket() of this package`;
}

/** The functions that bind a socket of this kind. */
function bindingFunctions(fd: number, state: SocketState): string {
  if (typeOf(fd) !== constantTables().values.SOCK_STREAM) return 'bind()';
  return state === 'listening' ? 'listen(), tuneSockets()' : 'connect(), listen(), tuneSockets()';
}

/**
 * Returns the error for an option that does not act in this state of the socket; `undefined` if it does, and if the socket
 * does not have the option: that is the kernel's to say. It uses the record buffer.
 */
export function tooLateError(
  fd: number,
  option: Option,
  state: SocketState | undefined,
): Error | undefined {
  if (state === undefined || !option.tooLate?.includes(state) || !hasOption(fd, option)) {
    return undefined;
  }
  const { name, row, platformOption } = option;
  const functions = row.before === 'bind' ? bindingFunctions(fd, state) : undefined;
  const message = `${name} ${mustBeSetBefore(row, functions)} (the socket is ${state} already)`;
  return new SocketOptionError(message, {
    code: 'ERR_SOCKET_TOO_LATE',
    syscall: 'setsockopt',
    option: platformOption.name,
  });
}

/** The error for an option that is chosen when a socket is opened. */
export function chosenAtOpening({ name, platformOption }: Option): Error {
  return new SocketOptionError(
    `${name} is chosen when a socket is opened: use connect(), listen(), tuneSockets(), or a type of openSocket() as 'mptcp4', of this package`,
    { code: 'ERR_SOCKET_TOO_LATE', option: platformOption.name },
  );
}
