// The form of the catalogue: what a row says, and how one system spells an option.
// Pure data, no imports: the catalogue loads on any system, with or without the addon.

/** The systems that have a column, by the names of `process.platform`. */
export type Platform = 'linux' | 'darwin' | 'win32' | 'freebsd';

/** The unit in which a kernel takes a duration. */
export type KernelUnit = 's' | 'ms' | 'us';

/** How one system spells an option. Numbers are in the kernel's own unit. */
export interface PlatformOption {
  /** The name in the system's headers. */
  readonly name: string;
  /** Of `dscp`: the name of the option of IPv6 that belongs to `name`. */
  readonly ipv6?: string;
  /** Of a duration: the kernel's unit. */
  readonly unit?: KernelUnit;
  /** The range that this kernel takes as it is; outside of it, it refuses, wraps or cuts. */
  readonly min?: number;
  readonly max?: number;
  /** `'read'` where this system cannot set what others can. */
  readonly access?: 'read';
  /** What this kernel takes for "back to the system's default", where it has such a value. */
  readonly system?: number;
  /** What this kernel answers for "none", where it has such a value. */
  readonly none?: number;
  /** 0 is written as what a new socket has, because no number for "off" is documented. */
  readonly offAsNew?: true;
  /** What versions of the system have that do not know `name`. */
  readonly older?: PlatformOption;
  /** Of `struct linger`: its members are two ints, or two unsigned shorts. */
  readonly layout?: 'int' | 'short';
}

interface RowOf<Kind extends string, Example> extends Record<Platform, PlatformOption | null> {
  /** How a value becomes bytes and back: lib/options/codec.ts has one entry for each kind. */
  readonly kind: Kind;
  /** A value a program might set: the derived tests write it. */
  readonly example: Example;
  /** `'read'`: no system can set it. */
  readonly access?: 'read';
  /** `true`: the setter takes `'system'` too, and puts the system's default back. */
  readonly system?: true;
  /** `true`: reading gives `null` where the kernel answers "none", or a value without a name. */
  readonly nullable?: true;
  /** What a socket must not have done yet for the setter to be accepted. */
  readonly before?: 'bind' | 'connect';
  /** What it takes to set it, in the words of the system that asks. */
  readonly privilege?: string;
  /** What a refusal means, by its code, where the code's own text would mislead. */
  readonly refusals?: Readonly<Record<string, string>>;
  /** `true`: a SOL_SOCKET option that only TCP acts on, and every other socket accepts in vain. */
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
  | RowOf<'linger', { readonly enable: boolean; readonly timeout: number }>
  | (RowOf<'enum', string> & { readonly values: Readonly<Record<string, string>> });

export type Rows = Readonly<Record<string, Row>>;

/** Largest value of the C int that most options are. */
const INT_MAX = 2_147_483_647;

export function flag(name: string): PlatformOption {
  return { name };
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
