// The shape of the catalogue's rows. It imports nothing, so that the catalogue loads on any system, also without the
// addon.

/** The systems with a column in the catalogue, by their names in `process.platform`. */
export type Platform = 'linux' | 'darwin' | 'win32' | 'freebsd';

/** The unit in which a kernel takes a duration. */
export type KernelUnit = 's' | 'ms' | 'us';

/**
 * The state of a socket that is no longer new. `'bound'`: it has a local port, and none of the others is true. A UDP socket
 * with a peer is `'bound'` too: it keeps what a bound one can do.
 */
export type SocketState = 'bound' | 'listening' | 'connecting' | 'connected';

/** An option as one system has it. Numbers are in the kernel's own unit. */
export interface PlatformOption {
  /** The name in the system's headers. */
  readonly name: string;
  /** The name of the IPv6 option that belongs to `name`, if one row is both. */
  readonly ipv6?: string;
  /** For a duration: the kernel's unit. */
  readonly unit?: KernelUnit;
  /** The range of values that this kernel keeps. It refuses, wraps or truncates others. */
  readonly min?: number;
  readonly max?: number;
  /** `'read'` if this system cannot set the option and other systems can. */
  readonly access?: 'read';
  /** The value that this kernel takes for "restore the system's default", if it has one. */
  readonly system?: number;
  /** The value that this kernel returns for "none", if it has one. */
  readonly none?: number;
  /** 0 is written as the value of a new socket, because no number for "off" is documented. */
  readonly offAsNew?: true;
  /** The states in which it is too late here, if they are others than those of the row. */
  readonly tooLate?: readonly SocketState[];
  /** The option that takes the place of `name` on older versions of the system. */
  readonly older?: PlatformOption;
  /** For `linger`: whether the members of `struct linger` are two ints or two unsigned shorts. */
  readonly layout?: 'int' | 'short';
}

interface RowOf<Kind extends string, Example> extends Record<Platform, PlatformOption | null> {
  /** How a value is converted to bytes and back: lib/options/codec.ts has one entry for each kind. */
  readonly kind: Kind;
  /** A value that a program could set. The derived tests set it. */
  readonly example: Example;
  /** `'read'` if no system can set the option; `'open'` if it is chosen when a socket is opened. */
  readonly access?: 'read' | 'open';
  /** `true`: the setter also takes `'system'`, which restores the system's default. */
  readonly system?: true;
  /** `true`: the getter returns `null` if the kernel returns "none" or a value without a name. */
  readonly nullable?: true;
  /** The call before which the option must be set. */
  readonly before?: 'bind' | 'listen' | 'connect';
  /** The states in which the kernel refuses the option, or accepts it without an effect on this socket: measured on Linux. */
  readonly tooLate?: readonly SocketState[];
  /** The side of a connection on which it has an effect, if it has none on the other. */
  readonly side?: 'client' | 'server';
  /** `true`: it acts at any time, and on the SYN only if it is set before connecting or listening. */
  readonly firstPacket?: true;
  /** The privilege that setting it needs, by the system's name. */
  readonly privilege?: string;
  /** What a refusal means, by its code, if the text of the code would mislead. */
  readonly refusals?: Readonly<Record<string, string>>;
  /** `true`: a kernel module has the option. It may be loaded later, so the kernel is asked again while it is missing. */
  readonly inModule?: true;
  /** `true`: a SOL_SOCKET option that every socket accepts and only TCP uses. */
  readonly tcpOnly?: true;
}

export type Row =
  | RowOf<'boolean', boolean>
  | (RowOf<'integer', number> & { readonly measure: 'bytes' | 'count' | 'number' })
  | RowOf<'duration', number>
  | RowOf<'rate', number>
  | RowOf<'dscp', number>
  | RowOf<'string', string>
  | RowOf<'cookie', string>
  | RowOf<'portRange', { readonly low: number; readonly high: number }>
  | RowOf<'credentials', { readonly pid: number; readonly uid: number; readonly gid: number }>
  | RowOf<'address', { readonly address: string; readonly port: number; readonly family: string }>
  | RowOf<'linger', { readonly enable: boolean; readonly timeout: number }>
  | (RowOf<'enum', string> & { readonly values: Readonly<Record<string, string>> });

export type Rows = Readonly<Record<string, Row>>;

/** Largest value of the C int that most options are. */
const INT_MAX = 2_147_483_647;

export function flag(name: string, more?: Partial<PlatformOption>): PlatformOption {
  return { name, ...more };
}

export function number(
  name: string,
  min = 0,
  max = INT_MAX,
  more?: Partial<PlatformOption>,
): PlatformOption {
  return { name, min, max, ...more };
}

export function duration(
  name: string,
  unit: KernelUnit,
  min = 0,
  max = INT_MAX,
  more?: Partial<PlatformOption>,
): PlatformOption {
  return { name, unit, min, max, ...more };
}
