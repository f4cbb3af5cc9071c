// The settings of the whole system that sockets start from, as the running kernel has them.

import type { Platform } from '../catalogue/catalogue';
import { binding } from '../core/addon';
import { describeErrno } from '../core/errors';
import { bytes } from '../core/record-buffer';
import { validateString, valueError } from '../core/validate';
import { type Row, type Setting, settings } from './settings';

/** Where a value comes from: the running kernel, the Windows registry, or fixed in the system. */
export type SettingSource = 'sysctl' | 'registry' | 'builtin';

/** For whom a setting holds. */
export type SettingScope = 'network namespace' | 'machine';

/** A setting under the system's own name, in the system's own words. */
export interface SystemSetting {
  /** The system's name of it: `'net.ipv4.tcp_keepalive_time'`. */
  readonly name: string;
  /** Its text, as sysctl(8) prints it, in the kernel's unit; `null` where there is none to read. */
  readonly value: string | null;
  readonly source: SettingSource;
  readonly scope: SettingScope;
  /** Why `value` is `null`. */
  readonly reason: string | null;
}

/** A default, normalised: times in milliseconds. */
export interface SystemDefault {
  /** `null` where the system has no such setting or does not show it; never a guess. */
  readonly value: number | null;
  readonly unit: 'ms' | 'count';
  readonly source: SettingSource;
  /** The system's own name: a sysctl, a registry value, or a constant of the kernel's source. */
  readonly name: string | null;
  readonly scope: SettingScope;
  /** Why `value` is `null`. */
  readonly reason: string | null;
}

/** The system's defaults of keepalive and retransmission. */
export type SystemDefaults = {
  readonly [Name in keyof typeof settings]: SystemDefault;
};

const platform = process.platform as Platform;
const source: SettingSource = platform === 'win32' ? 'registry' : 'sysctl';
const scope: SettingScope = platform === 'linux' ? 'network namespace' : 'machine';

/**
 * Words of letters, digits, `_` and `-`, between dots or slashes; as for sysctl(8) the first of them is
 * the separator, and the other stands for a dot in an interface's name:
 * `net.ipv4.conf.eth0/100.forwarding`, `net/ipv4/conf/eth0.100/forwarding`.
 */
const SYSCTL_NAME = /^[a-z0-9_-]+(?:[./][a-z0-9_-]+)*$/i;
const LONGEST_NAME = 255;

/** The text of a setting, or the negative libuv code of why there is none. */
function readText(name: string): string | number {
  // Linux has sysctls as files: where dots separate, they are slashes there, and slashes dots.
  const dotted = platform === 'linux' && /[./]/.exec(name)?.[0] === '.';
  const path = dotted ? name.replace(/[./]/g, (sign) => (sign === '.' ? '/' : '.')) : name;
  const scratch = Buffer.from(bytes.buffer, bytes.byteOffset);
  const length = scratch.write(path, 'latin1');
  const read = binding().readSetting(length);
  return read < 0 ? read : scratch.toString('latin1', 0, read).trimEnd();
}

function reasonFor(errno: number): string {
  const [code, text] = describeErrno(errno);
  return `${code}: ${text}`;
}

/**
 * Reads one kernel-wide setting by the system's own name: `getSysctl('net.ipv4.tcp_retries2')`;
 * on Windows a value of the registry key `Services\\Tcpip\\Parameters`.
 *
 * The text is the kernel's, in the kernel's unit. On Linux it is what this process's network
 * namespace has. A setting that is missing or not to be read has the value `null`, with the reason.
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` for what is no such name.
 */
export function getSysctl(name: string): SystemSetting {
  validateString(name, 'name', 'the name of a setting');
  if (!SYSCTL_NAME.test(name) || name.length > LONGEST_NAME) {
    throw valueError('name', 'must be words between dots, as net.ipv4.tcp_retries2', name);
  }
  const text = readText(name);
  // Only what is below net belongs to a network namespace.
  const where = /^net[./]/.test(name) ? scope : 'machine';
  return typeof text === 'string'
    ? { name, value: text, source, scope: where, reason: null }
    : { name, value: null, source, scope: where, reason: reasonFor(text) };
}

/**
 * Reads the system's defaults of keepalive and retransmission: what every socket has that nobody
 * tuned, and what decides how long an unacknowledged write hangs.
 *
 * Linux: sysctls of this process's network namespace. macOS: sysctls. Windows: the registry, whose
 * values are normally absent, and then those built in. Times in milliseconds.
 */
export function getSystemDefaults(): SystemDefaults {
  const defaults: Record<string, SystemDefault> = {};
  // Where not even this one can be read, nothing can be said of those that are missing.
  const readable =
    platform !== 'linux' || typeof readText(settings.retransmissions.linux.name) === 'string';
  for (const [key, row] of Object.entries<Row>(settings)) {
    defaults[key] = defaultOf(row, readable);
  }
  return defaults as SystemDefaults;
}

const PER_MILLISECOND = { s: 0.001, ms: 1, us: 1000 } as const;

function defaultOf(row: Row, readable: boolean): SystemDefault {
  // Any row tells the unit, that of a system without the setting too.
  const unit = Object.values(row).some((setting) => setting?.unit !== undefined) ? 'ms' : 'count';
  const setting = row[platform] as Setting | null | undefined;
  if (setting === null || setting === undefined) {
    const reason = `${platform} has no such setting`;
    return { value: null, unit, source: 'builtin', name: null, scope, reason };
  }
  const { name, fixed, builtin } = setting;
  const inMilliseconds = (value: number) =>
    setting.unit === undefined ? value : value / PER_MILLISECOND[setting.unit];
  if (fixed) {
    const value = inMilliseconds(builtin as number);
    return { value, unit, source: 'builtin', name, scope: 'machine', reason: null };
  }
  const text = readText(name);
  if (typeof text === 'string' && /^-?\d+$/.test(text)) {
    return { value: inMilliseconds(Number(text)), unit, source, name, scope, reason: null };
  }
  if (typeof text === 'number' && isMissing(text) && builtin !== undefined && readable) {
    const value = inMilliseconds(builtin);
    return { value, unit, source: 'builtin', name, scope: 'machine', reason: null };
  }
  const reason = typeof text === 'number' ? reasonFor(text) : `not a number: ${text}`;
  return { value: null, unit, source, name, scope, reason };
}

function isMissing(errno: number): boolean {
  return describeErrno(errno)[0] === 'ENOENT';
}
