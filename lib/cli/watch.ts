// socket-options watch: connects, and prints what the kernel does for the connection: probes, answers,
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
import { checkedBy, durationOf, probesOf, TIMEOUT_RANGE } from './arguments';
import { messageOf, UsageError, type Values } from './command';
import { count, duration, json, latency, paragraph, printable } from './text';

export const summary = 'connect, and print each probe, answer and retransmission, live';

export const help = `Usage: socket-options watch <host:port> [options]

Connects, and prints a line for everything that the kernel does for the
connection: data and acknowledgements, keepalive probes and their answers,
retransmissions, a closed window, and the end with its reason. Pull the cable to
see how long the connection takes to fail.

  --dead-peer <duration>  set a dead-peer timeout first: 10s, 1m, at most 24d
                          (default: the socket stays as the system makes it)
  --min-probes <n>        how many probes must be unanswered at least: 1 to 127
                          (default: 3; needs --dead-peer)
  --write <duration>      send a newline again and again, this far apart: 100ms
                          to 24h. The server may answer it or close the
                          connection
  --json                  print one JSON object { time, event, ... } in each
                          line, times in milliseconds

Ctrl-C ends it. An IPv6 address is written in brackets: [::1]:5432.

Examples:
  socket-options watch 192.0.2.7:5432 --dead-peer 10s
  socket-options watch example.org:80 --write 200ms --json

Exit codes: 0 ended by the peer or by Ctrl-C, 1 the connection could not be made
or failed, 2 wrong arguments.
`;

export const options = {
  'dead-peer': { type: 'string' },
  'min-probes': { type: 'string' },
  write: { type: 'string' },
  json: { type: 'boolean' },
} as const;

export const operands = ['host:port'] as const;

/** How often the kernel is asked, in ms: on a short path an answer follows its probe in milliseconds. */
const LOOK = 20;

/** How long a pipe that nobody reads may keep a program that was told to end, in ms. */
const PATIENCE = 1_000;

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
  const timeout =
    deadPeer === undefined ? undefined : durationOf('--dead-peer', deadPeer, ...TIMEOUT_RANGE);
  const probes = given['min-probes'];
  if (probes !== undefined && timeout === undefined) {
    throw new UsageError('--min-probes needs --dead-peer');
  }
  const minProbes = probes === undefined ? undefined : probesOf(probes);
  const every =
    given.write === undefined ? undefined : durationOf('--write', given.write, '100ms', '24h');

  const socket = connect(port, host);
  await once(socket, 'connect').catch((error) => {
    throw new Error(`cannot connect to ${target}: ${messageOf(error)}`);
  });
  const start = performance.now();
  const tell = (told: Told) => {
    const time = performance.now() - start;
    const { text, ...rest } = told;
    process.stdout.write(
      given.json
        ? `${json({ time: Math.round(time), ...rest })}\n`
        : line(`${(time / 1_000).toFixed(3).padStart(9)} s  `, text),
    );
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
  const unread = once(process.stdout, 'error').then(() => 'unread' as const);
  const end = await Promise.race([closed, interrupted, unread]);
  clearInterval(writing);
  watched.stop();
  socket.destroy();
  if (end !== 'unread') tell(lastWords(end, watched.silent(), timeout));
  process.exitCode = end instanceof Error ? 1 : 0;
  // The listener for SIGINT would keep the process, and so would a pipe that nobody reads.
  process.removeAllListeners('SIGINT');
  if (end === 'interrupted') setTimeout(() => process.exit(), PATIENCE).unref();
}

/** A line for people; on a terminal, broken at spaces into lines that begin below the text. */
function line(time: string, text: string): string {
  const { columns } = process.stdout;
  const shown = printable(text);
  if (!columns) return `${time}${shown}\n`;
  const indent = ' '.repeat(Math.min(time.length, Math.floor(columns / 3)));
  return `${time}${paragraph(shown, columns - time.length).replaceAll('\n', `\n${indent}`)}\n`;
}

function targetOf(target: string): { host: string; port: number } {
  const [, bracketed, plain, digits] = /^(?:\[(.+)\]|([^:]+)):(\d+)$/.exec(target) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  const isHost = bracketed === undefined ? /^[^\p{C}\p{Z}]+$/u.test(host ?? '') : isIPv6(bracketed);
  if (host === undefined || !isHost) {
    throw new UsageError(`'${target}' is not <host:port>, such as 192.0.2.7:5432 or [::1]:5432`);
  }
  if (port < 1 || port > 65_535) {
    throw new UsageError(`the port of '${target}' is not a number from 1 to 65535`);
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
    checkedBy(() => setDeadPeerTimeout(socket, timeout, { minProbes }));
  }
  const bounds = getDeadPeerBounds(socket);
  tell({ event: 'bounds', text: boundsText(bounds, timeout), timeout, ...finite(bounds) });
  for (const warning of bounds.warnings) tell({ event: 'warning', text: `! ${warning}`, warning });
}

const bound = (milliseconds: number) =>
  Number.isFinite(milliseconds)
    ? `after ${duration(Math.round(milliseconds / 100) * 100)}`
    : 'never';

function boundsText({ idle, busy, worst }: DeadPeerReport, timeout: number | undefined): string {
  const promised = timeout === undefined ? '' : ` (promised: ${duration(timeout)})`;
  return `if the peer vanishes, the connection fails: idle ${bound(idle)}, with data in flight ${bound(busy)}, in the worst case ${bound(worst)}${promised}`;
}

/** JSON has no Infinity. */
function finite({ idle, busy, worst }: DeadPeerReport): Record<string, number | null> {
  const known = (value: number) => (Number.isFinite(value) ? value : null);
  return { idle: known(idle), busy: known(busy), worst: known(worst) };
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
    // The end of the connection has a line of its own. While nobody reads, there is nothing to add.
    if (socket.destroyed || process.stdout.writableNeedDrain) return;
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

/** What happened between two looks, by the kernel's counters. */
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
    const text = `${kind}: ${count(now.unacked, 'segment')} unacknowledged, the peer has been silent for ${seconds(now.sinceAck)}`;
    say('retransmission', text, { inARow: now.inARow, unacked: now.unacked, ...silence });
  }
  if (now.probes > before.probes) {
    const kind = waiting ? 'window probe' : 'keepalive probe';
    const text = `${kind} ${now.probes} is unanswered, the peer has been silent for ${seconds(now.sinceAck)}`;
    say('probe', text, { kind, probes: now.probes, answered: false, ...silence });
  } else if (now.probes < before.probes) {
    say('answer', `answer after ${count(before.probes, 'probe')}: the peer is alive`);
  } else if (!waiting && isAnsweredProbe(before, now)) {
    say('probe', 'keepalive probe, answered at once', { kind: 'keepalive probe', answered: true });
  }
  if (before.inARow > 0 && now.inARow === 0) say('answer', 'answer: the peer acknowledges again');
  if (now.window === 0 && before.window > 0) {
    say(
      'window closed',
      "the peer's window is closed: its system answers, its program does not read",
    );
  } else if (now.window > 0 && before.window === 0) {
    say('window open', "the peer's window is open again");
  }
  if (now.state !== before.state)
    say('state', `the state changes from ${before.state} to ${now.state}`, { state: now.state });
  return told;
}

/** One segment was sent and one received, both without data. */
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
  const what = code === null ? end.message : `${code}: ${message}`;
  const promise =
    timeout === undefined
      ? ''
      : ` (promised: ${duration(timeout)}, ${silent <= timeout + 250 ? 'kept' : 'NOT kept'})`;
  const text = `${what} The peer was silent for ${seconds(silent)}${promise}`;
  return { event: 'failed', text, ...{ code, peer, message, silent: Math.round(silent), timeout } };
}
