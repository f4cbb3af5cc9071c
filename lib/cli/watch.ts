// socket-options watch: one connection, and all that the kernel does for it: probes, answers,
// retransmissions, and the end with its reason.

import { once } from 'node:events';
import { connect, isIPv6, type Socket } from 'node:net';
import {
  type DeadPeerReport,
  explainDisconnect,
  getDeadPeerBounds,
  setDeadPeerTimeout,
  TcpInfoReader,
} from '../index';
import { durationOf, numberOf, orTooSmall } from './arguments';
import { UsageError, type Values } from './command';
import { count, duration, latency } from './text';

export const summary = 'one connection: each probe, answer and retransmission, live';

export const help = `Usage: socket-options watch <host:port> [options]

Connects, and tells line by line what the kernel does for the connection: data
and acknowledgements, keepalive probes and their answers, retransmissions, a
closed window, and in the end why it failed. Pull the cable, and see.

  --dead-peer <duration>  set a dead-peer timeout: 10s, 1m; else what the system
                          gives to every socket is what is watched
  --min-probes <n>        probes that have to go unanswered at the least; 3
  --write <duration>      write a newline that often, of which the server may
                          make what it likes
  --json                  one JSON object in each line: { time, event, ... },
                          times in milliseconds

Ctrl-C ends it. An IPv6 address is written [::1]:5432.

Examples:
  socket-options watch 192.0.2.7:5432 --dead-peer 10s
  socket-options watch example.org:80 --write 200ms --json

Exit code 1 if the connection could not be made, or failed.
`;

export const options = {
  'dead-peer': { type: 'string' },
  'min-probes': { type: 'string' },
  write: { type: 'string' },
  json: { type: 'boolean' },
} as const;

export const operands = ['host:port'] as const;

/** How often the kernel is asked: a probe and its answer are milliseconds apart on a near path. */
const LOOK = 20;

interface Told {
  readonly event: string;
  /** For people. */
  readonly text: string;
  readonly [more: string]: unknown;
}

export async function run(
  given: Values<typeof options>,
  [target = '']: readonly string[],
): Promise<void> {
  const { host, port } = targetOf(target);
  const deadPeer = given['dead-peer'];
  const timeout = deadPeer === undefined ? undefined : durationOf('--dead-peer', deadPeer);
  const probes = given['min-probes'];
  if (probes !== undefined && timeout === undefined) {
    throw new UsageError('--min-probes is for --dead-peer');
  }
  const minProbes = probes === undefined ? undefined : numberOf('--min-probes', probes, 1, 127);
  const every = given.write === undefined ? undefined : durationOf('--write', given.write);

  const socket = connect(port, host);
  // A socket that fails says so below.
  await once(socket, 'connect');
  const start = performance.now();
  const tell = (told: Told) => {
    const time = performance.now() - start;
    const { text, ...rest } = told;
    const line = given.json
      ? JSON.stringify({ time: Math.round(time), ...rest })
      : `${(time / 1_000).toFixed(3).padStart(9)} s  ${text}`;
    process.stdout.write(`${line}\n`);
  };
  const closed = closing(socket);
  try {
    begin(socket, tell, timeout, minProbes);
  } catch (error) {
    socket.destroy();
    throw error;
  }
  const writing = every === undefined ? undefined : setInterval(() => socket.write('\n'), every);
  const watched = follow(socket, tell);
  const interrupted = once(process, 'SIGINT').then(() => 'interrupted' as const);
  const end = await Promise.race([closed, interrupted]);
  clearInterval(writing);
  watched.stop();
  const failed = end !== 'interrupted' && end !== undefined;
  tell(lastWords(end, watched.silent(), timeout));
  socket.destroy();
  process.exitCode = failed ? 1 : 0;
  // The listener for SIGINT would keep the process.
  process.removeAllListeners('SIGINT');
}

function targetOf(target: string): { host: string; port: number } {
  const [, bracketed, plain, digits] = /^(?:\[(.+)\]|([^:]+)):(\d+)$/.exec(target) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || (bracketed !== undefined && !isIPv6(bracketed))) {
    throw new UsageError(`'${target}' is not host:port, as 192.0.2.7:5432 or [::1]:5432`);
  }
  if (port < 1 || port > 65_535) {
    throw new UsageError(`'${target}': a port is a number from 1 to 65535`);
  }
  return { host, port };
}

/** The error that closes the socket, or `undefined` for the peer's own end. */
function closing(socket: Socket): Promise<Error | undefined> {
  return new Promise((resolve) => {
    socket.once('error', resolve);
    socket.once('close', () => resolve(undefined));
  });
}

function begin(
  socket: Socket,
  tell: (told: Told) => void,
  timeout: number | undefined,
  minProbes: number | undefined,
): void {
  const local = `${socket.localAddress}:${socket.localPort}`;
  const remote = `${socket.remoteAddress}:${socket.remotePort}`;
  const { rtt } = new TcpInfoReader().read(socket);
  tell({
    event: 'connected',
    text: `connected: ${local} to ${remote}, round-trip time ${latency(rtt)}`,
    ...{ local, remote, rtt },
  });
  if (timeout !== undefined) {
    orTooSmall(() => setDeadPeerTimeout(socket, timeout, { minProbes }));
  }
  const bounds = getDeadPeerBounds(socket);
  tell({ event: 'bounds', text: boundsText(bounds, timeout), timeout, ...json(bounds) });
  for (const warning of bounds.warnings) tell({ event: 'warning', text: `! ${warning}`, warning });
}

const bound = (milliseconds: number) =>
  Number.isFinite(milliseconds)
    ? `after ${duration(Math.round(milliseconds / 100) * 100)}`
    : 'never';

function boundsText({ idle, busy, worst }: DeadPeerReport, timeout: number | undefined): string {
  const promised = timeout === undefined ? '' : ` (promised: ${duration(timeout)})`;
  return `if the peer vanishes, this fails: idle ${bound(idle)}, with data in flight ${bound(busy)}, at the worst ${bound(worst)}${promised}`;
}

/** JSON has no Infinity. */
function json({ idle, busy, worst }: DeadPeerReport): Record<string, number | null> {
  const finite = (value: number) => (Number.isFinite(value) ? value : null);
  return { idle: finite(idle), busy: finite(busy), worst: finite(worst) };
}

/** What is compared from one look to the next. */
interface Look {
  readonly state: string | null;
  readonly probes: number;
  readonly retransmitted: number;
  readonly inARow: number;
  readonly unacked: number;
  readonly unsent: number;
  readonly sent: number;
  readonly received: number;
  readonly segmentsSent: number;
  readonly segmentsReceived: number;
  readonly window: number;
  readonly sinceAck: number;
}

function look(reader: TcpInfoReader): Look {
  return {
    state: reader.state,
    probes: reader.probes,
    retransmitted: reader.segmentsRetransmitted,
    inARow: reader.consecutiveTimeouts,
    unacked: reader.unackedSegments,
    unsent: reader.unsentBytes,
    sent: reader.bytesSent,
    received: reader.bytesReceived,
    segmentsSent: reader.segmentsSent,
    segmentsReceived: reader.segmentsReceived,
    window: reader.sendWindow,
    sinceAck: reader.timeSinceLastAckReceived,
  };
}

interface Watched {
  stop(): void;
  /** For how long the peer had been silent at the end, in ms. */
  silent(): number;
}

function follow(socket: Socket, tell: (told: Told) => void): Watched {
  const reader = new TcpInfoReader();
  socket.resume();
  let before = look(reader.read(socket));
  let lastAnswer = performance.now() - (before.sinceAck || 0);
  const timer = setInterval(() => {
    // It may have been closed by now, of which its end will tell.
    if (socket.destroyed) return;
    let now: Look;
    try {
      now = look(reader.read(socket));
    } catch {
      return;
    }
    if (now.state === 'CLOSED') return;
    if (!Number.isNaN(now.sinceAck)) lastAnswer = performance.now() - now.sinceAck;
    for (const told of changes(before, now)) tell(told);
    before = now;
  }, LOOK);
  return { stop: () => clearInterval(timer), silent: () => performance.now() - lastAnswer };
}

const seconds = (milliseconds: number) => `${(milliseconds / 1_000).toFixed(1)} s`;

/** What has happened between two looks, in the words of the kernel's counters. */
function changes(before: Look, now: Look): Told[] {
  const told: Told[] = [];
  const say = (event: string, text: string, more: object = {}) =>
    told.push({ event, text, ...more });
  const silence = { silent: now.sinceAck };
  const waiting = now.unacked > 0 || now.unsent > 0;

  if (now.sent > before.sent && now.retransmitted === before.retransmitted) {
    const bytes = now.sent - before.sent;
    say('sent', `${count(bytes, 'byte')} sent`, { bytes });
  }
  if (now.received > before.received) {
    const bytes = now.received - before.received;
    say('received', `${count(bytes, 'byte')} received`, { bytes });
  }
  if (now.retransmitted > before.retransmitted) {
    const kind = now.inARow === 0 ? 'tail loss probe' : `retransmission ${now.inARow}`;
    const text = `${kind}: ${count(now.unacked, 'segment')} unacknowledged, the peer is silent for ${seconds(now.sinceAck)}`;
    say('retransmission', text, { inARow: now.inARow, unacked: now.unacked, ...silence });
  }
  if (now.probes > before.probes) {
    const kind = waiting ? 'window probe' : 'keepalive probe';
    const text = `${kind} ${now.probes} is out, the peer is silent for ${seconds(now.sinceAck)}`;
    say('probe', text, { kind, probes: now.probes, answered: false, ...silence });
  } else if (now.probes < before.probes) {
    say('answer', `answer: the peer lives, after ${count(before.probes, 'probe')}`);
  } else if (!waiting && isAnsweredProbe(before, now)) {
    say('probe', 'keepalive probe, answered at once', { kind: 'keepalive probe', answered: true });
  }
  if (before.inARow > 0 && now.inARow === 0) say('answer', 'answer: the peer acknowledges again');
  if (now.window === 0 && before.window > 0) {
    say('window closed', 'the peer’s window is closed: it lives, and does not read');
  } else if (now.window > 0 && before.window === 0) {
    say('window open', 'the peer’s window is open again');
  }
  if (now.state !== before.state)
    say('state', `${before.state} to ${now.state}`, { state: now.state });
  return told;
}

/** A segment out and one in, and no data in either. */
function isAnsweredProbe(before: Look, now: Look): boolean {
  return (
    now.segmentsSent === before.segmentsSent + 1 &&
    now.segmentsReceived === before.segmentsReceived + 1 &&
    now.sent === before.sent &&
    now.received === before.received &&
    now.state === 'ESTABLISHED' &&
    before.unacked === 0
  );
}

function lastWords(
  end: Error | 'interrupted' | undefined,
  silent: number,
  timeout: number | undefined,
): Told {
  if (end === 'interrupted') return { event: 'interrupted', text: 'ended by Ctrl-C' };
  if (end === undefined) return { event: 'closed', text: 'the peer closed the connection' };
  const { peer, code, message } = explainDisconnect(end);
  const promise =
    timeout === undefined
      ? ''
      : ` (promised: ${duration(timeout)}, ${silent <= timeout + 250 ? 'kept' : 'NOT kept'})`;
  const text = `${code}: ${message} The peer was silent for ${seconds(silent)}${promise}`;
  return { event: 'failed', text, ...{ code, peer, message, silent: Math.round(silent), timeout } };
}
