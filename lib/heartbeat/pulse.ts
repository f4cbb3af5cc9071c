// One heartbeat: signs of life are counted where they come, and noticed at a look every few ticks.

import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { callbackError } from '../core/validate';
import { asError, call } from './callbacks';
import { tcpStateAt } from './kernel';
import { type Suspect, suspect } from './suspects';
import { tap } from './tap';
import { Entry, TICK, ticker } from './ticker';
import { Uptake } from './uptake';
import { answerTimeOf, type DeathReason, type Evidence, type PeerDeath, reasonOf } from './verdict';

/** What a heartbeat does, checked. Times in milliseconds. */
export interface Rhythm {
  readonly interval: number;
  /** Infinity: the peer is not expected to say anything. */
  readonly timeout: number;
  /** Sends a ping; a promise that it returns is rejected if the ping could not be sent. */
  readonly ping: (() => unknown) | undefined;
  /** Which chunks are signs of life; `undefined`: any bytes are; `false`: none. */
  readonly isAlive: ((chunk: Buffer) => boolean) | false | undefined;
}

/** Who is told what was noticed. */
export interface PulseOwner {
  onBeat(rtt: number | null): void;
  onLate(silence: number, unansweredPings: number): void;
  onDead(death: PeerDeath): void;
  /** A function of the program failed, without which the peer cannot be watched. */
  onFailed(error: Error): void;
  /** The stream is no more. */
  onGone(): void;
}

const AT_ONCE =
  'It must answer at once: for asynchronous work use isAlive: false, and call beat() when it is done.';

/** Looks in an interval, and in what the timeout is longer than it. */
const LOOKS = 8;

/** In ticks: longer than anything lasts. */
const NEVER = 2 ** 30;

/** An answer may take so much longer than the last one, in milliseconds. */
const ANSWER_SLACK = 2 * TICK;

/** By how much of half an interval the last first ping was early: spread independently of the phases. */
let spread = 0;
const SPREAD = 0.5698402909980532;

/**
 * Times are whole ticks in here, and a look touches nothing but this object, as long as the peer is not late:
 * with thousands of them, each other object is one that the processor has to fetch first. To read a
 * socket's count of bytes alone takes longer than all of it.
 */
export class Pulse extends Entry implements Suspect {
  readonly stream: Duplex;
  /** Signs of life. */
  #signs = 0;
  /** When the first ping left that is not answered yet, by `performance.now()`; 0: there is none. */
  #pingedAt = 0;
  /** Whether anybody wants to know of signs of life. */
  isHeard = false;
  /** The last round-trip time that was told. */
  rtt: number | null = null;
  pings = 0;
  skippedPings = 0;

  readonly #rhythm: Rhythm;
  readonly #owner: PulseOwner;
  /** Whether any bytes are signs of life, and the stream counts them too. */
  readonly #countsBytes: boolean;
  /** What its count is, if there are no bytes that were not seen. */
  #bytes = 0;
  #untap: (() => void) | undefined;
  /** Whether it sends pings. */
  readonly #sends: boolean;
  /** In ticks, as all times in here; `NEVER`: the peer is not expected to say anything. */
  readonly #interval: number;
  readonly #timeout: number;
  readonly #lateAfter: number;
  /** After so long it is time for a ping: the next look would be too late. */
  readonly #soon: number;
  /** Signs of life, and the tick, at the last look. */
  #life = 0;
  #seen = 0;
  /** Since a sign of life was noticed. */
  #silence = 0;
  /** Of an answer that is not told yet. */
  #rtt: number | null = null;
  /** Whether whoever reads the protocol says which signs of life are answers. */
  #knowsAnswers = false;
  #isLate = false;
  #isSuspect = false;
  /** Whether there is anything to be reset when a sign of life comes. */
  #isStill = false;
  #sincePing = 0;
  /** When the last ping left, and the one before, by `performance.now()`. */
  #lastPingAt = Number.NEGATIVE_INFINITY;
  #lastButOneAt = Number.NEGATIVE_INFINITY;
  /** When the first ping of this silence left; 0: there is none. */
  #askedAt = 0;
  /** Pings and skipped pings when the silence began. */
  #pingsBefore = 0;
  #skippedBefore = 0;
  /** Whether a ping waits until what was written before it has left. */
  #isBlocked = false;
  /** What the peer takes in this silence, from the first question on; and how long ago the last one was. */
  #uptake: Uptake | undefined;
  #sinceAsked = NEVER;

  constructor(stream: Duplex, rhythm: Rhythm, owner: PulseOwner) {
    super();
    const { interval, timeout, isAlive } = rhythm;
    this.stream = stream;
    this.#rhythm = rhythm;
    this.#owner = owner;
    this.#countsBytes =
      isAlive !== false && typeof (stream as Partial<Socket>).bytesRead === 'number';
    this.#sends = rhythm.ping !== undefined;
    const step = Math.min(interval, timeout - interval) / LOOKS;
    this.period = Math.max(1, Math.floor(step / TICK));
    this.#interval = Math.floor(interval / TICK);
    this.#timeout = ticksOf(timeout);
    this.#lateAfter = ticksOf((interval + timeout) / 2);
    this.#soon = this.#interval - this.period;
    if (this.#countsBytes) this.#bytes = (stream as Socket).bytesRead;
  }

  start(): void {
    if (this.#rhythm.isAlive !== false) {
      this.#untap = tap(this.stream, this.#seer(), (thrown) => {
        this.#owner.onFailed(asError('isAlive', thrown));
      });
    }
    this.#seen = ticker.start(this);
    // Heartbeats that begin together do not ping together: the first ping leaves up to half an interval early.
    spread = (spread + SPREAD) % 1;
    this.#sincePing = Math.floor((spread * this.#interval) / 2);
  }

  stop(): void {
    ticker.stop(this);
    this.#untap?.();
  }

  /** For how long there was no sign of life, in milliseconds. */
  get silence(): number {
    return this.#silence * TICK;
  }

  override look(tick: number): void {
    // A look that comes late found this process stopped or busy: that is nobody's silence, nor is what
    // lies in the kernel read yet.
    const elapsed = Math.min(tick - this.#seen, 2 * this.period);
    this.#seen = tick;
    if (this.#isSuspect) return;
    if (!this.#noticeLife()) this.#noticeSilence(elapsed);
    if (this.#sends) this.#pingIfDue(elapsed);
  }

  /** A sign of life. */
  beat(): void {
    this.#signs++;
    if (this.#pingedAt !== 0) this.#takeForAnswer();
  }

  /** The peer answered, if there was a ping. */
  answer(): void {
    this.#knowsAnswers = true;
    this.beat();
    if (this.#pingedAt !== 0) this.#measure();
  }

  /** A sign of life came after a ping. */
  #takeForAnswer(): void {
    if (!this.#knowsAnswers) this.#measure();
  }

  #measure(): void {
    this.#isStill = true;
    this.#rtt = performance.now() - this.#pingedAt;
    this.#pingedAt = 0;
  }

  judge(evidence: Evidence): void {
    this.#isSuspect = false;
    const { stream } = this;
    if (this.isAlone || stream.destroyed || this.#noticeLife() || this.#noticeUnseen()) return;
    const { timeSinceLastDataReceived, timeSinceLastAckReceived } = evidence;
    if (this.#hasTakenMore(evidence)) {
      // When, is known as well as this: not after the last acknowledgement.
      this.#silentFor(timeSinceLastAckReceived || 0);
    }
    const state = tcpStateAt(evidence.state);
    const { silence } = this;
    const reason = reasonOf(evidence, state, {
      silence,
      sinceFirstPing: performance.now() - (this.#pingedAt || Number.NEGATIVE_INFINITY),
      sinceLastButOne: performance.now() - this.#lastButOneAt,
    });
    // Where both sides have ended, a connection is closed in good order: what came before may still be read.
    const isCutOff = state === 'CLOSED' && (!stream.writableEnded || reason === 'vanished');
    if (!isCutOff && !this.#isOverdue(evidence, reason)) return;
    const death: PeerDeath = {
      reason,
      silence,
      unansweredPings: this.pings - this.#pingsBefore,
      skippedPings: this.skippedPings - this.#skippedBefore,
      state,
      timeSinceLastDataReceived: numberOrNull(timeSinceLastDataReceived),
      timeSinceLastAckReceived: numberOrNull(timeSinceLastAckReceived),
      bytesInFlight: numberOrNull(evidence.bytesInFlight),
      unsentBytes: numberOrNull(evidence.unsentBytes),
    };
    this.#owner.onDead(Object.freeze(death));
  }

  /** Whether the silence has lasted for the timeout, and is the peer's. */
  #isOverdue(evidence: Evidence, reason: DeathReason): boolean {
    if (this.#silence < this.#timeout) return false;
    const { timeSinceLastDataReceived } = evidence;
    const { timeout, isAlive } = this.#rhythm;
    if (isAlive === undefined && timeSinceLastDataReceived < timeout) {
      // Bytes that a TLS record is still to be made of, or that nobody has read.
      this.#silentFor(timeSinceLastDataReceived);
      return false;
    }
    if (this.stream.readableEnded || (!this.#isHearing() && reason !== 'vanished')) {
      this.#silence = 0;
      return false;
    }
    return this.#hasHadTimeToAnswer(evidence);
  }

  /** Whether the first ping of this silence could have been answered by now. If not, there is a look when it could. */
  #hasHadTimeToAnswer(evidence: Evidence): boolean {
    if (this.#askedAt === 0) return true;
    const answerTime = Math.max(answerTimeOf(evidence), this.rtt ?? 0) + ANSWER_SLACK;
    const left = this.#askedAt + answerTime - performance.now();
    if (left <= 0) return true;
    ticker.hurry(this, Math.ceil(left / TICK));
    return false;
  }

  /** Milliseconds since a sign of life that was not noticed here. */
  #silentFor(milliseconds: number): void {
    this.#silence = Math.min(this.#silence, Math.floor(milliseconds / TICK));
  }

  #hasTakenMore(evidence: Evidence): boolean {
    if (this.#uptake !== undefined) return this.#uptake.grows(evidence, this.#isBlocked);
    this.#uptake = new Uptake(this.stream, evidence);
    return false;
  }

  /** What it had taken before this does not count. */
  #forgetTaken(): void {
    this.#uptake = undefined;
    this.#sinceAsked = NEVER;
  }

  /** Whether the peer has given a sign of life since the last look. */
  #noticeLife(): boolean {
    const signs = this.#signs;
    if (signs === this.#life) return false;
    this.#life = signs;
    const rtt = this.#rtt;
    if (this.#isStill) {
      this.#isStill = false;
      this.#endSilence(rtt);
    }
    if (this.isHeard) this.#owner.onBeat(rtt);
    return true;
  }

  /** The same of bytes that nobody saw, for they never come to `push()`: as with the option `onread`. */
  #noticeUnseen(): boolean {
    if (!this.#countsBytes) return false;
    const { bytesRead } = this.stream as Socket;
    if (bytesRead <= this.#bytes) return false;
    this.#bytes = bytesRead;
    this.#signs++;
    // When they came is not known.
    if (!this.#knowsAnswers) this.#pingedAt = 0;
    return this.#noticeLife();
  }

  #endSilence(rtt: number | null): void {
    this.#silence = 0;
    this.#isLate = false;
    this.#askedAt = 0;
    this.#forgetTaken();
    this.#pingsBefore = this.pings;
    this.#skippedBefore = this.skippedPings - (this.#isBlocked ? 1 : 0);
    if (rtt === null) return;
    this.#rtt = null;
    this.rtt = rtt;
  }

  #noticeSilence(elapsed: number): void {
    this.#isStill = true;
    // Who only sends does not wait, however long it is.
    this.#silence = Math.min(this.#silence + elapsed, NEVER - 1);
    this.#sinceAsked += elapsed;
    if (this.#silence < this.#lateAfter) return;
    const { stream } = this;
    if (stream.destroyed) {
      this.#owner.onGone();
      return;
    }
    if ((stream as Partial<Socket>).pending) this.#silence = 0;
    if (this.#silence === 0 || this.#noticeUnseen()) return;
    const left = this.#timeout - this.#silence;
    if (left <= 0) {
      this.#suspect();
      return;
    }
    // Noticed at a tick, and not at a look only.
    if (left < this.period) ticker.hurry(this, left);
    this.#noticeLate();
    if (this.#sends && !this.isAlone) this.#ask();
  }

  /** Asks the kernel, once in an interval, how much the peer takes. */
  #ask(): void {
    if (this.#sinceAsked < this.#interval) return;
    this.#sinceAsked = 0;
    this.#suspect();
  }

  #noticeLate(): void {
    if (this.#isLate || this.stream.readableEnded || !this.#isHearing()) return;
    this.#isLate = true;
    this.#owner.onLate(this.silence, this.pings - this.#pingsBefore);
  }

  /** Whether the program takes what comes. With `isAlive: false` it must have taken all of it, to know what life is. */
  #isHearing(): boolean {
    const { stream } = this;
    if (this.#rhythm.isAlive === false && stream.readableLength > 0) return false;
    return isReading(stream);
  }

  #suspect(): void {
    this.#isSuspect = true;
    suspect(this);
  }

  #pingIfDue(elapsed: number): void {
    this.#sincePing += elapsed;
    // A listener may have closed it, and a verdict comes first.
    if (this.#sincePing <= this.#soon || this.isAlone || this.#isSuspect) return;
    const { stream } = this;
    if (stream.destroyed) this.#owner.onGone();
    if (!stream.writable || (stream as Partial<Socket>).pending) return;
    if (stream.writableLength > 0) this.#block();
    else this.#ping();
  }

  /** A ping would only join the queue. */
  #block(): void {
    if (!this.#isBlocked) this.skippedPings++;
    this.#isBlocked = true;
    this.#isStill = true;
    if (this.#timeout !== NEVER && this.#silence > this.#soon) this.#ask();
  }

  #ping(): void {
    if (this.#isBlocked) {
      // The peer took all that was before it, and has as long to answer as always.
      this.#isBlocked = false;
      this.#silence = Math.min(this.#silence, this.#interval);
      this.#forgetTaken();
    }
    this.pings++;
    if (this.#timeout !== NEVER) this.#noteTime();
    this.#sincePing = 0;
    const { ping } = this.#rhythm;
    if (ping === undefined) return;
    call('send', ping, (error) => {
      this.pings--;
      this.#owner.onFailed(error);
    });
  }

  #noteTime(): void {
    this.#lastButOneAt = this.#lastPingAt;
    this.#lastPingAt = performance.now();
    if (this.#pingedAt === 0) this.#pingedAt = this.#lastPingAt;
    if (this.#askedAt === 0) this.#askedAt = this.#lastPingAt;
    this.#isStill = true;
  }

  /** What counts a chunk. */
  #seer(): (chunk: unknown) => void {
    const { isAlive } = this.#rhythm;
    if (isAlive) {
      return (chunk) => {
        if (this.#countsBytes) this.#bytes += (chunk as Buffer).length;
        const answer: unknown = isAlive(chunk as Buffer);
        if (answer === true) this.beat();
        else if (answer !== false) throw callbackError('isAlive', 'a boolean', answer, AT_ONCE);
      };
    }
    if (!this.#countsBytes) return () => this.beat();
    return (chunk) => {
      this.#bytes += (chunk as Buffer).length;
      this.beat();
    };
  }
}

/** A tick that has begun counts as one: so one more. */
function ticksOf(milliseconds: number): number {
  return Math.min(NEVER, Math.ceil(milliseconds / TICK) + 1);
}

/** Whether the program takes what comes: where it does not, a stream stops to read, and hears nothing. */
function isReading(stream: Duplex): boolean {
  if (stream.readableLength >= stream.readableHighWaterMark) return false;
  return !stream.isPaused() || stream.listenerCount('readable') > 0;
}

function numberOrNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
