// The options of keepalive.

/** Their names in the catalogue. */
export const KEEP_ALIVE = [
  'keepAlive',
  'keepAliveInitialDelay',
  'keepAliveInterval',
  'keepAliveCount',
] as const;
export type KeepAliveName = (typeof KEEP_ALIVE)[number];

/** Returns the names of the keepalive options that an object has. */
export function keepAliveNames(
  options: { readonly [Name in KeepAliveName]?: unknown } | undefined,
): KeepAliveName[] {
  return KEEP_ALIVE.filter((name) => options?.[name] !== undefined);
}

/**
 * The keepalive values that {@link setKeepAlive} sets. A member that is `undefined` keeps its value; `'system'`
 * restores the system's default.
 */
export interface KeepAliveOptions {
  /** Whether the kernel probes a silent peer: `SO_KEEPALIVE`. It is set last. */
  enable?: boolean | undefined;
  /**
   * Time without any segment from the peer until the first probe, in milliseconds, rounded up to whole seconds:
   * `TCP_KEEPIDLE` (macOS: `TCP_KEEPALIVE`). Linux: 1 ms to 32 767 s; other systems: up to 4 294 967 s. Windows: whole
   * milliseconds, with `SIO_KEEPALIVE_VALS` if they are not whole seconds; reading returns seconds.
   */
  initialDelay?: number | 'system' | undefined;
  /**
   * Time between two probes, in milliseconds, rounded up to whole seconds: `TCP_KEEPINTVL`. Linux: 1 ms to 32 767 s;
   * other systems: up to 4 294 967 s. Windows: as `initialDelay`.
   */
  interval?: number | 'system' | undefined;
  /**
   * Number of unanswered probes after which the connection fails: `TCP_KEEPCNT`. Linux: 1 to 127; Windows: 1 to 255;
   * macOS and FreeBSD: 1 or more.
   */
  count?: number | 'system' | undefined;
}
