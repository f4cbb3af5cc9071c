// What the compiler must accept and refuse. Checked by tsc (npm run check), never run.

import type { Http2Session } from 'node:http2';
import type { Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { expectTypeOf } from 'vitest';
import {
  type DeathReason,
  Heartbeat,
  type HeartbeatLateness,
  HeartbeatTimeoutError,
  type Peer,
  type PeerCounts,
  type PeerDeath,
  type PeerIdentity,
  PeerRegistry,
  PeerSupersededError,
} from '../../dist/heartbeat.js';
import {
  type Connection,
  constants,
  type DeadPeerPlan,
  destroyConnection,
  diagnoseConnections,
  explainDisconnect,
  getDeadPeerBounds,
  getKeepAlive,
  getMptcpInfo,
  getOption,
  getOptions,
  getRawOption,
  getSystemDefaults,
  isReusable,
  isSupported,
  type Linger,
  listConnections,
  listConnectionsAsync,
  type MptcpInfo,
  type OpeningOptions,
  type OptionName,
  type OriginalDestination,
  type PeerCredentials,
  type PortRange,
  planDeadPeerTimeout,
  setDeadPeerTimeout,
  setKeepAlive,
  setOptions,
  setRawOption,
  supportedOptions,
  type TcpInfo,
  type TcpState,
  tuneSockets,
  watchClosedConnections,
} from '../../dist/index.js';

declare const socket: Socket;
declare const server: Server;
declare const session: Http2Session;

// Every kind of value.
expectTypeOf(getOption(socket, 'noDelay')).toEqualTypeOf<boolean>();
expectTypeOf(getOption(socket, 'userTimeout')).toEqualTypeOf<number>();
expectTypeOf(getOption(server, 'congestionControl')).toEqualTypeOf<string>();
expectTypeOf(getOption(session, 'cookie')).toEqualTypeOf<string>();
expectTypeOf(getOption(3, 'linger')).toEqualTypeOf<Linger>();
expectTypeOf(getOption({ fd: 3 }, 'type')).toEqualTypeOf<'stream' | 'dgram' | 'raw' | null>();
expectTypeOf(getOption(socket, 'incomingCpu')).toEqualTypeOf<number | null>();
expectTypeOf(getOption(socket, 'localPortRange')).toEqualTypeOf<PortRange | null>();
expectTypeOf(getOption(socket, 'peerCredentials')).toEqualTypeOf<PeerCredentials | null>();
expectTypeOf(getOption(socket, 'originalDestination')).toEqualTypeOf<OriginalDestination | null>();
expectTypeOf(getOption(socket, 'mptcp')).toEqualTypeOf<boolean>();
expectTypeOf(getOption(socket, 'keepAliveCount')).toEqualTypeOf<number>();

// Named options are there; without names each may be missing.
expectTypeOf(getOptions(socket, ['noDelay', 'ttl'])).toEqualTypeOf<{
  noDelay: boolean;
  ttl: number;
}>();
expectTypeOf(getOptions(socket).ttl).toEqualTypeOf<number | undefined>();
expectTypeOf(supportedOptions()).toEqualTypeOf<OptionName[]>();
expectTypeOf(isSupported('any string')).toEqualTypeOf<boolean>();
expectTypeOf(isSupported()).toEqualTypeOf<boolean>();
expectTypeOf(getMptcpInfo(socket)).toEqualTypeOf<MptcpInfo | null>();
expectTypeOf<MptcpInfo['subflows'][number]['isLocalBackup']>().toEqualTypeOf<boolean | null>();
expectTypeOf(isReusable(session)).toEqualTypeOf<boolean>();
// @ts-expect-error: the socket is required
isReusable();
setOptions(socket, planDeadPeerTimeout(20_000).options);

expectTypeOf(getOption(socket, 'dscp')).toEqualTypeOf<number>();
declare const bound: { fd(): number; close(): void };
setOptions(bound, { dscp: 46 });
setOptions(socket, {
  userTimeout: 30_000,
  keepAliveCount: 'system',
  linger: { enable: true, timeout: 0 },
  pathMtuDiscovery: 'do',
  maxPacingRate: Number.POSITIVE_INFINITY,
  localPortRange: { low: 40_000, high: 40_099 },
  rtoMin: 'system',
  noDelay: undefined,
});
setOptions(socket, { localPortRange: 'system' });
// @ts-expect-error: chosen when a socket is opened
setOptions(socket, { mptcp: true });
expectTypeOf<OpeningOptions>().toHaveProperty('mptcp');
// @ts-expect-error: both ends
setOptions(socket, { localPortRange: { low: 40_000 } });
// @ts-expect-error: read-only
setOptions(socket, { originalDestination: null });
// @ts-expect-error: read-only
setOptions(socket, { cookie: '1' });
// @ts-expect-error: no such option
setOptions(socket, { userTimeOut: 1 });
// @ts-expect-error: a string from an environment variable
setOptions(socket, { userTimeout: '30000' });
// @ts-expect-error: has no system default to go back to
setOptions(socket, { userTimeout: 'system' });
// @ts-expect-error: not one of the names
setOptions(socket, { pathMtuDiscovery: 'never' });
// @ts-expect-error: no such option
getOption(socket, 'keepalive');
// @ts-expect-error: not a socket
getOption('127.0.0.1:80', 'noDelay');

setKeepAlive(socket, true);
setKeepAlive(socket, 'system');
setKeepAlive(socket, { enable: true, initialDelay: 1_000, interval: 'system', count: undefined });
// @ts-expect-error: Node's name is initialDelay
setKeepAlive(socket, { idle: 1_000 });
// @ts-expect-error: a delay alone is what Node's own takes second
setKeepAlive(socket, 1_000);
expectTypeOf(getKeepAlive(socket).enable).toEqualTypeOf<boolean>();
expectTypeOf(getKeepAlive(socket).interval).toEqualTypeOf<number | null>();

expectTypeOf(getRawOption(socket, 6, 4)).toEqualTypeOf<number>();
expectTypeOf(getRawOption(socket, 6, 11, 512)).toEqualTypeOf<Buffer>();
setRawOption(socket, 6, 4, new Uint8Array(4));
// @ts-expect-error: bytes or a number
setRawOption(socket, 6, 4, '4');
expectTypeOf(constants.IPPROTO_TCP).toEqualTypeOf<number>();
expectTypeOf(constants.TCP_KEEPIDLE).toEqualTypeOf<number | undefined>();
// @ts-expect-error: constants are not to be changed
constants.TCP_KEEPIDLE = 5;

expectTypeOf(getSystemDefaults().keepAliveCount.value).toEqualTypeOf<number | null>();
// @ts-expect-error: no such default
getSystemDefaults().userTimeout;

expectTypeOf(listConnections({ state: ['LISTEN'], port: 80 })).toEqualTypeOf<Connection[]>();
expectTypeOf(diagnoseConnections({ port: 80 })[0]?.numbers.silence).toEqualTypeOf<
  number | undefined
>();
expectTypeOf(listConnectionsAsync()).toEqualTypeOf<Promise<Connection[]>>();
expectTypeOf(listConnections()[0]?.cookie).toEqualTypeOf<string | null | undefined>();
// @ts-expect-error: no such state
listConnections({ state: 'established' });
// @ts-expect-error: no such condition
listConnections({ address: '::1' });
destroyConnection({} as Connection);
// @ts-expect-error: not the socket, but what the list says of it
destroyConnection(socket);
watchClosedConnections({ limit: 5, filter: { remotePort: 5432 } })
  .on('closed', (connection) => expectTypeOf(connection).toEqualTypeOf<Connection>())
  .on('error', (error) => expectTypeOf(error).toEqualTypeOf<Error>())
  .unref()
  .close();
// @ts-expect-error: all of them are closed
watchClosedConnections({ filter: { state: 'CLOSED' } });

expectTypeOf(setDeadPeerTimeout(socket, 20_000)).toEqualTypeOf<DeadPeerPlan>();
expectTypeOf(setDeadPeerTimeout(socket, null)).toEqualTypeOf<null>();
setDeadPeerTimeout(server, 20_000, { minProbes: 1, zeroWindow: 'tolerate' });
// @ts-expect-error: milliseconds
setDeadPeerTimeout(socket, '20s');
// @ts-expect-error: fail or tolerate
setDeadPeerTimeout(socket, 20_000, { zeroWindow: 'kill' });
planDeadPeerTimeout(20_000, { platform: 'gvisor', lossRate: 0.01 }).bounds.worst.toFixed();
expectTypeOf(getDeadPeerBounds(socket).warnings).toEqualTypeOf<readonly string[]>();
tuneSockets({
  client: { deadPeerTimeout: 20_000, noDelay: true },
  filter: (one, side) => side === 'server' || one.remotePort !== 80,
}).close();
// @ts-expect-error: no such option
tuneSockets({ client: { noDelai: true } });
// @ts-expect-error: the filter decides at once
tuneSockets({ filter: async () => true });
expectTypeOf(explainDisconnect(new Error('x')).tcpInfo).toEqualTypeOf<TcpInfo | null>();

declare const stream: Duplex;
declare const secure: TLSSocket;
const heartbeat = new Heartbeat(socket, { interval: 10_000, timeout: 25_000, send: 'PING' });
new Heartbeat(secure, { interval: 10_000, timeout: null, send: Buffer.from('PING') });
new Heartbeat(stream, {
  ...{ interval: 10_000, timeout: undefined, signal: AbortSignal.timeout(1) },
  send: (to) => expectTypeOf(to).toEqualTypeOf<Duplex>(),
  isAlive: (chunk) => chunk.readUInt8(0) === 9,
  onDead: (death, dead) => {
    expectTypeOf(death).toEqualTypeOf<PeerDeath>();
    expectTypeOf(dead).toEqualTypeOf<Duplex>();
  },
});
new Heartbeat(stream, { interval: 10_000, isAlive: false }).beat();
new Heartbeat(stream, { interval: 10_000, isAlive: false }).recordActivity();
// @ts-expect-error: how often is for the caller to say
new Heartbeat(socket, { timeout: 25_000 });
// @ts-expect-error: milliseconds
new Heartbeat(socket, { interval: '10s' });
// @ts-expect-error: a function or false
new Heartbeat(socket, { interval: 10_000, isAlive: true });
// @ts-expect-error: at once, and no promise
new Heartbeat(socket, { interval: 10_000, isAlive: async () => true });
new Heartbeat(socket, { interval: 10_000, send: async (to) => void to.write('PING') });
// @ts-expect-error: no such option
new Heartbeat(socket, { interval: 10_000, ping: 'PING' });
// @ts-expect-error: a server is no stream
new Heartbeat(server, { interval: 10_000 });
// @ts-expect-error: not the stream, but its descriptor
new Heartbeat(3, { interval: 10_000 });
heartbeat
  .on('activity', ({ rtt }) => expectTypeOf(rtt).toEqualTypeOf<number | null>())
  .on('beat', ({ rtt }) => expectTypeOf(rtt).toEqualTypeOf<number | null>())
  .on('late', (lateness) => expectTypeOf(lateness).toEqualTypeOf<HeartbeatLateness>())
  .once('dead', (death) => expectTypeOf(death).toEqualTypeOf<PeerDeath>())
  .once('error', (error) => expectTypeOf(error).toEqualTypeOf<Error>())
  .ref()
  .unref()
  .close();
// @ts-expect-error: no such event
heartbeat.on('alive', () => {});
// @ts-expect-error: says it of itself
heartbeat.rtt = 5;
expectTypeOf(heartbeat.socket).toEqualTypeOf<Socket>();
expectTypeOf(heartbeat.timeout).toEqualTypeOf<number | null>();
expectTypeOf(heartbeat).toExtend<Disposable>();
expectTypeOf<PeerDeath['reason']>().toEqualTypeOf<DeathReason>();
expectTypeOf<PeerDeath['state']>().toEqualTypeOf<TcpState | null>();
expectTypeOf<PeerDeath['bytesInFlight']>().toEqualTypeOf<number | null>();
expectTypeOf<HeartbeatTimeoutError['code']>().toEqualTypeOf<string>();
expectTypeOf<HeartbeatTimeoutError['death']>().toEqualTypeOf<PeerDeath>();
expectTypeOf(HeartbeatTimeoutError).toExtend<new (death: PeerDeath) => Error>();

const registry = new PeerRegistry();
expectTypeOf(registry.claim('a', socket)).toEqualTypeOf<boolean>();
expectTypeOf(registry.claim('a', secure)).toEqualTypeOf<boolean>();
registry.claim('a', socket, {
  onSuperseded: (newer) => expectTypeOf(newer).toEqualTypeOf<Socket>(),
});
expectTypeOf(registry.get('a')).toEqualTypeOf<Socket[]>();
expectTypeOf(registry.identityOf(socket)).toEqualTypeOf<string | undefined>();
expectTypeOf(registry.counts()).toEqualTypeOf<PeerCounts>();
expectTypeOf(registry.countsAsync()).toEqualTypeOf<Promise<PeerCounts>>();
expectTypeOf([...registry]).toEqualTypeOf<Peer[]>();
registry
  .on('superseded', (older, newer) => expectTypeOf([older, newer]).toEqualTypeOf<Peer[]>())
  .on('refused', (identity, refused) => {
    expectTypeOf(identity).toEqualTypeOf<string>();
    expectTypeOf(refused).toEqualTypeOf<Socket>();
  })
  .on('released', (peer) => expectTypeOf(peer).toEqualTypeOf<Peer>());
// @ts-expect-error: identities are strings unless it is said that they are not
registry.claim(5, socket);
// @ts-expect-error: sockets, unless it is said that they are not
registry.claim('a', stream);
const streams = new PeerRegistry<number, Duplex>({ policy: 'refuse', limit: 2 });
expectTypeOf(streams.get(5)).toEqualTypeOf<Duplex[]>();
new PeerRegistry<number>({
  policy: ({ identity, older, newer }) => {
    expectTypeOf(identity).toEqualTypeOf<number>();
    expectTypeOf(older).toEqualTypeOf<Peer<number>>();
    expectTypeOf(newer).toEqualTypeOf<Socket>();
    return 'supersede';
  },
});
// @ts-expect-error: not one of the policies
new PeerRegistry({ policy: 'replace' });
// @ts-expect-error: one of two answers
new PeerRegistry({ policy: () => true });
// @ts-expect-error: at once, and no promise
new PeerRegistry({ policy: async () => 'refuse' });
expectTypeOf<PeerIdentity>().toEqualTypeOf<string | number | bigint>();
// @ts-expect-error: an object is another one than its equal
export type ByObject = PeerRegistry<{ id: string }>;
expectTypeOf<PeerSupersededError['code']>().toEqualTypeOf<'ERR_PEER_SUPERSEDED'>();
expectTypeOf(PeerSupersededError).toExtend<new () => Error>();
