// Errors of reading TCP_INFO.

import { systemError } from '../core/errors';
import { system } from './system';

const { syscall, option } = system;
const since = process.platform === 'win32' ? ', since Windows 10.1703' : '';

/** Returns the error for a negative libuv code, which the addon returned instead of a length. */
export function readError(errno: number): Error {
  const error = systemError(errno, syscall, option);
  return error.code === 'ENOTSUP' || error.code === 'ENOPROTOOPT'
    ? systemError(errno, syscall, option, { hint: `only TCP sockets have it${since}` })
    : error;
}
