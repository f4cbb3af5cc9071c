// Reads the system's settings for sockets from the running kernel: sysctls, and the registry of Windows.

import type { Platform } from '../catalogue/catalogue';
import { binding } from '../core/addon';
import { constants } from '../core/constants';
import { describeErrno } from '../core/errors';
import { isGvisor } from '../core/gvisor';
import { bytes, defaultOf } from '../core/record-buffer';
import { validateString, valueError } from '../core/validate';
import { type Setting, type SettingColumn, type SettingRow, settings } from './settings';

/** The source of a value: the running kernel, the Windows registry, an option of a new socket, or a constant of the system. */
export type SettingSource = 'sysctl' | 'registry' | 'new socket' | 'builtin';

/** What a setting applies to: the network namespace of this process, or the whole machine. */
export type SettingScope = 'network namespace' | 'machine';

/** A setting as the system itself has it: the result of {@link getSysctl}. */
export interface SystemSetting {
  /** The system's name of the setting: `'net.ipv4.tcp_keepalive_time'`. */
  readonly name: string;
  /** The text that sysctl(8) prints, in the kernel's unit; `null` if it cannot be read. */
  readonly value: string | null;
  /** Where the value comes from: `'sysctl'`, or `'registry'` on Windows. */
  readonly source: SettingSource;
  /** What the setting applies to. */
  readonly scope: SettingScope;
  /** Why `value` is `null`, in English; `null` if there is a value. */
  readonly reason: string | null;
}

/** A system default with a common unit: times are in milliseconds. */
export interface SystemDefault {
  /**
   * The default, in `unit`: milliseconds or a count. `null` if the system has no such setting or it cannot be read;
   * never a guess.
   */
  readonly value: number | null;
  /** The unit of `value`: milliseconds or a count. */
  readonly unit: 'ms' | 'count';
  /** Where the value comes from. */
  readonly source: SettingSource;
  /**
   * The system's own name: of a sysctl, a registry value, an option, or a constant in the kernel's source. `null`: the
   * system has no such setting.
   */
  readonly name: string | null;
  /** What the setting applies to. */
  readonly scope: SettingScope;
  /** Why `value` is `null`, in English; `null` if there is a value. */
  readonly reason: string | null;
}

/** The system's defaults of keepalive and retransmission: the result of {@link getSystemDefaults}. */
export type SystemDefaults = {
  readonly [Name in keyof typeof settings]: SystemDefault;
};

const platform = process.platform as Platform;
const source: SettingSource = platform === 'win32' ? 'registry' : 'sysctl';
const scope: SettingScope = platform === 'linux' ? 'network namespace' : 'machine';

/**
 * Words of letters, digits, `_` and `-`, separated by dots or slashes. As in sysctl(8), the first of these signs is the
 * separator, and the other one stands for the dot in the name of an interface: `net.ipv4.conf.eth0/100.forwarding`,
 * `net/ipv4/conf/eth0.100/forwarding`.
 */
const SYSCTL_NAME = /^[a-z0-9_-]+(?:[./][a-z0-9_-]+)*$/i;
const LONGEST_NAME = 255;

/** Returns the text of a setting, or a negative libuv code. */
function readText(name: string): string | number {
  // Linux has sysctls as files: in a name with dots as separators, dots become slashes and slashes become dots.
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
 * Reads one setting of the system by the system's own name.
 * @example
 * ```ts
 * getSysctl('net.ipv4.tcp_retries2').value; // '15'
 * ```
 * @param name The name of a sysctl, with dots or slashes; on Windows of a value of the registry key
 *   `Services\\Tcpip\\Parameters`. At most 255 characters.
 * @returns The kernel's text, in the kernel's unit; the value `null` and the reason if the setting is missing or cannot
 *   be read.
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` for a value that is no name of a setting.
 * @systems Linux: a sysctl of this process's network namespace. macOS, FreeBSD: a sysctl. Windows: the registry.
 * @see sysctl(8), Documentation/networking/ip-sysctl.rst of Linux
 */
export function getSysctl(name: string): SystemSetting {
  validateString(name, 'name', 'the name of a setting');
  if (!SYSCTL_NAME.test(name) || name.length > LONGEST_NAME) {
    throw valueError(
      'name',
      'must be words separated by dots, such as net.ipv4.tcp_retries2',
      name,
    );
  }
  const text = readText(name);
  // Only the settings below net belong to a network namespace.
  const where = /^net[./]/.test(name) ? scope : 'machine';
  return typeof text === 'string'
    ? { name, value: text, source, scope: where, reason: null }
    : { name, value: null, source, scope: where, reason: reasonFor(text) };
}

/**
 * Reads the system's defaults of keepalive and retransmission.
 *
 * A new socket has these values. They also decide how long an unacknowledged write hangs.
 * @example
 * ```ts
 * const { keepAliveInitialDelay } = getSystemDefaults();
 * console.log(keepAliveInitialDelay.value, keepAliveInitialDelay.name); // 7200000 net.ipv4.tcp_keepalive_time
 * ```
 * @returns Each default with its source: times in milliseconds, `null` and the reason for a value that cannot be read.
 * @throws Error `ERR_ADDON_NOT_FOUND`, or the code of the failed attempt, if the addon could not be loaded.
 * @systems Linux: sysctls of this process's network namespace. macOS, FreeBSD: sysctls. Windows: the registry, whose
 *   values are normally absent, and otherwise the built-in values. gVisor: a new socket, because its sysctls are made
 *   up.
 * @see sysctl(8), Documentation/networking/ip-sysctl.rst of Linux
 */
export function getSystemDefaults(): SystemDefaults {
  const defaults: Record<string, SystemDefault> = {};
  const column = isGvisor() ? 'gvisor' : platform;
  // If this setting cannot be read, other missing settings may exist as well: their built-in value would be a guess.
  const readable =
    platform !== 'linux' || typeof readText(settings.retransmissions.linux.name) === 'string';
  for (const [key, row] of Object.entries<SettingRow>(settings)) {
    defaults[key] = resolveDefault(row, column, readable);
  }
  return defaults as SystemDefaults;
}

const PER_MILLISECOND = { s: 0.001, ms: 1, us: 1000 } as const;

function resolveDefault(row: SettingRow, column: SettingColumn, readable: boolean): SystemDefault {
  // The unit comes from any system of the row, because this system may not have the setting.
  const unit = Object.values(row).some((setting) => setting?.unit !== undefined) ? 'ms' : 'count';
  const setting = row[column] as Setting | null | undefined;
  if (setting === null || setting === undefined) {
    const reason = `${column === 'gvisor' ? 'gVisor' : column} has no such setting`;
    return { value: null, unit, source: 'builtin', name: null, scope, reason };
  }
  const { name, fixed, ofNewSocket, builtin } = setting;
  const inMilliseconds = (value: number) =>
    setting.unit === undefined ? value : value / PER_MILLISECOND[setting.unit];
  if (fixed) {
    const value = inMilliseconds(builtin as number);
    return { value, unit, source: 'builtin', name, scope: 'machine', reason: null };
  }
  if (ofNewSocket) {
    const { status, value } = defaultOf(constants.IPPROTO_TCP, constants[name] as number);
    const outcome =
      status < 0
        ? { value: null, reason: reasonFor(status) }
        : { value: inMilliseconds(value), reason: null };
    return { ...outcome, unit, source: 'new socket', name, scope: 'machine' };
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
