// The model of one end of a TCP connection on Linux, as far as its counters show it: what it sends, sends again and probes.
// The functions of the kernel are named at each part. timers.ts has the timers.

import { CLOSED, type Report } from '../../../lib/dead-peer/supervision/report';
import { JIFFY, RttEstimator } from './estimator';
import { Flight, MSS, type Sent } from './flight';
import type { Answer, Segment } from './path';
import { Timers } from './timers';

/** The index of ESTABLISHED in `tcpStates`. */
const ESTABLISHED = 4;
/** How long Linux waits with an acknowledgement: TCP_ATO_MIN. */
const DELAYED_ACK = 40;
/** An answer to a probe is at least this long after the last one: net.ipv4.tcp_invalid_ratelimit. */
export const ANSWER_PACE = 500;

/** Where the sender's segments go. Returns `false` if the own machine drops the segment. */
export type Transmit = (segment: Segment) => boolean;

export class Sender {
  now: number;
  isClosed = false;
  readonly rtt = new RttEstimator();
  readonly timers: Timers;

  // Options of the socket.
  isNagleOn = false;
  rtoMax = 120_000;

  // Data.
  readonly flight = new Flight();
  una = 1;
  next = 1;
  unsent = 0;
  windowEnd: number;
  cwnd: number;
  readonly largestCwnd: number;
  state: 'open' | 'recovery' | 'loss' = 'open';
  #recoveryEnd = 0;
  /** The end of the data at the last tail-loss probe; 0: none is unanswered. */
  lossProbeEnd = 0;

  // Counters of TCP_INFO.
  segmentsSent = 2;
  segmentsReceived = 1;
  timeouts = 0;
  probes = 0;
  #ackAt: number;
  #dataAt: number | undefined;

  // The peer's data.
  received = 0;
  delayedAckAt = Number.POSITIVE_INFINITY;
  #answeredAt = Number.NEGATIVE_INFINITY;

  // The truth, which the rule does not know.
  attempts = 0;
  /** The last attempt that is answered. */
  answered = 0;
  lifeAt: number;
  readonly attemptTimes: number[] = [];

  constructor(
    now: number,
    handshake: number,
    cwnd: number,
    window: number,
    private readonly transmit: Transmit,
  ) {
    this.now = now;
    this.cwnd = cwnd;
    this.largestCwnd = cwnd;
    this.windowEnd = this.next + window;
    this.#ackAt = now;
    this.lifeAt = now;
    this.timers = new Timers(this);
    this.rtt.sample(handshake, this.una, this.next);
  }

  get inFlight(): number {
    return this.flight.count;
  }

  report(): Report {
    const jiffies = (time: number): number => Math.floor(time / JIFFY) * JIFFY;
    const ack = jiffies(this.now) - jiffies(this.#ackAt);
    // Without data the kernel reports a time that means nothing: lib/tcp-info/fields.ts.
    const data =
      this.#dataAt === undefined ? Number.NaN : jiffies(this.now) - jiffies(this.#dataAt);
    return {
      state: this.isClosed ? CLOSED : ESTABLISHED,
      silence: data < ack ? data : ack,
      dataSilence: data,
      segmentsSent: this.segmentsSent,
      segmentsReceived: this.segmentsReceived,
      unackedSegments: this.inFlight,
      unsentBytes: this.unsent,
      timeouts: this.timeouts,
      probes: this.probes,
    };
  }

  /** How long the connection has been silent for the keepalive timer: keepalive_time_elapsed(). */
  silence(): number {
    return this.now - Math.max(this.#ackAt, this.#dataAt ?? Number.NEGATIVE_INFINITY);
  }

  write(bytes: number): void {
    if (this.isClosed) return;
    this.unsent += bytes;
    this.push();
  }

  /** tcp_write_xmit() and tcp_check_probe_timer(). */
  push(): void {
    let hasSent = false;
    while (this.unsent > 0 && this.flight.onTheWay < this.cwnd) {
      const length = Math.min(this.unsent, MSS);
      if (this.next + length > this.windowEnd) break;
      if (this.isNagleOn && length < MSS && this.inFlight > 0) break;
      if (!this.sendNew(length)) break;
      hasSent = true;
    }
    if (hasSent) this.timers.scheduleLossProbe(false);
    else if (this.inFlight === 0 && this.unsent > 0) this.timers.startWindowProbes();
  }

  /** tcp_event_new_data_sent(). */
  sendNew(length: number): boolean {
    const end = this.next + length;
    if (!this.#send('data', this.next, end)) return false;
    const wasEmpty = this.inFlight === 0;
    this.flight.add(this.next, end, this.now);
    this.next = end;
    this.unsent -= length;
    this.timers.onNewData(wasEmpty);
    return true;
  }

  /** __tcp_retransmit_skb(): merges small segments that follow. */
  retransmit(sent: Sent): boolean {
    this.flight.collapse(sent);
    if (!this.#send('data', sent.seq, sent.end)) return false;
    this.flight.noteRetransmission(sent, this.now);
    return true;
  }

  /** tcp_xmit_probe_skb(). Returns `false` if the own machine drops the probe. */
  probe(): boolean {
    return this.#send('probe', this.una - 1, this.una - 1);
  }

  #send(kind: Segment['kind'], seq: number, end: number): boolean {
    this.segmentsSent++;
    if (kind !== 'ack') {
      this.attempts++;
      this.attemptTimes.push(this.now);
    }
    this.delayedAckAt = Number.POSITIVE_INFINITY;
    const { now: sentAt, attempts: attempt, received: acked } = this;
    return this.transmit({ kind, seq, end, sentAt, attempt, acked });
  }

  acknowledge(): void {
    this.#send('ack', this.next, this.next);
  }

  /** tcp_rcv_established(), tcp_validate_incoming(). */
  receive(answer: Answer): void {
    if (this.isClosed) return;
    this.segmentsReceived++;
    if (answer.kind === 'keepalive') {
      if (this.now < this.#answeredAt + ANSWER_PACE) return;
      this.#answeredAt = this.now;
      this.acknowledge();
      return;
    }
    if (answer.kind === 'data' && answer.unit < this.received) {
      // Old data. Only the last segment is still acceptable: tcp_sequence().
      if (answer.unit === this.received - 1) this.#noteLife(answer);
      this.acknowledge();
      return;
    }
    this.#noteLife(answer);
    if (answer.kind === 'data') this.#receiveData(answer);
    this.#acked(answer);
  }

  #noteLife(answer: Answer): void {
    this.#ackAt = this.now;
    this.probes = 0;
    this.lifeAt = this.now;
    this.answered = Math.max(this.answered, answer.seen);
  }

  #receiveData({ unit }: Answer): void {
    if (unit > this.received) {
      this.acknowledge();
      return;
    }
    this.#dataAt = this.now;
    this.received++;
    if (this.delayedAckAt === Number.POSITIVE_INFINITY) this.delayedAckAt = this.now + DELAYED_ACK;
    else this.acknowledge();
  }

  /** tcp_ack(). */
  #acked(answer: Answer): void {
    const hadData = this.inFlight > 0;
    this.windowEnd = answer.ack + answer.window;
    const isAdvanced = answer.ack > this.una;
    if (isAdvanced) this.#advance(answer);
    if (answer.blocks.length > 0) this.flight.sack(answer.blocks);
    if (this.state !== 'open' || answer.blocks.length > 0) this.#findLost(answer.echo);
    if (this.state !== 'open' && this.una >= this.#recoveryEnd) this.state = 'open';
    if (this.lossProbeEnd > 0 && this.una >= this.lossProbeEnd) this.lossProbeEnd = 0;
    if (!hadData) {
      if (this.unsent > 0) this.timers.onWindowAnswer();
    } else if (isAdvanced) this.timers.onAcked();
    if (this.state !== 'open') this.#sendLost();
    this.push();
  }

  #advance({ ack, echo }: Answer): void {
    this.una = ack;
    this.timeouts = 0;
    const count = this.flight.acknowledge(ack);
    if (this.state !== 'recovery') this.cwnd = Math.min(this.cwnd + count, this.largestCwnd);
    this.rtt.sample(Math.max(this.now - echo, 0.1), this.una, this.next);
    this.timers.backoff = 0;
  }

  #findLost(deliveredAt: number): void {
    if (!this.flight.findLost(deliveredAt) || this.state !== 'open') return;
    this.state = 'recovery';
    this.#recoveryEnd = this.next;
    this.cwnd = Math.max(2, Math.floor(this.cwnd * 0.7));
  }

  /** tcp_xmit_retransmit_queue(). */
  #sendLost(): void {
    while (this.flight.onTheWay < this.cwnd) {
      const sent = this.flight.nextLost();
      if (sent === undefined || !this.retransmit(sent)) return;
      if (sent === this.flight.oldest) this.timers.startRetransmission(this.rtt.rto);
    }
  }

  /** tcp_enter_loss(). */
  enterLoss(): void {
    this.state = 'loss';
    this.#recoveryEnd = this.next;
    this.lossProbeEnd = 0;
    this.cwnd = 1;
    this.flight.loseAll();
  }
}
