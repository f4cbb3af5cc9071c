// Keepalive in one call, in the shape that Node's own socket.setKeepAlive() has.

import type { OptionName } from '../catalogue/catalogue';
import { RECORD_HEADER_WORDS, words, writeIntRecord } from '../core/record-buffer';
import type { SocketLike } from '../core/socket';
import { descriptorOf } from '../core/socket';
import { isOptions, typeError, unknownOption, valueError } from '../core/validate';
import type { Option } from './codec';
import type { KeepAliveOptions } from './keepalive-options';
import { needsValues, setKeepAliveValues } from './keepalive-windows';
import { encode, isAsked, mayHave, optionNamed, writableOption } from './option';
import { decodeAt, read, requireTcp, write } from './records';

/** Keepalive of a socket, as the kernel holds it. Times in milliseconds. */
export interface KeepAlive {
  /** Whether a silent peer is probed (`SO_KEEPALIVE`). */
  enable: boolean;
  /**
   * Time without any segment from the peer until the first probe (`TCP_KEEPIDLE`).
   * `null` where the system does not tell: Windows before 10.1709.
   */
  initialDelay: number | null;
  /** Time between two probes (`TCP_KEEPINTVL`). `null` where the system does not tell. */
  interval: number | null;
  /** Unanswered probes after which the connection fails (`TCP_KEEPCNT`). `null`: as above. */
  count: number | null;
}

/** A member and its option, which is found when it is first used. */
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
): void;
export function setKeepAlive(
  socket: SocketLike,
  options: KeepAliveOptions | boolean | 'system',
  delay?: unknown,
): void {
  if (delay !== undefined) throw separateDelayError(delay);
  // Without lists or loops: all that is done here is a tenth of what the kernel does.
  const values = valuesOf(options);
  const { initialDelay, interval, count, enable } = values;
  if (
    initialDelay === undefined ||
    interval === undefined ||
    count === undefined ||
    enable === undefined
  ) {
    refuseOtherNames(options);
  }
  if (isWindows) {
    // Not the caller's object, whose getters may answer otherwise the next time.
    const read = { initialDelay, interval, count, enable };
    if (needsValues(read)) {
      setKeepAliveValues(socket, read);
      return;
    }
  }
  const delayWord = encodeMember(INITIAL_DELAY, initialDelay);
  const intervalWord = encodeMember(INTERVAL, interval);
  const countWord = encodeMember(COUNT, count);
  const enableWord = enable === true ? 1 : encodeMember(ENABLE, enable);

  // Last, because a getter of the caller's may have closed the socket, or made a call of its own.
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

/** A member that is missing may stand there under a name of its own: `idle`, `delay`, `probes`. */
function refuseOtherNames(options: KeepAliveOptions | boolean | 'system'): void {
  if (typeof options !== 'object') return;
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(AS_NEW, name)) continue;
    throw unknownOption('options', name, Object.keys(AS_NEW));
  }
}

/** Words of a record whose value is one word. */
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
  if (isAsked(option)) member.option = option;
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

/** The options that this system tells, found at the first read; the switch is the last of them. */
let readable: readonly Option[] | undefined;

/**
 * Reads keepalive from the kernel, in one native call: whoever set it, and what a socket has that
 * nobody tuned. Works on listening servers too.
 * @throws SocketOptionError for a socket that is not TCP (`ENOPROTOOPT`, `ENOTSUP`) or not open.
 */
export function getKeepAlive(socket: SocketLike): KeepAlive {
  const options = readable ?? findReadable();
  read(socket, options);
  if (options.length < 4) return toldBy(options);
  // All four, in their order: one literal, because making the object is half of what is done here.
  return {
    enable: words[RECORD_HEADER_WORDS + 3 * WORDS] !== 0,
    initialDelay: (words[RECORD_HEADER_WORDS] as number) * (options[0] as Option).divisor,
    interval: (words[RECORD_HEADER_WORDS + WORDS] as number) * (options[1] as Option).divisor,
    count: words[RECORD_HEADER_WORDS + 2 * WORDS] as number,
  };
}

function findReadable(): readonly Option[] {
  const options = [INITIAL_DELAY, INTERVAL, COUNT, ENABLE]
    .filter((member) => member === ENABLE || mayHave(member.name))
    .map(({ name }) => optionNamed(name, 'getsockopt'));
  if (options.every(isAsked)) readable = options;
  return options;
}

/** The same where the system does not tell all four. */
function toldBy(options: readonly Option[]): KeepAlive {
  const told = (name: OptionName): unknown => {
    const place = options.findIndex((option) => option.name === name);
    return place < 0 ? null : decodeAt(place * WORDS, options[place] as Option);
  };
  return {
    enable: told(ENABLE.name) as boolean,
    initialDelay: told(INITIAL_DELAY.name) as number | null,
    interval: told(INTERVAL.name) as number | null,
    count: told(COUNT.name) as number | null,
  };
}
