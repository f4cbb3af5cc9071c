// One connection of `connections --watch`: its facts, its problems, and what happened to it since it was opened.

import { keepAliveByTimer } from '../../connections/problems';
import type { Connection } from '../../index';
import { eventsBetween, sampleOf, type TcpSample } from '../tcp-events';
import { markedProblems } from './connection-order';
import {
  formatAlive,
  formatAmount,
  formatEnds,
  formatProcesses,
  formatRetransmissions,
  formatTimer,
  formatUnacked,
  formatUnread,
} from './connection-text';
import type { Line } from './screen';
import { appendBounded } from './sparkline';
import { formatLatency, formatTable, toPrintable, wrap } from './text';

/** How many events are kept: more than a screen has lines. */
const HISTORY = 200;

interface DetailOptions {
  readonly unicode: boolean;
  readonly platform?: string;
}

export class ConnectionDetail {
  /** Identifies the connection in each sample. */
  readonly key: string;
  #connection: Connection | null = null;
  #isGone = false;
  #before: TcpSample | null = null;
  #events: { readonly time: string; readonly text: string }[] = [];

  constructor(key: string) {
    this.key = key;
  }

  /** `undefined`: the connection is not in the sample any more. */
  update(connection: Connection | undefined, time: Date): void {
    const clock = time.toTimeString().slice(0, 8);
    const note = (text: string) => {
      this.#events = appendBounded(this.#events, { time: clock, text }, HISTORY);
    };
    if (connection === undefined) {
      if (!this.#isGone) note('the connection is gone, or is not selected any more');
      this.#isGone = true;
      this.#before = null;
      return;
    }
    this.#isGone = false;
    const now = sampleOf(connection);
    if (this.#before !== null && now !== null) {
      for (const { text } of eventsBetween(this.#before, now)) note(text);
    }
    this.#before = now;
    this.#connection = connection;
  }

  /** The lines of a screen of this size. */
  frame(columns: number, rows: number, { unicode, platform }: DetailOptions): Line[] {
    const connection = this.#connection;
    if (connection === null) return [];
    const folded = (text: string) => wrap(toPrintable(text, unicode), columns).split('\n');
    const facts = formatTable(factsOf(connection, platform)).split('\n');
    const problems = markedProblems(connection).flatMap(({ message, severity }) =>
      folded(`! ${message}`).map(
        (text): Line => ({ text, style: severity as 'critical' | 'warning' }),
      ),
    );
    const hints = (connection.problems ?? [])
      .filter(({ severity }) => severity === 'info')
      .flatMap(({ message }) => folded(message).map((text): Line => ({ text })));
    const head: Line[] = [
      { text: `${formatEnds(connection)}  ${connection.state}`.padEnd(columns), style: 'heading' },
      ...facts.map((text) => ({ text: toPrintable(text, unicode) })),
      ...problems,
      ...hints,
      { text: '' },
      { text: 'Since it was opened (Esc goes back):' },
    ];
    const events = this.#events.flatMap(({ time, text }) =>
      folded(`${time}  ${text}`).map((line): Line => ({ text: line })),
    );
    const room = Math.max(1, rows - head.length);
    return [...head, ...(events.length === 0 ? [{ text: 'nothing yet' }] : events.slice(-room))];
  }
}

/** Names and values; without what the system does not report. */
function factsOf(connection: Connection, platform: string = process.platform): string[][] {
  const { tcpInfo, congestionControl } = connection;
  const keepAlive = keepAliveByTimer(connection, platform);
  const latency = (name: string, value: number | null | undefined) =>
    value === null || value === undefined ? '' : `${name}${formatLatency(value)}`;
  const list = (...parts: readonly string[]) => parts.filter((part) => part !== '').join(', ');
  const amount = (name: string, text: string) => (text === '' ? '' : `${text} ${name}`);
  const alive = formatAlive(connection);
  return [
    ['peer answered', alive === '' ? '' : `${alive} ago`],
    [
      'round trip',
      list(
        latency('', tcpInfo?.rtt),
        latency('least ', tcpInfo?.minRtt),
        latency('timeout ', tcpInfo?.rto),
      ),
    ],
    ['timer', formatTimer(connection, platform)],
    ['keepalive', keepAlive === null ? '' : keepAlive ? 'on' : 'off'],
    ['retransmissions', formatRetransmissions(connection)],
    [
      'queues',
      list(
        amount('unread', formatUnread(connection)),
        amount('unacknowledged or unsent', formatUnacked(connection)),
      ),
    ],
    [
      'bytes',
      list(
        amount('received', formatAmount(tcpInfo?.bytesReceived)),
        amount('sent', formatAmount(tcpInfo?.bytesSent)),
        amount('sent again', formatAmount(tcpInfo?.bytesRetransmitted)),
      ),
    ],
    ['congestion', congestionControl ?? ''],
    ['process', formatProcesses(connection)],
  ].filter(([, value]) => value !== '');
}
