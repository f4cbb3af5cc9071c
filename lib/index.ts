// The public face.

import { type Constants, lazily } from './constants';

export type { Linger, OptionName, OptionValues, SocketOptions } from './catalogue';
export type {
  Connection,
  ConnectionFilter,
  ConnectionOwner,
  ConnectionTimer,
} from './connections/connection';
export {
  destroyConnection,
  listConnections,
  listConnectionsAsync,
  watchClosedConnections,
} from './connections/face';
export type { ConnectionWatch, ConnectionWatchOptions } from './connections/watch';
export type { DeadPeerReport } from './dead-peer/bounds';
export type { DisconnectExplanation } from './dead-peer/explain';
export {
  explainDisconnect,
  getDeadPeerBounds,
  planDeadPeerTimeout,
  setDeadPeerTimeout,
  tuneSockets,
} from './dead-peer/face';
export type { PeerFate } from './dead-peer/meanings';
export type { DeadPeerOptions, DeadPeerPlan, PlanOptions, ZeroWindow } from './dead-peer/plan';
export type { DeadPeerBounds, DeadPeerPlatform } from './dead-peer/rules';
export type { SocketSide, SocketTuning, TuneSocketsOptions, Tuning } from './dead-peer/tune';
export { SocketOptionError, type SocketOptionErrorDetails } from './error';
export {
  getKeepAlive,
  getOption,
  getOptions,
  getRawOption,
  isSupported,
  setKeepAlive,
  setOptions,
  setRawOption,
  supportedOptions,
} from './options/face';
export type { KeepAlive, KeepAliveOptions } from './options/keepalive';
export type { SocketLike } from './socket';
export { getSysctl, getSystemDefaults } from './system/face';
export type {
  SettingScope,
  SettingSource,
  SystemDefault,
  SystemDefaults,
  SystemSetting,
} from './system/read';
export type { TcpInfoColumns } from './tcp-info/columns';
export type { CongestionControlInfo, KernelTcpInfoDetails } from './tcp-info/details';
export {
  getKernelTcpInfo,
  getTcpInfo,
  readTcpInfos,
  readTcpInfosAsync,
  TcpInfoReader,
} from './tcp-info/face';
export type { KernelTcpInfo } from './tcp-info/system';
export { type TcpInfo, type TcpInfoField, type TcpState, tcpStates } from './tcp-info/tcp-info';

/**
 * The constants of this system's headers under their own names: options (`TCP_KEEPIDLE`), levels
 * (`SOL_SOCKET`, `IPPROTO_TCP`) and values (`AF_INET6`, `IP_PMTUDISC_DO`). Names that are newer
 * than the headers this package was built with are there too; a name that this system does not
 * have is `undefined`. Frozen.
 */
export declare const constants: Constants;
export type { Constants };

// A getter, in the form that TypeScript gives to what is re-exported, by which Node finds the name for
// an import: making the constants would be a tenth of loading the package.
Object.defineProperty(exports, 'constants', {
  enumerable: true,
  // biome-ignore lint/complexity/useArrowFunction: Node looks for this form and no other.
  get: function () {
    return lazily.constants;
  },
});
