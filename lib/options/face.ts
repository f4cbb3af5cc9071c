// The public functions on the options of a socket, with their docs.

import type { OptionName, OptionValues, SocketOptions } from '../catalogue';
import { kit } from '../kit';
import type { SocketLike } from '../socket';
import { getSystemDefaults } from '../system/face';
import type { KeepAlive, KeepAliveOptions } from './keepalive';

// Loaded with the package, since the folder may be gone or out of reach when a call needs it.
const parts = require('./index.js') as typeof import('./index');
parts.useKit(kit());
parts.useSystemDefaults(getSystemDefaults);

/**
 * Reads one option from the kernel: `getOption(socket, 'userTimeout')`.
 *
 * Durations come in milliseconds, sizes in bytes. One getsockopt(2).
 * @throws SocketOptionError `ENOPROTOOPT` where this system or this kind of socket does not have
 *   the option (before any system call where that is known), other codes as the kernel gives them,
 *   `ERR_SOCKET_*` for a socket that is not open.
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` for a name that is none.
 */
export function getOption<Name extends OptionName>(
  socket: SocketLike,
  name: Name,
): OptionValues[Name] {
  return parts.getOption(socket, name);
}

/**
 * Reads several options from the kernel in one native call: those named, or else every option that
 * this kind of socket answers.
 *
 * @throws as {@link getOption}, where options are named; without names, what the socket does not
 *   have is left out.
 */
export function getOptions(socket: SocketLike): Partial<OptionValues>;
export function getOptions<Name extends OptionName>(
  socket: SocketLike,
  names: readonly Name[],
): Pick<OptionValues, Name>;
export function getOptions(
  socket: SocketLike,
  names?: readonly OptionName[],
): Partial<OptionValues> {
  return parts.getOptions(socket, names);
}

/**
 * Sets options: `setOptions(socket, { userTimeout: 30_000, noDelay: true })`.
 *
 * Every value is checked before the first system call; then all go down in one native call, in the
 * order of the catalogue (keepalive: initial delay, interval, count, and the switch last).
 * `undefined` is left alone. Durations are in milliseconds and rounded up to the kernel's unit.
 * @throws TypeError, RangeError for a wrong value; nothing was set then.
 * @throws SocketOptionError for a call that the kernel refused; `applied` names the options that
 *   had been set before it, and `ENOPROTOOPT` is what this system does not have (nothing was set).
 */
export function setOptions(socket: SocketLike, options: SocketOptions): void {
  parts.setOptions(socket, options);
}

/** Throws what {@link setOptions} would throw before the first system call. Not public. */
export function checkOptions(options: SocketOptions): void {
  parts.checkOptions(options);
}

/** Sets each option separately, and returns the errors of the refused ones. Not public. */
export function setEach(socket: SocketLike, options: SocketOptions): Error[] {
  return parts.setEach(socket, options);
}

/**
 * Sets keepalive in one native call: `setKeepAlive(socket, { enable: true, initialDelay: 30_000,
 * interval: 5_000, count: 3 })` finds a dead peer of an idle connection after 30 + 3 x 5 seconds.
 *
 * A boolean is the switch alone, and keeps the three values. `'system'` makes all four as a new
 * socket has them. On a listening server, connections that it accepts from then on inherit all
 * four (not the initial delay on macOS).
 *
 * Every value is checked before the first system call. The kernel gets initial delay, interval,
 * count and the switch in this order, so that no refusal leaves keepalive on with the system's two
 * hours. A later `socket.setKeepAlive(true, otherDelay)` of Node's own puts interval and count
 * back to 1 s and 10 (unless it names them, Node 24.19 and 26.4).
 *
 * On Windows, times that are no whole seconds go down by `SIO_KEEPALIVE_VALS`, and before 10.1709 all
 * of them do: then `initialDelay` and `interval` only together, always ten probes, and no reading back.
 *
 * While sent data is unacknowledged Linux sends no probes: see the option `userTimeout`.
 * @throws TypeError, RangeError for a wrong value or an unknown name; nothing was set then.
 * @throws SocketOptionError for a refused call (`applied` names what had been set before it), for
 *   a socket that is not TCP (`ENOPROTOOPT`, `ENOTSUP`), and for one that is not open.
 */
export function setKeepAlive(
  socket: SocketLike,
  options: KeepAliveOptions | boolean | 'system',
): void {
  parts.setKeepAlive(socket, options);
}

/**
 * Reads keepalive from the kernel, in one native call: whoever set it, and what a socket has that
 * nobody tuned. Works on listening servers too.
 * @throws SocketOptionError for a socket that is not TCP (`ENOPROTOOPT`, `ENOTSUP`) or not open.
 */
export function getKeepAlive(socket: SocketLike): KeepAlive {
  return parts.getKeepAlive(socket);
}

/**
 * Whether this system, the running kernel included, has the option: `isSupported('userTimeout')`. False
 * too for a name that this version of the package does not know, and on a system for which there is no
 * addon. Without a name: whether there is an addon.
 *
 * The kernel is asked once for each option, with getsockopt on a socket made for it, and its answer is
 * kept. Where it could not be asked, because no socket could be made (`EMFILE`, `ENOMEM`, `EPERM` of a
 * sandbox), there is no answer: the error of that call is thrown, and the next call asks again. Without
 * IPv6 (`EAFNOSUPPORT`) the options of IPv6 are not supported.
 * @throws TypeError `ERR_INVALID_ARG_TYPE` for a name that is no string.
 * @throws SocketOptionError with `syscall` `'socket'` or `'getsockopt'` where the kernel could not be asked.
 */
export function isSupported(name?: OptionName): boolean;
export function isSupported(name?: string): boolean;
export function isSupported(name?: string): boolean {
  return parts.isSupported(name);
}

/**
 * The names of all options that this system, the running kernel included, has.
 * @throws SocketOptionError where the kernel could not be asked, as {@link isSupported}.
 */
export function supportedOptions(): OptionName[] {
  return parts.supportedOptions();
}

/**
 * Reads any socket option by its numbers: `getRawOption(socket, constants.IPPROTO_TCP,
 * constants.TCP_KEEPIDLE)` returns an int as the kernel holds it, in the kernel's unit.
 *
 * With `length`, it returns the bytes that the kernel wrote into that much room (0 to 16 356): an empty
 * Buffer where the kernel wrote none. Without `length`, the kernel has to write an int of 4 bytes, or a
 * single byte. A longer value is cut off after 4 bytes: pass its length.
 *
 * The kernel finds only zeros in the room. So an option that takes input while it is read is asked
 * with zeros (`TCP_AO_INFO`). Options are refused with which the kernel would read or write memory
 * beyond the value, or open a descriptor: `SO_ATTACH_FILTER`, `SO_PEERPIDFD`, `TCP_ZEROCOPY_RECEIVE`,
 * `TCP_AO_GET_KEYS`, `MPTCP_FULL_INFO`, `EBT_SO_GET_ENTRIES` and `SCTP_SOCKOPT_PEELOFF` on Linux,
 * `SO_LABEL` and `IP_MSFILTER` on macOS, and those like them.
 *
 * Reading `SO_ERROR` clears it, and with it the error that Node waits for.
 * @throws TypeError, RangeError for a wrong argument, before any system call. `ERR_INVALID_ARG_VALUE`
 *   for an option that is refused as above, and, after the system call, for a call without `length`
 *   where the kernel wrote no int (`TCP_ULP`, `IP_OPTIONS`).
 * @throws SocketOptionError for a call that the kernel refused, and for a socket that is not open.
 */
export function getRawOption(socket: SocketLike, level: number, name: number): number;
export function getRawOption(
  socket: SocketLike,
  level: number,
  name: number,
  length: number,
): Buffer;
export function getRawOption(
  socket: SocketLike,
  level: number,
  name: number,
  length?: number,
): number | Buffer {
  return parts.getRawOption(socket, level, name, length);
}

/**
 * Sets any socket option by its numbers: `setRawOption(socket, constants.IPPROTO_TCP,
 * constants.TCP_KEEPIDLE, 30)`. A number goes down as a C int, in the kernel's unit. The bytes of a
 * Uint8Array go down as they are at the call (at most 16 356).
 *
 * Only the types of the arguments are checked. Options are refused whose value holds an address that
 * the kernel reads from or writes to: `SO_ATTACH_FILTER`, `SO_ATTACH_REUSEPORT_CBPF`,
 * `IPT_SO_SET_REPLACE`, `XDP_UMEM_REG` on Linux, `SO_LABEL` and `IP_MSFILTER` on macOS, and those like
 * them.
 * @throws TypeError, RangeError for a wrong argument, before any system call. `ERR_INVALID_ARG_VALUE`
 *   for an option that is refused as above.
 * @throws SocketOptionError for a call that the kernel refused, and for a socket that is not open.
 */
export function setRawOption(
  socket: SocketLike,
  level: number,
  name: number,
  value: number | Uint8Array,
): void {
  parts.setRawOption(socket, level, name, value);
}
