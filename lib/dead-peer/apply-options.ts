// Sets the options of a plan on a socket, and restores the values of a new socket.

import type { OptionName, SocketOptions } from '../catalogue/catalogue';
import type { Platform } from '../catalogue/row';
import type { SocketLike } from '../core/socket';
import { setKeepAlive } from '../options/keepalive';
import { KEEP_ALIVE } from '../options/keepalive-options';
import { isSupported } from '../options/option';
import { getOptions, setOptions, validateSocketOptions } from '../options/options';
import { keepAliveSuffices } from './kernel-rules';

/** The options that a plan may set. */
export const PLAN_OPTIONS: readonly OptionName[] = [
  ...KEEP_ALIVE,
  'userTimeout',
  'retransmissionTimeoutMax',
];

const isWindows = process.platform === 'win32';
const isLinux = process.platform === 'linux';
/** Whether plans for this system set the user timeout, so that `null` must reset it. */
const isUserTimeoutOurs = !keepAliveSuffices(process.platform as Platform);

/** Sets the options. On Windows setKeepAlive() sets keepalive, because old versions have no options for it. */
export function applyOptions(socket: SocketLike, options: SocketOptions): void {
  if (!isWindows) {
    setOptions(socket, options);
    return;
  }
  const { keepAlive, keepAliveInitialDelay, keepAliveInterval, keepAliveCount, ...others } =
    options;
  // First, before anything is set.
  validateSocketOptions(others);
  setKeepAlive(socket, {
    enable: keepAlive,
    initialDelay: keepAliveInitialDelay,
    interval: keepAliveInterval,
    count: keepAliveCount,
  });
  setOptions(socket, others);
}

/**
 * Sets the options on a connection that may have them already. When the initial delay is set again in a silence, Linux probes
 * at once. Programs may call at each request, and that many unanswered probes within one round trip would end a living peer.
 * So only what differs is set, with keepalive switched off meanwhile.
 * @see tcp_sock_set_keepidle_locked() in net/ipv4/tcp.c
 */
export function changeOptions(socket: SocketLike, options: SocketOptions): void {
  if (!isLinux) {
    applyOptions(socket, options);
    return;
  }
  const held = getOptions(socket, Object.keys(options) as OptionName[]);
  const changes: SocketOptions = Object.fromEntries(
    Object.entries(options).filter(([name, value]) => held[name as OptionName] !== value),
  );
  if (changes.keepAliveInitialDelay === undefined || !held.keepAlive) {
    setOptions(socket, changes);
    return;
  }
  setOptions(socket, { keepAlive: false });
  try {
    setOptions(socket, { ...changes, keepAlive: true });
  } catch (error) {
    // The kernel has refused one of the changes.
    setOptions(socket, { keepAlive: true });
    throw error;
  }
}

/** Returns the keepalive options among the options of a plan. */
export function keepAliveOf(options: SocketOptions): SocketOptions {
  const { keepAlive, keepAliveInitialDelay, keepAliveInterval, keepAliveCount } = options;
  return { keepAlive, keepAliveInitialDelay, keepAliveInterval, keepAliveCount };
}

/** Has the kernel of Linux probe at once, if the initial delay is over: net/ipv4/tcp.c, tcp_sock_set_keepidle_locked(). */
export function probeNow(socket: SocketLike, { keepAliveInitialDelay }: SocketOptions): void {
  setOptions(socket, { keepAliveInitialDelay });
}

/** Returns the values of a new socket. */
export function initialOptions(isMptcp: boolean): SocketOptions {
  const hasMore = !isMptcp;
  return {
    keepAliveInitialDelay: 'system',
    keepAliveInterval: 'system',
    keepAliveCount: 'system',
    keepAlive: false,
    ...(hasMore && isUserTimeoutOurs && isSupported('userTimeout') ? { userTimeout: 0 } : {}),
    ...(hasMore && isSupported('retransmissionTimeoutMax')
      ? { retransmissionTimeoutMax: 'system' }
      : {}),
  };
}
