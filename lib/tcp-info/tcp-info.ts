// Types of TcpInfo. The fields are the rows of fields.ts.

import type { fields } from './fields';
import type { TcpState } from './states';

/**
 * The kernel's figures of a TCP connection, with the same names and units on every system. Times are in
 * milliseconds, sizes in bytes; a field in segments has "segments" in its name. A field is `null` if this system or
 * this kernel does not report it, or if it has no value yet. 0 never means "unknown".
 *
 * Sources of the fields: Linux `struct tcp_info` of `TCP_INFO` (the version is the kernel that
 * began to report it, if newer than 4.9), macOS `struct tcp_connection_info` of
 * `TCP_CONNECTION_INFO`, Windows `TCP_INFO_v0`, `_v1`, `_v2` of `SIO_TCP_INFO`, FreeBSD
 * `struct tcp_info` of `TCP_INFO`.
 *
 * A listening socket has `state`, `acceptQueue` and `acceptQueueLimit`; all other fields are `null`.
 */
export type TcpInfo = {
  readonly [Name in keyof typeof fields]: Name extends 'state' ? TcpState | null : number | null;
};

/** The name of a field of `TcpInfo`. */
export type TcpInfoField = keyof TcpInfo;

/** The fields as numbers. NaN where `TcpInfo` has null, because null would need an allocation. */
export type TcpInfoNumbers = {
  readonly [Field in keyof TcpInfo as Exclude<Field, 'state'>]: number;
};
