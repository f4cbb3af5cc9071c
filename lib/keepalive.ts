// Keepalive in one call, in the shape that Node's own socket.setKeepAlive() has.

import type { OptionName } from './catalogue';
import type { Option } from './codec';
import { typeError } from './error';
import { encode, isSupported, optionNamed, writableOption } from './option';
import { after, decodeAt, read, write } from './record';
import type { SocketLike } from './socket';

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

/**
 * What {@link setKeepAlive} takes; `undefined` is left alone, and `'system'` puts the system's
 * default back.
 */
export interface KeepAliveOptions {
  /** Probe a silent peer (`SO_KEEPALIVE`); written last. */
  enable?: boolean | undefined;
  /**
   * Time without any segment from the peer until the first probe, in milliseconds, rounded up to
   * whole seconds. Linux: `TCP_KEEPIDLE`, 1 ms to 32 767 s.
   */
  initialDelay?: number | 'system' | undefined;
  /**
   * Time between two probes, in milliseconds, rounded up to whole seconds. Linux: `TCP_KEEPINTVL`,
   * 1 ms to 32 767 s.
   */
  interval?: number | 'system' | undefined;
  /** Unanswered probes after which the connection fails. Linux: `TCP_KEEPCNT`, 1 to 127. */
  count?: number | 'system' | undefined;
}

/** The members, in the order in which they are written: the switch last. */
const MEMBERS = [
  ['initialDelay', 'keepAliveInitialDelay'],
  ['interval', 'keepAliveInterval'],
  ['count', 'keepAliveCount'],
  ['enable', 'keepAlive'],
] as const satisfies readonly (readonly [keyof KeepAliveOptions, OptionName])[];

const AS_NEW: KeepAliveOptions = {
  enable: false,
  initialDelay: 'system',
  interval: 'system',
  count: 'system',
};

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
 * While sent data is unacknowledged Linux sends no probes: see the option `userTimeout`.
 * @throws TypeError, RangeError for a wrong value; nothing was set then.
 * @throws SocketOptionError for a refused call (`applied` names what had been set before it), for
 *   a socket that is not TCP (`ENOPROTOOPT`, `ENOTSUP`), and for one that is not open.
 */
export function setKeepAlive(
  socket: SocketLike,
  options: KeepAliveOptions | boolean | 'system',
): void {
  const values = valuesOf(options);
  const wanted: Option[] = [];
  const encoded: (number | Uint8Array)[] = [];
  for (const [member, name] of MEMBERS) {
    const value = values[member];
    if (value === undefined) continue;
    const option = writableOption(name);
    encoded.push(encode(value, option, `options.${member}`));
    wanted.push(option);
  }
  write(socket, wanted, encoded);
}

function valuesOf(options: KeepAliveOptions | boolean | 'system'): KeepAliveOptions {
  if (typeof options === 'boolean') return { enable: options };
  if (options === 'system') return AS_NEW;
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw typeError(
      'options',
      "an object { enable, initialDelay, interval, count }, a boolean, or 'system'",
      options,
    );
  }
  return options;
}

/** The members that this system tells, with their options. Found once, at the first read. */
let readable: { members: (keyof KeepAlive)[]; options: Option[] } | undefined;

function findReadable(): { members: (keyof KeepAlive)[]; options: Option[] } {
  const there = MEMBERS.filter(([, name]) => isSupported(name));
  return {
    members: there.map(([member]) => member),
    options: there.map(([, name]) => optionNamed(name, 'getsockopt')),
  };
}

/**
 * Reads keepalive from the kernel, in one native call: whoever set it, and what a socket has that
 * nobody tuned. Works on listening servers too.
 * @throws SocketOptionError for a socket that is not TCP (`ENOPROTOOPT`, `ENOTSUP`) or not open.
 */
export function getKeepAlive(socket: SocketLike): KeepAlive {
  readable ??= findReadable();
  const { members, options } = readable;
  read(socket, options);
  const keepAlive = { enable: false, initialDelay: null, interval: null, count: null };
  const values: Partial<Record<keyof KeepAlive, unknown>> = keepAlive;
  let at = 0;
  for (let i = 0; i < options.length; i++) {
    const option = options[i] as Option;
    values[members[i] as keyof KeepAlive] = decodeAt(at, option);
    at = after(at, option);
  }
  return keepAlive;
}
