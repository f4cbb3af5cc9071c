// The state machine of one heartbeat: decides from silence when the peer is late and when it is dead, and has pings sent
// when they are due. What becomes of a dead peer's stream is decided in heartbeat.ts.
//
//   healthy   A look comes when the next ping is due, or when the peer would be late.
//   late      The silence is longer than the mean of interval and timeout. A look comes every step.
//   suspect   The silence is longer than timeout; or the peer is late or blocks our pings, and the kernel is asked once in an
//             interval what it still takes. `judge()` decides after everything is read that waits.
//   closed    By `close()`, which every report may call.
//
// A sign of life makes a late or suspect peer healthy at once.

import type { Duplex } from 'node:stream';
import { type Schedule, ScheduleEntry } from '../core/schedule';
import { classifySilence, type Evidence, maxAnswerTime } from './classify';
import { DeliveryProgress } from './delivery-progress';
import { tcpStateAt } from './kernel';
import type { CheckedOptions } from './options';
import type { PeerDeath } from './peer-death';
import { Pinger } from './pinger';
import { lateAfter, pingGridOf, scheduleFor, stepOf } from './rhythm';
import { type ActivityListener, StreamAdapter } from './stream-adapter';
import { type Suspect, suspect } from './suspects';

/** What a monitor reports, about the heartbeat that it belongs to. Each of these may close it. */
export interface MonitorEvents<Owner> {
  onActivity(owner: Owner, rtt: number | null): void;
  onLate(owner: Owner, silence: number, unansweredPings: number): void;
  onDead(owner: Owner, death: PeerDeath): void;
  /** `send` or `isAlive` failed. */
  onFailed(owner: Owner, error: Error): void;
  /** The stream is destroyed. */
  onGone(owner: Owner): void;
}

type State = 'healthy' | 'late' | 'suspect' | 'closed';

/** No time, or one that does not come. */
const NEVER = Number.POSITIVE_INFINITY;

export class Monitor<Owner = unknown> extends ScheduleEntry implements Suspect, ActivityListener {
  readonly pinger: Pinger | undefined;
  readonly interval: number;
  /** Infinity: the peer is not expected to say anything. */
  readonly timeout: number;
  readonly #owner: Owner;
  readonly #events: MonitorEvents<Owner>;
  readonly #adapter: StreamAdapter;
  readonly #schedule: Schedule;
  #state: State = 'healthy';
  /** When the last sign of life came, or up to a step later. By the clock `awake` of the schedule. */
  #heardAt: number;
  /** The next sign of life changes more than `#heardAt`. */
  #awaitsActivity = false;
  #isLateReported = false;
  #isListenedTo = false;
  /** When the last sign of life is reported, by the clock `now`. */
  #reportAt: number | undefined;
  /** `recordAnswer()` tells which signs of life are answers. */
  #hasExplicitAnswers = false;
  /** What the peer takes in this silence. */
  #progress: DeliveryProgress | undefined;

  /** `events`: one object for all monitors. */
  constructor(
    stream: Duplex,
    options: CheckedOptions<never>,
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
  }

  /** Keeps the process from ending, or does so no longer. */
  setRef(isReferenced: boolean): void {
    if (!this.isClosed) this.#schedule.setRef(this, isReferenced);
  }

  /** Reports signs of life from now on. */
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

  /** In milliseconds, at the last wake-up of the schedule. */
  get silence(): number {
    return Math.max(0, this.#silence);
  }

  get #silence(): number {
    return this.#schedule.awake - this.#heardAt;
  }

  /** A sign of life. */
  recordActivity(): void {
    this.#heardAt = this.#schedule.latestAwake;
    if (this.#awaitsActivity) this.#endSilence();
  }

  /** An answer, if there was a ping. */
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
    // It may be connected at any time before the next look.
    if (this.#adapter.isConnecting) this.#heardWithin(-stepOf(this));
    if (this.#reportAt !== undefined && now >= this.#reportAt) this.#reportActivity();
    // A listener may have closed it.
    if (this.#isOpen && this.#silence >= lateAfter(this)) this.#examineSilence();
    if (this.#isOpen && pinger !== undefined && now >= pinger.dueAt) this.#ping(pinger);
  }

  /** Neither closed nor left to `judge()`. */
  get #isOpen(): boolean {
    return this.#state === 'healthy' || this.#state === 'late';
  }

  /** `stepEnd`: what waits for something that this program is not told of is looked at again then. */
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
    if (this.#isOpen && this.pinger !== undefined) this.#askForProgress();
  }

  #reportLate(): void {
    if (this.#isLateReported || this.stream.readableEnded || !this.#adapter.isReading) return;
    this.#isLateReported = true;
    this.#events.onLate(this.#owner, this.silence, this.pinger?.sentInSilence ?? 0);
  }

  /** When they came is not known. */
  #noticeUnseenBytes(): boolean {
    if (!this.#adapter.hasUnseenBytes()) return false;
    if (!this.#hasExplicitAnswers) this.pinger?.forgetQuestion();
    this.#heardWithin(0);
    this.#endSilence();
    return true;
  }

  /** The last sign of life is so many milliseconds old at the most. */
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
      // The peer took all that was before this ping. It has as long to answer as always.
      this.#heardWithin(this.interval);
      this.#progress = undefined;
    }
    pinger.ping(this.stream, stepOf(this), (error) => this.#events.onFailed(this.#owner, error));
  }

  /** Once in an interval. */
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
    // It was closed meanwhile, or there was a sign of life.
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
    const result = classifySilence(evidence, {
      silence: this.silence,
      timeout: this.timeout,
      state: tcpStateAt(evidence.state),
      anyBytesCount: this.#adapter.isAlive === undefined,
      isReading: this.#adapter.isReading,
      hasPeerEnded: stream.readableEnded,
      hasThisSideEnded: stream.writableEnded,
      unansweredPings: pinger?.sentInSilence ?? 0,
      skippedPings: pinger?.skippedInSilence ?? 0,
      sinceFirstPing: pinger?.sinceFirstUnanswered ?? NEVER,
      sinceLastButOnePing: pinger?.sinceLastButOne ?? NEVER,
      timeLeftToAnswer: pinger?.timeLeftToAnswer(maxAnswerTime(evidence)) ?? 0,
    });
    if (result.verdict === 'dead') {
      this.#events.onDead(this.#owner, result.death);
      return;
    }
    if (result.verdict === 'alive') this.#heardWithin(result.silence);
    this.#state = this.#silence < lateAfter(this) ? 'healthy' : 'late';
    // It was due while the kernel was asked.
    if (pinger !== undefined && this.#schedule.now >= pinger.dueAt) this.#ping(pinger);
    this.#scheduleNext(
      result.verdict === 'undecided' ? performance.now() + result.wait : undefined,
    );
  }
}
