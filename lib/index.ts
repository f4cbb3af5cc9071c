// The public exports, and three that only files of this package may use (scripts/build.mjs). NODE_DEBUG is heard as soon as the
// package is loaded.

import './core/debug-log';

export type {
  Linger,
  OpeningOptions,
  OptionName,
  OptionValues,
  OriginalDestination,
  PeerCredentials,
  PortRange,
  SocketOptions,
} from './catalogue/catalogue';
/** @internal For the command line, which lists more connections than fit in memory. */
export { connectionSlices as internalConnectionSlices } from './connections/batches';
export type {
  Connection,
  ConnectionFilter,
  ConnectionOwner,
  ConnectionTimer,
} from './connections/connection';
export { destroyConnection } from './connections/destroy';
export { type Diagnosis, diagnoseConnections } from './connections/diagnose';
export { listConnections, listConnectionsAsync } from './connections/list';
export type { ConnectionProblem, ProblemCode, ProblemSeverity } from './connections/problem';
export {
  type ConnectionWatch,
  type ConnectionWatchOptions,
  watchClosedConnections,
} from './connections/watch';
/** @internal For register.ts, which warns if there is no addon. */
export { binding as internalBinding } from './core/addon';
export { type Constants, constants } from './core/constants';
export { SocketOptionError, type SocketOptionErrorDetails } from './core/errors';
export type { SocketLike } from './core/socket';
export { type DeadPeerReport, getDeadPeerBounds } from './dead-peer/bounds';
export { setDeadPeerTimeout } from './dead-peer/dead-peer-timeout';
export { type DisconnectExplanation, explainDisconnect } from './dead-peer/explain';
export type { DeadPeerBounds, DeadPeerPlatform } from './dead-peer/kernel-rules';
export type { PeerFate } from './dead-peer/meanings';
export type {
  DeadPeerOptions,
  DeadPeerPlan,
  PlanOptions,
  PlanPromise,
  ZeroWindow,
} from './dead-peer/plan';
export { planDeadPeerTimeout } from './dead-peer/plan-dead-peer-timeout';
export type { ConnectTimeoutMessage } from './dead-peer/supervision/connect-timeout';
export type {
  DeadPeerDetails,
  DeadPeerError,
  DeadPeerMessage,
} from './dead-peer/supervision/verdict';
export { getMptcpInfo } from './mptcp/get-mptcp-info';
export type { MptcpInfo, MptcpSubflow } from './mptcp/mptcp-info';
export { bind, type DatagramBindOptions } from './open/bind';
export { type ConnectOptions, connect } from './open/connect';
/** @internal For dist/index.js and register.ts. */
export { keepConnect as internalKeepConnect } from './open/early-handle';
export { type ListenerOptions, listen } from './open/listen';
export { type OpenSocketOptions, openSocket, type SocketType } from './open/open-socket';
export { getKeepAlive, type KeepAlive, setKeepAlive } from './options/keepalive';
export type { KeepAliveOptions } from './options/keepalive-options';
export { isSupported, supportedOptions } from './options/option';
export { getOption, getOptions, setOptions } from './options/options';
export { getRawOption, setRawOption } from './options/raw';
export { isReusable } from './reusable/is-reusable';
export {
  getSysctl,
  getSystemDefaults,
  type SettingScope,
  type SettingSource,
  type SystemDefault,
  type SystemDefaults,
  type SystemSetting,
} from './system-defaults/system-defaults';
export { readTcpInfos, type TcpInfoColumns } from './tcp-info/columns';
export type { CongestionControlInfo, KernelTcpInfoDetails } from './tcp-info/details';
export { getKernelTcpInfo, getTcpInfo } from './tcp-info/get-tcp-info';
export { readTcpInfosAsync } from './tcp-info/read-tcp-infos-async';
export { TcpInfoReader } from './tcp-info/reader';
export { type TcpState, tcpStates } from './tcp-info/states';
export type { KernelTcpInfo } from './tcp-info/system';
export type { TcpInfo, TcpInfoField } from './tcp-info/tcp-info';
export type { TuningFailedMessage } from './tune/failures';
export {
  type SocketSide,
  type SocketTuning,
  type TuneSocketsOptions,
  tuneSockets,
} from './tune/tune-sockets';
export type { TunedMessage } from './tune/tuner';
export type { Tuning } from './tune/tuning';
