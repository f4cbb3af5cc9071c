// A program that uses socket-options. run.mjs compiles it against the packed types.

import { createSocket } from 'node:dgram';
import { createServer, Socket } from 'node:net';
import {
  bind,
  type Connection,
  type ConnectionWatch,
  connect,
  constants,
  type DeadPeerError,
  type DeadPeerPlan,
  explainDisconnect,
  getDeadPeerBounds,
  getKeepAlive,
  getKernelTcpInfo,
  getMptcpInfo,
  getOption,
  getOptions,
  getRawOption,
  getSystemDefaults,
  getTcpInfo,
  isReusable,
  isSupported,
  type KernelTcpInfo,
  listConnections,
  listConnectionsAsync,
  listen,
  type OpeningOptions,
  type OptionName,
  type OptionValues,
  openSocket,
  planDeadPeerTimeout,
  readTcpInfos,
  readTcpInfosAsync,
  type SocketLike,
  SocketOptionError,
  type SocketOptions,
  type SocketTuning,
  setDeadPeerTimeout,
  setKeepAlive,
  setOptions,
  setRawOption,
  supportedOptions,
  type TcpInfo,
  TcpInfoReader,
  type TcpState,
  type Tuning,
  tuneSockets,
  watchClosedConnections,
} from 'socket-options';

/** Compiles only if both types are the same. */
type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>): void => {};

const socket = new Socket();
const sockets: SocketLike[] = [socket, createServer(), createSocket('udp4'), { fd: 3 }, 3];

// Values of options, of every kind.
same<ReturnType<typeof getOption<'noDelay'>>, boolean>(true);
same<OptionValues['userTimeout'], number>(true);
same<OptionValues['congestionControl'], string>(true);
same<OptionValues['incomingCpu'], number | null>(true);
same<OptionValues['type'], 'stream' | 'dgram' | 'raw' | null>(true);
same<keyof OptionValues, OptionName>(true);
export const linger: { enable: boolean; timeout: number } = getOption(socket, 'linger');
export const some: { noDelay: boolean; ttl: number } = getOptions(socket, ['noDelay', 'ttl']);
export const ttl: number | undefined = getOptions(socket).ttl;
export const names: OptionName[] = supportedOptions();
export const isKnown: boolean = isSupported('anything');
const options: SocketOptions = {
  userTimeout: 30_000,
  keepAliveCount: 'system',
  noDelay: undefined,
};
const opening: OpeningOptions = { ...options, mptcp: true, pathMtuDiscovery: 'do' };
setOptions(socket, options);
for (const one of sockets) setOptions(one, { linger: { enable: true, timeout: 0 } });
// @ts-expect-error: no such option
setOptions(socket, { userTimeOut: 1 });
// @ts-expect-error: not a number
setOptions(socket, { userTimeout: '30000' });
// @ts-expect-error: read-only
setOptions(socket, { cookie: '1' });
// @ts-expect-error: chosen when a socket is opened
setOptions(socket, { mptcp: true });
// @ts-expect-error: not one of the names
setOptions(socket, { pathMtuDiscovery: 'never' });
// @ts-expect-error: no such option
getOption(socket, 'keepalive');
// @ts-expect-error: not a socket
getOption('127.0.0.1:80', 'noDelay');

setKeepAlive(socket, { enable: true, initialDelay: 1_000, interval: 'system' });
export const delay: number | null = getKeepAlive(socket).initialDelay;
// @ts-expect-error: the member is initialDelay
setKeepAlive(socket, { idle: 1_000 });
export const raw: number = getRawOption(socket, 6, 4);
export const bytes: Buffer = getRawOption(socket, constants.IPPROTO_TCP, 11, 512);
setRawOption(socket, 6, 4, new Uint8Array(4));

// Before the first packet.
export const client: Socket = connect({ port: 80, socketOptions: opening, connectTimeout: 1_000 });
listen(createServer(), { port: 0, socketOptions: { reusePort: true } });
bind(createSocket('udp4'), { port: 0, socketOptions: { dscp: 46 } });
export const fd: number = openSocket({ type: 'tcp4', socketOptions: { mark: 7 } });
// @ts-expect-error: no such type
openSocket({ type: 'tcp' });

// Dead peers.
export const plan: DeadPeerPlan = setDeadPeerTimeout(socket, 20_000, { zeroWindow: 'fail' });
export const none: null = setDeadPeerTimeout(socket, null);
setOptions(socket, planDeadPeerTimeout(20_000, { platform: 'win32' }).options);
export const worst: number = getDeadPeerBounds(socket).worst;
export const why = (error: Error): string => explainDisconnect(error, socket).peer;
export const silence = (error: DeadPeerError): number | undefined => error.deadPeer?.silence;
export const isTimeout = ({ code }: DeadPeerError): boolean => code === 'ETIMEDOUT';
// @ts-expect-error: a number of milliseconds
setDeadPeerTimeout(socket, '20s');
const tuning: Tuning = { deadPeerTimeout: 20_000, noDelay: true };
const tuned: SocketTuning = tuneSockets({
  client: tuning,
  filter: (one, side) => side === 'client' && one.remotePort === 5432,
  onError: (error, one) => console.error(error.message, one?.remoteAddress),
});
tuned.close();
// @ts-expect-error: no such option
tuneSockets({ client: { deadPeerTimout: 20_000 } });
// @ts-expect-error: not a boolean
tuneSockets({ filter: async () => true });
export const reusable: boolean = isReusable(socket);

// TCP_INFO and connections.
same<TcpInfo['rtt'], number | null>(true);
same<TcpInfo['state'], TcpState | null>(true);
export const rtt: number | null = getTcpInfo(socket).rtt;
export const kernel: KernelTcpInfo = getKernelTcpInfo(socket);
export const retransmits: number = new TcpInfoReader().read(socket).segmentsRetransmitted;
// @ts-expect-error: no such field
new TcpInfoReader().read(socket).latency;
export const column: Float64Array = readTcpInfos([socket], ['rtt']).rtt;
export const columns: Promise<Float64Array> = readTcpInfosAsync([socket]).then((all) => all.rtt);
export const subflows: number | undefined = getMptcpInfo(socket)?.subflows.length;
export const all: Promise<Connection[]> = listConnectionsAsync({ state: 'ESTABLISHED' });
export const peers: string[] = listConnections().map(({ remoteAddress }) => remoteAddress);
const watch: ConnectionWatch = watchClosedConnections();
watch.on('closed', ({ remotePort }) => console.log(remotePort.toFixed())).close();
// @ts-expect-error: no such state
listConnections({ state: 'OPEN' });
export const defaults: number | null = getSystemDefaults().keepAliveCount.value;

export const codeOf = (error: unknown): string | undefined =>
  error instanceof SocketOptionError ? error.code : undefined;
export const applied: readonly string[] = new SocketOptionError('x', { code: 'EPERM' }).applied;

// @ts-expect-error: the addon
export type { Binding } from 'socket-options';
// Not public.
// @ts-expect-error: of the command line
export { internalConnectionSlices } from 'socket-options';
