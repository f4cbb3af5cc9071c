// One heartbeat: signs of life are counted where they come, and noticed at a look every few ticks.

import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { tcpStateAt } from './kernel';
import { type Suspect, suspect } from './suspects';
import { Tap } from './tap';
import { Entry, TICK, ticker } from './ticker';
import { type Evidence, type PeerDeath, reasonOf } from './verdict';

/** What a heartbeat does, checked. Times in milliseconds. */
export interface Rhythm {
  readonly interval: number;
  /** Infinity: the peer is not expected to say anything. */
  readonly timeout: number;
  /** Sends a ping. */
  readonly ping: (() => void) | undefined;
  /** Which chunks are signs of life; `undefined`: any bytes are; `false`: none. */
  readonly isAlive: ((chunk: Buffer) => boolean) | false | undefined;
}

/** Who is told what was noticed. */
export interface PulseOwner {
  onBeat(rtt: number | null): void;
  onLate(silence: number, unansweredPings: number): void;
  onDead(death: PeerDeath): void;
  /** The stream is no more. */
  onGone(): void;
}

/**
 * Looks in an interval, and in what the timeout is longer than it. The last sign of life is noticed at one
 * look, and that it is too long ago at another: so a death is noticed two of them late at most.
 */
const LOOKS = 16;

/** By how much of half an interval the last first ping was early: spread independently of the phases. */
let spread = 0;
const SPREAD = 0.5698402909980532;

export class Pulse extends Entry implements Suspect {
  readonly stream: Duplex;
  /** Signs of life, but for bytes that the stream counts itself. */
  signs = 0;
  /** When the first ping left that is not answered yet; 0: there is none. */
  pingedAt = 0;
  /** For how long there was no sign of life. */
  silence = 0;
  /** The last round-trip time that was told. */
  rtt: number | null = null;
  pings = 0;
  skippedPings = 0;

  readonly #rhythm: Rhythm;
  readonly #owner: PulseOwner;
  readonly #step: number;
  readonly #lateAfter: number;
  /** Whether `bytesRead` of the stream is what counts. */
  readonly #countsBytes: boolean;
  #tap: Tap | undefined;
  /** Signs of life, of either kind, and `performance.now()`, at the last look. */
  #life: number;
  #seen: number;
  /** Of an answer that is not told yet. */
  #rtt: number | null = null;
  #isLate = false;
  #isSuspect = false;
  /** What was written to the stream up to the last look, and how long ago. */
  #written: number;
  #sinceWrite = 0;
  #sincePing = 0;
  /** Pings and skipped pings when the silence began. */
  #pingsBefore = 0;
  #skippedBefore = 0;
  /** Whether a ping waits until what was written before it has left. */
  #isBlocked = false;
  /** In this silence: how much the peer had when this was last asked, and how long ago that was. */
  #acked = Number.POSITIVE_INFINITY;
  #sinceAsked = Number.POSITIVE_INFINITY;
  /** How much it has when it has all that waited for it when this was first asked, pings included. */
  #ackedAll = 0;

  constructor(stream: Duplex, rhythm: Rhythm, owner: PulseOwner) {
    super();
    const { interval, timeout, isAlive } = rhythm;
    this.stream = stream;
    this.#rhythm = rhythm;
    this.#owner = owner;
    this.#step = Math.max(TICK, Math.min(interval, timeout - interval) / LOOKS);
    this.#lateAfter = (interval + timeout) / 2;
    this.#countsBytes =
      isAlive === undefined && typeof (stream as Partial<Socket>).bytesRead === 'number';
    if (isAlive !== false && !this.#countsBytes) this.#openTap();
    this.#life = this.#countLife();
    this.#seen = performance.now();
    this.#written = bytesWritten(stream);
  }

  start(): void {
    ticker.start(this, this.#step);
    // Heartbeats that begin together do not ping together: the first ping leaves up to half an interval early.
    spread = (spread + SPREAD) % 1;
    this.#sinceWrite = (spread * this.#rhythm.interval) / 2;
  }

  stop(): void {
    ticker.stop(this);
    this.#tap?.remove();
    this.#tap = undefined;
  }

  override look(now: number): void {
    // A look that comes late found this process stopped or busy: that is nobody's silence, nor is what
    // lies in the kernel read yet.
    const elapsed = Math.min(now - this.#seen, 2 * this.#step);
    this.#seen = now;
    const { stream } = this;
    if (stream.destroyed) {
      this.#owner.onGone();
      return;
    }
    if ((stream as Partial<Socket>).pending || this.#isSuspect) return;
    if (!this.#noticeLife()) this.#noticeSilence(elapsed);
    // A listener may have closed it.
    if (this.isAlone || this.#isSuspect) return;
    if (this.#rhythm.ping !== undefined) this.#pingIfDue(elapsed);
  }

  /** An answer came, if there was a ping. */
  answer(): void {
    if (this.pingedAt === 0) return;
    this.#rtt = performance.now() - this.pingedAt;
    this.pingedAt = 0;
    if (this.#countsBytes) this.#tap?.rest();
  }

  judge(evidence: Evidence): void {
    this.#isSuspect = false;
    if (this.isAlone || this.#noticeLife()) return;
    const { stream, silence } = this;
    const { timeout, isAlive } = this.#rhythm;
    const { timeSinceLastDataReceived, timeSinceLastAckReceived } = evidence;
    if (this.#hasTakenMore(evidence)) {
      // When, is known as well as this: not after the last acknowledgement.
      this.silence = Math.min(silence, timeSinceLastAckReceived || 0);
    }
    if (this.silence < timeout) return;

    if (isAlive === undefined && timeSinceLastDataReceived < timeout) {
      // Bytes that a TLS record is still to be made of, or that nobody has read.
      this.silence = timeSinceLastDataReceived;
      return;
    }
    const { pingedAt } = this;
    const sincePing = pingedAt === 0 ? Number.POSITIVE_INFINITY : performance.now() - pingedAt;
    const reason = reasonOf(evidence, silence, sincePing);
    if (stream.readableEnded || (!isReading(stream) && reason !== 'vanished')) {
      this.silence = 0;
    } else {
      this.#owner.onDead({
        reason,
        silence: Math.round(silence),
        unansweredPings: this.pings - this.#pingsBefore,
        skippedPings: this.skippedPings - this.#skippedBefore,
        state: tcpStateAt(evidence.state),
        timeSinceLastDataReceived: numberOrNull(timeSinceLastDataReceived),
        timeSinceLastAckReceived: numberOrNull(timeSinceLastAckReceived),
        bytesInFlight: numberOrNull(evidence.bytesInFlight),
        unsentBytes: numberOrNull(evidence.unsentBytes),
      });
    }
  }

  /**
   * Whether the peer has taken of what waits for it, be it in this program or in the kernel, since this was
   * last asked. A ping is behind that, so this is the only sign of life that it can give.
   */
  #hasTakenMore({ bytesAcked, bytesInFlight, unsentBytes }: Evidence): boolean {
    const { stream } = this;
    const isTold = !Number.isNaN(bytesAcked);
    const before = this.#acked;
    // Where the kernel does not tell, what it took itself stands for it.
    this.#acked = isTold ? bytesAcked : bytesWritten(stream) - stream.writableLength;
    if (before === Number.POSITIVE_INFINITY) {
      const inKernel = isTold ? (bytesInFlight || 0) + (unsentBytes || 0) : 0;
      this.#ackedAll = this.#acked + inKernel + stream.writableLength;
      return false;
    }
    // What is sent later are pings, which any kernel acknowledges.
    return this.#acked > before && (this.#isBlocked || before < this.#ackedAll);
  }

  /** What it had taken before this does not count. */
  #forgetTaken(): void {
    this.#acked = Number.POSITIVE_INFINITY;
    this.#sinceAsked = Number.POSITIVE_INFINITY;
  }

  #countLife(): number {
    return this.#countsBytes ? this.signs + (this.stream as Socket).bytesRead : this.signs;
  }

  /** Whether the peer has given a sign of life since the last look. */
  #noticeLife(): boolean {
    const life = this.#countLife();
    if (life === this.#life) return false;
    this.#life = life;
    this.silence = 0;
    this.#isLate = false;
    this.#forgetTaken();
    this.#pingsBefore = this.pings;
    this.#skippedBefore = this.skippedPings - (this.#isBlocked ? 1 : 0);
    const rtt = this.#rtt;
    this.#rtt = null;
    this.rtt = rtt ?? this.rtt;
    if (this.pingedAt !== 0 && this.#countsBytes) {
      // They came past the tap: when is not known.
      this.pingedAt = 0;
      this.#tap?.rest();
    }
    this.#owner.onBeat(rtt);
    return true;
  }

  #noticeSilence(elapsed: number): void {
    this.silence += elapsed;
    this.#sinceAsked += elapsed;
    if (this.silence >= this.#rhythm.timeout) this.#suspect();
    else if (this.silence >= this.#lateAfter) {
      this.#noticeLate();
      if (!this.isAlone && this.#rhythm.ping !== undefined) this.#ask();
    }
  }

  /** Asks the kernel, once in an interval, how much the peer takes. */
  #ask(): void {
    if (this.#sinceAsked < this.#rhythm.interval) return;
    this.#sinceAsked = 0;
    this.#suspect();
  }

  #noticeLate(): void {
    if (this.#isLate || this.stream.readableEnded || !isReading(this.stream)) return;
    this.#isLate = true;
    this.#owner.onLate(this.silence, this.pings - this.#pingsBefore);
  }

  #suspect(): void {
    this.#isSuspect = true;
    suspect(this);
  }

  /** A look and a half before the interval is over: the next one would be too late. */
  #pingIfDue(elapsed: number): void {
    const { stream } = this;
    const { interval, timeout } = this.#rhythm;
    const written = bytesWritten(stream);
    // What was written since the last look may have been just after it.
    this.#sinceWrite = written === this.#written ? this.#sinceWrite + elapsed : elapsed;
    this.#sincePing += elapsed;
    this.#written = written;
    const soon = interval - 1.5 * this.#step;
    const isQuiet = this.#sinceWrite > soon;
    const isUnanswered = timeout !== Number.POSITIVE_INFINITY && this.silence > soon;
    if (!isQuiet && !(isUnanswered && this.#sincePing > soon)) return;
    if (!stream.writable) return;
    if (stream.writableLength > 0) this.#block(isUnanswered);
    else this.#ping();
  }

  /** A ping would only join the queue. */
  #block(isUnanswered: boolean): void {
    if (!this.#isBlocked) this.skippedPings++;
    this.#isBlocked = true;
    if (isUnanswered) this.#ask();
  }

  #ping(): void {
    const { interval, timeout, ping } = this.#rhythm;
    if (this.#isBlocked) {
      // The peer took all that was before it, and has as long to answer as always.
      this.#isBlocked = false;
      this.silence = Math.min(this.silence, interval);
      this.#forgetTaken();
    }
    this.pings++;
    this.#sincePing = 0;
    this.#sinceWrite = 0;
    if (timeout !== Number.POSITIVE_INFINITY && this.pingedAt === 0) {
      this.pingedAt = performance.now();
      if (this.#countsBytes) this.#openTap();
    }
    ping?.();
    this.#written = bytesWritten(this.stream);
  }

  #openTap(): void {
    this.#tap ??= new Tap(this.stream, (chunk) => this.#see(chunk as Buffer));
    this.#tap.open();
  }

  #see(chunk: Buffer): void {
    const { isAlive } = this.#rhythm;
    if (isAlive && !isAlive(chunk)) return;
    // Other bytes the stream counts itself.
    if (!this.#countsBytes) this.signs++;
    this.answer();
  }
}

/** 0 where a stream does not count them. */
function bytesWritten(stream: Duplex): number {
  return (stream as Partial<Socket>).bytesWritten ?? 0;
}

/** Whether the program takes what comes: where it does not, a stream stops to read, and hears nothing. */
function isReading(stream: Duplex): boolean {
  if (stream.readableLength >= stream.readableHighWaterMark) return false;
  return !stream.isPaused() || stream.listenerCount('readable') > 0;
}

function numberOrNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
