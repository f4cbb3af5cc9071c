// What people mean by the state of a TCP connection, as types. The fields are the rows of fields.ts.

import type { fields } from './fields';
import type { TcpState } from './states';

/**
 * What a kernel knows of a TCP connection: the same names and units on every system, times in
 * milliseconds, sizes in bytes, segments only where the name says so. `null` where this system or
 * this kernel does not report a field, and where it has no value yet: never 0 for "unknown".
 *
 * Where a field comes from: Linux `struct tcp_info` of `TCP_INFO` (the version is the kernel that
 * began to report it, where that is newer than 4.9), macOS `struct tcp_connection_info` of
 * `TCP_CONNECTION_INFO`, Windows `TCP_INFO_v0`, `_v1`, `_v2` of `SIO_TCP_INFO`, FreeBSD
 * `struct tcp_info` of `TCP_INFO`.
 *
 * A listening socket has `state`, `acceptQueue` and `acceptQueueLimit`; all else is `null`.
 */
export type TcpInfo = {
  readonly [Name in keyof typeof fields]: Name extends 'state' ? TcpState | null : number | null;
};

/** The name of a field of `TcpInfo`. */
export type TcpInfoField = keyof TcpInfo;

/** The fields as numbers: NaN where `TcpInfo` has null, since a null would cost an allocation. */
export type TcpInfoNumbers = {
  readonly [Field in keyof TcpInfo as Exclude<Field, 'state'>]: number;
};
