// Gives a handle of Node a descriptor of this package, whose options are set already, before Node binds or connects it.

import type { Socket } from 'node:net';
import type { OpeningOptions, SocketOptions } from '../catalogue/catalogue';
import { binding } from '../core/addon';
import { builtins } from '../core/builtins';
import { describeErrno, SocketOptionError, socketError } from '../core/errors';
import { SharedMap } from '../core/shared-map';
import { isSupported } from '../options/option';
import { getOption, getOptions, setOptions as setOptionsOf } from '../options/options';
import { openSocket, type SocketType } from './open-socket';

/** The IP version of an address, as Node's events have it. */
export type Family = 4 | 6;

/** A handle of a TCP socket or server. Node has no public name for it. */
export interface EarlyHandle {
  /** -1 before Node binds or connects the handle. */
  readonly fd?: unknown;
  /** Takes the descriptor over: `TCPWrap::Open()` of Node. Returns 0 or a negative code. */
  open?(fd: number): number;
  close?(): void;
}

/** Returns the type of a socket for an address. */
export function typeFor(
  protocol: 'tcp' | 'udp',
  family: Family,
  { mptcp }: { readonly mptcp?: boolean | undefined },
): SocketType {
  return `${mptcp && protocol === 'tcp' ? 'mptcp' : protocol}${family}`;
}

/**
 * Opens a socket, has `setOptions` set its options, and has the handle take it over.
 * @param isAlive Whether the handle is still that of its socket: a function of the program, which `setOptions` may call, can
 *   close it, and libuv aborts the process if a closed handle is opened.
 * @returns the descriptor.
 * @throws what `setOptions` throws, and SocketOptionError if no socket can be opened. The handle has no descriptor then.
 */
export function openHandle(
  handle: EarlyHandle,
  type: SocketType,
  setOptions: (fd: number) => void,
  isAlive: () => boolean,
): number {
  const fd = openSocket({ type });
  let isTaken = false;
  try {
    setOptions(fd);
    const reuse = type.startsWith('udp') ? reuseOf(fd) : {};
    if (!isAlive()) throw socketError('ERR_SOCKET_CLOSED', 'The socket was closed');
    const status = handle.open?.(fd) ?? 0;
    if (status < 0) throw refusedOpen(status);
    isTaken = true;
    setOptionsOf(fd, reuse);
    return fd;
  } finally {
    if (!isTaken) binding().closeSocket(fd);
  }
}

/**
 * Returns the options that uv_udp_open() of libuv changes: it switches SO_REUSEADDR on, and SO_REUSEPORT on macOS and FreeBSD.
 * Then two programs could take the same port without an error.
 */
function reuseOf(fd: number): SocketOptions {
  const names = (['reuseAddress', 'reusePort'] as const).filter((name) => isSupported(name));
  return getOptions(fd, names);
}

function refusedOpen(errno: number): SocketOptionError {
  const [code, text] = describeErrno(errno);
  return new SocketOptionError(`${code}: ${text}, open`, { code, errno, syscall: 'open' });
}

/** What the program has chosen for a socket of connect(), or for a server of listen(). */
const chosen = new SharedMap<object, OpeningOptions>('opening-options');

/** Notes the options that the program has chosen. They count for more than those of tunings. `undefined` forgets them. */
export function noteChosen(owner: object, options: OpeningOptions | undefined): void {
  if (options === undefined) chosen.delete(owner);
  else chosen.set(owner, options);
}

/** Returns the options that the program has chosen. */
export function chosenFor(owner: object): OpeningOptions {
  return chosen.get(owner) ?? {};
}

/**
 * Opens a socket with the options for a handle. If a tuning has opened it already, sets them on that.
 * @throws what `setOptions` throws, and SocketOptionError if no socket can be opened.
 */
export function prepareHandle(
  handle: EarlyHandle,
  family: Family,
  options: OpeningOptions,
  isAlive: () => boolean,
): void {
  const { mptcp, ...others } = options;
  if (!isOpen(handle)) {
    const type = typeFor('tcp', family, options);
    openHandle(handle, type, (fd) => setOptionsOf(fd, others), isAlive);
    return;
  }
  const isOther = mptcp !== undefined && mptcp !== (getOption(handle.fd, 'protocol') === 'mptcp');
  // With mptcp, it is too late: setOptions() says so.
  setOptionsOf(handle.fd, isOther ? options : others);
}

/** Returns the handle of a socket. */
export function handleOf(socket: Socket): EarlyHandle | null | undefined {
  return (socket as unknown as { readonly _handle?: EarlyHandle | null })._handle;
}

/** Whether a socket still has this handle. */
export function holds(socket: Socket, handle: EarlyHandle): boolean {
  return handleOf(socket) === handle;
}

/** Whether the handle has a descriptor. */
export function isOpen<H extends { readonly fd?: unknown }>(
  handle: H,
): handle is H & { readonly fd: number } {
  return typeof handle.fd === 'number' && handle.fd >= 0;
}

type Bind = (this: EarlyHandle, address: string, port: number, flags?: number) => number;

interface Bindable {
  bind: Bind;
  bind6: Bind;
}

/** A flag of libuv's bind(). Without it, libuv switches IPV6_V6ONLY off: for TCP, and on Windows for UDP. */
export const UV_IPV6ONLY = 1;

/** Prepares a handle that is about to be bound or connected. Returns whether it is for IPv6 alone, if that was chosen. */
export type Prepare = (handle: EarlyHandle, family: Family) => boolean | undefined;

/**
 * Has `prepare` called before a handle is bound, for one handle or, with their prototype, for all, until the returned function
 * is called.
 */
export function beforeBind(target: Bindable, prepare: Prepare): () => void {
  const { bind, bind6 } = target;
  const own = Object.getOwnPropertyNames(target);
  target.bind = function (address, port, flags) {
    prepare(this, 4);
    return bind.call(this, address, port, flags);
  };
  target.bind6 = function (address, port, flags = 0) {
    // Node calls this where an exception is lost: the option is not read from the kernel, which could fail.
    const isIpv6Only = prepare(this, 6);
    return bind6.call(this, address, port, isIpv6Only ? flags | UV_IPV6ONLY : flags);
  };
  return () => {
    for (const [name, original] of Object.entries({ bind, bind6 })) {
      if (own.includes(name)) Object.assign(target, { [name]: original });
      else Reflect.deleteProperty(target, name);
    }
  };
}

/** Whether this is a TCP handle of Node. A pipe has no `bind6`. */
export function isTcpHandle(handle: unknown): handle is EarlyHandle & Bindable {
  const { bind6, open } = Object(handle) as Partial<EarlyHandle & Bindable>;
  return typeof bind6 === 'function' && typeof open === 'function';
}

let connect: Socket['connect'] | undefined;

/**
 * Returns Node's own connect(), whatever the program or tuneSockets() has put in its place since the first call: what it connects
 * is no connection of the program. dist/index.js makes the first call, so that the other entry points do not load node:net.
 */
export function keepConnect(): Socket['connect'] {
  connect ??= builtins.net.Socket.prototype.connect;
  return connect;
}

let prototype: Bindable | null | undefined;

/**
 * Returns the prototype of Node's TCP handles, or `null` where the runtime has none. The class has no public name. A socket
 * has a handle as soon as connect() returns, and the descriptor only in the next tick: nothing is opened here.
 */
export function tcpHandlePrototype(): Bindable | null {
  prototype ??= findPrototype();
  return prototype;
}

function findPrototype(): Bindable | null {
  const socket = new builtins.net.Socket();
  socket.on('error', () => {});
  try {
    Reflect.apply(keepConnect(), socket, [{ host: '127.0.0.1', port: 1 }]);
    const { _handle: handle } = socket as unknown as { readonly _handle: unknown };
    return isTcpHandle(handle) ? (Object.getPrototypeOf(handle) as Bindable) : null;
  } catch {
    // The program may not use the network.
    return null;
  } finally {
    socket.destroy();
  }
}

const { bun, deno, node } = process.versions;
const [major = 0, minor = 0] = node.split('.').map(Number);

/** Whether the runtime is this version of Node, or a later one, or says that it is as good. */
export function isSince(wantedMajor: number, wantedMinor: number): boolean {
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

/** Whether a handle can take a descriptor over. Bun and Deno have other handles. */
const HAS_HANDLES = bun === undefined && deno === undefined;
/** Whether the runtime has the event 'connectionAttempt'. */
const REPORTS_ATTEMPTS = HAS_HANDLES && isSince(20, 12);

/** The call before which options are set. For `'connect'`, the runtime must report each attempt. */
export type Opening = 'connect' | 'listen' | 'bind';

/** Whether options can be set before the runtime connects, listens or binds. */
export function canSetBefore(opening: Opening): boolean {
  return opening === 'connect' ? REPORTS_ATTEMPTS : HAS_HANDLES;
}

/** @throws SocketOptionError `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` if options cannot be set before. */
export function requireBefore(opening: Opening): void {
  if (canSetBefore(opening)) return;
  let message: string;
  if (HAS_HANDLES) {
    message = `Node ${node} cannot set options before it connects: Node can, since 20.12. Open a descriptor with openSocket() instead`;
  } else {
    // They do not connect the descriptor of new net.Socket({ fd }) either.
    const name = bun === undefined ? 'Deno' : 'Bun';
    message = `${name} cannot set options before it connects, listens or binds: Node can`;
  }
  throw new SocketOptionError(message, { code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM' });
}
