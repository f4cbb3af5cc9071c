// A program that uses socket-options/heartbeat. run.mjs compiles it against the packed types.

import { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { TcpState } from 'socket-options';
import {
  type DeathReason,
  Heartbeat,
  type HeartbeatOptions,
  HeartbeatTimeoutError,
  type Peer,
  type PeerDeath,
  PeerRegistry,
  PeerSupersededError,
} from 'socket-options/heartbeat';

const socket = new Socket();
const options: HeartbeatOptions<Socket> = {
  interval: 1_000,
  send: 'ping',
  isAlive: (chunk) => chunk.length > 0,
};
const heartbeat = new Heartbeat(socket, { ...options, signal: new AbortController().signal });
heartbeat
  .on('beat', ({ rtt }) => rtt?.toFixed())
  .on('late', ({ silence }) => silence.toFixed())
  .on('dead', (death) => tell(death));
export const own: Socket = heartbeat.socket;
export const other: Duplex = new Heartbeat(new Duplex(), { interval: 1_000 }).socket;
export function tell(death: PeerDeath): DeathReason {
  const state: TcpState | null = death.state;
  return state === null ? 'unknown' : death.reason;
}
// @ts-expect-error: the interval is required
new Heartbeat(socket, { send: 'ping' });
// @ts-expect-error: not a stream
new Heartbeat(3, { interval: 1_000 });
// @ts-expect-error: no such method
heartbeat.ping();

const registry = new PeerRegistry<number>({
  policy: ({ older }) => (older.since > 0 ? 'refuse' : 'supersede'),
});
export const isNew: boolean = registry.claim(1, socket);
export const first: Socket | undefined = registry.get(1)[0];
export const all: Peer<number>[] = [...registry];
registry.on('superseded', (older, newer) => older.since - newer.since);
export const isSuperseded = (error: unknown): boolean => error instanceof PeerSupersededError;
export const isTimeout = (error: unknown): boolean => error instanceof HeartbeatTimeoutError;
// @ts-expect-error: the identity is a number
registry.claim('1', socket);
