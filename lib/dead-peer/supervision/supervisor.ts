// Supervises sockets: looks at each a few times within its timeout, at many in one call, and ends those whose peer is dead.
// rule.ts decides. One timer per thread serves all sockets.

import { SharedMap } from '../../core/shared-map';
import { descriptorOf, type TcpHandle, tcpHandleOf } from '../../core/socket';
import { markSupervised } from '../../core/supervised-mark';
import { throwUncaught } from '../../core/throw-uncaught';
import { readTcpInfos } from '../../tcp-info/columns';
import { applyOptions, keepAliveOf, probeNow } from '../apply-options';
import type { DeadPeerPlan } from '../plan';
import { termsOf } from '../supervised-plan';
import type { ChosenOptions } from '../validate-options';
import { type Judgement, judgeMptcp, type SubflowMemories } from './mptcp';
import { REPORT_FIELDS, type Report, type ReportColumns, reportAt } from './report';
import {
  attemptsOf,
  claimProbe,
  isSilent,
  judge,
  type Memory,
  newMemory,
  type Terms,
} from './rule';
import { Slots } from './slots';
import { Turns } from './turns';
import { endClosed, endDead, type SupervisedSocket } from './verdict';

/**
 * The most sockets that are read, and the most probes that are sent, in one turn of the event loop: about 0.5 ms. More than
 * 1 000 probes at once would overflow queues of the kernel.
 */
const LOOKS_PER_TURN = 64;

/** In milliseconds. A closed connection leaves its slot only when that is due, so no slot is far away. */
const LONGEST_PAUSE = 20_000;

/** What was chosen for a connection in the last call. */
export interface Supervision {
  readonly plan: DeadPeerPlan;
  readonly chosen: ChosenOptions;
  /** When it was chosen, by `performance.now()`. */
  readonly since: number;
}

/**
 * It stays as long as the handle: what is known of a connection is true for each later call. A class, because V8 gives objects
 * made by spread several shapes, and looks up their members by name then: docs/decisions/0017-supervision.md.
 */
class Entry {
  /** Weak, so that a closed socket is not kept until its next look. Node keeps an open one. */
  socket: WeakRef<SupervisedSocket>;
  /** `undefined`: the program has ended the supervision. */
  supervision: Supervision | undefined;
  terms: Terms;
  readonly memory: Memory;
  /** Of a Multipath TCP connection. Others have no map: it would take a fourth of an entry's memory. */
  subflows: SubflowMemories | undefined;
  /** The slot of the next look. Earlier slots may still contain the entry. */
  slot = 0;
  /** It waits for its turn. */
  isQueued = false;

  constructor(socket: SupervisedSocket, supervision: Supervision, terms: Terms, memory: Memory) {
    this.socket = new WeakRef(socket);
    this.supervision = supervision;
    this.terms = terms;
    this.memory = memory;
  }

  /** Follows a later call for the same connection. */
  update(socket: SupervisedSocket, supervision: Supervision, terms: Terms): void {
    if (terms.minProbes > this.terms.minProbes) {
      for (const memory of [this.memory, ...(this.subflows?.values() ?? [])]) {
        memory.enoughAt = Number.POSITIVE_INFINITY;
      }
    }
    this.socket = new WeakRef(socket);
    this.supervision = supervision;
    this.terms = terms;
  }
}

/**
 * A connection has one handle, also if a TLS socket and the socket below it share it. The copy of this package that was called last
 * supervises it. It replaces or deletes the entry of another copy, which is of another class. That copy finds this at its next look.
 */
const entries = new SharedMap<TcpHandle, unknown>('supervision');

function ownEntryOf(handle: TcpHandle): Entry | undefined {
  const entry = entries.get(handle);
  return entry instanceof Entry ? entry : undefined;
}

const slots = new Slots<Entry>((due, slot) => {
  const now = performance.now();
  for (const entry of due) {
    if (entry.slot === slot) queue(entry, looks, isSilent(entry.memory, now, entry.terms));
  }
  lookSoon();
});

/** Entries whose look is due. Those of silent peers are urgent: each of these looks may be the verdict. */
const looks = new Turns<Entry>();
/** Entries whose peer seems to be dead. The verdict waits for a turn of the event loop, which reads what has arrived. */
const suspects = new Turns<Entry>();
let isLookPlanned = false;

function queue(entry: Entry, turns: Turns<Entry>, isUrgent: boolean): void {
  if (entry.isQueued) return;
  entry.isQueued = true;
  turns.add(entry, isUrgent);
}

/**
 * Supervises a connected socket. It replaces an earlier plan for the same connection, and keeps what is known of it.
 * `silence`: for how long nothing has come from the peer. `undefined`: the connection was established just now, and its first
 * look can wait.
 */
export function supervise(
  socket: SupervisedSocket,
  plan: DeadPeerPlan,
  chosen: ChosenOptions,
  silence: number | undefined,
): void {
  const handle = tcpHandleOf(socket);
  if (handle === undefined) return;
  markSupervised(handle, plan.supervised);
  const now = performance.now();
  const terms = termsOf(plan, chosen.minProbes);
  const supervision = { plan, chosen, since: now };
  let entry = ownEntryOf(handle);
  if (entry === undefined) {
    const memory = newMemory(now, silence === undefined ? now : Number.NEGATIVE_INFINITY);
    entry = new Entry(socket, supervision, terms, memory);
    entries.set(handle, entry);
  } else {
    entry.update(socket, supervision, terms);
  }
  if (silence !== undefined && silence >= plan.maxSilence && terms.evidence === 'clock') {
    // The first probe is overdue.
    if (claimProbe(entry.memory, now, terms.timeout)) ask(socket, plan);
  }
  const lookAt = silence === undefined ? now + terms.timeout / 2 : now;
  if (!entry.isQueued && !slots.isWaiting(entry.slot, lookAt)) lookLater(entry, lookAt, now);
}

function lookLater(entry: Entry, time: number, now: number): void {
  entry.slot = slots.add(entry, Math.min(time, now + LONGEST_PAUSE));
}

function entryOf(socket: SupervisedSocket): Entry | undefined {
  const handle = tcpHandleOf(socket);
  return handle === undefined ? undefined : ownEntryOf(handle);
}

/** Ends the supervision of a connection. */
export function stopSupervision(socket: SupervisedSocket): void {
  const handle = tcpHandleOf(socket);
  if (handle === undefined || entries.get(handle) === undefined) return;
  const entry = ownEntryOf(handle);
  if (entry === undefined) entries.delete(handle);
  else entry.supervision = undefined;
  markSupervised(handle, false);
}

/** Whether a connection is supervised, by any copy of this package. */
export function isSupervised(socket: SupervisedSocket): boolean {
  const handle = tcpHandleOf(socket);
  const entry = handle === undefined ? undefined : entries.get(handle);
  return entry instanceof Entry ? entry.supervision !== undefined : entry !== undefined;
}

/** Returns what was chosen for a connection that this copy of the package supervises. */
export function supervisionOf(socket: SupervisedSocket): Supervision | undefined {
  return entryOf(socket)?.supervision;
}

/** Looks after a poll phase, so that a blocked event loop has read what has arrived meanwhile. */
function lookSoon(): void {
  if (isLookPlanned || looks.length + suspects.length === 0) return;
  isLookPlanned = true;
  setImmediate(() => {
    isLookPlanned = false;
    const again = suspects.take(LOOKS_PER_TURN);
    const first = looks.take(LOOKS_PER_TURN);
    lookAt(again, true);
    lookAt(first, false);
    lookSoon();
  });
}

/** The columns of the last look are filled again: new ones would cost more than reading. */
let columns: ReportColumns | undefined;

function lookAt(due: readonly Entry[], isSecondLook: boolean): void {
  const open: Entry[] = [];
  const sockets: SupervisedSocket[] = [];
  for (const entry of due) {
    entry.isQueued = false;
    const socket = openSocketOf(entry);
    if (socket === undefined) continue;
    open.push(entry);
    sockets.push(socket);
  }
  if (open.length === 0) return;
  const isRoomy = columns !== undefined && columns.errno.length >= open.length;
  const readAt = performance.now();
  columns = readTcpInfos(sockets, REPORT_FIELDS, isRoomy ? columns : undefined);
  const look = { readAt, now: performance.now(), isSecondLook };
  for (let row = 0; row < open.length; row++) {
    // The socket is closed, or belongs to another process now.
    if (columns.errno[row] !== 0) continue;
    try {
      const report = reportAt(columns, row);
      follow(open[row] as Entry, sockets[row] as SupervisedSocket, report, look);
    } catch (error) {
      throwUncaught(error);
    }
  }
}

/** Returns the socket of an entry; `undefined` if its connection is closed, or its supervision has ended. */
function openSocketOf(entry: Entry): SupervisedSocket | undefined {
  const socket = entry.socket.deref();
  if (entry.supervision === undefined || socket === undefined || socket.destroyed) return undefined;
  return entryOf(socket) === entry ? socket : undefined;
}

interface Look {
  readonly readAt: number;
  readonly now: number;
  readonly isSecondLook: boolean;
}

function follow(entry: Entry, socket: SupervisedSocket, report: Report, look: Look): void {
  const { supervision, memory } = entry;
  const { now, isSecondLook } = look;
  // The end of an earlier socket of this turn may have ended this one.
  if (supervision === undefined || socket.destroyed) return;
  const { plan } = supervision;
  const { decision, attempts } = judgeEntry(entry, socket, plan, report, look);
  switch (decision.verdict) {
    case 'closed':
      endClosed(socket, silenceOf(plan, memory, now));
      return;
    case 'dead':
      if (isSecondLook) {
        endDead(socket, { ...silenceOf(plan, memory, now), unanswered: attempts });
      } else {
        queue(entry, suspects, true);
      }
      return;
    default:
      lookLater(entry, decision.lookAt, now);
      if (decision.request === 'keepalive') ask(socket, plan);
  }
}

function silenceOf({ timeout }: DeadPeerPlan, { lifeAt }: Memory, now: number) {
  return { timeout, silence: Math.round(now - lifeAt) };
}

function judgeEntry(
  entry: Entry,
  socket: SupervisedSocket,
  { platform }: DeadPeerPlan,
  report: Report,
  look: Look,
): Judgement {
  const { memory, terms } = entry;
  if (platform === 'mptcp') {
    entry.subflows ??= new Map();
    const judged = judgeMptcp(descriptorOf(socket), memory, entry.subflows, look, terms);
    if (judged !== undefined) return judged;
  }
  const decision = judge(memory, report, look.now, terms, look.readAt);
  return { decision, attempts: attemptsOf(memory, report) };
}

/** Has the kernel probe now, with the keepalive values of the plan: somebody may have changed them. */
function ask(socket: SupervisedSocket, { options }: DeadPeerPlan): void {
  try {
    applyOptions(socket, keepAliveOf(options));
    probeNow(socket, options);
  } catch {
    // The kernel has closed the connection meanwhile: the next look finds that.
  }
}
