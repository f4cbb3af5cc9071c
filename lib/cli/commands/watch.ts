// socket-options watch: connects, and prints what the kernel does for the connection: probes, answers,
// retransmissions, and the end with its reason.

import { once } from 'node:events';
import { connect, isIPv6, type Socket } from 'node:net';
import {
  type DeadPeerReport,
  explainDisconnect,
  getDeadPeerBounds,
  planDeadPeerTimeout,
  setDeadPeerTimeout,
  TcpInfoReader,
} from '../../index';
import { checkedBy, durationOf, probesOf, TIMEOUT_RANGE } from '../arguments';
import { messageOf, UsageError, type Values } from '../command';
import { eventsBetween, type TcpSample, takeSample, type WatchEvent } from '../tcp-events';
import {
  formatDuration,
  formatLatency,
  formatSeconds,
  toJson,
  toPrintable,
  wrap,
} from '../view/text';

export const summary = 'connect, and print each probe, answer and retransmission, live';

export const help = `Usage: socket-options watch <host:port> [options]

Connects, and prints a line for everything that the kernel does for the
connection: data and acknowledgements, keepalive probes and their answers,
retransmissions, a closed window, and the end with its reason. Pull the cable to
see how long the connection takes to fail.

  --dead-peer <duration>  set a dead-peer timeout first: 10s, 1m, at most 24d
                          (default: no option of the socket is changed)
  --min-probes <n>        the least number of unanswered segments before the
                          connection fails: 1 to 127 (default: 3; needs
                          --dead-peer)
  --write <duration>      send a newline in this interval: 100ms to 24h. The
                          server may answer it or close the connection
  --json                  print one JSON object { time, event, ... } per line;
                          times are in milliseconds

Ctrl-C ends it. An IPv6 address is written in brackets: [::1]:5432.

Examples:
  socket-options watch 192.0.2.7:5432 --dead-peer 10s
  socket-options watch example.org:80 --write 200ms --json

Exit codes: 0 closed by the peer or by Ctrl-C, 1 the connection could not be
made or failed, 2 wrong arguments.
`;

export const options = {
  'dead-peer': { type: 'string' },
  'min-probes': { type: 'string' },
  write: { type: 'string' },
  json: { type: 'boolean' },
} as const;

export const operands = ['host:port'] as const;

/** How often the kernel's counters are read, in ms: on a short path an answer follows within milliseconds. */
const SAMPLE_INTERVAL = 20;

/** How long a pipe that is not read may delay the exit after SIGINT, in ms. */
const EXIT_TIMEOUT = 1_000;

/** Timers and the event loop may report a failure this much later than the kernel decides it, in ms. */
const TIMER_LATENESS = 250;

interface Arguments {
  readonly host: string;
  readonly port: number;
  readonly timeout: number | undefined;
  readonly minProbes: number | undefined;
  readonly writeInterval: number | undefined;
}

export async function run(
  given: Values<typeof options>,
  [target = '']: readonly string[],
): Promise<void> {
  const { host, port, timeout, minProbes, writeInterval } = argumentsOf(given, target);
  const socket = connect(port, host);
  await once(socket, 'connect').catch((error) => {
    throw new Error(`cannot connect to ${target}: ${messageOf(error)}`);
  });
  const start = performance.now();
  const print = (event: WatchEvent) => {
    const time = performance.now() - start;
    const { text, ...details } = event;
    process.stdout.write(
      given.json
        ? `${toJson({ time: Math.round(time), ...details })}\n`
        : formatLine(`${(time / 1_000).toFixed(3).padStart(9)} s  `, text),
    );
  };
  const closed = closeOf(socket);
  try {
    printConnection(socket, print, timeout, minProbes);
  } catch (error) {
    socket.destroy();
    throw error;
  }
  const writing =
    writeInterval === undefined ? undefined : setInterval(() => socket.write('\n'), writeInterval);
  const sampling = sampleRepeatedly(socket, print);
  const interrupted = once(process, 'SIGINT').then(() => 'interrupted' as const);
  const unread = once(process.stdout, 'error').then(() => 'unread' as const);
  const end = await Promise.race([closed, interrupted, unread]);
  clearInterval(writing);
  sampling.stop();
  socket.destroy();
  if (end !== 'unread') print(endEvent(end, sampling.silence(), timeout));
  process.exitCode = end instanceof Error ? 1 : 0;
  // The listener for SIGINT would keep the process running, and so would a pipe that is not read.
  process.removeAllListeners('SIGINT');
  if (end === 'interrupted') setTimeout(() => process.exit(), EXIT_TIMEOUT).unref();
}

function argumentsOf(given: Values<typeof options>, target: string): Arguments {
  const address = parseTarget(target);
  const deadPeer = given['dead-peer'];
  const timeout =
    deadPeer === undefined ? undefined : durationOf('--dead-peer', deadPeer, ...TIMEOUT_RANGE);
  const probes = given['min-probes'];
  if (probes !== undefined && timeout === undefined) {
    throw new UsageError('--min-probes needs --dead-peer');
  }
  const minProbes = probes === undefined ? undefined : probesOf(probes);
  // Before a server is asked for anything.
  if (timeout !== undefined) checkedBy(() => planDeadPeerTimeout(timeout, { minProbes }));
  const writeInterval =
    given.write === undefined ? undefined : durationOf('--write', given.write, '100ms', '24h');
  return { ...address, timeout, minProbes, writeInterval };
}

function parseTarget(target: string): { host: string; port: number } {
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

/** A line for people. On a terminal it is wrapped between words, and indented below the text. */
function formatLine(time: string, text: string): string {
  const { columns } = process.stdout;
  const shown = toPrintable(text);
  if (!columns) return `${time}${shown}\n`;
  const indent = ' '.repeat(Math.min(time.length, Math.floor(columns / 3)));
  return `${time}${wrap(shown, columns - time.length).replaceAll('\n', `\n${indent}`)}\n`;
}

/** Resolves when the socket closes: with its error, or with `undefined` if the peer closed it. */
function closeOf(socket: Socket): Promise<Error | undefined> {
  return new Promise((resolve) => {
    socket.once('error', resolve);
    socket.once('close', () => resolve(undefined));
  });
}

/** Sets the dead-peer timeout, and prints the first lines: the addresses and the bounds. */
function printConnection(
  socket: Socket,
  print: (event: WatchEvent) => void,
  timeout: number | undefined,
  minProbes: number | undefined,
): void {
  const local = `${socket.localAddress}:${socket.localPort}`;
  const remote = `${socket.remoteAddress}:${socket.remotePort}`;
  const { rtt } = new TcpInfoReader().read(socket);
  print({
    event: 'connected',
    text: `connected: ${local} to ${remote}, round-trip time ${formatLatency(rtt)}`,
    ...{ local, remote, rtt },
  });
  if (timeout !== undefined) {
    checkedBy(() => setDeadPeerTimeout(socket, timeout, { minProbes }));
  }
  const bounds = getDeadPeerBounds(socket);
  print({
    event: 'bounds',
    text: formatBounds(bounds, timeout),
    timeout,
    ...boundsToJson(bounds),
  });
  for (const warning of bounds.warnings) {
    print({ event: 'warning', text: `! ${warning}`, warning });
  }
}

function formatBounds(bounds: DeadPeerReport, timeout: number | undefined): string {
  const { idle, busy, closedWindow, worst } = bounds;
  const promised = timeout === undefined ? '' : ` (promised: ${formatDuration(timeout)})`;
  return `if the peer vanishes, the connection fails: idle ${formatBound(idle)}, with data in flight ${formatBound(busy)}, with its window closed ${formatBound(closedWindow)}, in the worst case ${formatBound(worst)}${promised}`;
}

const formatBound = (milliseconds: number) =>
  Number.isFinite(milliseconds)
    ? `after ${formatDuration(Math.round(milliseconds / 100) * 100)}`
    : 'never';

/** JSON has no Infinity: a bound that is never reached is `null`. */
function boundsToJson(bounds: DeadPeerReport): Record<string, number | null> {
  const { idle, busy, closedWindow, worst } = bounds;
  const finite = (value: number) => (Number.isFinite(value) ? value : null);
  return {
    idle: finite(idle),
    busy: finite(busy),
    closedWindow: finite(closedWindow),
    worst: finite(worst),
  };
}

interface Sampling {
  stop(): void;
  /** Milliseconds since the last acknowledgement of the peer. */
  silence(): number;
}

/** Reads the socket's counters every SAMPLE_INTERVAL, and prints what has changed. */
function sampleRepeatedly(socket: Socket, print: (event: WatchEvent) => void): Sampling {
  const reader = new TcpInfoReader();
  socket.resume();
  let before = takeSample(reader.read(socket));
  let lastAnswer = performance.now() - (before.sinceAck || 0);
  const timer = setInterval(() => {
    // The end of the connection has its own line. A reader that is too slow gets the changes later.
    if (socket.destroyed || process.stdout.writableNeedDrain) return;
    let now: TcpSample;
    try {
      now = takeSample(reader.read(socket));
    } catch {
      return;
    }
    if (now.state === 'CLOSED') return;
    if (!Number.isNaN(now.sinceAck)) lastAnswer = performance.now() - now.sinceAck;
    for (const event of eventsBetween(before, now)) print(event);
    before = now;
  }, SAMPLE_INTERVAL);
  return { stop: () => clearInterval(timer), silence: () => performance.now() - lastAnswer };
}

/** The last line: how the connection ended, and whether the promised timeout was kept. */
function endEvent(
  end: Error | 'interrupted' | undefined,
  silence: number,
  timeout: number | undefined,
): WatchEvent {
  if (end === 'interrupted') return { event: 'interrupted', text: 'ended by Ctrl-C' };
  if (end === undefined) return { event: 'closed', text: 'the peer closed the connection' };
  const { peer, code, message } = explainDisconnect(end);
  const reason = code === null ? end.message : `${code}: ${message}`;
  const verdict =
    timeout !== undefined && silence <= timeout + TIMER_LATENESS ? 'kept' : 'NOT kept';
  const promise =
    timeout === undefined ? '' : ` (promised: ${formatDuration(timeout)}, ${verdict})`;
  return {
    event: 'failed',
    text: `${reason} The peer was silent for ${formatSeconds(silence)}${promise}`,
    ...{ code, peer, message, silent: Math.round(silence), timeout },
  };
}
