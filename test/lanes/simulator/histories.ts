// Makes random histories, and says what the promise requires of each.

import type { DeadPeerPlan } from '../../../lib/dead-peer/plan';
import { smallestSupervisedTimeout } from '../../../lib/dead-peer/supervised-values';
import { LATEST_LOOK } from '../../../lib/dead-peer/supervision/slots';
import { type History, type Program, planOf } from './history';
import type { Outage } from './path';
import type { PeerBehaviour } from './peer';
import { Random } from './random';

const NEVER = Number.POSITIVE_INFINITY;
const TIMEOUTS = [4_000, 5_000, 7_400, 9_000, 13_000, 20_000, 31_000, 60_000, 300_000];
const LOSSES = [0.05, 0.1, 0.2, 0.3];
/** How late a look is, with a tick of the kernel's timer wheel. */
const LATE = 160;
const NO_OUTAGE: readonly Outage[] = [];

/** What happens to the peer: the histories of each kind have a promise of their own. */
type Scene = 'dead' | 'living' | 'lossy' | 'outage';

export interface Drawn {
  readonly scene: Scene;
  readonly history: History;
}

/** Returns a history by the number of its seed. */
export function drawHistory(seed: number): Drawn {
  const random = new Random(seed);
  // The first numbers of neighbouring seeds are alike.
  for (let i = 0; i < 3; i++) random.next();
  const minProbes = random.chance(0.7) ? 3 : random.integer(1, 5);
  const drawn = random.chance(0.7) ? random.pick(TIMEOUTS) : random.magnitude(4_000, 300_000);
  const timeout = Math.max(Math.round(drawn), smallestSupervisedTimeout(minProbes));
  const share = random.next();
  if (share < 0.6) return { scene: 'dead', history: dead(random, timeout, minProbes) };
  if (share < 0.8) return { scene: 'living', history: living(random, timeout, minProbes) };
  if (share < 0.9) return { scene: 'lossy', history: lossy(random) };
  return { scene: 'outage', history: outage(random, timeout, minProbes) };
}

/** The peer, or the path to it, is lost at some moment. */
function dead(random: Random, timeout: number, minProbes: number): History {
  const faultAt = random.between(0, 1.5 * timeout);
  const end = 12 * timeout + 500_000;
  const forever = [{ from: faultAt, to: NEVER }];
  const kind = random.next();
  const ours = kind < 0.75 ? forever : NO_OUTAGE;
  const theirs = kind < 0.6 || (kind >= 0.75 && kind < 0.85) ? forever : NO_OUTAGE;
  const dropsFrom = kind >= 0.85 ? faultAt : NEVER;
  const roundTrip = random.magnitude(1, 0.7 * timeout);
  return {
    ...always(random, timeout, minProbes, roundTrip),
    ours,
    theirs,
    dropsFrom,
    program: drawProgram(random, timeout, roundTrip, faultAt + 2 * timeout),
    peer: drawPeer(random, timeout),
    ...disturbances(random, timeout, faultAt),
    end,
  };
}

/** Each answer comes in time. */
function living(random: Random, timeout: number, minProbes: number): History {
  const end = random.between(2, 5) * timeout;
  const hasTimeoutMax = random.chance(0.7);
  const { plan } = planOf({ timeout, minProbes, hasTimeoutMax, loss: 0 });
  const delayedAck = random.pick([0, 40]);
  const drawn = disturbances(random, timeout, end);
  // Without keepalive, and unseen in a blocked loop, the first attempt may be younger than an answer.
  const disturbed =
    drawn.override === 'none' ? drawn : { ...drawn, blockedFrom: NEVER, blockedTo: NEVER };
  const isAsked = disturbed.override === 'none' && disturbed.callAt === 0;
  const whole = slowestAnswer(plan, timeout, minProbes, isAsked);
  // Linux answers probes at most every 500 ms: an answer that takes all the time may be to the probe after the first.
  const slowest = 0.95 * whole - delayedAck;
  const roundTrip = random.magnitude(1, slowest);
  const laterRoundTrip = random.chance(0.5) ? random.between(slowest / 2, slowest) : roundTrip;
  const jitter = Math.min(
    random.pick([0, 1, roundTrip / 4]),
    slowest - Math.max(roundTrip, laterRoundTrip),
  );
  return {
    ...always(random, timeout, minProbes, roundTrip),
    hasTimeoutMax,
    jitter,
    laterRoundTrip,
    changesAt: random.between(0, end),
    program: drawProgram(random, timeout, roundTrip, end),
    peer: { ...drawPeer(random, timeout), delayedAck },
    ...disturbed,
    end,
  };
}

/**
 * How long an answer may take. Where the first attempt comes late, the peer has half the timeout from the look before it.
 * Without TCP_RTO_MAX_MS the pauses between attempts may be longer than the silence before the first.
 */
function slowestAnswer(
  { options, slowestAnswer }: DeadPeerPlan,
  timeout: number,
  minProbes: number,
  isAsked: boolean,
): number {
  const hasTimeoutMax = options.retransmissionTimeoutMax !== undefined;
  const whole = timeout - LATEST_LOOK;
  if (!isAsked || (!hasTimeoutMax && minProbes < 3)) return (3 / 8) * whole - LATE;
  return hasTimeoutMax ? slowestAnswer : Math.min(slowestAnswer, 0.7 * whole - LATE);
}

/** Packets are lost on the way. The plan says how likely a living peer is ended. */
function lossy(random: Random): History {
  const timeout = random.pick([4_000, 5_000, 9_000, 20_000]);
  const end = 12 * timeout;
  const program = random.chance(0.5) ? 'idle' : 'writer';
  return {
    ...always(random, timeout, 3, random.magnitude(1, 0.1 * timeout)),
    hasTimeoutMax: true,
    loss: random.pick(LOSSES),
    program: {
      ...IDLE,
      kind: program,
      from: 0,
      to: NEVER,
      interval: random.pick([1_000, timeout / 8, timeout / 3, timeout]),
      size: 20,
    },
    end,
  };
}

/** Nothing passes for a while. */
function outage(random: Random, timeout: number, minProbes: number): History {
  const from = random.between(0, 1.5 * timeout);
  const outages = [{ from, to: from + random.between(0, 1.3) * timeout }];
  const kind = random.next();
  const roundTrip = random.magnitude(1, 0.7 * timeout);
  const end = 5 * timeout;
  return {
    ...always(random, timeout, minProbes, roundTrip),
    ours: kind < 0.7 ? outages : NO_OUTAGE,
    theirs: kind < 0.4 || kind >= 0.7 ? outages : NO_OUTAGE,
    program: drawProgram(random, timeout, roundTrip, end),
    peer: drawPeer(random, timeout),
    ...disturbances(random, timeout, from),
    end,
  };
}

const IDLE: Program = {
  kind: 'idle',
  from: NEVER,
  to: NEVER,
  interval: NEVER,
  size: 0,
  isNagleOn: false,
  cwnd: 10,
};

const QUIET: PeerBehaviour = {
  delayedAck: 40,
  writeInterval: NEVER,
  keepAliveInterval: NEVER,
  closedFrom: NEVER,
  closedTo: NEVER,
  room: 65_536,
};

/** What all histories have, with nothing that disturbs. */
function always(random: Random, timeout: number, minProbes: number, roundTrip: number): History {
  return {
    seed: random.integer(0, 2 ** 31),
    timeout,
    minProbes,
    hasTimeoutMax: random.chance(0.7),
    roundTrip,
    jitter: random.pick([0, 0, 1, roundTrip / 4]),
    laterRoundTrip: roundTrip,
    changesAt: NEVER,
    loss: 0,
    ours: NO_OUTAGE,
    theirs: NO_OUTAGE,
    dropsFrom: NEVER,
    program: IDLE,
    peer: QUIET,
    callAt: 0,
    override: 'none',
    overrideAt: NEVER,
    blockedFrom: NEVER,
    blockedTo: NEVER,
    end: timeout,
  };
}

function drawProgram(random: Random, timeout: number, roundTrip: number, end: number): Program {
  const share = random.next();
  const isNagleOn = random.chance(0.4);
  const from = random.between(0, 2 * timeout);
  const base = { from, to: end, isNagleOn, cwnd: random.pick([10, 10, 200]) };
  const size = Math.round(random.magnitude(1, 3_000));
  if (share < 0.3) return IDLE;
  if (share < 0.5) return { ...base, kind: 'write', interval: NEVER, size };
  if (share < 0.7) {
    const shortest = random.chance(0.02) ? 10 : Math.max(10, timeout / 150);
    const interval = random.magnitude(shortest, Math.max(1_000, shortest));
    return { ...base, kind: 'writer', from: 0, interval, size: Math.min(size, 1_448) };
  }
  if (share < 0.85) return { ...base, kind: 'mixed', from: 0, interval: timeout / 10, size };
  // Only for a few round trips: an upload has many segments.
  const to = Math.min(end, from + random.between(1, 30) * roundTrip);
  return { ...base, kind: 'upload', interval: NEVER, size, to, cwnd: 10 };
}

function drawPeer(random: Random, timeout: number): PeerBehaviour {
  const often = (): number => random.magnitude(timeout / 50, 2 * timeout);
  const closedFrom = random.chance(0.3) ? random.between(0, 2 * timeout) : NEVER;
  return {
    delayedAck: random.pick([0, 40]),
    writeInterval: random.chance(0.15) ? often() : NEVER,
    keepAliveInterval: random.chance(0.15) ? Math.max(1_000, often()) : NEVER,
    closedFrom,
    closedTo: closedFrom + (random.chance(0.5) ? NEVER : random.magnitude(0.1, 4) * timeout),
    room: closedFrom === NEVER ? 65_536 : random.pick([3_000, 20_000]),
  };
}

type Disturbances = Pick<
  History,
  'callAt' | 'override' | 'overrideAt' | 'blockedFrom' | 'blockedTo'
>;

function disturbances(random: Random, timeout: number, faultAt: number): Disturbances {
  const override = random.chance(0.2) ? random.pick(['off', '60 s'] as const) : 'none';
  const isBlocked = random.chance(0.15);
  const blockedFrom = isBlocked ? random.between(0, faultAt + timeout) : NEVER;
  return {
    callAt: random.chance(0.25) ? random.between(0, faultAt + timeout) : 0,
    override,
    overrideAt: override === 'none' ? NEVER : random.between(0, faultAt + timeout),
    blockedFrom,
    blockedTo: isBlocked ? blockedFrom + random.magnitude(0.05, 3) * timeout : NEVER,
  };
}
