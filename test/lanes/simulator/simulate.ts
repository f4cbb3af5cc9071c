// Runs one history: a connection, its peer, the path between them, the program, and supervision with the real rule.

import type { DeadPeerPlan } from '../../../lib/dead-peer/plan';
import {
  judge,
  type Memory,
  newMemory,
  type Request,
  type Terms,
} from '../../../lib/dead-peer/supervision/rule';
import { SLOT_WIDTH } from '../../../lib/dead-peer/supervision/slots';
import { type History, type Look, type Outcome, planOf } from './history';
import { type Answer, type Outage, Path, type Segment } from './path';
import { Peer } from './peer';
import { Random } from './random';
import { Sender } from './sender';

/** In milliseconds. Timers of lib/core/schedule.ts fire at multiples of this. */
const TICK = 20;

/** Runs a history. `looks` receives what supervision saw. */
export function simulate(history: History, looks?: Look[]): Outcome {
  const simulation = new Simulation(history, looks);
  return simulation.run();
}

class Simulation {
  readonly #random: Random;
  readonly #sender: Sender;
  readonly #peer: Peer;
  readonly #toPeer: Path<Segment>;
  readonly #fromPeer: Path<Answer>;
  readonly #plan: DeadPeerPlan;
  readonly #terms: Terms;
  readonly #memory: Memory;
  /** The clock at the start: timers of the kernel depend on it. */
  readonly #start: number;
  #lookAt: number;
  #isSecondLook = false;
  #writeAt: number;
  #overrideAt: number;
  #timerAtCall = Number.NEGATIVE_INFINITY;
  #longestSilence = 0;
  #mergedLifeAt = Number.NaN;

  constructor(
    private readonly history: History,
    private readonly looks: Look[] | undefined,
  ) {
    const { program, peer, roundTrip, callAt } = history;
    this.#random = new Random(history.seed);
    this.#start = Math.floor(this.#random.next() * 1_000_000);
    const start = this.#start;
    const { plan, terms } = planOf(history);
    this.#plan = plan;
    this.#terms = terms;
    const later = (outages: readonly Outage[]): Outage[] =>
      outages.map(({ from, to }) => ({ from: from + start, to: to + start }));
    const { loss, jitter } = history;
    this.#toPeer = new Path(this.#random, loss, jitter / 2, later(history.ours));
    this.#fromPeer = new Path(this.#random, loss, jitter / 2, later(history.theirs));
    this.#sender = new Sender(start, roundTrip, program.cwnd, peer.room, (segment) => {
      const { now } = this.#sender;
      if (now >= start + history.dropsFrom) return false;
      this.#toPeer.send(segment, now, this.#delay());
      return true;
    });
    this.#sender.isNagleOn = program.isNagleOn;
    const behaviour = {
      ...peer,
      closedFrom: peer.closedFrom + start,
      closedTo: peer.closedTo + start,
    };
    this.#peer = new Peer(behaviour, start, roundTrip, (answer) =>
      this.#fromPeer.send(answer, this.#peer.now, this.#delay()),
    );
    this.#writeAt = program.kind === 'idle' ? Number.POSITIVE_INFINITY : start + program.from;
    this.#overrideAt = start + history.overrideAt;
    const since = start + callAt;
    this.#memory = newMemory(since, callAt === 0 ? since : Number.NEGATIVE_INFINITY);
    this.#lookAt = since;
    if (callAt === 0) {
      this.#request('keepalive');
      this.#lookAt = this.#slot(since + terms.timeout / 2);
    }
  }

  #delay(): number {
    const { roundTrip, laterRoundTrip, changesAt } = this.history;
    const now = Math.max(this.#sender.now, this.#peer.now) - this.#start;
    return (now < changesAt ? roundTrip : laterRoundTrip) / 2;
  }

  run(): Outcome {
    const sender = this.#sender;
    const peer = this.#peer;
    const end = this.#start + this.history.end;
    while (true) {
      const { timers } = sender;
      const ours = Math.min(timers.transmitAt, timers.keepAliveAt, sender.delayedAckAt);
      const wire = Math.min(this.#toPeer.nextAt, this.#fromPeer.nextAt);
      const program = Math.min(this.#writeAt, this.#overrideAt, this.#lookAt);
      const now = Math.min(ours, wire, program, peer.nextAt);
      if (now >= end) return this.#outcome('alive', end);
      sender.now = now;
      peer.now = now;
      if (now === this.#toPeer.nextAt) peer.receive(this.#toPeer.receive());
      else if (now === this.#fromPeer.nextAt) this.#receive();
      else if (now === timers.transmitAt) timers.onTransmit();
      else if (now === timers.keepAliveAt) timers.onKeepAlive();
      else if (now === sender.delayedAckAt) sender.acknowledge();
      else if (now === this.#writeAt) this.#write();
      else if (now === this.#overrideAt) this.#override();
      else if (now === this.#lookAt) {
        const outcome = this.#look();
        if (outcome !== undefined) return outcome;
      } else peer.onTimer();
    }
  }

  #receive(): void {
    this.#sender.receive(this.#fromPeer.receive());
    const { program } = this.history;
    if (program.kind !== 'upload') return;
    const time = this.#sender.now - this.#start;
    const isFilling = time >= program.from && time < program.to;
    if (isFilling && this.#sender.unsent < 64_000) this.#sender.write(128_000);
  }

  #write(): void {
    const { kind, interval, size, to } = this.history.program;
    const { now } = this.#sender;
    const isOver = kind === 'write' || kind === 'upload' || now + interval >= this.#start + to;
    const pause = kind === 'mixed' ? this.#random.magnitude(1, 4 * interval) : interval;
    this.#writeAt = isOver ? Number.POSITIVE_INFINITY : now + pause;
    this.#sender.write(kind === 'upload' ? 128_000 : size);
  }

  /** Core's setKeepAlive(), as agents and drivers call it. */
  #override(): void {
    this.#overrideAt = Number.POSITIVE_INFINITY;
    const { timers } = this.#sender;
    if (this.history.override === 'off') timers.setKeepAlive(false);
    if (this.history.override === '60 s') {
      timers.setKeepAlive(true);
      timers.setKeepIdle(60_000);
    }
  }

  /** What supervision asks for, and what the call itself sets: apply-options.ts. */
  #request(request: Request): void {
    if (request === 'nothing') return;
    const { timers } = this.#sender;
    const { options } = this.#plan;
    timers.setKeepAlive(true);
    timers.setKeepIdle(options.keepAliveInitialDelay as number);
    timers.keepInterval = options.keepAliveInterval as number;
    timers.keepCount = options.keepAliveCount as number;
    this.#sender.rtoMax = (options.retransmissionTimeoutMax as number | undefined) ?? 120_000;
  }

  /** When a look is due that is planned for `time`: supervision/slots.ts, and a timer of the event loop. */
  #slot(time: number): number {
    const slot = Math.ceil(time / SLOT_WIDTH) * SLOT_WIDTH;
    return this.#unblocked(Math.ceil(slot / TICK) * TICK + this.#random.next() * 3);
  }

  #unblocked(time: number): number {
    const from = this.#start + this.history.blockedFrom;
    const to = this.#start + this.history.blockedTo;
    return time >= from && time < to ? to : time;
  }

  #look(): Outcome | undefined {
    const { now } = this.#sender;
    if (now === this.#memory.since && this.history.callAt > 0) {
      const { transmitAt } = this.#sender.timers;
      if (transmitAt !== Number.POSITIVE_INFINITY) this.#timerAtCall = transmitAt - this.#start;
      this.#request('keepalive');
    }
    const report = this.#sender.report();
    this.looks?.push([now - this.#start, report]);
    const decision = judge(this.#memory, report, now, this.#terms);
    if (Math.abs(this.#sender.lifeAt - this.#memory.lifeAt) > 6) {
      this.#mergedLifeAt = this.#sender.lifeAt;
    }
    if (decision.verdict === 'closed') return this.#outcome('closed', now);
    if (decision.verdict === 'dead') {
      if (this.#isSecondLook) return this.#outcome('dead', now);
      this.#isSecondLook = true;
      this.#lookAt = this.#unblocked(now + 0.1 + this.#random.next() * 3);
      return undefined;
    }
    this.#isSecondLook = false;
    const silence = (now - this.#memory.lifeAt) / this.#terms.timeout;
    this.#longestSilence = Math.max(this.#longestSilence, silence);
    this.#lookAt = this.#slot(Math.max(decision.lookAt, now + 0.01));
    this.#request(decision.request);
    return undefined;
  }

  #outcome(verdict: Outcome['verdict'], at: number): Outcome {
    const { attempts, answered, attemptTimes, lifeAt } = this.#sender;
    let oldUnanswered = 0;
    const old = at - this.#terms.timeout / 8;
    for (let attempt = answered; attempt < attempts; attempt++) {
      if ((attemptTimes[attempt] as number) > old) break;
      oldUnanswered++;
    }
    return {
      verdict,
      at: at - this.#start,
      lifeAt: lifeAt - this.#start,
      unanswered: attempts - answered,
      oldUnanswered,
      timerAtCall: this.#timerAtCall,
      rto: this.#sender.rtt.rto,
      hadData: this.#sender.inFlight > 0 || this.#sender.unsent > 0,
      isLifeMerged: lifeAt === this.#mergedLifeAt,
      longestSilence: this.#longestSilence,
      plan: this.#plan,
    };
  }
}
