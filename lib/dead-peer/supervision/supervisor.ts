// Supervises sockets: looks at each a few times within its timeout, at many in one call, and ends those whose peer is dead.
// rule.ts decides. One timer per thread serves all sockets.

import { type TcpHandle, tcpHandleOf } from '../../core/socket';
import { throwUncaught } from '../../core/throw-uncaught';
import { readTcpInfos } from '../../tcp-info/columns';
import { applyOptions, keepAliveOf, probeNow } from '../apply-options';
import type { DeadPeerPlan } from '../plan';
import { mptcpReport } from './mptcp';
import { REPORT_FIELDS, type Report, type ReportColumns, reportAt } from './report';
import { attemptsOf, judge, type Memory, newMemory, type Request, type Terms } from './rule';
import { Slots } from './slots';
import { endClosed, endDead, type SupervisedSocket } from './verdict';

/**
 * The most sockets that are read, and the most probes that are sent, in one turn of the event loop: about 0.3 ms. More than
 * 1 000 probes at once would overflow queues of the kernel.
 */
const LOOKS_PER_TURN = 128;

/** In milliseconds. A closed connection leaves its slot only when that is due, so no slot is far away. */
const LONGEST_PAUSE = 60_000;

interface Entry {
  /** Weak, so that a closed socket is not kept until its next look. Node keeps an open one. */
  socket: WeakRef<SupervisedSocket>;
  plan: DeadPeerPlan;
  terms: Terms;
  memory: Memory;
  /** The slot of the next look. Earlier slots may still contain the entry. */
  slot: number;
}

/** A connection has one handle, also if a TLS socket and the socket below it share it. */
const entries = new WeakMap<TcpHandle, Entry>();

const slots = new Slots<Entry>((due, slot) => {
  for (const entry of due) if (entry.slot === slot) looks.push(entry);
  lookSoon();
});

/** Entries whose look is due. */
let looks: Entry[] = [];
/** Entries whose peer seems to be dead. The verdict waits for a turn of the event loop, which reads what has arrived. */
let suspects: Entry[] = [];
let isLookPlanned = false;

/**
 * Supervises a connected socket. It replaces an earlier supervision of the same connection. `isFresh`: the connection was
 * established just now, and its first look can wait.
 */
export function supervise(
  socket: SupervisedSocket,
  plan: DeadPeerPlan,
  terms: Terms,
  isFresh: boolean,
): void {
  const handle = tcpHandleOf(socket);
  if (handle === undefined) return;
  const now = performance.now();
  const memory = newMemory(now, isFresh ? now : Number.NEGATIVE_INFINITY);
  const choice = { socket: new WeakRef(socket), plan, terms, memory };
  const known = entries.get(handle);
  // An entry stays in its slots. So a connection keeps its entry, however often the program calls.
  const entry: Entry = known === undefined ? { ...choice, slot: 0 } : Object.assign(known, choice);
  entries.set(handle, entry);
  const lookAt = isFresh ? now + terms.timeout / 2 : now;
  if (!slots.isWaiting(entry.slot, lookAt)) lookLater(entry, lookAt, now);
}

function lookLater(entry: Entry, time: number, now: number): void {
  entry.slot = slots.add(entry, Math.min(time, now + LONGEST_PAUSE));
}

/** Ends the supervision of a connection. */
export function stopSupervision(socket: SupervisedSocket): void {
  const handle = tcpHandleOf(socket);
  if (handle !== undefined) entries.delete(handle);
}

/** Returns the plan of a supervised connection. */
export function supervisedPlan(socket: SupervisedSocket): DeadPeerPlan | undefined {
  const handle = tcpHandleOf(socket);
  return handle === undefined ? undefined : entries.get(handle)?.plan;
}

/** Looks after a poll phase, so that a blocked event loop has read what has arrived meanwhile. */
function lookSoon(): void {
  if (isLookPlanned || (looks.length === 0 && suspects.length === 0)) return;
  isLookPlanned = true;
  setImmediate(() => {
    isLookPlanned = false;
    const again = take(suspects);
    suspects = again.rest;
    const first = take(looks);
    looks = first.rest;
    lookAt(again.part, true);
    lookAt(first.part, false);
    lookSoon();
  });
}

function take(list: Entry[]): { part: Entry[]; rest: Entry[] } {
  if (list.length <= LOOKS_PER_TURN) return { part: list, rest: [] };
  return { part: list.slice(0, LOOKS_PER_TURN), rest: list.slice(LOOKS_PER_TURN) };
}

/** The columns of the last look are filled again: new ones would cost more than reading. */
let columns: ReportColumns | undefined;

function lookAt(due: readonly Entry[], isSecondLook: boolean): void {
  const open: Entry[] = [];
  const sockets: SupervisedSocket[] = [];
  for (const entry of due) {
    const socket = openSocketOf(entry);
    if (socket === undefined) continue;
    open.push(entry);
    sockets.push(socket);
  }
  if (open.length === 0) return;
  const isRoomy = columns !== undefined && columns.errno.length >= open.length;
  columns = readTcpInfos(sockets, REPORT_FIELDS, isRoomy ? columns : undefined);
  const now = performance.now();
  for (let row = 0; row < open.length; row++) {
    // The socket is closed, or belongs to another process now.
    if (columns.errno[row] !== 0) continue;
    const entry = open[row] as Entry;
    const socket = sockets[row] as SupervisedSocket;
    const report = reportAt(columns, row);
    const isMptcp = entry.plan.platform === 'mptcp';
    try {
      follow(
        entry,
        socket,
        isMptcp ? mptcpReport(socket, report, entry.plan.options) : report,
        now,
        isSecondLook,
      );
    } catch (error) {
      throwUncaught(error);
    }
  }
}

/** Returns the socket of an entry; `undefined` if its connection is closed or supervised by another entry. */
function openSocketOf(entry: Entry): SupervisedSocket | undefined {
  const socket = entry.socket.deref();
  if (socket === undefined || socket.destroyed) return undefined;
  const handle = tcpHandleOf(socket);
  return handle !== undefined && entries.get(handle) === entry ? socket : undefined;
}

function follow(
  entry: Entry,
  socket: SupervisedSocket,
  report: Report,
  now: number,
  isSecondLook: boolean,
): void {
  const decision = judge(entry.memory, report, now, entry.terms);
  switch (decision.verdict) {
    case 'closed':
      endClosed(socket);
      return;
    case 'dead':
      if (isSecondLook) {
        endDead(socket, {
          timeout: entry.plan.timeout,
          silence: Math.round(now - entry.memory.lifeAt),
          unanswered: attemptsOf(entry.memory, report),
        });
      } else {
        suspects.push(entry);
      }
      return;
    default:
      lookLater(entry, decision.lookAt, now);
      ask(socket, entry.plan, decision.request);
  }
}

function ask(socket: SupervisedSocket, { options }: DeadPeerPlan, request: Request): void {
  if (request === 'nothing') return;
  try {
    applyOptions(socket, keepAliveOf(options));
    probeNow(socket, options);
  } catch {
    // The kernel has closed the connection meanwhile: the next look finds that.
  }
}
