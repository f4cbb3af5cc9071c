// Runs one history: a connection, its peer, the path between them, the program, and supervision with the real rule.

import { supervisedPlanFor, termsOf } from '../../../lib/dead-peer/supervised-plan';
import type { DeadPeerPlan, PlanRequest } from '../../../lib/dead-peer/plan';
import type { Report } from '../../../lib/dead-peer/supervision/report';
import {
  judge,
  type Memory,
  newMemory,
  type Request,
  type Terms,
} from '../../../lib/dead-peer/supervision/rule';
import { SLOT_WIDTH } from '../../../lib/dead-peer/supervision/slots';
import { type Answer, type Outage, Path, type Segment } from './path';
import { Peer, type PeerBehaviour } from './peer';
import { Random } from './random';
import { Sender } from './sender';

/** What the program does with its end. */
export interface Program {
  /** `'upload'` keeps the send queue full. */
  readonly kind: 'idle' | 'write' | 'writer' | 'upload' | 'mixed';
  /** The first write, the last one, and the time between two. */
  readonly from: number;
  readonly to: number;
  readonly interval: number;
  readonly size: number;
  readonly isNagleOn: boolean;
  readonly cwnd: number;
}

/** Everything that decides what happens, with the seed of the random numbers. Times are in milliseconds from the start. */
export interface History {
  readonly seed: number;
  readonly timeout: number;
  readonly minProbes: number;
  readonly hasTimeoutMax: boolean;
  readonly roundTrip: number;
  readonly jitter: number;
  /** The round-trip time may change once. */
  readonly laterRoundTrip: number;
  readonly changesAt: number;
  readonly loss: number;
  readonly ours: readonly Outage[];
  readonly theirs: readonly Outage[];
  /** The own machine drops what it sends. */
  readonly dropsFrom: number;
  readonly program: Program;
  readonly peer: PeerBehaviour;
  /** When supervision begins; 0: with the connection. */
  readonly callAt: number;
  /** What a library does to keepalive later: switches it off, or sets an initial delay of 60 s. */
  readonly override: 'off' | '60 s' | 'none';
  readonly overrideAt: number;
  /** The event loop is blocked, or the process stopped. */
  readonly blockedFrom: number;
  readonly blockedTo: number;
  readonly end: number;
}

export type Look = readonly [time: number, report: Report];

export interface Outcome {
  readonly verdict: 'alive' | 'dead' | 'closed';
  /** When the program was told; the end of the history if it was not. */
  readonly at: number;
  /** When the last sign of life came. */
  readonly lifeAt: number;
  /** The unanswered segments at that time, and those of them that were old enough to be answered. */
  readonly unanswered: number;
  readonly oldUnanswered: number;
  /** When the timer was due that ran at the call: a new TCP_RTO_MAX_MS does not shorten it. */
  readonly timerAtCall: number;
  /** The retransmission timeout when the last sign of life had come. */
  readonly rto: number;
  /** The sign of life that the rule knows came up to 20 ms before the last one: then the last one counts as answered by us. */
  readonly isLifeMerged: boolean;
  /** Whether data was waiting or in flight at the end. */
  readonly hadData: boolean;
  /** The longest silence of a look that found a living peer, as a share of the timeout. */
  readonly longestSilence: number;
  readonly plan: DeadPeerPlan;
}

/** In milliseconds. Timers of lib/core/schedule.ts fire at multiples of this. */
const TICK = 20;

const plans = new Map<string, { readonly plan: DeadPeerPlan; readonly terms: Terms }>();

/** Returns the plan that setDeadPeerTimeout() makes. */
export function planOf(
  history: Pick<History, 'timeout' | 'minProbes' | 'hasTimeoutMax' | 'loss'>,
): { readonly plan: DeadPeerPlan; readonly terms: Terms } {
  const { timeout, minProbes, hasTimeoutMax, loss } = history;
  const key = `${timeout} ${minProbes} ${hasTimeoutMax} ${loss}`;
  let known = plans.get(key);
  if (known === undefined) {
    const request: PlanRequest = {
      platform: 'linux',
      minProbes,
      zeroWindow: 'tolerate',
      maxSilence: undefined,
      supervise: true,
      hasTimeoutMax,
      retransmission: { timeout: 1_000, timeoutMin: 200, timeoutMax: 120_000, retries: 15 },
      silence: 0,
      assumptions: [],
    };
    const plan = supervisedPlanFor(request, timeout, loss);
    known = { plan, terms: termsOf(plan, minProbes) };
    if (plans.size > 500) plans.clear();
    plans.set(key, known);
  }
  return known;
}

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
      isLifeMerged: Math.abs(lifeAt - this.#memory.lifeAt) > 6,
      longestSilence: this.#longestSilence,
      plan: this.#plan,
    };
  }
}
