// The timers of the model: retransmission, tail-loss probes, window probes and keepalive, as in net/ipv4/tcp_timer.c and
// net/ipv4/tcp_output.c of Linux 6.18.

import { fireTime, JIFFY, RTO_MIN } from './estimator';
import { MSS } from './flight';
import type { Sender } from './sender';

/** TCP_RESOURCE_PROBE_INTERVAL: after the own machine has dropped a segment. */
const AFTER_DROP = 500;
/** net.ipv4.tcp_retries2. */
const RETRIES = 15;

export class Timers {
  // Options of the socket.
  #isKeepAliveOn = false;
  #keepIdle = 7_200_000;
  keepInterval = 75_000;
  keepCount = 9;

  keepAliveAt = Number.POSITIVE_INFINITY;
  /** One timer serves three purposes, as in the kernel. */
  transmitAt = Number.POSITIVE_INFINITY;
  #purpose: 'none' | 'retransmission' | 'loss probe' | 'window probe' = 'none';
  backoff = 0;
  /** When the first retransmission in a row was sent. */
  #retransmittedSince = 0;

  constructor(private readonly sender: Sender) {}

  // Keepalive.

  /** SO_KEEPALIVE: tcp_set_keepalive(). */
  setKeepAlive(isOn: boolean): void {
    if (isOn && !this.#isKeepAliveOn) this.#startKeepAlive(this.#keepIdle);
    if (!isOn) this.keepAliveAt = Number.POSITIVE_INFINITY;
    this.#isKeepAliveOn = isOn;
  }

  /** TCP_KEEPIDLE: tcp_sock_set_keepidle_locked(). An idle time that is over makes the kernel probe at once. */
  setKeepIdle(idle: number): void {
    this.#keepIdle = idle;
    if (this.#isKeepAliveOn) this.#startKeepAlive(Math.max(0, idle - this.sender.silence()));
  }

  #startKeepAlive(duration: number): void {
    this.keepAliveAt = fireTime(this.sender.now, duration);
  }

  /** tcp_keepalive_timer(). */
  onKeepAlive(): void {
    const { sender } = this;
    this.keepAliveAt = Number.POSITIVE_INFINITY;
    if (sender.isClosed) return;
    if (sender.inFlight > 0 || sender.unsent > 0) {
      this.#startKeepAlive(this.#keepIdle);
      return;
    }
    const silence = sender.silence();
    if (silence < this.#keepIdle) {
      this.#startKeepAlive(this.#keepIdle - silence);
      return;
    }
    if (sender.probes >= this.keepCount) {
      this.#close();
      return;
    }
    const isSent = sender.probe();
    if (isSent) sender.probes++;
    this.#startKeepAlive(isSent ? this.keepInterval : AFTER_DROP);
  }

  #close(): void {
    this.sender.isClosed = true;
    this.keepAliveAt = Number.POSITIVE_INFINITY;
    this.#stop();
  }

  // Data.

  #stop(): void {
    this.transmitAt = Number.POSITIVE_INFINITY;
    this.#purpose = 'none';
  }

  #start(purpose: 'retransmission' | 'loss probe' | 'window probe', duration: number): void {
    this.#purpose = purpose;
    this.transmitAt = fireTime(this.sender.now, Math.min(duration, this.sender.rtoMax));
  }

  startRetransmission(duration: number): void {
    this.#start('retransmission', duration);
  }

  /** tcp_rearm_rto(). */
  #restartRetransmission(): void {
    if (this.sender.inFlight === 0) {
      this.#stop();
      return;
    }
    const rto = this.#rto();
    const isPostponed = this.#purpose === 'loss probe';
    this.startRetransmission(isPostponed ? Math.max(this.#untilTimeout(), JIFFY) : rto);
  }

  #rto(): number {
    const { sender } = this;
    return Math.min(sender.rtt.rto * 2 ** this.backoff, sender.rtoMax);
  }

  /** tcp_rto_delta_us(). */
  #untilTimeout(): number {
    const { sender } = this;
    return sender.flight.oldest.sentAt + this.#rto() - sender.now;
  }

  onNewData(wasEmpty: boolean): void {
    if (wasEmpty || this.#purpose === 'loss probe') this.#restartRetransmission();
  }

  onAcked(): void {
    if (!this.scheduleLossProbe(true)) this.#restartRetransmission();
  }

  /** tcp_schedule_loss_probe(): each write postpones the retransmission timeout. */
  scheduleLossProbe(isAdvancing: boolean): boolean {
    const { sender } = this;
    if (sender.inFlight === 0 || sender.state !== 'open' || sender.flight.hasHoles) return false;
    const wait = 2 * sender.rtt.srtt + (sender.inFlight === 1 ? RTO_MIN : 2 * JIFFY);
    const left = isAdvancing ? this.#rto() : this.#untilTimeout();
    this.#start('loss probe', left > 0 ? Math.min(wait, left) : wait);
    return true;
  }

  onTransmit(): void {
    const { sender } = this;
    const purpose = this.#purpose;
    this.transmitAt = Number.POSITIVE_INFINITY;
    if (sender.isClosed) return;
    if (purpose === 'retransmission') this.#onTimeout();
    else if (purpose === 'loss probe') this.#sendLossProbe();
    else if (purpose === 'window probe') this.#onWindowProbe();
  }

  /** tcp_send_loss_probe(). */
  #sendLossProbe(): void {
    const { sender } = this;
    if (sender.inFlight === 0) {
      this.#stop();
      return;
    }
    if (sender.lossProbeEnd === 0 && this.#sendTail()) {
      sender.lossProbeEnd = sender.next;
      this.#purpose = 'none';
    }
    this.#restartRetransmission();
  }

  #sendTail(): boolean {
    const { sender } = this;
    const length = Math.min(sender.unsent, MSS);
    if (length > 0 && sender.next + length <= sender.windowEnd) return sender.sendNew(length);
    return sender.retransmit(sender.flight.newest);
  }

  /** tcp_retransmit_timer(). */
  #onTimeout(): void {
    const { sender } = this;
    if (sender.inFlight === 0) {
      this.#stop();
      return;
    }
    if (sender.timeouts === 0) this.#retransmittedSince = sender.now;
    else if (sender.now - this.#retransmittedSince >= this.#longestRetransmission()) {
      this.#close();
      return;
    }
    sender.enterLoss();
    sender.timeouts++;
    if (!sender.retransmit(sender.flight.oldest)) {
      this.startRetransmission(AFTER_DROP);
      return;
    }
    this.backoff++;
    this.startRetransmission(this.#rto());
  }

  /** tcp_model_timeout(). */
  #longestRetransmission(): number {
    const { rtoMax } = this.sender;
    const doublings = Math.floor(Math.log2(rtoMax / RTO_MIN));
    if (RETRIES <= doublings) return (2 ** (RETRIES + 1) - 1) * RTO_MIN;
    return (2 ** (doublings + 1) - 1) * RTO_MIN + (RETRIES - doublings) * rtoMax;
  }

  // A closed window.

  startWindowProbes(): void {
    if (this.#purpose === 'none') this.#start('window probe', Math.max(this.#baseRto(), RTO_MIN));
  }

  #baseRto(): number {
    return Math.min(this.sender.rtt.rto, this.sender.rtoMax);
  }

  /** tcp_probe0_when(). */
  #untilWindowProbe(): number {
    const backoff = Math.min(this.backoff, 10);
    return Math.min(Math.max(this.#baseRto(), RTO_MIN) * 2 ** backoff, this.sender.rtoMax);
  }

  /** tcp_ack_probe(): an answer restarts the pause, and does not shorten it. */
  onWindowAnswer(): void {
    const { sender } = this;
    if (sender.next + Math.min(sender.unsent, MSS) <= sender.windowEnd) {
      this.backoff = 0;
      if (this.#purpose === 'window probe') this.#stop();
    } else this.#start('window probe', this.#untilWindowProbe());
  }

  /** tcp_probe_timer(), tcp_send_probe0(). */
  #onWindowProbe(): void {
    const { sender } = this;
    this.#purpose = 'none';
    if (sender.inFlight > 0 || sender.unsent === 0) {
      sender.probes = 0;
      return;
    }
    if (sender.probes >= RETRIES) {
      this.#close();
      return;
    }
    const room = Math.min(sender.windowEnd - sender.next, sender.unsent, MSS);
    const isSent = room > 0 ? sender.sendNew(room) : sender.probe();
    if (sender.inFlight > 0) {
      sender.probes = 0;
      this.backoff = 0;
      return;
    }
    sender.probes++;
    if (isSent && this.backoff < RETRIES) this.backoff++;
    this.#start('window probe', isSent ? this.#untilWindowProbe() : AFTER_DROP);
  }
}
