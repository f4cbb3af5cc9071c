// The public face.

export type { Linger, OptionName, OptionValues, SocketOptions } from './catalogue';
export { type Constants, constants } from './constants';
export { SocketOptionError, type SocketOptionErrorDetails } from './error';
export { getKeepAlive, type KeepAlive, type KeepAliveOptions, setKeepAlive } from './keepalive';
export { isSupported, supportedOptions } from './option';
export { getOption, getOptions, setOptions } from './options';
export { getRawOption, setRawOption } from './raw';
export type { SocketLike } from './socket';
export {
  getSysctl,
  getSystemDefaults,
  type SettingScope,
  type SettingSource,
  type SystemDefault,
  type SystemDefaults,
  type SystemSetting,
} from './system';
