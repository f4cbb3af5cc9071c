// The capabilities that this one is made of, which are parts of their own: face.ts hands them over.

import type {
  checkOptions as CheckOptions,
  getOptions as GetOptions,
  isSupported as IsSupported,
  setEach as SetEach,
  setKeepAlive as SetKeepAlive,
  setOptions as SetOptions,
} from '../options/face';
import type { getSystemDefaults as GetSystemDefaults } from '../system/face';
import type { getTcpInfo as GetTcpInfo } from '../tcp-info/face';

interface Uses {
  readonly checkOptions: typeof CheckOptions;
  readonly getOptions: typeof GetOptions;
  readonly setEach: typeof SetEach;
  readonly setKeepAlive: typeof SetKeepAlive;
  readonly setOptions: typeof SetOptions;
  readonly isSupported: typeof IsSupported;
  readonly getSystemDefaults: typeof GetSystemDefaults;
  readonly getTcpInfo: typeof GetTcpInfo;
}

export let checkOptions: Uses['checkOptions'];
export let getOptions: Uses['getOptions'];
export let setEach: Uses['setEach'];
export let setKeepAlive: Uses['setKeepAlive'];
export let setOptions: Uses['setOptions'];
export let isSupported: Uses['isSupported'];
export let getSystemDefaults: Uses['getSystemDefaults'];
export let getTcpInfo: Uses['getTcpInfo'];

export function useCapabilities(given: Uses): void {
  ({ checkOptions, getOptions, setEach, setKeepAlive, setOptions, isSupported } = given);
  ({ getSystemDefaults, getTcpInfo } = given);
}
