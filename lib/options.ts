// Reading and writing the options of one socket by the names of the catalogue.

import type { OptionName, OptionValues, SocketOptions } from './catalogue';
import type { Option } from './codec';
import { typeError } from './error';
import { encode, optionNamed, supportedOptions, writableOption } from './option';
import { after, answered, decodeAt, read, readWhatAnswers, write } from './record';
import type { SocketLike } from './socket';

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
  const option = optionNamed(name, 'getsockopt');
  read(socket, [option]);
  return decodeAt(0, option) as OptionValues[Name];
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
  if (names !== undefined && !Array.isArray(names)) {
    throw typeError('names', 'an array of option names', names);
  }
  // A Set: the scratch buffer has room for every option once.
  const wanted = [...new Set(names ?? supportedOptions())].map((name) =>
    optionNamed(name, 'getsockopt'),
  );
  if (names === undefined) readWhatAnswers(socket, wanted);
  else read(socket, wanted);

  const values: Record<string, unknown> = {};
  let at = 0;
  for (const option of wanted) {
    if (answered(at)) values[option.name] = decodeAt(at, option);
    at = after(at, option);
  }
  return values as Partial<OptionValues>;
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
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw typeError('options', 'an object of options', options);
  }
  const wanted: Option[] = [];
  const values: (number | Uint8Array)[] = [];
  for (const name of Object.keys(options)) {
    const value = options[name as keyof SocketOptions];
    if (value === undefined) continue;
    const option = writableOption(name);
    const encoded = encode(value, option, name);
    let place = wanted.length;
    while (place > 0 && (wanted[place - 1] as Option).order > option.order) place--;
    wanted.splice(place, 0, option);
    values.splice(place, 0, encoded);
  }
  write(socket, wanted, values);
}
