// What face.ts hands its calls to, the catalogue included; a bundle of its own.

export { type Platform, type Row, rows } from '../catalogue';
export { useKit } from '../given';
export { getKeepAlive, setKeepAlive } from './keepalive';
export { useSystemDefaults } from './keepalive-values';
export { isSupported, supportedOptions } from './option';
export { checkOptions, getOption, getOptions, setEach, setOptions } from './options';
export { getRawOption, setRawOption } from './raw';
