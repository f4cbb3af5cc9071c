// Detects late and dead peers, and sends pings: the state machine of one heartbeat. heartbeat.ts ends the stream of a dead
// peer.
//
//   healthy   The next check comes when a ping is due, or when the peer would be late.
//   late      The silence exceeds the mean of interval and timeout. A check comes every step.
//   suspect   The silence exceeds the timeout. Or the peer is late and blocks our pings or cannot be heard: then the kernel's
//             figures are read a few times. `judge()` decides after received data is read.
//   closed    After `close()`. Every listener may call it.
//
// A sign of life makes a late or suspect peer healthy at once.

import type { Duplex } from 'node:stream';
import { type Schedule, ScheduleEntry } from '../core/schedule';
import { classifySilence, type Evidence, maxAnswerTime, waitingOf } from './classify';
import { DeliveryProgress } from './delivery-progress';
import { takeKernelError, tcpStateAt } from './kernel';
import type { MonitorEvents } from './monitor-events';
import type { ValidatedOptions } from './options';
import { Pinger } from './pinger';
import { Prober } from './prober';
import { lateAfter, pingGridOf, scheduleFor, stepOf } from './rhythm';
import { type ActivityListener, StreamAdapter } from './stream-adapter';
import { type Suspect, suspect } from './suspects';

type State = 'healthy' | 'late' | 'suspect' | 'closed';

/** A time that never comes. */
const NEVER = Number.POSITIVE_INFINITY;

export class Monitor<Owner = unknown> extends ScheduleEntry implements Suspect, ActivityListener {
  readonly pinger: Pinger | undefined;
  readonly interval: number;
  /** Infinity: this side only sends. */
  readonly timeout: number;
  readonly #owner: Owner;
  readonly #events: MonitorEvents<Owner>;
  readonly #adapter: StreamAdapter;
  readonly #schedule: Schedule;
  #state: State = 'healthy';
  /** Time of the last sign of life, or up to a step later. In `awake` time of the schedule. */
  #heardAt: number;
  /** The next sign of life must call `#endSilence()`, not only store its time. */
  #awaitsActivity = false;
  #isLateReported = false;
  #isListenedTo = false;
  /** When the last sign of life will be reported, in `now` time. `undefined`: nothing to report. */
  #reportAt: number | undefined;
  /** Only calls of `recordAnswer()` are answers, because it was called once. */
  #hasExplicitAnswers = false;
  /** Detects whether the peer accepts queued data in this silence. */
  #progress: DeliveryProgress | undefined;
  /** Asks the peer's system in this silence, while the program cannot hear the peer. */
  #prober: Prober | undefined;

  /** @param events One object for all monitors. */
  constructor(
    stream: Duplex,
    options: ValidatedOptions<never>,
    owner: Owner,
    events: MonitorEvents<Owner>,
  ) {
    super();
    const { interval, timeout, send, isAlive } = options;
    this.interval = interval;
    this.timeout = timeout;
    this.#owner = owner;
    this.#events = events;
    this.#adapter = new StreamAdapter(stream, isAlive, this);
    this.#schedule = scheduleFor(options);
    this.#heardAt = this.#schedule.readAwake();
    if (send !== undefined) this.pinger = new Pinger(send, interval, pingGridOf(this.#schedule));
  }

  start(): void {
    this.#adapter.start();
    this.#scheduleNext();
  }

  close(): void {
    this.#state = 'closed';
    this.#schedule.cancel(this);
    this.#adapter.stop();
    this.#stopProbing();
  }

  /** Whether the monitor keeps the process running. */
  setRef(isReferenced: boolean): void {
    if (!this.isClosed) this.#schedule.setRef(this, isReferenced);
  }

  /** Starts to report signs of life. */
  listen(): void {
    this.#isListenedTo = true;
    this.#awaitsActivity = true;
  }

  get stream(): Duplex {
    return this.#adapter.stream;
  }

  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  /** Time since the last sign of life, at the last check, in milliseconds. */
  get silence(): number {
    return Math.max(0, this.#silence);
  }

  get #silence(): number {
    return this.#schedule.awake - this.#heardAt;
  }

  /** Records a sign of life. */
  recordActivity(): void {
    this.#heardAt = this.#schedule.latestAwake;
    if (this.#awaitsActivity) this.#endSilence();
  }

  /** Records a sign of life that answers a ping. */
  recordAnswer(): void {
    this.#hasExplicitAnswers = true;
    this.pinger?.measureAnswer();
    this.recordActivity();
  }

  onIsAliveFailed(error: Error): void {
    this.#events.onFailed(this.#owner, error);
  }

  override onDue(): void {
    try {
      this.#examine();
    } finally {
      this.#scheduleNext();
    }
  }

  #examine(): void {
    const { pinger } = this;
    const { now } = this.#schedule;
    if (this.stream.destroyed) {
      this.#events.onGone(this.#owner);
      return;
    }
    // The stream may connect at any time before the next check.
    if (this.#adapter.isConnecting) this.#heardWithin(-stepOf(this));
    if (this.#reportAt !== undefined && now >= this.#reportAt) this.#reportActivity();
    // A listener may have closed the monitor.
    if (this.#isOpen && this.#silence >= lateAfter(this)) this.#examineSilence();
    if (this.#isOpen && pinger !== undefined && now >= pinger.dueAt) this.#ping(pinger);
  }

  /** Neither closed nor waiting for `judge()`. */
  get #isOpen(): boolean {
    return this.#state === 'healthy' || this.#state === 'late';
  }

  /** @param stepEnd Time of the next check for changes that no event reports. */
  #scheduleNext(stepEnd = this.#schedule.now + stepOf(this)): void {
    if (this.#state === 'closed') return;
    const { pinger, timeout } = this;
    const schedule = this.#schedule;
    const isCalm = this.#state === 'healthy' && !this.#adapter.isConnecting;
    let dueAt = isCalm ? schedule.whenAwake(this.#heardAt + lateAfter(this)) : stepEnd;
    if (this.#silence < timeout) {
      dueAt = Math.min(dueAt, schedule.whenAwake(this.#heardAt + timeout));
    }
    if (pinger !== undefined) {
      dueAt = Math.min(dueAt, pinger.dueAt > schedule.now ? pinger.dueAt : stepEnd);
    }
    schedule.set(this, Math.min(dueAt, this.#reportAt ?? NEVER));
  }

  #endSilence(): void {
    this.#awaitsActivity = false;
    if (this.#state === 'closed') return;
    this.#state = 'healthy';
    this.#isLateReported = false;
    this.#progress = undefined;
    this.#stopProbing();
    if (!this.#hasExplicitAnswers) this.pinger?.measureAnswer();
    this.pinger?.endSilence();
    if (!this.#isListenedTo || this.#reportAt !== undefined) return;
    this.#reportAt = this.#schedule.now + stepOf(this);
    this.#scheduleNext();
  }

  #reportActivity(): void {
    this.#reportAt = undefined;
    this.#awaitsActivity = true;
    this.#events.onActivity(this.#owner, this.pinger?.takeNewRtt() ?? null);
  }

  #examineSilence(): void {
    if (this.#noticeUnseenBytes()) return;
    if (this.#silence >= this.timeout) {
      this.#suspect();
      return;
    }
    this.#state = 'late';
    this.#awaitsActivity = true;
    this.#reportLate();
    if (!this.#isOpen) return;
    if (this.#adapter.canHear) {
      if (this.pinger !== undefined) this.#askForProgress();
    } else if (this.#prober?.isDue() ?? true) this.#suspect();
  }

  #reportLate(): void {
    if (this.#isLateReported || !this.#adapter.canHear) return;
    this.#isLateReported = true;
    this.#events.onLate(this.#owner, this.silence, this.pinger?.sentInSilence ?? 0);
  }

  /** Counts bytes that bypassed `push()` as a sign of life. Their time is unknown. */
  #noticeUnseenBytes(): boolean {
    if (!this.#adapter.hasUnseenBytes()) return false;
    if (!this.#hasExplicitAnswers) this.pinger?.forgetQuestion();
    this.#heardWithin(0);
    this.#endSilence();
    return true;
  }

  /** Records that the last sign of life is at most `milliseconds` old. */
  #heardWithin(milliseconds: number): void {
    const heardAt = Math.ceil(this.#schedule.awake - milliseconds);
    this.#heardAt = Math.max(this.#heardAt, heardAt);
  }

  #ping(pinger: Pinger): void {
    const { sendState } = this.#adapter;
    if (sendState === 'closed') return;
    this.#awaitsActivity = true;
    if (sendState === 'full') {
      pinger.skip();
      const isSilent = this.#silence > this.interval - stepOf(this);
      if (isSilent && this.timeout !== NEVER) this.#askForProgress();
      return;
    }
    if (pinger.isBlocked) {
      // The peer accepted all data before this ping. It now has the usual time to answer.
      this.#heardWithin(this.interval);
      this.#progress = undefined;
    }
    pinger.ping(this.stream, stepOf(this), (error) => this.#events.onFailed(this.#owner, error));
  }

  /** Reads the kernel's figures at most once per interval. */
  #askForProgress(): void {
    const { askedAt } = this.#progress ?? {};
    if (askedAt === undefined || this.#schedule.now >= askedAt + this.interval) this.#suspect();
  }

  #suspect(): void {
    this.#state = 'suspect';
    this.#awaitsActivity = true;
    suspect(this);
  }

  judge(evidence: Evidence): void {
    const { stream, pinger } = this;
    // The monitor was closed meanwhile, or there was a sign of life.
    if (this.#state !== 'suspect') return;
    if (stream.destroyed) {
      this.#events.onGone(this.#owner);
      return;
    }
    if (this.#noticeUnseenBytes()) return;
    this.#progress ??= new DeliveryProgress(stream);
    if (this.#progress.hasAdvanced(evidence, this.#schedule.now, pinger?.isBlocked ?? false)) {
      this.#heardWithin(evidence.timeSinceLastAckReceived || 0);
    }
    const { canHear } = this.#adapter;
    if (!canHear) this.#prober ??= new Prober(stream, this);
    const prober = canHear ? undefined : this.#prober;
    prober?.note(evidence);
    const answerTime = maxAnswerTime(evidence);
    const state = tcpStateAt(evidence.state);
    const result = classifySilence(evidence, {
      silence: this.silence,
      timeout: this.timeout,
      state,
      closedBy: state === 'CLOSED' ? takeKernelError(stream) : null,
      anyBytesCount: this.#adapter.isAlive === undefined,
      canHear,
      hasThisSideEnded: stream.writableEnded,
      unansweredPings: pinger?.sentInSilence ?? 0,
      skippedPings: pinger?.skippedInSilence ?? 0,
      sinceFirstPing: pinger?.sinceFirstUnanswered ?? NEVER,
      sinceLastButOnePing: pinger?.sinceLastButOne ?? NEVER,
      timeLeftToAnswer: (canHear ? pinger : prober)?.timeLeftToAnswer(answerTime) ?? 0,
      isProbed: prober?.isProbing ?? false,
    });
    if (result.verdict === 'dead') {
      this.#events.onDead(this.#owner, result.death);
      return;
    }
    if (result.verdict === 'alive') this.#heardWithin(result.silence);
    this.#state = this.#silence < lateAfter(this) ? 'healthy' : 'late';
    if (this.#state === 'healthy') this.#stopProbing();
    else if (waitingOf(evidence) === 0) prober?.probe();
    // The ping was due while the monitor waited for `judge()`.
    if (pinger !== undefined && this.#schedule.now >= pinger.dueAt) this.#ping(pinger);
    if (result.verdict !== 'undecided') this.#scheduleNext();
    else
      this.#scheduleNext(performance.now() + (prober?.timeToNextLook(answerTime) ?? result.wait));
  }

  #stopProbing(): void {
    this.#prober?.restore();
    this.#prober = undefined;
  }
}
