// Sets and reads keepalive in one call. The options have the names of Node's own socket.setKeepAlive().

import type { OptionName } from '../catalogue/catalogue';
import { RECORD_HEADER_WORDS, words, writeIntRecord } from '../core/record-buffer';
import type { SocketLike } from '../core/socket';
import { descriptorOf } from '../core/socket';
import { isOptions, typeError, unknownOption, valueError } from '../core/validate';
import type { Option } from './codec';
import type { KeepAliveOptions } from './keepalive-options';
import { needsIoctl, setWithIoctl } from './keepalive-windows';
import { encode, isConfirmed, mayBeSupported, optionNamed, writableOption } from './option';
import { decodeAt, read, requireTcp, write } from './records';

/** The keepalive values of a socket, as {@link getKeepAlive} reads them. Times are in milliseconds. */
export interface KeepAlive {
  /** Whether the kernel probes a silent peer: `SO_KEEPALIVE`. */
  enable: boolean;
  /**
   * Time without any segment from the peer until the first probe, in milliseconds: `TCP_KEEPIDLE`. `null` if the system
   * does not report it: Windows before 10.1709.
   */
  initialDelay: number | null;
  /** Time between two probes, in milliseconds: `TCP_KEEPINTVL`. `null` as for `initialDelay`. */
  interval: number | null;
  /** Number of unanswered probes after which the connection fails: `TCP_KEEPCNT`. `null`: Windows before 10.1703. */
  count: number | null;
}

/** A member of the options, and its option in the catalogue, which is looked up at the first use. */
interface Member {
  readonly name: OptionName;
  /** Its path in the argument of setKeepAlive(), for errors. */
  readonly path: string;
  option: Option | undefined;
}

const member = (name: OptionName, path: string): Member => ({ name, path, option: undefined });
const INITIAL_DELAY = member('keepAliveInitialDelay', 'options.initialDelay');
const INTERVAL = member('keepAliveInterval', 'options.interval');
const COUNT = member('keepAliveCount', 'options.count');
const ENABLE = member('keepAlive', 'options.enable');

const AS_NEW: KeepAliveOptions = {
  enable: false,
  initialDelay: 'system',
  interval: 'system',
  count: 'system',
};

const isWindows = process.platform === 'win32';

/**
 * Sets keepalive: whether and when the kernel probes a silent peer, and after how many unanswered probes the connection
 * fails.
 *
 * A boolean only switches keepalive on or off, and keeps the three values. `'system'` restores all four values of a new
 * socket. Connections that a listening server accepts later inherit all four (on macOS not the initial delay).
 *
 * Every value is checked before the first system call. One native call then sets initial delay, interval, count and the
 * switch in this order, so that a refusal never leaves keepalive on with the system's two hours. A later call of Node's
 * own `socket.setKeepAlive(true, delay)` resets interval and count to 1 s and 10, unless it sets them too (Node 24.19
 * and 26.4).
 *
 * On Windows `SIO_KEEPALIVE_VALS` sets times that are not whole seconds, and before 10.1709 all times. Then
 * `initialDelay` and `interval` can only be set together, there are always ten probes, and the times cannot be read.
 * Linux sends no probes while sent data is unacknowledged: see the option `userTimeout`.
 * @example
 * ```ts
 * // An idle connection to a dead peer fails after 30 + 3 x 5 seconds.
 * setKeepAlive(socket, { enable: true, initialDelay: 30_000, interval: 5_000, count: 3 });
 * ```
 * @param socket The TCP socket, or a listening server for the connections that it accepts later.
 * @param options The values (times in milliseconds), a boolean for the switch alone, or `'system'`.
 * @throws TypeError, RangeError for a wrong value or an unknown name, with the allowed range. Nothing was set.
 * @throws TypeError `ERR_INVALID_ARG_VALUE` for a third argument: the delay is the member `initialDelay`.
 * @throws SocketOptionError `ENOPROTOOPT`, `ENOTSUP` for a socket that is not TCP, `ERR_SOCKET_*` for a socket that is
 *   not open, other codes for a refused call. `applied` names the options that were set before it.
 * @systems Every system: `SO_KEEPALIVE`, `TCP_KEEPINTVL`, `TCP_KEEPCNT`, `TCP_KEEPIDLE` (macOS: `TCP_KEEPALIVE`).
 * @see tcp(7), RFC 9293 section 3.8.4
 */
export function setKeepAlive(
  socket: SocketLike,
  options: KeepAliveOptions | boolean | 'system',
): void;
export function setKeepAlive(
  socket: SocketLike,
  options: KeepAliveOptions | boolean | 'system',
  delay?: unknown,
): void {
  if (delay !== undefined) throw separateDelayError(delay);
  // Unrolled: a loop here costs about 10 % of the call (bench: setKeepAlive).
  const values = valuesOf(options);
  const { initialDelay, interval, count, enable } = values;
  if (
    initialDelay === undefined ||
    interval === undefined ||
    count === undefined ||
    enable === undefined
  ) {
    rejectUnknownMembers(options);
  }
  if (isWindows) {
    // A copy: a getter of the caller's object may return another value the next time.
    const read = { initialDelay, interval, count, enable };
    if (needsIoctl(read)) {
      setWithIoctl(socket, read);
      return;
    }
  }
  const delayWord = encodeMember(INITIAL_DELAY, initialDelay);
  const intervalWord = encodeMember(INTERVAL, interval);
  const countWord = encodeMember(COUNT, count);
  const enableWord = enable === true ? 1 : encodeMember(ENABLE, enable);

  // Last, because a getter of the caller's object may close the socket or call this function.
  const fd = descriptorOf(socket);
  let at = 0;
  if (delayWord !== undefined) at = put(at, INITIAL_DELAY, delayWord);
  if (intervalWord !== undefined) at = put(at, INTERVAL, intervalWord);
  if (countWord !== undefined) at = put(at, COUNT, countWord);
  if (enableWord !== undefined) {
    if (at === 0 && enableWord !== 0) requireTcp(fd, optionFor(ENABLE));
    at = put(at, ENABLE, enableWord);
  }
  write(fd, at / WORDS);
}

/** Node's socket.setKeepAlive(true, 30_000) takes the delay as an argument of its own. */
function separateDelayError(delay: unknown): TypeError {
  const reason =
    'must be a member of the options: setKeepAlive(socket, { enable: true, initialDelay: 30_000 })';
  return valueError('initialDelay', reason, delay);
}

/** Throws for an unknown member: a missing member may be misspelt (`idle`, `delay`, `probes`). */
function rejectUnknownMembers(options: KeepAliveOptions | boolean | 'system'): void {
  if (typeof options !== 'object') return;
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(AS_NEW, name)) continue;
    throw unknownOption('options', name, Object.keys(AS_NEW));
  }
}

/** The length in words of a record whose value is one word. */
const WORDS = RECORD_HEADER_WORDS + 1;

function encodeMember(member: Member, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  return encode(value, optionFor(member), member.path) as number;
}

function optionFor(member: Member): Option {
  return member.option ?? findOption(member);
}

function findOption(member: Member): Option {
  const option = writableOption(member.name);
  if (isConfirmed(option)) member.option = option;
  return option;
}

function put(at: number, member: Member, word: number): number {
  const { level, option } = optionFor(member);
  return writeIntRecord(at, level, option, word);
}

function valuesOf(options: KeepAliveOptions | boolean | 'system'): KeepAliveOptions {
  if (typeof options === 'boolean') return { enable: options };
  if (options === 'system') return AS_NEW;
  if (!isOptions(options)) {
    throw typeError(
      'options',
      "an object { enable, initialDelay, interval, count }, a boolean, or 'system'",
      options,
    );
  }
  return options;
}

/** The options that this system can read, looked up at the first read. The switch is the last one. */
let readable: readonly Option[] | undefined;

/**
 * Reads the keepalive values of a socket from the kernel, by one native call.
 *
 * It returns the present values, also if Node or another library has set them, and of listening servers too.
 * @example
 * ```ts
 * const { enable, initialDelay } = getKeepAlive(socket); // true, 30 000 (ms)
 * ```
 * @param socket The TCP socket, or a listening server.
 * @returns The four values, times in milliseconds; `null` for a value that the system does not report.
 * @throws SocketOptionError `ENOPROTOOPT`, `ENOTSUP` for a socket that is not TCP, `ERR_SOCKET_*` for a socket that is
 *   not open.
 * @throws TypeError, RangeError for a value that is no socket and no descriptor.
 * @systems Every system: `SO_KEEPALIVE`, `TCP_KEEPINTVL`, `TCP_KEEPCNT`, `TCP_KEEPIDLE` (macOS: `TCP_KEEPALIVE`).
 *   Windows reports the count since 10.1703, the times since 10.1709.
 * @see tcp(7), RFC 9293 section 3.8.4
 */
export function getKeepAlive(socket: SocketLike): KeepAlive {
  const options = readable ?? findReadable();
  read(socket, options);
  if (options.length < 4) return decodeAvailable(options);
  // One literal with all four: creating the object is half of the time here.
  return {
    enable: words[RECORD_HEADER_WORDS + 3 * WORDS] !== 0,
    initialDelay: (words[RECORD_HEADER_WORDS] as number) * (options[0] as Option).divisor,
    interval: (words[RECORD_HEADER_WORDS + WORDS] as number) * (options[1] as Option).divisor,
    count: words[RECORD_HEADER_WORDS + 2 * WORDS] as number,
  };
}

function findReadable(): readonly Option[] {
  const options = [INITIAL_DELAY, INTERVAL, COUNT, ENABLE]
    .filter((member) => member === ENABLE || mayBeSupported(member.name))
    .map(({ name }) => optionNamed(name, 'getsockopt'));
  if (options.every(isConfirmed)) readable = options;
  return options;
}

/** Decodes the values on a system that does not report all four. */
function decodeAvailable(options: readonly Option[]): KeepAlive {
  const decode = (name: OptionName): unknown => {
    const place = options.findIndex((option) => option.name === name);
    return place < 0 ? null : decodeAt(place * WORDS, options[place] as Option);
  };
  return {
    enable: decode(ENABLE.name) as boolean,
    initialDelay: decode(INITIAL_DELAY.name) as number | null,
    interval: decode(INTERVAL.name) as number | null,
    count: decode(COUNT.name) as number | null,
  };
}
