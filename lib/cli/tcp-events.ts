// What happened to a TCP connection between two samples of the kernel's counters, as events.

import { plural } from '../core/text';
import type { Connection, TcpInfoReader } from '../index';
import { formatSeconds } from './view/text';

/** One line of `socket-options watch`. */
export interface WatchEvent {
  readonly event: string;
  /** The line for people. JSON has the other members instead. */
  readonly text: string;
  readonly [detail: string]: unknown;
}

/** The counters that are compared from one sample to the next. */
export interface TcpSample {
  readonly state: string | null;
  readonly probes: number;
  readonly retransmitted: number;
  /** Unanswered retransmission timeouts in a row. */
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

export function takeSample(reader: TcpInfoReader): TcpSample {
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

/** The same from a list of connections; `null` if the list does not have the counters. */
export function sampleOf({ state, tcpInfo }: Connection): TcpSample | null {
  if (tcpInfo === null) return null;
  return {
    state,
    probes: tcpInfo.probes ?? NaN,
    retransmitted: tcpInfo.segmentsRetransmitted ?? NaN,
    inARow: tcpInfo.consecutiveTimeouts ?? NaN,
    unacked: tcpInfo.unackedSegments ?? NaN,
    unsent: tcpInfo.unsentBytes ?? NaN,
    sent: tcpInfo.bytesSent ?? NaN,
    received: tcpInfo.bytesReceived ?? NaN,
    segmentsSent: tcpInfo.segmentsSent ?? NaN,
    segmentsReceived: tcpInfo.segmentsReceived ?? NaN,
    window: tcpInfo.sendWindow ?? NaN,
    sinceAck: tcpInfo.timeSinceLastAckReceived ?? NaN,
  };
}

/** The events between two samples, in the order in which they are shown. */
export function eventsBetween(before: TcpSample, now: TcpSample): WatchEvent[] {
  return [
    ...dataEvents(before, now),
    ...probeEvents(before, now),
    ...windowEvents(before, now),
    ...(now.state === before.state
      ? []
      : [
          {
            event: 'state',
            text: `the state changes from ${before.state} to ${now.state}`,
            state: now.state,
          },
        ]),
  ];
}

function dataEvents(before: TcpSample, now: TcpSample): WatchEvent[] {
  const events: WatchEvent[] = [];
  // `sent` also counts retransmitted bytes.
  if (now.sent > before.sent && now.retransmitted === before.retransmitted) {
    const bytes = now.sent - before.sent;
    events.push({ event: 'sent', text: `${plural(bytes, 'byte')} sent`, bytes });
  }
  if (now.received > before.received) {
    const bytes = now.received - before.received;
    events.push({ event: 'received', text: `${plural(bytes, 'byte')} received`, bytes });
  }
  if (now.retransmitted > before.retransmitted) {
    events.push({
      event: 'retransmission',
      text: formatRetransmission(before, now),
      ...{ inARow: now.inARow, unacked: now.unacked, silent: now.sinceAck },
    });
  }
  return events;
}

function formatRetransmission(before: TcpSample, now: TcpSample): string {
  const segments = plural(now.retransmitted - before.retransmitted, 'segment');
  // Between two samples, the peer may have acknowledged everything.
  if (now.unacked === 0) return `${segments} sent again, nothing is unacknowledged now`;
  const kind = now.inARow === 0 ? `${segments} sent again` : `retransmission ${now.inARow}`;
  return `${kind}: ${plural(now.unacked, 'segment')} unacknowledged, ${silentFor(now)}`;
}

function probeEvents(before: TcpSample, now: TcpSample): WatchEvent[] {
  const events: WatchEvent[] = [];
  const hasQueuedData = now.unacked > 0 || now.unsent > 0;
  if (now.probes > before.probes) {
    const kind = hasQueuedData ? 'window probe' : 'keepalive probe';
    events.push({
      event: 'probe',
      text: `${kind} ${now.probes} is unanswered, ${silentFor(now)}`,
      ...{ kind, probes: now.probes, answered: false, silent: now.sinceAck },
    });
  } else if (now.probes < before.probes) {
    events.push({
      event: 'answer',
      text: `answer after ${plural(before.probes, 'probe')}: the peer is alive`,
    });
  } else if (!hasQueuedData && isAnsweredProbe(before, now)) {
    events.push({
      event: 'probe',
      text: 'keepalive probe, answered at once',
      ...{ kind: 'keepalive probe', answered: true },
    });
  }
  if (before.inARow > 0 && now.inARow === 0) {
    events.push({ event: 'answer', text: 'answer: the peer acknowledges again' });
  }
  return events;
}

function windowEvents(before: TcpSample, now: TcpSample): WatchEvent[] {
  if (now.window === 0 && before.window > 0) {
    return [
      {
        event: 'window closed',
        text: "the peer's window is closed: its system answers, its program does not read",
      },
    ];
  }
  if (now.window > 0 && before.window === 0) {
    return [{ event: 'window open', text: "the peer's window is open again" }];
  }
  return [];
}

/** One segment was sent and one was received, both without data. */
function isAnsweredProbe(before: TcpSample, now: TcpSample): boolean {
  return (
    now.segmentsSent === before.segmentsSent + 1 &&
    now.segmentsReceived === before.segmentsReceived + 1 &&
    now.sent === before.sent &&
    now.received === before.received &&
    now.state === 'ESTABLISHED' &&
    before.unacked === 0
  );
}

const silentFor = ({ sinceAck }: TcpSample) =>
  `the peer has been silent for ${formatSeconds(sinceAck)}`;
